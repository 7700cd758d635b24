//! To whom may be relayed: closed for everything that is not plainly public, so that a relay is no way into the network it stands in.
//!
//! [`PeerFilter::judge`] is asked with the very address that a packet would be sent to, at every entry point: CreatePermission,
//! ChannelBind, Send, and what comes in from a peer. Compiled from the configuration; pure, without an allocation.

mod embedded;
mod ranges;
mod rule;
#[cfg(test)]
pub(super) mod tests;

use std::net::{IpAddr, SocketAddr};

use super::auth::Scope;
use super::config::{SelfRelay, TurnConfig};
use embedded::{Embedded, embedded_v4};
pub use ranges::DeniedRange;
use ranges::built_in;
pub use rule::{PeerRule, PeerRuleError};

/// Ports below this are for services of the system: name servers, mail, time, management.
const FIRST_HIGH_PORT: u16 = 1024;

/// What may be done with a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is a media address of the SFU: hand over in the process.
    Sfu,
    /// It is within the range of our own relays, and these may talk to each other.
    SelfRelay,
    /// Relay through the socket.
    Open,
    Denied(DeniedRange),
}

/// The rules, compiled.
pub(super) struct PeerFilter {
    deny: Vec<PeerRule>,
    allow: Vec<PeerRule>,
    allow_low_ports: Vec<u16>,
    self_relay: SelfRelay,
    own_ips: Vec<IpAddr>,
    own_ports: Vec<u16>,
    sfu: Vec<SocketAddr>,
    relay_ips: Vec<IpAddr>,
    relay_ports: std::ops::RangeInclusive<u16>,
}

impl PeerFilter {
    pub(super) fn new(config: &TurnConfig) -> Self {
        let relays = [config.relay.v4, config.relay.v6].into_iter().flatten();
        let relay_ips: Vec<IpAddr> = relays.flat_map(|relay| [relay.bind, relay.advertised]).collect();
        let mut own_ips: Vec<IpAddr> = config.own.ips.iter().chain(&relay_ips).map(IpAddr::to_canonical).collect();
        own_ips.extend(config.own.sfu.iter().map(|address| address.ip().to_canonical()));
        own_ips.sort_unstable();
        own_ips.dedup();
        Self {
            deny: config.peers.deny.clone(),
            allow: config.peers.allow.clone(),
            allow_low_ports: config.peers.allow_low_ports.clone(),
            self_relay: config.peers.self_relay,
            own_ips,
            own_ports: config.own.ports.clone(),
            sfu: config.own.sfu.clone(),
            relay_ips,
            relay_ports: config.relay.all_ports.clone(),
        }
    }

    /// Whether this is a media address of the SFU.
    pub(super) fn is_sfu(&self, address: SocketAddr) -> bool {
        self.sfu.contains(&address)
    }

    /// Whether this is one of our own addresses.
    pub(super) fn is_own(&self, ip: IpAddr) -> bool {
        self.own_ips.binary_search(&ip.to_canonical()).is_ok()
    }

    /// Whether this is one of our own addresses with a port that we listen on.
    pub(super) fn is_own_port(&self, address: SocketAddr) -> bool {
        self.own_ports.contains(&address.port()) && self.is_own(address.ip())
    }

    /// Whether this is where a relay of this process may be.
    pub(super) fn is_own_relay(&self, address: SocketAddr) -> bool {
        self.relay_ips.contains(&address.ip()) && self.relay_ports.contains(&address.port())
    }

    /// Whether any port of an address may be reached by whoever has this scope: what a permission, which has no port, stands for.
    pub(super) fn may_reach(&self, ip: IpAddr, scope: Scope) -> bool {
        let is_sfu = self.sfu.iter().any(|address| address.ip() == ip);
        let is_relay = self.self_relay == SelfRelay::Allowed && self.relay_ips.contains(&ip);
        is_sfu || (scope == Scope::Any && (is_relay || self.judge(SocketAddr::new(ip, 0)) == Verdict::Open))
    }

    /// Judges a peer's address as a packet would be sent to it. Port 0 stands for any, where a request is about the address alone
    /// (RFC 8656 §9.1).
    pub(super) fn judge(&self, peer: SocketAddr) -> Verdict {
        if self.is_sfu(peer) {
            return Verdict::Sfu;
        }
        if self.is_own(peer.ip()) {
            return self.judge_own(peer);
        }
        match embedded_v4(peer.ip()) {
            Embedded::None => self.judge_plain(peer),
            Embedded::Never => Verdict::Denied(DeniedRange::Embedded),
            // Both the address itself and what it would be translated to have to be allowed.
            Embedded::In(v4) => match self.judge_plain(peer) {
                Verdict::Open if self.is_own(v4.into()) => Verdict::Denied(DeniedRange::Own),
                Verdict::Open => self.judge_plain(SocketAddr::new(v4.into(), peer.port())),
                verdict => verdict,
            },
        }
    }

    /// An own address: the SFU was exempt already. Own ports never; relays if they may; the rest only where a rule names this very
    /// address and no network around it.
    fn judge_own(&self, peer: SocketAddr) -> Verdict {
        if self.own_ports.contains(&peer.port()) {
            return Verdict::Denied(DeniedRange::Own);
        }
        if self.is_own_relay(peer) {
            return match self.self_relay {
                SelfRelay::Allowed => Verdict::SelfRelay,
                SelfRelay::Forbidden => Verdict::Denied(DeniedRange::Own),
            };
        }
        match self.allow.iter().find(|rule| rule.is_single_address() && rule.allows(peer)) {
            Some(rule) if rule.names_ports() => Verdict::Open,
            Some(_) => self.judge_port(peer.port()),
            None => Verdict::Denied(DeniedRange::Own),
        }
    }

    fn judge_plain(&self, peer: SocketAddr) -> Verdict {
        match self.allow.iter().find(|rule| rule.allows(peer)) {
            Some(rule) if rule.names_ports() => return Verdict::Open,
            Some(_) => return self.judge_port(peer.port()),
            None => {}
        }
        if let Some(range) = built_in(peer.ip()) {
            return Verdict::Denied(range);
        }
        if self.deny.iter().any(|rule| rule.denies(peer)) {
            return Verdict::Denied(DeniedRange::Rule);
        }
        self.judge_port(peer.port())
    }

    fn judge_port(&self, port: u16) -> Verdict {
        if (1..FIRST_HIGH_PORT).contains(&port) && !self.allow_low_ports.contains(&port) {
            return Verdict::Denied(DeniedRange::LowPort);
        }
        Verdict::Open
    }
}
