//! The world around an engine: sockets that are opened and closed, a clock that stands until it is moved, and what was sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::client::{At, Client, Reply};
use crate::turn::{
    Batch, LimitsConfig, Link, ListenerId, OpenError, RelayAddress, RelayId, RelaySockets, Secret, StaticUser, TcpId, To,
    Transport, Turn, TurnConfig,
};

/// The time at which the world begins.
pub(super) const UNIX_S: u64 = 1_700_000_000;
pub(super) const SECRET: &str = "north";
/// Where relays are: what they are bound to, and what is told.
pub(super) const BOUND: &str = "10.0.0.5";
pub(super) const RELAY: &str = "9.9.9.9";
pub(super) const RELAY_V6: &str = "2a00:9::9";
/// The media address of the SFU.
pub(super) const SFU: &str = "9.9.9.9:50000";

pub(super) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Something that the engine sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sent {
    pub(super) to: To,
    pub(super) bytes: Vec<u8>,
}

/// The sockets of the host.
#[derive(Default)]
pub(super) struct Sockets {
    pub(super) open: HashMap<RelayId, SocketAddr>,
    /// How many were ever asked for.
    pub(super) asked: usize,
    /// Errors that the next calls give.
    pub(super) errors: Vec<OpenError>,
}

impl RelaySockets for Sockets {
    fn open(&mut self, relay: RelayId, bind: SocketAddr) -> Result<(), OpenError> {
        self.asked += 1;
        if let Some(error) = self.errors.pop() {
            return Err(error);
        }
        assert!(!self.open.values().any(|other| *other == bind), "{bind} is open");
        assert!(self.open.keys().all(|other| other.index() != relay.index()), "the place of {relay:?} is taken");
        self.open.insert(relay, bind);
        Ok(())
    }

    fn close(&mut self, relay: RelayId) {
        self.open.remove(&relay).expect("only what is open is closed");
    }
}

pub(super) struct Net {
    pub(super) turn: Turn,
    pub(super) now: Instant,
    pub(super) sockets: Sockets,
}

/// Relays of both families, an SFU, a user, a secret, and no limit for strangers.
pub(super) fn config() -> TurnConfig {
    let mut config = TurnConfig::default();
    config.relay.v4 = Some(RelayAddress { bind: BOUND.parse().unwrap(), advertised: RELAY.parse().unwrap() });
    config.relay.v6 = Some(RelayAddress { bind: RELAY_V6.parse().unwrap(), advertised: RELAY_V6.parse().unwrap() });
    config.relay.ports = 60_000..=60_999;
    config.relay.all_ports = 60_000..=61_999;
    config.own.ips = vec![BOUND.parse().unwrap(), RELAY.parse().unwrap(), RELAY_V6.parse().unwrap()];
    config.own.ports = vec![3_478, 443, 50_000];
    config.own.sfu = vec![addr(SFU), addr("[2a00:9::9]:50000")];
    config.auth.users = vec![StaticUser { name: "bob".into(), password: Secret::new("builder") }];
    config.auth.shared_secrets = vec![Secret::new(SECRET)];
    config.limits = LimitsConfig { unauthenticated_per_second: 0, bandwidth_per_allocation_bps: 0, ..LimitsConfig::default() };
    config.limits.bandwidth_per_user_bps = 0;
    config.limits.bandwidth_per_ip_bps = 0;
    config
}

/// A client's address by datagrams.
pub(super) fn udp(remote: &str) -> Link {
    Link::Udp { listener: ListenerId(1), remote: addr(remote), local_ip: Some(RELAY.parse().unwrap()) }
}

/// A client's connection.
pub(super) fn tcp(connection: u64, remote: &str) -> Link {
    Link::Tcp { connection: TcpId(connection), listener: ListenerId(2), remote: addr(remote), transport: Transport::Tls }
}

impl Net {
    pub(super) fn new() -> Self {
        Self::with(config())
    }

    pub(super) fn with(config: TurnConfig) -> Self {
        let now = Instant::now();
        let turn = Turn::new(config, now, Duration::from_secs(UNIX_S), 7).expect("the configuration is right");
        Self { turn, now, sockets: Sockets::default() }
    }

