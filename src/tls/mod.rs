//! Certificates and the settings of TLS handshakes: from files that somebody else renews, or from a certificate authority by ACME
//! (RFC 8555) with TLS-ALPN-01 (RFC 8737) or HTTP-01. Owns the certificate that is served, and replaces it while connections go on.
//!
//! It accepts no connection: whoever does asks [`Tls::config_for`] what to answer a ClientHello with, and [`Tls::http01`] what to answer
//! on the plain port. The cryptography is ring's, handed to rustls here and not installed for the process. A private key leaves this
//! module neither in a log nor in an error.

mod acme;
mod cache;
mod certificate;
mod challenges;
mod error;
mod files;
mod handshake;
mod pair;
mod served;
mod timing;

pub use certificate::{CertificateFacts, CertificateUnreadable};
pub use error::{PairProblem, TlsError};
pub use files::Reload;
pub use served::{CertificateSource, CertificateStatus};
pub use timing::Timing;

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;
use tokio::sync::watch;

use crate::config::{AcmeChallenge, AcmeConfig, TlsConfig};
use crate::shutdown::Shutdown;
use acme::Acme;
use challenges::Challenges;
use files::Files;
use served::Served;

/// Where an authority asks for proof on the plain port; the token follows (RFC 8555 §8.3).
pub const HTTP01_PATH: &str = "/.well-known/acme-challenge/";

/// TLS as the rest of the server sees it. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    served: Arc<Served>,
    server: Arc<ServerConfig>,
    origin: Origin,
}

/// What only one kind of source has.
#[derive(Clone)]
enum Origin {
    Files(Arc<Files>),
    TlsAlpn01(Arc<ServerConfig>),
    Http01(Arc<Challenges>),
}

impl Tls {
    /// Starts what keeps certificates fresh until `shutdown`; `None` when TLS is off. Files are read and checked before this returns; a
    /// certificate by ACME is obtained afterwards, and until then handshakes fail. Must be called within a tokio runtime.
    pub fn start(config: &TlsConfig, data_dir: &Path, shutdown: &Shutdown) -> Result<Option<Self>, TlsError> {
        Self::start_with(config, data_dir, shutdown, Timing::default())
    }

    /// Like [`Tls::start`], for tests that cannot wait as long.
    pub fn start_with(
        config: &TlsConfig,
        data_dir: &Path,
        shutdown: &Shutdown,
        timing: Timing,
    ) -> Result<Option<Self>, TlsError> {
        match config {
            TlsConfig::Off => Ok(None),
            TlsConfig::Files { cert, key, names } => {
                let served = Arc::new(Served::new(CertificateSource::Files, names));
                let files = Arc::new(Files::open(cert, key, names, Arc::clone(&served))?);
                shutdown.spawn(Arc::clone(&files).watch(timing.file_poll, shutdown.clone()));
                Self::new(served, Origin::Files(files)).map(Some)
            }
            TlsConfig::Acme(settings) => Self::by_acme(settings, data_dir, shutdown, timing).map(Some),
        }
    }

    fn by_acme(settings: &AcmeConfig, data_dir: &Path, shutdown: &Shutdown, timing: Timing) -> Result<Self, TlsError> {
        let served = Arc::new(Served::new(CertificateSource::Acme, &settings.names));
        let challenges = Arc::new(Challenges::default());
        let acme = Acme::prepare(settings, data_dir, Arc::clone(&served), Arc::clone(&challenges), timing)?;
        shutdown.spawn(acme.run(shutdown.clone()));
        let origin = match settings.challenge {
            AcmeChallenge::TlsAlpn01 => Origin::TlsAlpn01(handshake::challenge_config(challenges)?),
            AcmeChallenge::Http01 => Origin::Http01(challenges),
        };
        Self::new(served, origin)
    }

    fn new(served: Arc<Served>, origin: Origin) -> Result<Self, TlsError> {
        let server = handshake::server_config(Arc::clone(&served))?;
        Ok(Self { served, server, origin })
    }

    /// For everybody but an authority that asks for proof. Stays the same when the certificate is replaced.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// For an authority that asks for proof by TLS-ALPN-01; `None` when none ever does. The connection ends with the handshake.
    pub fn acme_config(&self) -> Option<Arc<ServerConfig>> {
        match &self.origin {
            Origin::TlsAlpn01(config) => Some(Arc::clone(config)),
            Origin::Files(_) | Origin::Http01(_) => None,
        }
    }

    /// What to answer a ClientHello with: [`Tls::acme_config`] when it offers `acme-tls/1` and nothing else (RFC 8737 §3), otherwise
    /// [`Tls::server_config`].
    pub fn config_for(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        match &self.origin {
            Origin::TlsAlpn01(config) if rustls_acme::is_tls_alpn_challenge(hello) => Arc::clone(config),
            _ => self.server_config(),
        }
    }

    /// The key authorization to answer a request for [`HTTP01_PATH`] and this token with, as `application/octet-stream`; `None` when nobody
    /// was given this token.
    pub fn http01(&self, token: &str) -> Option<String> {
        match &self.origin {
            Origin::Http01(challenges) => challenges.http01(token),
            Origin::Files(_) | Origin::TlsAlpn01(_) => None,
        }
    }

    /// What is served now, and what went wrong last.
    pub fn status(&self) -> CertificateStatus {
        self.served.status()
    }

    /// The first name of the certificate under which this server can be reached.
    pub fn name(&self) -> Option<String> {
        self.status().names.into_iter().find(|name| !name.starts_with('*'))
    }

    /// Each change of [`Tls::status`].
    pub fn subscribe(&self) -> watch::Receiver<CertificateStatus> {
        self.served.subscribe()
    }

    /// Reads the files again now, as on SIGHUP. With ACME there is nothing to read.
    pub async fn reload(&self) -> Reload {
        match &self.origin {
            Origin::Files(files) => Arc::clone(files).reload().await,
            Origin::TlsAlpn01(_) | Origin::Http01(_) => Reload::Unchanged,
        }
    }
}
