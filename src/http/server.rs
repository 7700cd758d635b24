//! One HTTP connection: its headers within a time, and an end that lets the request under way finish. Our own, because `axum::serve`
//! bounds none of it.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::HOST;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use super::address::Peer;
use crate::shutdown::Shutdown;

/// How long a request's header may take to arrive, and how long a connection of HTTP/1 may be idle. A slow attacker is cut off.
const HEADER_TIME: Duration = Duration::from_secs(20);
/// The most of a request's head that is kept while it arrives.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// Requests at a time on one connection of HTTP/2: a page asks for all of its files at once.
const MAX_HTTP2_STREAMS: u32 = 128;
/// How often a connection of HTTP/2 is asked whether it lives, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIME: Duration = Duration::from_secs(20);

/// Which HTTP a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpVersion {
    /// HTTP/1.1, and 1.0. WebSockets are opened in it.
    One,
    /// HTTP/2; in TLS only, where ALPN agrees on it.
    Two,
}

/// Serves one connection until it ends, is upgraded, or the server stops and the request under way is answered. Errors are clients
/// that went away or sent no HTTP: nothing to do, nothing to say.
pub async fn serve_connection(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    version: HttpVersion,
    peer: SocketAddr,
    router: Router,
    shutdown: &Shutdown,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| router.clone().call(prepared(request, peer)));
    let io = TokioIo::new(io);
    match version {
        HttpVersion::One => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIME)
                .max_buf_size(MAX_HEADER_BYTES)
                .serve_connection(io, service)
                .with_upgrades();
            let mut connection = pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = shutdown.begun() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        }
        HttpVersion::Two => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(MAX_HTTP2_STREAMS)
                .keep_alive_interval(PING_INTERVAL)
                .keep_alive_timeout(PING_TIME)
                .serve_connection(io, service);
            let mut connection = pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = shutdown.begun() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        }
    }
}

/// What the router gets: with the other end of the connection, and the host where HTTP/1 has it.
fn prepared(request: hyper::Request<Incoming>, peer: SocketAddr) -> hyper::Request<Body> {
    let mut request = request.map(Body::new);
    if !request.headers().contains_key(HOST)
        && let Some(host) = request.uri().authority().and_then(|authority| authority.as_str().parse().ok())
    {
        request.headers_mut().insert(HOST, host);
    }
    request.extensions_mut().insert(Peer(peer));
    request
}
