//! What is needed of a certificate (RFC 5280): its time, its names, and whether it vouches for itself.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// Names that are kept; a certificate with more is one of a hosting company and shows its first.
const MAX_NAMES: usize = 100;

/// The parts of a certificate that are judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::doctor) struct Certificate {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) names: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) is_self_signed: bool,
}

impl Certificate {
    /// The first certificate of a PEM file, which is the server's own.
    pub(super) fn of_pem(bytes: &[u8]) -> Result<Self, String> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(bytes).map_err(|_| "not a certificate in PEM form".to_owned())?;
        Self::of_der(&pem.contents)
    }

    /// A certificate as it goes over the wire.
    pub(super) fn of_der(bytes: &[u8]) -> Result<Self, String> {
        let (_, read) = X509Certificate::from_der(bytes).map_err(|error| format!("not a certificate: {error}"))?;
        let alternatives = read.subject_alternative_name().ok().flatten();
        let alternatives = || alternatives.iter().flat_map(|extension| &extension.value.general_names).take(MAX_NAMES);
        let name = |name: &GeneralName<'_>| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None };
        let address = |name: &GeneralName<'_>| if let GeneralName::IPAddress(bytes) = name { address(bytes) } else { None };
        Ok(Self {
            not_before: time(read.validity().not_before),
            not_after: time(read.validity().not_after),
            names: alternatives().filter_map(name).collect(),
            addresses: alternatives().filter_map(address).collect(),
            is_self_signed: read.issuer() == read.subject(),
        })
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Before 1970 is as expired as 1970.
fn time(time: ASN1Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))
}
