//! The certificate that handshakes get, and what is known of it. One owner replaces it, `files` or `acme`; connections that are open
//! keep what they agreed on.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::pair::Pair;
use crate::config::DomainName;
use crate::time::Timestamp;

/// What is known of the certificate that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStatus {
    /// Where it comes from.
    pub source: CertificateSource,
    /// The names that it is for; before there is one, those that it will be for.
    pub names: Vec<String>,
    /// Valid from then on; `None` before there is one.
    pub not_before: Option<Timestamp>,
    /// Valid until then; `None` before there is one.
    pub not_after: Option<Timestamp>,
    /// Why the latest attempt to replace it failed; `None` after one that did not.
    pub last_error: Option<String>,
}

/// Where certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateSource {
    /// From files that somebody else renews.
    Files,
    /// From a certificate authority.
    Acme,
}

/// The certificate that handshakes get.
pub(super) struct Served {
    certificate: RwLock<Option<Arc<CertifiedKey>>>,
    status: watch::Sender<CertificateStatus>,
}

impl Served {
    /// None yet.
    pub(super) fn new(source: CertificateSource, names: &[DomainName]) -> Self {
        let names = names.iter().map(ToString::to_string).collect();
        let status = CertificateStatus { source, names, not_before: None, not_after: None, last_error: None };
        Self { certificate: RwLock::new(None), status: watch::Sender::new(status) }
    }

    /// Handshakes from now on get this one.
    pub(super) fn replace(&self, pair: Pair) {
        *self.certificate.write().unwrap_or_else(PoisonError::into_inner) = Some(pair.certified);
        self.status.send_modify(|status| {
            status.names = pair.facts.names;
            status.not_before = Some(pair.facts.not_before);
            status.not_after = Some(pair.facts.not_after);
            status.last_error = None;
        });
    }

    /// Handshakes get this one, unless they get one already that is valid for longer. No attempt to replace it succeeded by that: the
    /// last error stays.
    pub(super) fn restore(&self, pair: Pair) {
        let status = self.status();
        if status.not_after.is_some_and(|not_after| not_after > pair.facts.not_after) {
            return;
        }
        self.replace(pair);
        self.status.send_modify(|now| now.last_error = status.last_error);
    }

    /// An attempt to replace it failed; what is served stays.
    pub(super) fn failed(&self, problem: String) {
        self.status.send_modify(|status| status.last_error = Some(problem));
    }

    pub(super) fn status(&self) -> CertificateStatus {
        self.status.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<CertificateStatus> {
        self.status.subscribe()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Without the key.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}
