//! One question by HTTP/1.1 over any connection, within a time and a size.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take, and an answer. Longer keeps whoever waits for the report; shorter loses far servers.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);
/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Opens a connection; `authority` is `host:port`.
pub(super) async fn connect(authority: &str) -> Result<TcpStream, String> {
    match timeout(PATIENCE, TcpStream::connect(authority)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Asks for a path.
pub(super) async fn get<C>(connection: C, authority: &str, path: &str) -> Result<Answer, String>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    timeout(PATIENCE, exchange(connection, authority, path)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn exchange<C>(connection: C, authority: &str, path: &str) -> Result<Answer, String>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, driver) = http1::handshake(TokioIo::new(connection)).await.map_err(failed)?;
    tokio::spawn(driver);
    let request = Request::get(path).header("host", authority).body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Answer { headers: head.headers, body })
}
