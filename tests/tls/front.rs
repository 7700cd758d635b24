//! The least that a server must do with [`Tls`]: an accept loop that echoes, and a plain port that answers HTTP-01. Either can be told
//! to give an authority a wrong answer.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{Acceptor, ClientHello};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::LazyConfigAcceptor;
use webcall::tls::{HTTP01_PATH, Tls};

/// What an authority that asks for proof gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Right,
    Wrong,
}

/// Two open ports on 127.0.0.1 on which nothing is served yet.
pub(crate) struct Ports {
    tls: TcpListener,
    http: TcpListener,
}

/// A running front; dropping it stops it.
pub(crate) struct Front {
    pub(crate) port: u16,
    proof: watch::Sender<Proof>,
    tls: watch::Sender<Tls>,
    tasks: [JoinHandle<()>; 2],
}

impl Ports {
    pub(crate) async fn open() -> Self {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Self { tls: listen().await.unwrap(), http: listen().await.unwrap() }
    }

    pub(crate) fn tls(&self) -> u16 {
        self.tls.local_addr().unwrap().port()
    }

    pub(crate) fn http(&self) -> u16 {
        self.http.local_addr().unwrap().port()
    }
}

impl Front {
    pub(crate) async fn start(tls: &Tls) -> Self {
        Self::start_on(Ports::open().await, tls, Proof::Right)
    }

    pub(crate) fn start_on(ports: Ports, tls: &Tls, proof: Proof) -> Self {
        let port = ports.tls();
        let (proof, asked) = watch::channel(proof);
        let (tls, current) = watch::channel(tls.clone());
        let (http_asked, http_current) = (asked.clone(), current.clone());
        let accept = async move {
            while let Ok((tcp, _)) = ports.tls.accept().await {
                tokio::spawn(handshake_and_echo(tcp, current.borrow().clone(), *asked.borrow()));
            }
        };
        let accept_http = async move {
            while let Ok((tcp, _)) = ports.http.accept().await {
                tokio::spawn(answer_http01(tcp, http_current.borrow().clone(), *http_asked.borrow()));
            }
        };
        Self { port, proof, tls, tasks: [tokio::spawn(accept), tokio::spawn(accept_http)] }
    }

    /// From now on connections are served by this.
    pub(crate) fn serve(&self, tls: &Tls) {
        self.tls.send_replace(tls.clone());
    }

    /// From now on an authority gets this.
    pub(crate) fn prove(&self, proof: Proof) {
        self.proof.send_replace(proof);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn handshake_and_echo(tcp: TcpStream, tls: Tls, proof: Proof) {
    let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), tcp).await else { return };
    let config = match proof {
        Proof::Wrong if offers_acme(&start.client_hello()) => wrong_proof(),
        _ => tls.config_for(&start.client_hello()),
    };
    let Ok(mut connection) = start.into_stream(config).await else { return };
    let mut buffer = [0; 64];
    while let Ok(len @ 1..) = connection.read(&mut buffer).await {
        if connection.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

fn offers_acme(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == b"acme-tls/1"))
}

/// Right in form (RFC 8737 §3), with the digest of another key authorization.
fn wrong_proof() -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(["call.test".to_owned()]).unwrap();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&[7; 32])];
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    Arc::new(config)
}

async fn answer_http01(tcp: TcpStream, tls: Tls, proof: Proof) {
    let mut tcp = BufReader::new(tcp);
    let mut line = String::new();
    tcp.read_line(&mut line).await.unwrap();
    let path = line.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let token = path.and_then(|path| path.strip_prefix(HTTP01_PATH));
    let answer = match (token.and_then(|token| tls.http01(token)), proof) {
        (Some(_), Proof::Wrong) => "HTTP/1.0 200 OK\r\n\r\nsomething else".to_owned(),
        (Some(authorization), Proof::Right) => format!("HTTP/1.0 200 OK\r\n\r\n{authorization}"),
        (None, _) => "HTTP/1.0 404 Not Found\r\n\r\n".to_owned(),
    };
    // The rest of the request is read first: closing over unread bytes would reset the connection before the answer is read.
    while tcp.read_line(&mut line).await.is_ok_and(|len| len > 2) {}
    let _ = tcp.write_all(answer.as_bytes()).await;
    let _ = tcp.shutdown().await;
}
