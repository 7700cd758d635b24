//! Credentials for TURN: with the welcome, and anew while a page stays.

use std::time::Duration;

use webcall::signal::Timing;
use webcall::signal::protocol::{ClientMessage, ServerMessage, VERSION};

use crate::client::Socket;
use crate::server::Server;

#[tokio::test]
async fn a_page_is_told_the_servers_with_the_welcome_and_again_while_it_stays() {
    let timing = Timing { renewal_interval: Duration::from_millis(50), ..Timing::default() };
    let server = Server::start_with(timing).await;
    let ann = server.register("ann").await;
    let mut socket = Socket::connect(&server, &ann).await;
    socket.say(1, ClientMessage::Hello { version: VERSION, resume: None }).await;
    let ServerMessage::Welcome { ice_servers, .. } = socket.hear().await.unwrap().message else {
        panic!("hello is answered by welcome");
    };
    assert_eq!(ice_servers[0].urls, ["stun:stun.example:3478"]);
    for _ in 0..2 {
        let renewed = socket.hear().await.unwrap().message;
        assert_eq!(renewed, ServerMessage::IceServers { ice_servers: ice_servers.clone() });
    }
}
