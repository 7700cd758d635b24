//! One media thread: waits for its socket, its mailbox and its neighbours, feeds the SFU, sends what comes out.
//!
//! A panic anywhere in a turn is contained here: it is logged, everything that the worker held is dropped, its participants are told
//! `Lost` (they join again by themselves), the other workers of their calls hear that it has no part in them any more, and the thread
//! goes on with an empty SFU on the same port. Requests that waited behind the one that crashed are carried out by the fresh one.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::meter::Meter;
use super::port::{Buffers, has_more};
use super::tcp::{Ended, Received, TcpConnections, Use};
use super::turn::{TurnHost, TurnParts};
use super::{Command, Mailbox, MediaSocket, Neighbours};
use crate::api::MediaEvent;
use crate::counters::{Counter, Counters};
use crate::handover::Stray;
use crate::outbox::{Diverted, Outbox};
use crate::sfu::{Sfu, SfuConfig};
use crate::transport::Path;
use crate::turn::Link;

pub(crate) const SOCKET: mio::Token = mio::Token(0);
pub(crate) const MAILBOX: mio::Token = mio::Token(1);
pub(crate) const TURN: mio::Token = mio::Token(2);
/// The TURN relay with index 0; the others follow.
pub(super) const FIRST_RELAY: mio::Token = mio::Token(3);
/// Batches received before timers and requests get their turn. More delays keyframe requests under load, fewer costs waits.
const MAX_BATCHES: usize = 8;
/// Events kept while the server does not take them; more are dropped and counted.
const MAX_EVENTS_WAITING: usize = 65_536;
/// How soon events are offered again that the server did not take.
const EVENT_RETRY: Duration = Duration::from_millis(5);

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) index: usize,
    pub(crate) neighbours: Neighbours,
    pub(crate) poll: mio::Poll,
    pub(crate) socket: MediaSocket,
    pub(crate) turn: Option<TurnParts>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) events: mpsc::Sender<MediaEvent>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) config: Arc<SfuConfig>,
}

pub(crate) struct Worker {
    parts: WorkerParts,
    sfu: Sfu,
    turn: Option<TurnHost>,
    tcp: TcpConnections,
    outbox: Outbox,
    buffers: Buffers,
    scratch: Vec<u8>,
    /// Requests taken from the mailbox and not carried out yet: they outlive a crash, or a participant would wait in vain.
    requests: VecDeque<Command>,
    events: VecDeque<MediaEvent>,
    meter: Meter,
    /// The kernel may hold more datagrams: do not wait for the next readiness, which would not come (edge-triggered).
    has_more: bool,
}

#[derive(PartialEq, Eq)]
enum Turn {
    GoOn,
    Stop,
}

