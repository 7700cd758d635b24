//! A TLS connection that looks and does not judge: whatever certificate is shown is taken, so that an expired one can be read. Nothing
//! secret goes over it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http::PATIENCE;

/// Greets as a browser would that wants this name; a name that is none is not sent.
pub(super) async fn handshake(connection: TcpStream, name: &str) -> Result<TlsStream<TcpStream>, String> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Looking(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is no host name"))?;
    match timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, connection)).await {
        Ok(Ok(greeted)) => Ok(greeted),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no TLS handshake in time".to_owned()),
    }
}

/// The certificate that was shown for the name.
pub(super) fn shown_certificate(greeted: &TlsStream<TcpStream>) -> Option<CertificateDer<'static>> {
    greeted.get_ref().1.peer_certificates()?.first().cloned()
}

/// Takes every certificate; signatures are still checked against it.
#[derive(Debug)]
struct Looking(Arc<CryptoProvider>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