    /// Moves the clock; the engine is asked at the times it wants.
    pub(super) fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.turn.poll_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.turn.handle_timeout(self.now, &mut self.sockets);
        }
        self.now = end;
    }

    pub(super) fn unix_s(&self, start: Instant) -> u64 {
        UNIX_S + (self.now - start).as_secs()
    }

    /// A client sends bytes.
    pub(super) fn send(&mut self, link: &Link, bytes: &[u8]) -> Vec<Sent> {
        let mut out = Batch::default();
        self.turn.handle_client(self.now, link, bytes, &mut self.sockets, &mut out);
        sent(&out)
    }

    /// A peer sends to a relayed address. Nothing arrives where no socket is.
    pub(super) fn peer_sends(&mut self, from: SocketAddr, relayed: SocketAddr, payload: &[u8]) -> Vec<Sent> {
        let bound = if relayed.is_ipv4() { SocketAddr::new(BOUND.parse().unwrap(), relayed.port()) } else { relayed };
        let Some(relay) = self.sockets.open.iter().find(|(_, bind)| **bind == bound).map(|(relay, _)| *relay) else {
            return Vec::new();
        };
        let mut out = Batch::default();
        self.turn.handle_peer(self.now, relay, from, payload, &mut out);
        sent(&out)
    }

    /// The SFU sends; `None` when the engine says that the address is none of its own.
    pub(super) fn sfu_sends(&mut self, to: SocketAddr, payload: &[u8]) -> Option<Vec<Sent>> {
        let mut out = Batch::default();
        let from = if to.is_ipv4() { addr(SFU) } else { addr("[2a00:9::9]:50000") };
        self.turn.from_sfu(self.now, from, to, payload, &mut out).then(|| sent(&out))
    }

    /// Sends a request and reads the one answer to it.
    pub(super) fn ask_once(&mut self, client: &mut Client, request: &[u8]) -> Option<Reply> {
        let mut answers = self.send(&client.link, request);
        assert!(answers.len() <= 1);
        let answer = answers.pop()?;
        assert_eq!(answer.to, to(&client.link));
        Some(Reply::read(&answer.bytes, client))
    }

    /// Sends a signed request, again with a new nonce when there is none or it has ended.
    pub(super) fn ask(&mut self, client: &mut Client, method: u16, attributes: &[At]) -> Reply {
        for _ in 0..2 {
            let request = client.signed(method, attributes);
            let reply = self.ask_once(client, &request).expect("an answer");
            if !matches!(reply.code, Some(401 | 438)) || !client.learn(&reply) {
                return reply;
            }
        }
        let request = client.signed(method, attributes);
        self.ask_once(client, &request).expect("an answer")
    }

    /// Entries of all tables; all zero when nothing lives.
    pub(super) fn entries(&self) -> Vec<usize> {
        let ports = self.turn.ports.iter().map(|ports| ports.in_use());
        let gauges =
            [self.turn.counters().relays() as usize, self.turn.counters().ports_in_use() as usize, self.sockets.open.len()];
        self.turn.table.sizes().into_iter().chain(self.turn.quotas.sizes()).chain(ports).chain(gauges).collect()
    }

    pub(super) fn assert_empty(&self) {
        assert!(self.entries().iter().all(|count| *count == 0), "{:?}", self.entries());
    }
}

/// Where answers to a client go.
pub(super) fn to(link: &Link) -> To {
    match *link {
        Link::Udp { listener, remote, local_ip } => To::Client { listener, remote, local_ip },
        Link::Tcp { connection, .. } => To::Tcp(connection),
    }
}

fn sent(out: &Batch) -> Vec<Sent> {
    let packets = out.runs().flat_map(|run| {
        let chunks: Vec<&[u8]> =
            if run.segment_bytes == 0 { vec![&[][..]] } else { run.bytes.chunks(run.segment_bytes).collect() };
        chunks.into_iter().map(move |bytes| Sent { to: run.to, bytes: bytes.to_vec() })
    });
    packets.collect()
}
