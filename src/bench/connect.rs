//! How a server is reached: its address, and a connection to it, with TLS when the address says so. Trusted are the roots that browsers
//! trust, or those of a file in their place, never a certificate unseen.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::BenchError;

/// What both kinds of connection are.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A connection to a server, plain or with TLS.
pub(super) type Connection = Box<dyn Bytes>;

/// A server's address.
#[derive(Clone)]
pub(super) struct Origin {
    /// Host, and port unless it is the usual one, as in `Host`.
    authority: String,
    /// Host and port.
    address: String,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Origin {
    /// Reads `http://host:port` or `https://host:port`. Certificates are checked against the roots in `ca_file`, when it is given.
    pub(super) fn parse(url: &str, ca_file: Option<&Path>) -> Result<Self, BenchError> {
        let refused =
            || BenchError::call("the server's address", "must be like http://localhost:8080 or https://call.example.org");
        let (is_encrypted, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(refused()),
        };
        let usual_port = if is_encrypted { 443 } else { 80 };
        let (host, port) = host_and_port(rest.trim_end_matches('/'), usual_port).ok_or_else(refused)?;
        let tls = match is_encrypted {
            true => {
                let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(|_| refused())?;
                Some(Tls { connector: connector(roots(ca_file)?), name })
            }
            false if ca_file.is_some() => {
                return Err(BenchError::call("the server's address", "--ca-file is for https:// addresses"));
            }
            false => None,
        };
        let address = format!("{host}:{port}");
        Ok(Self { authority: if port == usual_port { host.to_owned() } else { address.clone() }, address, tls })
    }

    /// What requests say in `Host`.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// What a page of the server says in `Origin`.
    pub(super) fn as_page(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority)
    }

    /// The address of a WebSocket there.
    pub(super) fn websocket(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls.is_some() { "wss" } else { "ws" }, self.authority)
    }

    /// Connects.
    pub(super) async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(Tls { connector, name }) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`, and nothing behind it.
fn host_and_port(text: &str, usual_port: u16) -> Option<(&str, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, usual_port),
    };
    let is_host = !host.is_empty() && !host.contains(['/', '?', '#', '@']) && (host.starts_with('[') || !host.contains(':'));
    is_host.then_some((host, port))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, BenchError> {
    let Some(path) = ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let act = "reading --ca-file";
    let unusable = || BenchError::call(act, format!("{} holds no certificates in PEM form", path.display()));
    let pem = std::fs::read(path).map_err(|error| BenchError::call(act, format!("{}: {error}", path.display())))?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&pem) {
        roots.add(root.map_err(|_| unusable())?).map_err(|_| unusable())?;
    }
    if roots.is_empty() { Err(unusable()) } else { Ok(roots) }
}

fn connector(roots: RootCertStore) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("ring has ciphers for every version");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // The port carries TURN and media too: this says which of them is wanted.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_browser_reads_it() {
        for (url, page, address, socket) in [
            ("http://localhost:8080", "http://localhost:8080", "localhost:8080", "ws://localhost:8080/x"),
            ("http://a.example/", "http://a.example", "a.example:80", "ws://a.example/x"),
            ("https://a.example", "https://a.example", "a.example:443", "wss://a.example/x"),
            ("https://a.example:443", "https://a.example", "a.example:443", "wss://a.example/x"),
            ("https://[::1]:8443/", "https://[::1]:8443", "[::1]:8443", "wss://[::1]:8443/x"),
            ("https://[::1]", "https://[::1]", "[::1]:443", "wss://[::1]/x"),
            ("https://127.0.0.1:1", "https://127.0.0.1:1", "127.0.0.1:1", "wss://127.0.0.1:1/x"),
        ] {
            let origin = Origin::parse(url, None).unwrap();
            assert_eq!((origin.as_page().as_str(), origin.address.as_str()), (page, address));
            assert_eq!(origin.websocket("/x"), socket);
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for url in [
            "",
            "localhost:8080",
            "ftp://a",
            "http://",
            "https://a/b",
            "https://a:b",
            "https://::1",
            "https://me@a",
            "https://a b",
        ] {
            assert!(Origin::parse(url, None).is_err(), "{url}");
        }
        assert!(Origin::parse("http://a", Some(Path::new("roots.pem"))).is_err());
        let missing = Origin::parse("https://a", Some(Path::new("/nowhere/roots.pem"))).err().unwrap().to_string();
        assert!(missing.contains("/nowhere/roots.pem"), "{missing}");
    }
}
