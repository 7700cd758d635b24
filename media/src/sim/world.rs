//! The world of a scenario: the server, the callers and the time between them.

mod agenda;
mod people;
mod server;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use agenda::{Agenda, Happening};
use server::{Server, Worker};

use super::network::Direction;
use super::trace::Trace;
use crate::api::{Levels, MediaEvent, SeatedFeed, Wish};
use crate::counters::Counter;
use crate::id::ParticipantId;
use crate::random::Random;
use crate::sfu::Sizes;
use crate::synthetic::{Identity, Participant};
use crate::transport::Path;

/// The wall clock when a world begins: 2026-11-23 00:00 UTC.
const UNIX_TIME: Duration = Duration::from_secs(1_795_392_000);
/// Workers of a server whose test does not say how many, by this variable; 1 without. CI runs all scenarios with several, too.
const WORKERS_VARIABLE: &str = "WEBCALL_SIM_WORKERS";
/// From an event of the SFU to the new offer that it asks for: WebSocket there, browser, WebSocket back.
const SIGNALLING_DELAY: Duration = Duration::from_millis(60);

/// A caller by its place in the world.
pub(crate) type CallerKey = usize;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    server: Server,
    pub(crate) trace: Trace,
    pub(crate) speakers: Vec<ParticipantId>,
    pub(crate) events: Vec<MediaEvent>,
    /// Copies of what callers send, while somebody listens.
    pub(crate) wiretap: Option<Vec<Vec<u8>>>,
    /// Datagrams to addresses that are nobody's.
    pub(crate) sent_nowhere: u64,
    identity: Identity,
    random: Random,
    callers: Vec<Caller>,
    by_address: HashMap<SocketAddr, CallerKey>,
    agenda: Agenda,
    spare: Vec<Vec<u8>>,
}

