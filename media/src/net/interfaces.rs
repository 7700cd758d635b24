//! Which addresses a server without configuration tells browsers: those of its interfaces.

use std::net::IpAddr;

/// More are noise in every answer, and a check each in every browser.
const MAX_ADDRESSES: usize = 16;

/// The addresses of the interfaces that are up: those that others can reach first, loopback last.
///
/// Loopback stays in, so that a call on one machine works without a network; link-local IPv6 stays out, since it means nothing
/// without an interface name.
pub(crate) fn advertised_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(|ip| !is_link_local(ip)).collect();
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES);
    addresses
}

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
