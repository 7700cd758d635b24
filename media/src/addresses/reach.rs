//! From where an address can be reached, by its range alone (IANA's special-purpose registries, RFC 6890, as of 2024).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// From where an address can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// From everywhere, if no firewall is in the way.
    Public,
    /// From the own network: RFC 1918, carriers' (RFC 6598), unique local (RFC 4193), and ranges for examples and measurements.
    Private,
    /// From this machine.
    Loopback,
    /// From nowhere, or only by an interface's name: link-local, multicast, unspecified.
    Nowhere,
}

/// From where this address can be reached.
pub fn reach(ip: IpAddr) -> Reach {
    match ip.to_canonical() {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [first, second, third, _] = ip.octets();
    match (first, second, third) {
        (127, ..) => Reach::Loopback,
        (0 | 224..=255, ..) | (169, 254, _) => Reach::Nowhere,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Reach::Private,
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (198, 18 | 19, _) => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if ip.is_loopback() {
        return Reach::Loopback;
    }
    let [first, second, ..] = ip.segments();
    match (first, second) {
        // Documentation (RFC 3849).
        (0x2001, 0x0db8) => Reach::Private,
        (0x2000..=0x3fff, _) => Reach::Public,
        (0xfc00..=0xfdff, _) => Reach::Private,
        _ => Reach::Nowhere,
    }
}
