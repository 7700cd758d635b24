//! The TURN engine of one worker with its sockets: the TURN port, which all workers share, and the relays.
//!
//! A relay whose peer is a media address of this process takes no socket: its packets go to the SFU of the worker that has the address,
//! and come back, by word of mouth (here, or as a [`Stray`] when that is another worker).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::port::{Buffers, Sharing, UdpPort, has_more};
use super::relays::Relays;
use super::sender::{MAX_RUNS, Run, Sender};
use super::tcp::{TcpConnections, Use};
use super::worker::{FIRST_RELAY, TURN};
use crate::counters::CounterRow;
use crate::handover::{Stray, WorkerId};
use crate::transport::Path;
use crate::turn::{Batch, Link, ListenerId, To, Turn, TurnConfig};

/// Batches taken from the TURN port before media gets its turn.
const MAX_BATCHES: usize = 4;
/// How often the figures are copied to where they are read, and the wall clock is looked at.
const UPKEEP: Duration = Duration::from_secs(1);
const LISTENER: ListenerId = ListenerId(0);

/// Where the figures are read.
pub(crate) type TurnFigures = Arc<Mutex<Vec<CounterRow>>>;

/// Which worker has which address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    /// The addresses of relays, as they are told.
    pub(crate) relay_ips: Vec<IpAddr>,
    /// Their ports, worker by worker.
    pub(crate) relay_ports: Vec<RangeInclusive<u16>>,
    /// The media addresses as they are told, worker by worker.
    pub(crate) media: Vec<Vec<SocketAddr>>,
}

impl Owners {
    /// Whose relay would have this address.
    pub(crate) fn of_relay(&self, address: SocketAddr) -> Option<WorkerId> {
        let worker = self.relay_ports.iter().position(|ports| ports.contains(&address.port()))?;
        self.relay_ips.contains(&address.ip()).then_some(WorkerId(worker as u8))
    }

    fn of_media(&self, address: SocketAddr) -> Option<WorkerId> {
        self.media.iter().position(|addresses| addresses.contains(&address)).map(|worker| WorkerId(worker as u8))
    }
}

/// What the engine of a worker is made of.
pub(crate) struct TurnParts {
    /// The TURN port, opened and registered under [`super::TURN`].
    pub(crate) listener: TurnListener,
    /// Where relays are registered.
    pub(crate) registry: mio::Registry,
    /// Checked: an engine was made of it.
    pub(crate) config: TurnConfig,
    pub(crate) owners: Arc<Owners>,
    pub(crate) figures: TurnFigures,
}

/// The TURN port, opened.
pub(crate) struct TurnListener(UdpPort);

impl TurnListener {
    /// Opens the port, which other workers open, too; the system keeps each client with one of them.
    pub(crate) fn bind(port: u16, buffer_bytes: usize) -> io::Result<Self> {
        UdpPort::bind_all(port, buffer_bytes, Sharing::Shared).map(Self)
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        self.0.port()
    }

    pub(crate) fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.0.io
    }
}

/// What was sent so far: packets by runs of equal ones (UDP GSO) by batches. Their ratios say how much a turn and a call carry.
#[derive(Clone, Copy, Default)]
struct Sent {
    batches: u64,
    runs: u64,
    packets: u64,
}

impl Sent {
    fn rows(self) -> [CounterRow; 3] {
        let row = |name, help, value| CounterRow { name, help, is_gauge: false, labels: Vec::new(), value };
        [
            row("turn_batches", "Turns of a worker in which the TURN server sent something.", self.batches),
            row("turn_runs", "Runs of equal packets that the TURN server sent as one (UDP GSO).", self.runs),
            row("turn_packets_sent", "Packets that the TURN server sent, answers included.", self.packets),
        ]
    }
}

pub(super) struct TurnHost {
    engine: Turn,
    listener: TurnListener,
    sender: Sender,
    config: TurnConfig,
    owners: Arc<Owners>,
    figures: TurnFigures,
    relays: Relays,
    batch: Batch,
    /// The datagram on its way inside, whose memory is kept.
    inside: Stray,
    sent: Sent,
    next_upkeep: Instant,
    listener_has_more: bool,
}

impl TurnHost {
    pub(super) fn new(parts: TurnParts) -> Self {
        let TurnParts { listener, registry, config, owners, figures } = parts;
        Self {
            engine: fresh_engine(&config),
            relays: Relays::new(registry, FIRST_RELAY.0),
            sender: Sender::new(listener.0.state.max_gso_segments()),
            listener,
            config,
            owners,
            figures,
            batch: Batch::default(),
            inside: Stray::default(),
            sent: Sent::default(),
            next_upkeep: Instant::now(),
            listener_has_more: true,
        }
    }

    /// Notes that the system has something for a token, if it is one of ours.
    pub(super) fn note(&mut self, token: mio::Token) {
        self.listener_has_more |= token == TURN;
        self.relays.note(token);
    }

    /// Whether the kernel may hold more datagrams.
    pub(super) fn has_more(&self) -> bool {
        self.listener_has_more || self.relays.has_more()
    }

