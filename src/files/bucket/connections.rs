//! HTTP/1.1 to one store: connections, kept for the next request, with TLS where the address says so, and every wait bounded. It knows
//! no S3. Roots are those that browsers trust, or the given ones in their place; never a certificate unseen.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::HOST;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::BucketError;

/// For a connection, with its handshake. A store that needs longer is as good as away.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// For an answer to begin, the sending of a piece included: four megabytes at two megabits a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// For the next bytes of an answer.
const BYTES_WITHIN: Duration = Duration::from_secs(10);
/// Connections that wait for the next request. More costs the store memory, fewer a handshake now and then.
const MAX_IDLE: usize = 32;
/// What a connection keeps of an answer until somebody reads it: as much as a download from the folder. Less costs reads from the network,
/// more costs memory for each download whose reader is slow.
const BUFFER_BYTES: usize = 128 << 10;
/// A connection that waited longer may be dead without anybody having said so: stores and routers give up after a minute or more.
const IDLE_FOR: Duration = Duration::from_secs(20);

type Sender = SendRequest<Full<Bytes>>;

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// The connections to a store.
pub(super) struct Connections {
    tls: TlsConnector,
    idle: Mutex<Vec<(Instant, Sender)>>,
}

/// The body of an answer.
pub(super) struct Body(Incoming);

impl Connections {
    /// None is open yet.
    pub(super) fn new(roots: Option<Arc<RootCertStore>>) -> Self {
        let roots = roots.unwrap_or_else(|| Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }));
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("ring knows both versions of TLS");
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), idle: Mutex::default() }
    }

    /// Sends a request to its absolute address; the answer with its status and what is to be read of it.
    pub(super) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Body>, BucketError> {
        let address = std::mem::take(request.uri_mut());
        let host = address.authority().expect("addresses are absolute").as_str().to_owned();
        request.headers_mut().insert(HOST, host.try_into().expect("an authority is a header's value"));
        *request.uri_mut() = address.path_and_query().cloned().expect("addresses are absolute").into();
        let mut sender = match self.take_idle() {
            Some(sender) => sender,
            None => within(CONNECT_WITHIN, self.connect(&address)).await?,
        };
        let answer = within(ANSWER_WITHIN, async { sender.send_request(request).await.map_err(io::Error::other) }).await?;
        // Not ready again before its answer was read; those who look for one see that.
        self.give_back(sender);
        Ok(answer.map(Body))
    }

    async fn connect(&self, address: &Uri) -> io::Result<Sender> {
        let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_encrypted = address.scheme_str() == Some("https");
        let port = address.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = if is_encrypted {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            Box::new(self.tls.connect(name, stream).await?)
        } else {
            Box::new(stream)
        };
        let handshake = Builder::new().max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(wire));
        let (sender, connection) = handshake.await.map_err(io::Error::other)?;
        // Ends when the sender is dropped, or the store closes; how, the requests on it are told.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take_idle(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, sender)| !sender.is_closed() && since.elapsed() < IDLE_FOR);
        let position = idle.iter().rposition(|(_, sender)| sender.is_ready())?;
        Some(idle.swap_remove(position).1)
    }

    fn give_back(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Beyond the maximum it is closed, once its answer was read.
        if idle.len() < MAX_IDLE {
            idle.push((Instant::now(), sender));
        }
    }
}

impl Body {
    /// The next bytes; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BucketError> {
        let next = async {
            while let Some(frame) = self.0.frame().await {
                if let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Ok(None)
        };
        within(BYTES_WITHIN, next).await
    }

    /// All bytes, which may be so many.
    pub(super) async fn all(self, at_most: usize) -> Result<Bytes, BucketError> {
        let collect = async { Limited::new(self.0, at_most).collect().await.map_err(io::Error::other) };
        Ok(within(ANSWER_WITHIN, collect).await?.to_bytes())
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, BucketError> {
    match timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(|error| BucketError::Unreachable(error.to_string())),
        Err(_) => Err(BucketError::Unreachable("no answer in time".to_owned())),
    }
}
