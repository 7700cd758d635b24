//! The certificate with which this process proves itself in DTLS, and the fingerprints by which certificates are known: SDP carries
//! them (RFC 8122 §5), so that whoever controls the signalling controls who may answer. There is no certificate authority.
//!
//! One certificate for the life of a process; made at start, shared by all transports.

use std::fmt;
use std::sync::Arc;

use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, constant_time_eq};

use super::dtls::DtlsError;

/// Bytes of a SHA-256 digest.
const DIGEST_BYTES: usize = 32;
/// The hash function's name in SDP. Browsers use no other for their certificates.
const HASH_NAME: &str = "sha-256";

/// The SHA-256 digest of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint([u8; DIGEST_BYTES]);

impl Fingerprint {
    /// Reads the value of `a=fingerprint`: `sha-256 AB:CD:…` in either case. `None` for another hash function or a wrong length.
    pub(crate) fn parse(attribute: &str) -> Option<Self> {
        let (hash, digits) = attribute.trim().split_once(' ')?;
        if !hash.eq_ignore_ascii_case(HASH_NAME) {
            return None;
        }
        let mut digest = [0; DIGEST_BYTES];
        let mut pairs = digits.trim().split(':');
        for byte in &mut digest {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(digest))
    }

    /// The digest of a DER-encoded certificate.
    pub(super) fn of(certificate: &[u8], provider: &dyn RTCCryptoProvider) -> Option<Self> {
        let digest = provider.crypto().hash(HashAlgorithm::Sha256, certificate).ok()?;
        digest.try_into().ok().map(Self)
    }

    /// Whether the first certificate of a chain has this fingerprint.
    pub(super) fn matches(&self, chain: &[Vec<u8>], provider: &dyn RTCCryptoProvider) -> bool {
        let found = chain.first().and_then(|certificate| Self::of(certificate, provider));
        found.is_some_and(|found| constant_time_eq(&found.0, &self.0))
    }
}

/// As in `a=fingerprint`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HASH_NAME)?;
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

/// A self-signed ECDSA P-256 certificate with its key, and the cryptography that goes with it.
pub(crate) struct Certificate {
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    pub(super) certificate: rtc_dtls::crypto::Certificate,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes one with the cryptography that the crate is built with.
    pub(crate) fn with_default_provider() -> Result<Self, DtlsError> {
        let provider = rtc_crypto::default_provider().map_err(|error| DtlsError::Handshake(error.to_string()))?;
        Self::generate(provider)
    }

    /// Makes a new key and signs a certificate with it.
    pub(crate) fn generate(provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, DtlsError> {
        let certificate = rtc_dtls::crypto::Certificate::generate_self_signed(vec!["webcall".to_owned()], provider.crypto())
            .map_err(|error| DtlsError::Handshake(error.to_string()))?;
        let fingerprint = certificate.certificate.first().and_then(|der| Fingerprint::of(der, provider.as_ref()));
        let fingerprint = fingerprint.ok_or_else(|| DtlsError::Handshake("the provider has no SHA-256".to_owned()))?;
        Ok(Self { provider, certificate, fingerprint })
    }

    /// The fingerprint to be put into SDP.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The cryptography that all transports with this certificate use.
    pub(crate) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.provider
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_being_written_and_read() {
        let certificate = Certificate::generate(rtc_crypto::default_provider().unwrap()).unwrap();
        let text = certificate.fingerprint().to_string();
        assert_eq!(text.len(), "sha-256 ".len() + 32 * 3 - 1);
        let read = Fingerprint::parse(&format!(" {} ", text.to_lowercase())).unwrap();
        assert_eq!(read.to_string(), text);
        let chain = [certificate.certificate.certificate[0].to_vec()];
        assert!(read.matches(&chain, certificate.provider().as_ref()));
        assert!(!read.matches(&[], certificate.provider().as_ref()));
        let mut changed = chain;
        changed[0][100] ^= 1;
        assert!(!read.matches(&changed, certificate.provider().as_ref()));
    }

    #[test]
    fn what_is_not_a_sha_256_fingerprint_is_refused() {
        let digits = vec!["AB"; 32].join(":");
        assert!(Fingerprint::parse(&format!("sha-256 {digits}")).is_some());
        for wrong in [
            String::new(),
            "sha-256".to_owned(),
            "sha-256 ".to_owned(),
            format!("sha-1 {digits}"),
            format!("sha-256 {digits}:AB"),
            format!("sha-256 {}", &digits[3..]),
            format!("sha-256 {}", digits.replace(':', "")),
            format!("sha-256 {}", digits.replacen("AB", "+B", 1)),
            format!("sha-256 {}", digits.replacen("AB", "ä", 1)),
        ] {
            assert!(Fingerprint::parse(&wrong).is_none(), "{wrong}");
        }
    }
}
