//! What a certificate says of itself (RFC 5280): from when until when it is valid, and for which names. Reads, and judges nothing:
//! no signature is checked here.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::time::Timestamp;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Valid from then on.
    pub not_before: Timestamp,
    /// Valid until then.
    pub not_after: Timestamp,
    /// The DNS names that it is for, in lower case; `*.` at the beginning of one stands for one label.
    pub names: Vec<String>,
    /// The addresses that it is for.
    pub addresses: Vec<IpAddr>,
    /// Whether it vouches for itself.
    pub is_self_signed: bool,
}

/// Bytes that are no X.509 certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the certificate cannot be read: it is no X.509 certificate")]
pub struct CertificateUnreadable;

impl CertificateFacts {
    /// Reads a certificate in DER form.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateUnreadable> {
        let (_, certificate) = parse_x509_certificate(der).map_err(|_| CertificateUnreadable)?;
        let moment = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000));
        let alternatives = certificate.subject_alternative_name().map_err(|_| CertificateUnreadable)?;
        let mut names = Vec::new();
        let mut addresses = Vec::new();
        for alternative in alternatives.iter().flat_map(|extension| &extension.value.general_names) {
            match alternative {
                GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                _ => {}
            }
        }
        Ok(Self {
            not_before: moment(certificate.validity().not_before.timestamp()),
            not_after: moment(certificate.validity().not_after.timestamp()),
            names,
            addresses,
            is_self_signed: certificate.issuer() == certificate.subject(),
        })
    }

    /// Reads the first certificate of a text in PEM form: in a chain, the server's own.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateUnreadable> {
        let first = CertificateDer::from_pem_slice(pem).map_err(|_| CertificateUnreadable)?;
        Self::from_der(&first)
    }

    /// Whether it is for this name or address (RFC 6125 §6.4.3: a wildcard stands for exactly one label).
    pub fn covers(&self, name: &str) -> bool {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|own| match own.strip_prefix("*.") {
            Some(own_parent) => parent == Some(own_parent),
            None => *own == name,
        })
    }
}

/// An address as a certificate writes it: 4 or 16 bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn dates_and_names_are_those_that_were_signed() {
        let mut params =
            CertificateParams::new(["Call.Example".to_owned(), "*.example".to_owned(), "192.0.2.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(2060, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let expected = CertificateFacts {
            not_before: Timestamp::from_millis(1_709_164_800_000),
            not_after: Timestamp::from_millis(2_840_140_800_000),
            names: vec!["call.example".to_owned(), "*.example".to_owned()],
            addresses: vec![IpAddr::from([192, 0, 2, 1])],
            is_self_signed: true,
        };
        assert_eq!(CertificateFacts::from_der(certificate.der()).unwrap(), expected);
        assert_eq!(CertificateFacts::from_pem(certificate.pem().as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        for bytes in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &[0x30, 0x82, 0xff, 0xff]] {
            assert_eq!(CertificateFacts::from_der(bytes), Err(CertificateUnreadable));
            assert_eq!(CertificateFacts::from_pem(bytes), Err(CertificateUnreadable));
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let at = Timestamp::from_millis(0);
        let names = vec!["call.example".to_owned(), "*.wild.example".to_owned()];
        let facts = CertificateFacts { not_before: at, not_after: at, names, addresses: Vec::new(), is_self_signed: false };
        for (name, expected) in [
            ("call.example", true),
            ("CALL.example", true),
            ("a.wild.example", true),
            ("wild.example", false),
            ("a.b.wild.example", false),
            ("x.call.example", false),
            ("", false),
        ] {
            assert_eq!(facts.covers(name), expected, "{name}");
        }
    }
}
