//! IPv4 addresses within IPv6 ones. A translator or tunnel on the way would turn one into the other, so that a filter which looks at the
//! outside only is walked around (CVE-2020-26262, CVE-2026-27624).
//!
//! The forms are refused as they are (`ranges.rs`). What is unwrapped here matters when a rule allows one of them, a NAT64 for example:
//! then what is inside has to be allowed too.

use std::net::{IpAddr, Ipv4Addr};

use super::ranges::is_isatap;

/// What is within an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Embedded {
    /// Nothing: it is what it is.
    None,
    /// This address, which packets may come out at.
    In(Ipv4Addr),
    /// An IPv4-mapped address, which is no destination on a socket for IPv6 (RFC 3493 §3.7), or one within the NAT64 prefix of one's own
    /// (RFC 8215), where nobody can tell which bytes the address is in.
    Never,
}

/// Unwraps an address.
pub(super) fn embedded_v4(ip: IpAddr) -> Embedded {
    let IpAddr::V6(ip) = ip else { return Embedded::None };
    let bytes = ip.octets();
    let at = |from: usize| Ipv4Addr::new(bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]);
    match ip.segments() {
        // Unspecified and loopback are in the list by themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Embedded::None,
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 1, ..] => Embedded::Never,
        // IPv4-compatible and IPv4-translated.
        [0, 0, 0, 0, 0 | 0xffff, 0, _, _] => Embedded::In(at(12)),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Embedded::In(at(12)),
        // The client's address stands inverted at the end.
        [0x2001, 0, ..] => Embedded::In(Ipv4Addr::from(!u32::from(at(12)))),
        [0x2002, ..] => Embedded::In(at(2)),
        _ if is_isatap(ip) => Embedded::In(at(12)),
        _ => Embedded::None,
    }
}
