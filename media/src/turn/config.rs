//! What the TURN server needs to know. The server program reads it from `turn.toml`; nothing here touches a file.
//!
//! Everything but the addresses can be changed in a running engine ([`super::Turn::reload`]): what it has allocated stays.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::peers::PeerRule;
use super::secret::Secret;

/// All settings of one engine.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// What clients are told as REALM; part of every long-term key. At most [`MAX_REALM_BYTES`].
    pub realm: Box<str>,
    /// Where relays are opened.
    pub relay: RelayConfig,
    /// The addresses of this process, which peers may not have.
    pub own: OwnAddresses,
    /// Who may allocate.
    pub auth: AuthConfig,
    /// How much.
    pub limits: LimitsConfig,
    /// To whom.
    pub peers: PeersConfig,
}

/// The longest realm: with a longer one the answer to a plain Allocate would be more than twice what came, and would not be sent.
pub const MAX_REALM_BYTES: usize = 28;

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            realm: "webcall".into(),
            relay: RelayConfig::default(),
            own: OwnAddresses::default(),
            auth: AuthConfig::default(),
            limits: LimitsConfig::default(),
            peers: PeersConfig::default(),
        }
    }
}

/// Where relays are opened.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// The IPv4 address of relays; without one there are none.
    pub v4: Option<RelayAddress>,
    /// The IPv6 address of relays.
    pub v6: Option<RelayAddress>,
    /// Ports of this engine's relays. Every engine of a process needs a range of its own.
    pub ports: RangeInclusive<u16>,
    /// Ports of the relays of all engines of the process: what relays may talk to each other on. None of [`OwnAddresses::ports`] may lie
    /// within.
    pub all_ports: RangeInclusive<u16>,
    /// Whether ports are reserved for a client's next allocation (RFC 8656 §7.2). Only where every client of the server comes to this
    /// engine: another would not know the token.
    pub has_reservations: bool,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self { v4: None, v6: None, ports: 49_152..=65_535, all_ports: 49_152..=65_535, has_reservations: true }
    }
}

/// An address of relays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayAddress {
    /// What sockets are bound to.
    pub bind: IpAddr,
    /// What clients are told: the same, or the public address in front of a 1:1 NAT.
    pub advertised: IpAddr,
}

/// The addresses of this process and machine.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses {
    /// Every address of an interface, and every advertised one.
    pub ips: Vec<IpAddr>,
    /// Ports on them that no peer may have and no client comes from, whatever is allowed: TURN, HTTP, media.
    pub ports: Vec<u16>,
    /// The media addresses of the SFU, as they are told to browsers: the only own ones that a peer may be.
    pub sfu: Vec<SocketAddr>,
}

/// Who may allocate (RFC 8489 §9.2).
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// Users with a password of their own.
    pub users: Vec<StaticUser>,
    /// The secrets of time-limited credentials: the first signs new ones, all verify. At most [`MAX_SHARED_SECRETS`] are used.
    pub shared_secrets: Vec<Secret>,
    /// How long a nonce is good for. Shorter costs clients a round trip more often, longer lets an overheard request be repeated longer.
    pub nonce_lifetime: Duration,
}

/// Live secrets that are tried for a credential: each costs two hashes for a forged one.
pub const MAX_SHARED_SECRETS: usize = 4;

impl Default for AuthConfig {
    fn default() -> Self {
        Self { users: Vec::new(), shared_secrets: Vec::new(), nonce_lifetime: Duration::from_secs(600) }
    }
}

/// A user with a password.
#[derive(Clone, Debug)]
pub struct StaticUser {
    /// The USERNAME.
    pub name: Box<str>,
    /// The password.
    pub password: Secret,
}

/// How much may be used. Each is enforced where the thing it limits is created; 0 means none where a rate may be unlimited.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// Allocations at a time.
    pub max_allocations: usize,
    /// Allocations of one user at a time.
    pub max_allocations_per_user: u32,
    /// Allocations from one address (IPv6: one /64) at a time. A company behind one address needs one for each device.
    pub max_allocations_per_ip: u32,
    /// Addresses with a permission, for each allocation.
    pub max_permissions: usize,
    /// Channels, for each allocation.
    pub max_channels: usize,
    /// The longest lifetime that is granted (RFC 8656 §7.2).
    pub max_lifetime: Duration,
    /// The lifetime that is granted to whoever asks for none or less.
    pub default_lifetime: Duration,
    /// Bits per second through one allocation, in each direction.
    pub bandwidth_per_allocation_bps: u64,
    /// Bits per second of one user, in each direction.
    pub bandwidth_per_user_bps: u64,
    /// Bits per second from and to one address (IPv6: one /64), in each direction. A company behind one address needs some for each device.
    pub bandwidth_per_ip_bps: u64,
    /// Bits per second through the engine, in each direction.
    pub bandwidth_total_bps: u64,
    /// Answers per second to whoever has proved nothing, for each /24 (IPv6: /56).
    pub unauthenticated_per_second: u32,
    /// How many of these answers may come at once.
    pub unauthenticated_burst: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_allocations: 10_000,
            max_allocations_per_user: 30,
            max_allocations_per_ip: 300,
            max_permissions: 64,
            max_channels: 64,
            max_lifetime: Duration::from_secs(3_600),
            default_lifetime: Duration::from_secs(600),
            bandwidth_per_allocation_bps: 16_000_000,
            bandwidth_per_user_bps: 40_000_000,
            bandwidth_per_ip_bps: 200_000_000,
            bandwidth_total_bps: 0,
            unauthenticated_per_second: 20,
            unauthenticated_burst: 50,
        }
    }
}

/// To whom may be relayed, beside the built-in list of what never may (`peers/ranges.rs`).
#[derive(Clone, Debug)]
pub struct PeersConfig {
    /// Refused in addition.
    pub deny: Vec<PeerRule>,
    /// Allowed whatever else is refused, but for own ports.
    pub allow: Vec<PeerRule>,
    /// Ports below 1024 that peers may have.
    pub allow_low_ports: Vec<u16>,
    /// Whether relays may talk to relays of this server: two clients that both need one.
    pub self_relay: SelfRelay,
}

/// Whether relays may talk to relays of this server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfRelay {
    /// They may; counted.
    Allowed,
    /// They may not.
    Forbidden,
}

impl Default for PeersConfig {
    fn default() -> Self {
        Self { deny: Vec::new(), allow: Vec::new(), allow_low_ports: vec![443], self_relay: SelfRelay::Allowed }
    }
}
