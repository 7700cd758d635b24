//! How a server ends.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::server::TestServer;

/// Far more than it takes, and less than the 5 s for which requests under way are waited for.
const PATIENCE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_stopping_server_closes_idle_connections_and_takes_no_new_one() {
    let mut server = TestServer::start().await;
    server.get("/healthz").send().await.unwrap();
    server.app.shutdown.begin();
    tokio::time::timeout(PATIENCE, server.ended()).await.expect("an idle connection must not hold the server up");
    assert!(TcpStream::connect(server.host()).await.is_err());
}

#[tokio::test]
async fn a_connection_that_never_sends_a_request_does_not_hold_the_server_up() {
    let mut server = TestServer::start().await;
    let silent = TcpStream::connect(server.host()).await.unwrap();
    server.get("/healthz").send().await.unwrap();
    server.app.shutdown.begin();
    tokio::time::timeout(PATIENCE, server.ended()).await.expect("a silent connection must not hold the server up");
    drop(silent);
}