/// A participant and its network.
pub(crate) struct Caller {
    pub(crate) id: ParticipantId,
    pub(crate) synthetic: Participant,
    address: SocketAddr,
    up: Direction,
    down: Direction,
    wakes_at: Option<Instant>,
    /// Who sits where, by the server's events.
    pub(crate) seated: Vec<Option<SeatedFeed>>,
    wishes: Vec<Wish>,
    pub(crate) renegotiations: u32,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let told = std::env::var(WORKERS_VARIABLE).ok();
        Self::with_workers(seed, told.map_or(1, |count| count.parse().expect("a number of workers")))
    }

    /// A world whose calls are spread over so many workers.
    pub(crate) fn with_workers(seed: u64, workers: usize) -> Self {
        let now = Instant::now();
        let mut random = Random::new(seed);
        Self {
            now,
            start: now,
            server: Server::new(now, workers, &mut random),
            trace: Trace::default(),
            speakers: Vec::new(),
            events: Vec::new(),
            wiretap: None,
            sent_nowhere: 0,
            identity: Identity::generate().expect("the provider makes certificates"),
            random,
            callers: Vec::new(),
            by_address: HashMap::new(),
            agenda: Agenda::default(),
            spare: Vec::new(),
        }
    }

    /// Calls that begin from here on hide who speaks.
    pub(crate) fn hide_levels(&mut self) {
        self.server.levels = Levels::Hidden;
    }

    /// A datagram from anywhere arrives at every worker now.
    pub(crate) fn inject(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        for worker in 0..self.server.len() {
            self.arrive(worker, from, &mut datagram.to_vec());
        }
    }

    fn arrive(&mut self, worker: usize, from: SocketAddr, datagram: &mut [u8]) {
        let path = Path::udp(from, None);
        let Worker { sfu, out, .. } = self.server.worker(worker);
        sfu.handle_datagram(self.now, path, datagram, out);
        self.collect();
    }

    /// The sum of all workers.
    pub(crate) fn count(&self, counter: Counter) -> u64 {
        self.server.count(counter)
    }

    /// What each worker keeps.
    pub(crate) fn sizes(&self) -> Vec<Sizes> {
        self.server.sizes()
    }

    /// Whether all workers would sleep for ever.
    pub(crate) fn is_asleep(&self) -> bool {
        self.server.poll_timeout().is_none()
    }

    /// Tells every worker how busy it is, in thousandths, four times a second for so long.
    pub(crate) fn run_busy_ms(&mut self, ms: u64, busy_permille: u64) {
        for _ in 0..ms / 250 {
            for index in 0..self.server.len() {
                let Worker { sfu, out, .. } = self.server.worker(index);
                sfu.set_busy(self.now, busy_permille, out);
            }
            self.collect();
            self.run_ms(250);
        }
    }

    /// A worker loses everything; who was there must join again. Gives who that is.
    pub(crate) fn crash(&mut self, worker: usize) -> Vec<ParticipantId> {
        let lost = self.server.crash(self.now, worker);
        self.collect();
        lost
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            // As a worker does: what arrived first, then what time asks for.
            while let Some(happening) = self.agenda.pop_due(self.now) {
                self.happen(happening);
            }
            if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
                self.server.handle_timeout(self.now);
                self.collect();
            }
        }
        self.now = end;
    }

    fn next_moment(&self) -> Option<Instant> {
        [self.agenda.next(), self.server.poll_timeout()].into_iter().flatten().min()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToServer { worker, from, mut datagram } => {
                self.arrive(worker, from, &mut datagram);
                self.spare.push(datagram);
            }
            Happening::ToCaller { caller, mut datagram } => {
                self.callers[caller].synthetic.handle_datagram(self.now, &mut datagram);
                self.spare.push(datagram);
                self.settle(caller);
            }
            Happening::Wake { caller } => {
                if self.callers[caller].wakes_at != Some(self.now) {
                    return;
                }
                self.callers[caller].wakes_at = None;
                self.callers[caller].synthetic.handle_timeout(self.now);
                self.settle(caller);
            }
            Happening::Offer { caller } => {
                self.callers[caller].renegotiations += 1;
                // Who left meanwhile has nobody to offer to.
                let _ = self.offer(caller);
            }
        }
    }

    /// Sends what a participant has to say and plans its next turn.
    fn settle(&mut self, key: CallerKey) {
        let now = self.now;
        let elapsed = self.elapsed();
        let caller = &mut self.callers[key];
        let worker = self.server.index_of(caller.id);
        while let Some(datagram) = caller.synthetic.poll_transmit() {
            self.trace.note(elapsed, 2 * key, datagram);
            if let Some(overheard) = &mut self.wiretap {
                overheard.push(datagram.to_vec());
            }
            let Some(arrivals) = caller.up.send(now, datagram) else { continue };
            for at in [Some(arrivals.first), arrivals.second].into_iter().flatten() {
                let mut copy = self.spare.pop().unwrap_or_default();
                copy.clear();
                copy.extend_from_slice(datagram);
                let happening = Happening::ToServer { worker, from: caller.address, datagram: copy };
                self.agenda.plan(at, happening);
            }
        }
        let wakes_at = caller.synthetic.poll_timeout().map(|at| at.max(now));
        if wakes_at.is_some() && wakes_at != caller.wakes_at {
            caller.wakes_at = wakes_at;
            self.agenda.plan(wakes_at.unwrap_or(now), Happening::Wake { caller: key });
        }
        self.collect();
    }

    /// Lets the workers do all there is to do now, and takes what they produced.
    fn collect(&mut self) {
        loop {
            let mut is_done = true;
            for index in 0..self.server.len() {
                let Worker { sfu, out, .. } = self.server.worker(index);
                is_done &= sfu.forward(self.now, out);
                self.take(index);
            }
            if !self.server.exchange(self.now) && is_done {
                return;
            }
        }
    }

    /// Takes what a worker produced for callers.
    fn take(&mut self, index: usize) {
        let mut out = std::mem::take(&mut self.server.worker(index).out);
        let elapsed = self.elapsed();
        for transmit in out.transmits() {
            let datagram = out.contents(std::slice::from_ref(transmit));
            let Some(&key) = self.by_address.get(&transmit.path.remote) else {
                self.sent_nowhere += 1;
                continue;
            };
            self.trace.note(elapsed, 2 * key + 1, datagram);
            let Some(arrivals) = self.callers[key].down.send(self.now, datagram) else { continue };
            for at in [Some(arrivals.first), arrivals.second].into_iter().flatten() {
                let mut copy = self.spare.pop().unwrap_or_default();
                copy.clear();
                copy.extend_from_slice(datagram);
                self.agenda.plan(at, Happening::ToCaller { caller: key, datagram: copy });
            }
        }
        out.clear_transmits();
        for event in std::mem::take(&mut out.events) {
            self.note(&event);
            self.events.push(event);
        }
        self.server.worker(index).out = out;
    }

    fn note(&mut self, event: &MediaEvent) {
        match event {
            MediaEvent::Seats { participant, seats } => {
                let Some(caller) = self.callers.iter_mut().find(|caller| caller.id == *participant) else { return };
                for change in seats {
                    if caller.seated.len() <= change.seat {
                        caller.seated.resize(change.seat + 1, None);
                    }
                    caller.seated[change.seat].clone_from(&change.feed);
                }
            }
            MediaEvent::Speakers { speakers, .. } => self.speakers.clone_from(speakers),
            MediaEvent::Renegotiate { participant } => {
                let Some(caller) = self.callers.iter().position(|caller| caller.id == *participant) else { return };
                self.agenda.plan(self.now + SIGNALLING_DELAY, Happening::Offer { caller });
            }
            MediaEvent::Connected { .. }
            | MediaEvent::Disconnected { .. }
            | MediaEvent::LeftOut { .. }
            | MediaEvent::Lost { .. } => {}
        }
    }
}
