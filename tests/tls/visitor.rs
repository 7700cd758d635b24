//! Somebody who connects: verifies certificates as a browser does, against the roots of the test.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What somebody is willing to speak.
pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];
pub(crate) const BOTH: Versions = &[&TLS13, &TLS12];
pub(crate) const ONLY_1_2: Versions = &[&TLS12];
pub(crate) const ONLY_1_3: Versions = &[&TLS13];

/// Somebody who trusts one root.
pub(crate) struct Visitor {
    pub(crate) root_pem: String,
    pub(crate) versions: Versions,
    pub(crate) protocols: Vec<&'static str>,
}

/// An open connection to an echo.
pub(crate) struct Visit(TlsStream<TcpStream>);

impl Visitor {
    pub(crate) fn trusting(root_pem: &str) -> Self {
        Self { root_pem: root_pem.to_owned(), versions: BOTH, protocols: Vec::new() }
    }

    pub(crate) fn offering(self, protocols: &[&'static str]) -> Self {
        Self { protocols: protocols.to_vec(), ..self }
    }

    pub(crate) fn with(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }

    /// Connects to 127.0.0.1 and asks for a name.
    pub(crate) async fn visit(&self, port: u16, name: &str) -> std::io::Result<Visit> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(self.root_pem.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let mut config =
            builder.with_protocol_versions(self.versions).unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = self.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map(Visit)
    }
}

impl Visit {
    /// The server's own certificate.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.0.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    /// What was agreed on.
    pub(crate) fn protocol(&self) -> Option<String> {
        self.0.get_ref().1.alpn_protocol().map(|protocol| String::from_utf8(protocol.to_vec()).unwrap())
    }

    /// Fails unless the other side sends the same back.
    pub(crate) async fn echo(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
        let mut back = vec![0; text.len()];
        self.0.read_exact(&mut back).await.unwrap();
        assert_eq!(back, text.as_bytes());
    }

    /// Sends one request of HTTP/1.0 and gives the body of the answer.
    pub(crate) async fn get(mut self, path: &str) -> String {
        self.0.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}
