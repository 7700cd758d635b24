//! One rule about peers: a network and, if it is about some ports only, these. Written `10.0.0.0/8`, `10.1.2.3:5000-6000`,
//! `[fd00::/8]:443`.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// A network of peers and their ports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerRule {
    network: IpAddr,
    prefix: u32,
    ports: RangeInclusive<u16>,
}

/// Why a text is no rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PeerRuleError {
    /// No address in front.
    #[error("an IPv4 or IPv6 address is expected, as in 10.0.0.0/8 or [fd00::/8]:443")]
    Address,
    /// The prefix is no number, or too long.
    #[error("the prefix length is wrong: at most 32 for IPv4, 128 for IPv6")]
    Prefix,
    /// The address has bits set behind the prefix: probably a slip.
    #[error("the address has bits behind its prefix")]
    HostBits,
    /// The ports are no number or range.
    #[error("a port or a range of ports is expected, as in 5000-6000")]
    Ports,
}

impl PeerRule {
    /// Whether it allows a peer; with port 0, any port of it.
    pub(super) fn allows(&self, peer: SocketAddr) -> bool {
        self.is_inside(peer.ip()) && (peer.port() == 0 || self.ports.contains(&peer.port()))
    }

    /// Whether it denies a peer; with port 0, every port of it.
    pub(super) fn denies(&self, peer: SocketAddr) -> bool {
        self.is_inside(peer.ip()) && if peer.port() == 0 { !self.names_ports() } else { self.ports.contains(&peer.port()) }
    }

    fn is_inside(&self, ip: IpAddr) -> bool {
        match (self.network, ip) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                (u32::from(network) ^ u32::from(ip)).checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                (u128::from(network) ^ u128::from(ip)).checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    /// Whether it is about some ports only; such a rule means low ones too.
    pub(super) fn names_ports(&self) -> bool {
        self.ports != (0..=u16::MAX)
    }

    /// Whether it names one address and no network.
    pub(super) fn is_single_address(&self) -> bool {
        self.prefix == bits(self.network)
    }
}

fn bits(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl FromStr for PeerRule {
    type Err = PeerRuleError;

    fn from_str(text: &str) -> Result<Self, PeerRuleError> {
        let (network, ports) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or(PeerRuleError::Address)? {
                (network, "") => (network, None),
                (network, ports) => (network, Some(ports.strip_prefix(':').ok_or(PeerRuleError::Ports)?)),
            },
            // More than one colon is IPv6 without ports.
            None => match text.split_once(':') {
                Some((network, ports)) if !ports.contains(':') => (network, Some(ports)),
                _ => (text, None),
            },
        };
        let (ip, prefix) = match network.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix.parse().map_err(|_| PeerRuleError::Prefix)?)),
            None => (network, None),
        };
        let network: IpAddr = ip.parse().map_err(|_| PeerRuleError::Address)?;
        let prefix = prefix.unwrap_or(bits(network));
        if prefix > bits(network) {
            return Err(PeerRuleError::Prefix);
        }
        if has_host_bits(network, prefix) {
            return Err(PeerRuleError::HostBits);
        }
        Ok(Self { network, prefix, ports: ports.map_or(Ok(0..=u16::MAX), parse_ports)? })
    }
}

fn has_host_bits(network: IpAddr, prefix: u32) -> bool {
    match network {
        IpAddr::V4(ip) => u32::from(ip).checked_shl(prefix).unwrap_or(0) != 0,
        IpAddr::V6(ip) => u128::from(ip).checked_shl(prefix).unwrap_or(0) != 0,
    }
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, PeerRuleError> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(PeerRuleError::Ports);
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    if first > last { Err(PeerRuleError::Ports) } else { Ok(first..=last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> PeerRule {
        text.parse().unwrap()
    }

    fn peer(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_rule_covers_its_network_and_ports_and_nothing_else() {
        assert!(rule("10.0.0.0/8").allows(peer("10.255.0.1:1")));
        assert!(!rule("10.0.0.0/8").allows(peer("11.0.0.0:1")));
        assert!(rule("10.1.2.3:5000-6000").allows(peer("10.1.2.3:5000")));
        assert!(!rule("10.1.2.3:5000-6000").allows(peer("10.1.2.3:6001")));
        assert!(rule("[fd00::/8]:443").allows(peer("[fdff::1]:443")));
        assert!(!rule("[fd00::/8]:443").allows(peer("[fdff::1]:444")));
        assert!(rule("fd00::/8").allows(peer("[fdff::1]:444")));
        assert!(rule("0.0.0.0/0").allows(peer("1.2.3.4:5")) && !rule("0.0.0.0/0").allows(peer("[::1]:5")));
        assert!(rule("::/0").allows(peer("[::1]:5")));
    }

    #[test]
    fn of_an_address_alone_a_rule_about_some_ports_allows_some_and_does_not_deny_all() {
        assert!(rule("10.1.2.3:5000").allows(peer("10.1.2.3:0")));
        assert!(!rule("10.1.2.3:5000").denies(peer("10.1.2.3:0")));
        assert!(rule("10.1.2.3:5000").denies(peer("10.1.2.3:5000")));
        assert!(rule("10.1.2.3").denies(peer("10.1.2.3:0")));
    }

    #[test]
    fn what_is_no_rule_says_why() {
        let error = |text: &str| text.parse::<PeerRule>().unwrap_err();
        assert_eq!(error("example.org"), PeerRuleError::Address);
        assert_eq!(error("[fd00::/8"), PeerRuleError::Address);
        assert_eq!(error("10.0.0.0/33"), PeerRuleError::Prefix);
        assert_eq!(error("10.0.0.0/x"), PeerRuleError::Prefix);
        assert_eq!(error("10.0.0.1/8"), PeerRuleError::HostBits);
        assert_eq!(error("10.0.0.0/8:0"), PeerRuleError::Ports);
        assert_eq!(error("10.0.0.0/8:6-5"), PeerRuleError::Ports);
        assert_eq!(error("[fd00::/8]443"), PeerRuleError::Ports);
    }
}
