//! The proofs that an authority asks for while an order is under way. Each attempt brings its own; this holds those of the latest.
//! Asked by handshakes that offer `acme-tls/1` (RFC 8737) and by the plain port (RFC 8555 §8.3).

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::ResolvesServerCertAcme;

/// The proofs of the latest attempt.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    latest: RwLock<Option<Arc<ResolvesServerCertAcme>>>,
}

impl Challenges {
    /// Those of an attempt that begins.
    pub(super) fn replace(&self, resolver: Arc<ResolvesServerCertAcme>) {
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(resolver);
    }

    /// The key authorization of a token, while its order is under way.
    pub(super) fn http01(&self, token: &str) -> Option<String> {
        self.latest()?.get_http_01_key_auth(token)
    }

    fn latest(&self) -> Option<Arc<ResolvesServerCertAcme>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.latest()?.resolve(hello)
    }
}
