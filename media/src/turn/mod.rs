//! A TURN and STUN server, sans-IO: datagrams, messages of TCP connections and time in; packets to send and sockets to open out.
//! RFC 8489 (STUN), RFC 8656 (TURN; UDP relays), RFC 7443 (ALPN). Not RFC 6062: no TCP towards peers.
//!
//! [`Turn`] is one engine, driven by one thread. `ingress` tells what came, `requests` answers, `relay` carries data, `lifecycle` ends
//! things. Beside it: `auth` (who), `peers` (to whom), `quota`, `pace` and `strangers` (how much), `wire` (bytes). Nothing here knows a
//! socket, a thread or a clock, and nothing logs. [`TcpFraming`], [`first_bytes`] and `tcp` are for whoever accepts connections.

mod allocation;
mod auth;
mod batch;
mod channels;
mod clock;
mod codec;
mod config;
mod counters;
mod error;
pub(crate) mod fuzzing;
mod ingress;
mod lifecycle;
mod link;
mod pace;
mod peers;
mod permissions;
mod ports;
pub mod probe;
mod quota;
mod relay;
mod requester;
mod requests;
mod secret;
mod sockets;
mod strangers;
mod table;
mod tcp;
#[cfg(test)]
mod tests;
mod wire;

use std::time::{Duration, Instant};

pub use crate::id::TcpId;
pub use auth::{Credential, CredentialError, Scope, issue_credential};
pub use batch::{Batch, Run, To};
pub use config::{
    AuthConfig, LimitsConfig, MAX_REALM_BYTES, MAX_SHARED_SECRETS, OwnAddresses, PeersConfig, RelayAddress, RelayConfig,
    SelfRelay, StaticUser, TurnConfig,
};
pub use counters::{AuthResult, DropReason, PacketPath, TurnCounters};
pub use error::TurnError;
pub use link::{Link, ListenerId, Transport};
pub use pace::Direction;
pub use peers::{DeniedRange, PeerRule, PeerRuleError};
pub(crate) use requester::{Ask, Reply, Requester};
pub use secret::Secret;
pub use sockets::{OpenError, RelaySockets};
pub use table::RelayId;
pub use tcp::{Admission, AdmissionLimits, Refused, TcpPhase, TcpTimes};
pub use wire::{Alpn, Code, FIRST_BYTES, FirstBytes, FramingError, MAX_TCP_MESSAGE_BYTES, TcpFraming, alpn, first_bytes};

use auth::Authenticator;
use clock::UnixClock;
use codec::Crypto;
use pace::Meter;
use peers::PeerFilter;
use ports::Ports;
use quota::Quotas;
use strangers::Strangers;
use table::Table;

use crate::random::Random;

/// A TURN server.
pub struct Turn {
    config: TurnConfig,
    auth: Authenticator,
    filter: PeerFilter,
    table: Table,
    quotas: Quotas,
    /// IPv4, IPv6.
    ports: [Ports; 2],
    strangers: Strangers,
    /// The bandwidth of all.
    total: Meter,
    counters: TurnCounters,
    clock: UnixClock,
    random: Random,
}

impl Turn {
    /// An engine without allocations. `unix_time` is the time since 1970 at `now`; `seed` need not be secret, only differ from start to
    /// start.
    pub fn new(config: TurnConfig, now: Instant, unix_time: Duration, seed: u64) -> Result<Self, TurnError> {
        config.check()?;
        let crypto = Crypto::new().ok_or(TurnError::NoCryptography)?;
        let ports = || Ports::new(config.relay.ports.clone(), &config.own.ports);
        Ok(Self {
            auth: Authenticator::new(&crypto, &config, now).ok_or(TurnError::NoCryptography)?,
            filter: PeerFilter::new(&config),
            table: Table::default(),
            quotas: Quotas::default(),
            ports: [ports(), ports()],
            strangers: Strangers::new(&config.limits),
            total: Meter::new(now),
            counters: TurnCounters::default(),
            clock: UnixClock::new(now, unix_time),
            random: Random::new(seed),
            config,
        })
    }

    /// Sets the clock that credentials are judged by: to be called once a minute or so, because it may have been set right.
    pub fn set_unix_time(&mut self, now: Instant, unix_time: Duration) {
        self.clock = UnixClock::new(now, unix_time);
    }

    /// The figures so far.
    pub fn counters(&self) -> &TurnCounters {
        &self.counters
    }
}
