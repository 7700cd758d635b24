//! The accept loop: connections within bounds, their headers within a time, and an end that lets requests finish. Our own, because
//! it is where TLS and media over TCP will be told apart, and because `axum::serve` bounds neither number nor time.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::address::Peer;
use crate::shutdown::Shutdown;

/// HTTP connections at a time; a WebSocket stops counting once it is open. Further ones wait in the kernel's queue. Each costs a file
/// descriptor and some 20 kB.
const MAX_CONNECTIONS: usize = 4096;
/// How long a request's header may take to arrive, and how long a connection may be idle. Browsers open spare connections; a slow
/// attacker is cut off.
const HEADER_TIME: Duration = Duration::from_secs(20);
/// The most of a request's head that is kept while it arrives.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// How long requests may take to finish once the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Waiting for file descriptors to become free when there are none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until stopping begins, then lets the requests that are under way finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.begun() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // A connection that was reset before it was accepted, or too many open files: neither ends the server.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, shutdown) = (router.clone(), shutdown.clone());
        connections.spawn(async move {
            connection(stream, peer, router, shutdown).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_TIME, connections.wait()).await.is_err() {
        tracing::warn!("stopping although some requests have not finished");
    }
}

/// Serves one connection until it ends, is upgraded, or the server stops and the request under way is answered. Errors are clients
/// that went away or sent no HTTP: nothing to do, nothing to say.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: Shutdown) {
    // Signalling sends small frames that must not wait for each other; a socket that refuses works all the same.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.begun() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