    /// When [`TurnHost::turn`] wants to be called, whatever comes in.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout().map(|at| at.min(self.next_upkeep.max(Instant::now())))
    }

    /// Takes what came in, and does what time asks for. What it leads to is collected by [`TurnHost::send`].
    pub(super) fn turn(&mut self, now: Instant, buffers: &mut Buffers) {
        let Self { engine, listener, relays, batch, .. } = self;
        for _ in 0..MAX_BATCHES {
            if !self.listener_has_more {
                break;
            }
            let received = listener.0.receive(buffers, |Path { remote, local_ip, .. }, datagram| {
                let link = Link::Udp { listener: LISTENER, remote, local_ip };
                engine.handle_client(now, &link, datagram, relays, batch);
            });
            self.listener_has_more = has_more(&received);
        }
        relays.receive(buffers, |now, relay, from, datagram| engine.handle_peer(now, relay, from, datagram, batch));
        engine.handle_timeout(now, relays);
        if now >= self.next_upkeep {
            self.next_upkeep = now + UPKEEP;
            engine.set_unix_time(now, unix_time());
            let mut rows = engine.counters().rows();
            rows.extend(self.sent.rows());
            *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = rows;
        }
    }

    /// A message of a client's TCP connection.
    pub(super) fn take_from_tcp(&mut self, now: Instant, link: &Link, message: &[u8]) {
        self.engine.handle_client(now, link, message, &mut self.relays, &mut self.batch);
    }

    /// A client's TCP connection has ended.
    pub(super) fn tcp_ended(&mut self, now: Instant, link: &Link) {
        self.engine.link_closed(now, link, &mut self.relays);
    }

    /// Whether a client's TCP connection is of use.
    pub(super) fn use_of(&self, now: Instant, link: &Link) -> Use {
        if self.engine.has_allocation(now, link) { Use::InUse } else { Use::Idle }
    }

    /// A datagram of the SFU to a relay of this worker.
    pub(super) fn take_from_sfu(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        // One that is gone meanwhile is as gone as a client that left.
        self.engine.from_sfu(now, from, to, bytes, &mut self.batch);
    }

    /// Sends what was collected; what is for a media address of this process goes to `to_sfu`, with the worker that has it.
    pub(super) fn send(&mut self, tcp: &mut TcpConnections, mut to_sfu: impl FnMut(WorkerId, &Stray)) {
        if self.batch.is_empty() {
            return;
        }
        self.sent.batches += 1;
        let nothing = Run { path: Path::udp(SocketAddr::from(([0; 4], 0)), None), contents: &[], segment_bytes: 0 };
        let (mut to_clients, mut count) = ([nothing; MAX_RUNS], 0);
        for run in self.batch.runs() {
            self.sent.runs += 1;
            self.sent.packets += run.count as u64;
            match run.to {
                // All leave by one socket: they are collected for one call.
                To::Client { remote, local_ip, .. } => {
                    to_clients[count] =
                        Run { path: Path::udp(remote, local_ip), contents: run.bytes, segment_bytes: run.segment_bytes };
                    count += 1;
                    if count == MAX_RUNS {
                        self.sender.send_runs(&self.listener.0, &to_clients);
                        count = 0;
                    }
                }
                To::Peer { relay, remote } => {
                    self.relays.send(relay, remote, run.bytes, run.segment_bytes);
                }
                To::Sfu { from, to } => {
                    let Some(owner) = self.owners.of_media(to) else { continue };
                    for datagram in run.bytes.chunks(run.segment_bytes.max(1)) {
                        self.inside.set(from, to, datagram);
                        to_sfu(owner, &self.inside);
                    }
                }
                To::Tcp(connection) => {
                    run.bytes.chunks(run.segment_bytes.max(1)).for_each(|message| tcp.push_message(connection, message));
                }
            }
        }
        self.sender.send_runs(&self.listener.0, &to_clients[..count]);
        self.batch.clear();
    }

    /// Who has this relayed address.
    pub(super) fn owner_of(&self, address: SocketAddr) -> Option<WorkerId> {
        self.owners.of_relay(address)
    }

    /// Takes new settings; allocations stay. Addresses and ports are those of the start.
    pub(super) fn reload(&mut self, common: TurnConfig) {
        let config = TurnConfig { relay: self.config.relay.clone(), own: self.config.own.clone(), ..common };
        if self.engine.reload(config.clone()).is_ok() {
            self.config = config;
        }
    }

    /// Drops all allocations; clients make new ones.
    pub(super) fn start_afresh(&mut self) {
        self.relays.close_all();
        self.batch.clear();
        self.engine = fresh_engine(&self.config);
    }
}

fn fresh_engine(config: &TurnConfig) -> Turn {
    let unix_time = unix_time();
    // Ports and nonces are drawn from it; what must be secret is drawn from the system's generator.
    let seed = unix_time.as_nanos() as u64;
    Turn::new(config.clone(), Instant::now(), unix_time, seed).expect("the same configuration made an engine at start")
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_worker_whose_port_it_has() {
        let ip = IpAddr::from([192, 0, 2, 1]);
        let media = |port| vec![SocketAddr::new(ip, port)];
        let owners = Owners { relay_ips: vec![ip], relay_ports: vec![100..=199, 200..=300], media: vec![media(50), media(51)] };
        let relay = |ip: IpAddr, port| owners.of_relay(SocketAddr::new(ip, port));
        assert_eq!([relay(ip, 199), relay(ip, 200), relay(ip, 301)], [Some(WorkerId(0)), Some(WorkerId(1)), None]);
        assert_eq!(relay([192, 0, 2, 2].into(), 150), None, "somebody else's address");
        assert_eq!(owners.of_media(SocketAddr::new(ip, 51)), Some(WorkerId(1)));
        assert_eq!(owners.of_media(SocketAddr::new(ip, 150)), None);
    }
}
