//! Which addresses others are told, best first, and what is to be said of them. Pure decisions: what this machine has is gathered in
//! `net/surroundings.rs`, servers are asked in `net/mapped.rs`.
//!
//! Called at start (`handle/start.rs`) and by `webcall doctor`, so that both see the same. Candidates and their order as in RFC 8445
//! §5.1.1; a 1:1 NAT's outer address is told in addition, as a server-reflexive one would be (RFC 8445 §5.1.1.2).

mod reach;
mod server;

use std::net::IpAddr;

pub use reach::{Reach, reach};
pub use server::{StunServer, StunServerError};

/// More are noise in every answer, and a check each in every browser.
pub const MAX_ADDRESSES: usize = 16;

/// An address of a network interface that is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// As the system calls it: `eth0`, `docker0`.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// An IPv6 address that will be another one soon (temporary or deprecated, RFC 8981), or is not yet to be used.
    pub is_passing: bool,
    /// A network card, real or a virtual machine's, is behind it: a container that sees one has the network of its machine.
    pub is_hardware: bool,
}

/// Where this process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On a machine, real or virtual.
    Machine,
    /// In a container.
    Container,
}

/// All that the decision rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Situation {
    /// The interfaces that are up.
    pub interfaces: Vec<Interface>,
    /// What the settings name; it replaces everything else.
    pub configured: Vec<IpAddr>,
    /// Where this process runs.
    pub place: Place,
    /// What STUN servers said, if any were asked.
    pub mapped: Vec<IpAddr>,
}

/// What others are told, and what is to be said of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// Best first. Empty when this machine has no address at all.
    pub advertised: Vec<IpAddr>,
    /// At most one for now.
    pub warnings: Vec<AddressWarning>,
}

/// Why some may not reach what is advertised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressWarning {
    /// The container's own address, which nobody outside its machine can reach, is the best that is advertised.
    ContainerOnly,
    /// Private addresses alone: whoever is in another network cannot reach them.
    NoPublic,
    /// Loopback alone: only this machine reaches it.
    LoopbackOnly,
}

impl AddressWarning {
    /// Its stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::ContainerOnly => "container_address",
            Self::NoPublic => "no_public_address",
            Self::LoopbackOnly => "loopback_only",
        }
    }

    /// What it means and what to do, in a sentence without addresses.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::ContainerOnly => {
                "only the private address of this container is advertised, which others cannot reach: set `advertised` in turn.toml to \
                 the address of the machine, or let the container use its network"
            }
            Self::NoPublic => {
                "no public address is known: calls work in the own network only; for others set `advertised` or `stun_servers` in turn.toml"
            }
            Self::LoopbackOnly => "this machine has no network address but loopback: calls work on it alone",
        }
    }
}

/// Whether a STUN server is worth asking: nothing is configured, and no interface has a public address.
pub fn may_ask(situation: &Situation) -> bool {
    situation.configured.is_empty() && !situation.interfaces.iter().any(|interface| reach(interface.ip) == Reach::Public)
}

/// Decides.
pub fn decide(situation: &Situation) -> Decision {
    if !situation.configured.is_empty() {
        return Decision { advertised: situation.configured.clone(), warnings: Vec::new() };
    }
    let mut ranked: Vec<(Rank, IpAddr)> =
        situation.interfaces.iter().filter_map(|interface| Some((rank(interface)?, interface.ip))).collect();
    let has = |wanted: fn(&Rank) -> bool| ranked.iter().any(|(rank, _)| wanted(rank));
    let (has_better, has_lasting_v6) = (has(|rank| rank.kind < Kind::Bridge), has(|rank| rank.is_lasting_v6()));
    ranked.retain(|(rank, ip)| {
        let is_spare = rank.kind == Kind::Bridge && has_better || rank.is_passing && ip.is_ipv6() && has_lasting_v6;
        !is_spare
    });
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut advertised: Vec<IpAddr> = Vec::new();
    for ip in situation.mapped.iter().copied().chain(ranked.iter().map(|(_, ip)| *ip)) {
        if !advertised.contains(&ip) {
            advertised.push(ip);
        }
    }
    advertised.truncate(MAX_ADDRESSES);
    Decision { warnings: warning(&ranked, situation).into_iter().collect(), advertised }
}

fn warning(ranked: &[(Rank, IpAddr)], situation: &Situation) -> Option<AddressWarning> {
    let best = ranked.first().map(|(rank, _)| rank.kind);
    if situation.mapped.iter().any(|ip| reach(*ip) == Reach::Public) {
        return None;
    }
    // A container that sees network cards or the bridges of containers has the network of its machine.
    let sees_machine = situation.interfaces.iter().any(|interface| interface.is_hardware || is_bridge(&interface.name));
    match best {
        None | Some(Kind::Public) => None,
        Some(Kind::Loopback) => Some(AddressWarning::LoopbackOnly),
        Some(Kind::Private | Kind::Bridge) if situation.place == Place::Container && !sees_machine => {
            Some(AddressWarning::ContainerOnly)
        }
        Some(Kind::Private | Kind::Bridge) => Some(AddressWarning::NoPublic),
    }
}

/// How good an address is to be told: the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    kind: Kind,
    /// Unique local IPv6 (RFC 4193) lies behind everything else of its kind: few networks carry it on.
    is_unique_local: bool,
    is_ipv6: bool,
    is_passing: bool,
}

impl Rank {
    fn is_lasting_v6(&self) -> bool {
        self.kind == Kind::Public && self.is_ipv6 && !self.is_passing
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Public,
    Private,
    Bridge,
    Loopback,
}

/// `None` for what is never told.
fn rank(interface: &Interface) -> Option<Rank> {
    let kind = match reach(interface.ip) {
        Reach::Nowhere => return None,
        Reach::Loopback => Kind::Loopback,
        Reach::Public => Kind::Public,
        Reach::Private if is_bridge(&interface.name) => Kind::Bridge,
        Reach::Private => Kind::Private,
    };
    let is_unique_local = matches!(interface.ip, IpAddr::V6(v6) if v6.is_unique_local());
    Some(Rank { kind, is_unique_local, is_ipv6: interface.ip.is_ipv6(), is_passing: interface.is_passing })
}

/// Names that container engines, hypervisors and their networks give to the interfaces that lead to what runs on this machine.
const BRIDGES: [&str; 13] =
    ["docker", "br-", "veth", "virbr", "vnet", "cni", "flannel", "cali", "podman", "lxcbr", "lxdbr", "incusbr", "kube-"];

/// Whether an interface leads to containers or virtual machines on this machine and nowhere else.
pub fn is_bridge(name: &str) -> bool {
    BRIDGES.iter().any(|bridge| name.starts_with(bridge))
}

#[cfg(test)]
mod tests;