impl Worker {
    pub(crate) fn new(mut parts: WorkerParts) -> Self {
        let turn = parts.turn.take().map(TurnHost::new);
        Self {
            sfu: fresh_sfu(&parts),
            parts,
            turn,
            tcp: TcpConnections::default(),
            outbox: Outbox::default(),
            buffers: Buffers::default(),
            scratch: Vec::with_capacity(2_048),
            requests: VecDeque::new(),
            events: VecDeque::new(),
            meter: Meter::new(Instant::now()),
            has_more: true,
        }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let mut ready = mio::Events::with_capacity(64);
        loop {
            let (wait, from) = (self.wait(), Instant::now());
            if wait.is_none() {
                // Nobody is here, and the next figure may be long in coming.
                self.parts.counters.set(Counter::BusyPermille, 0);
            }
            let result = self.parts.poll.poll(&mut ready, wait);
            self.meter.wait(from, Instant::now());
            if let Err(error) = result
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(worker = self.parts.index, %error, "a media worker cannot wait for its socket");
                return;
            }
            for event in &ready {
                self.has_more |= event.token() == SOCKET;
                if let Some(turn) = &mut self.turn {
                    turn.note(event.token());
                }
            }
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(Turn::GoOn) => {}
                Ok(Turn::Stop) => return,
                Err(_) => self.start_afresh(),
            }
        }
    }

    fn wait(&self) -> Option<Duration> {
        if self.has_more || self.turn.as_ref().is_some_and(TurnHost::has_more) {
            return Some(Duration::ZERO);
        }
        let turn = self.turn.as_ref().and_then(TurnHost::poll_timeout);
        let next = [self.sfu.poll_timeout(), turn, self.tcp.poll_timeout()].into_iter().flatten().min();
        let timers = next.map(|at| at.saturating_duration_since(Instant::now()));
        let retry = (!self.events.is_empty()).then_some(EVENT_RETRY);
        [timers, retry].into_iter().flatten().min()
    }

    fn turn(&mut self) -> Turn {
        self.requests.append(&mut self.parts.mailbox.take());
        while let Some(command) = self.requests.pop_front() {
            if self.execute(command) == Turn::Stop {
                return Turn::Stop;
            }
        }
        self.take_over();
        self.receive_tcp();
        self.relay();
        self.receive();
        let now = Instant::now();
        if let Some(busy_permille) = self.meter.close(now) {
            self.sfu.set_busy(now, busy_permille, &mut self.outbox);
        }
        self.sfu.handle_timeout(now, &mut self.outbox);
        self.flush();
        self.tell();
        Turn::GoOn
    }

    fn execute(&mut self, command: Command) -> Turn {
        let (now, sfu, out) = (Instant::now(), &mut self.sfu, &mut self.outbox);
        match command {
            Command::Join { room, participant, others, levels } => sfu.join(room, participant, (others, levels), out),
            Command::Negotiate { participant, offer, reply } => {
                // The caller may have gone; then nobody waits for the answer.
                let _ = reply.send(sfu.negotiate(now, participant, &offer, out));
            }
            Command::Leave { participant } => sfu.leave(now, participant, out),
            Command::SetWishes { participant, wishes } => sfu.set_wishes(now, participant, &wishes, out),
            Command::SetMuted { participant, source, muted } => sfu.set_muted(now, participant, source, muted, out),
            Command::SetForbidden { participant, source, forbidden } => {
                sfu.set_forbidden(now, participant, source, forbidden, out);
            }
            Command::Connect(connection) => self.tcp.add(now, connection),
            Command::ReloadTurn(config) => {
                if let Some(turn) = &mut self.turn {
                    turn.reload(*config);
                }
            }
            Command::Read(letter) => sfu.read(now, letter, out),
            Command::Ping { reply } => {
                // The caller may have lost patience; then nobody waits for the answer.
                let _ = reply.send(());
            }
            Command::Crash => panic!("crash asked for by a test"),
            Command::Stop => return Turn::Stop,
        }
        Turn::GoOn
    }

    /// Forwards what other workers have received.
    fn take_over(&mut self) {
        self.parts.mailbox.answer_ring();
        let (now, sfu) = (Instant::now(), &mut self.sfu);
        self.parts.neighbours.receive(|from, batch| sfu.take_over(now, from, batch));
        self.forward(now);
    }

    /// Takes what came in on TCP connections, and ends those that have come to nothing.
    fn receive_tcp(&mut self) {
        let Self { tcp, turn, sfu, outbox, parts, .. } = self;
        let now = Instant::now();
        for id in tcp.take_fresh().into_iter().chain(parts.mailbox.take_ready()) {
            let ended = tcp.receive(now, id, |received| match (received, &mut *turn) {
                (Received::Packet(path, packet), _) => sfu.handle_datagram(now, path, packet, outbox),
                (Received::Turn(link, message), Some(turn)) => turn.take_from_tcp(now, link, message),
                (Received::Turn(..), None) => {}
            });
            tell_turn(turn, now, ended);
        }
        let of_turn = |link: &Link| turn.as_ref().map_or(Use::Idle, |turn| turn.use_of(now, link));
        let ended = tcp.look_after(now, of_turn, |path| if sfu.knows(path) { Use::InUse } else { Use::Idle });
        tell_turn(turn, now, ended);
        let (of_turn, of_sfu) = tcp.count();
        parts.counters.set(Counter::TurnTcpConnections, of_turn as u64);
        parts.counters.set(Counter::IceTcpConnections, of_sfu as u64);
        parts.counters.add(Counter::DropSlowReader, tcp.take_dropped());
        self.forward(now);
    }

    /// Lets the TURN engine take what came in for it, and sends what that leads to.
    fn relay(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let now = Instant::now();
        let Self { sfu, outbox, parts, scratch, buffers, tcp, .. } = self;
        let mut arrive = |stray: &Stray, outbox: &mut Outbox| {
            scratch.clear();
            scratch.extend_from_slice(&stray.bytes);
            let path = Path::udp(stray.from, Some(stray.to.ip()));
            sfu.handle_datagram(now, path, scratch, outbox);
        };
        parts.neighbours.receive_strays(|stray| match turn.owner_of(stray.to) {
            Some(_) => turn.take_from_sfu(now, stray.from, stray.to, &stray.bytes),
            None => arrive(stray, outbox),
        });
        turn.turn(now, buffers);
        let me = parts.config.worker;
        turn.send(tcp, |owner, stray| {
            if owner == me {
                arrive(stray, outbox);
            } else {
                outbox.stray(owner, stray.from, stray.to, &stray.bytes);
            }
        });
        self.forward(now);
    }

    /// Takes out of the outbox what goes over TCP connections, and what is for relays of this process.
    fn divert(&mut self) {
        let Self { turn, tcp, .. } = self;
        if turn.is_none() && tcp.is_empty() {
            return;
        }
        let (now, me) = (Instant::now(), self.parts.config.worker);
        let Some(media) = self.parts.config.candidates.udp.first().copied() else { return };
        self.outbox.divert(|path, bytes| {
            if let Some(connection) = path.tcp {
                tcp.push_packet(connection, bytes);
                return Diverted::Taken;
            }
            let Some(turn) = turn else { return Diverted::No };
            let Some(owner) = turn.owner_of(path.remote) else { return Diverted::No };
            let from = SocketAddr::new(path.local_ip.unwrap_or(media.ip()), media.port());
            if owner != me {
                return Diverted::To { owner, from };
            }
            turn.take_from_sfu(now, from, path.remote, bytes);
            Diverted::Taken
        });
        if let Some(turn) = turn {
            // Nothing in it is for the SFU: it came from there.
            turn.send(tcp, |_, _| {});
        }
        tcp.flush();
    }

    fn receive(&mut self) {
        for _ in 0..MAX_BATCHES {
            if !self.has_more {
                return;
            }
            let now = Instant::now();
            let (sfu, outbox) = (&mut self.sfu, &mut self.outbox);
            let result = self.parts.socket.receive(&mut self.buffers, |path, datagram| {
                sfu.handle_datagram(now, path, datagram, outbox);
            });
            self.has_more = has_more(&result);
            self.forward(now);
        }
    }

    fn forward(&mut self, now: Instant) {
        while !self.sfu.forward(now, &mut self.outbox) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.divert();
        let counters = &self.parts.counters;
        self.parts.neighbours.deliver(&mut self.outbox, counters);
        self.parts.socket.send(&self.outbox, |run, result| match result {
            Ok(()) => {
                counters.add(Counter::PacketsOut, run.len() as u64);
                counters.add(Counter::BytesOut, run.iter().map(|t| t.len() as u64).sum());
            }
            Err(_) => counters.add(Counter::DropSendFailed, run.len() as u64),
        });
        self.outbox.clear_transmits();
    }

    /// Hands events to the server, in order, as far as it takes them.
    fn tell(&mut self) {
        for event in self.outbox.events.drain(..) {
            if self.events.len() < MAX_EVENTS_WAITING {
                self.events.push_back(event);
            } else {
                self.parts.counters.count(Counter::EventsLost);
            }
        }
        while let Some(event) = self.events.pop_front() {
            match self.parts.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.events.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(_)) => self.events.clear(),
            }
        }
    }

    fn start_afresh(&mut self) {
        let lost = self.sfu.participants();
        tracing::error!(worker = self.parts.index, participants = lost.len(), "a media worker crashed and starts afresh");
        self.parts.counters.count(Counter::WorkerCrashes);
        self.outbox = Outbox::default();
        self.outbox.events.extend(lost.into_iter().map(|participant| MediaEvent::Lost { participant }));
        self.sfu.part(&mut self.outbox);
        self.parts.neighbours.deliver(&mut self.outbox, &self.parts.counters);
        self.sfu = fresh_sfu(&self.parts);
        self.tcp.close_all();
        if let Some(turn) = &mut self.turn {
            turn.start_afresh();
        }
        self.has_more = true;
        self.tell();
    }
}

/// Ends the allocations of connections that are gone.
fn tell_turn(turn: &mut Option<TurnHost>, now: Instant, ended: impl IntoIterator<Item = Ended>) {
    let Some(turn) = turn else { return };
    ended.into_iter().filter_map(|ended| ended.link).for_each(|link| turn.tcp_ended(now, &link));
}

fn fresh_sfu(parts: &WorkerParts) -> Sfu {
    let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // What is drawn from it need not be secret, only differ from worker to worker and start to start.
    let seed = unix_time.as_nanos() as u64 ^ ((parts.index as u64) << 56);
    Sfu::new(parts.config.clone(), parts.counters.clone(), Instant::now(), unix_time, seed)
}
