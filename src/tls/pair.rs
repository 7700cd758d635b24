//! A certificate chain with its private key, checked: both can be read, and they belong together. Called with what files hold and
//! with what an authority issued.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::certificate::CertificateFacts;
use super::error::PairProblem;
use super::handshake::provider;

/// A certificate that can be served.
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) facts: CertificateFacts,
}

impl Pair {
    /// Reads both from PEM; `chain` begins with the server's own certificate. One text may hold both.
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, PairProblem> {
        if !(is_whole(chain) && is_whole(key)) {
            return Err(PairProblem::Cut);
        }
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| PairProblem::NoCertificate)?;
        let first = chain.first().ok_or(PairProblem::NoCertificate)?;
        let facts = CertificateFacts::from_der(first)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PairProblem::NoKey)?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => PairProblem::Mismatch,
            rustls::Error::InvalidCertificate(_) => PairProblem::Certificate(super::CertificateUnreadable),
            _ => PairProblem::Key,
        })?;
        Ok(Self { certified: Arc::new(certified), facts })
    }
}

/// Whether each section that begins also ends. The reader of PEM leaves out one that does not, and a chain would lack its end: browsers
/// refuse that, though it can be served.
fn is_whole(pem: &[u8]) -> bool {
    let count = |mark: &[u8]| pem.windows(mark.len()).filter(|window| *window == mark).count();
    count(b"-----BEGIN ") == count(b"-----END ")
}
