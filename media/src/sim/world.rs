//! The world of a scenario: the SFU, the callers and the time between them.

mod agenda;
mod people;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agenda::{Agenda, Happening};

use super::network::Direction;
use super::trace::Trace;
use crate::api::{MediaEvent, SeatedFeed, Wish};
use crate::counters::{Counter, Counters};
use crate::id::ParticipantId;
use crate::outbox::Outbox;
use crate::random::Random;
use crate::sfu::{Sfu, SfuConfig};
use crate::synthetic::{Identity, Participant};
use crate::transport::{Certificate, Path};

/// The wall clock when a world begins: 2026-11-23 00:00 UTC.
const UNIX_TIME: Duration = Duration::from_secs(1_795_392_000);
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000);
/// From an event of the SFU to the new offer that it asks for: WebSocket there, browser, WebSocket back.
const SIGNALLING_DELAY: Duration = Duration::from_millis(60);

/// A caller by its place in the world.
pub(crate) type CallerKey = usize;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    pub(crate) sfu: Sfu,
    pub(crate) trace: Trace,
    pub(crate) speakers: Vec<ParticipantId>,
    pub(crate) events: Vec<MediaEvent>,
    /// Copies of what callers send, while somebody listens.
    pub(crate) wiretap: Option<Vec<Vec<u8>>>,
    /// Datagrams to addresses that are nobody's.
    pub(crate) sent_nowhere: u64,
    counters: Arc<Counters>,
    identity: Identity,
    out: Outbox,
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
        let now = Instant::now();
        let certificate = Arc::new(Certificate::with_default_provider().expect("the provider makes certificates"));
        let config = Arc::new(SfuConfig { certificate, candidates: vec![SERVER] });
        let counters = Arc::new(Counters::default());
        let mut random = Random::new(seed);
        let sfu_seed = u64::from(random.next_u32());
        Self {
            now,
            start: now,
            sfu: Sfu::new(config, counters.clone(), now, UNIX_TIME, sfu_seed),
            trace: Trace::default(),
            speakers: Vec::new(),
            events: Vec::new(),
            wiretap: None,
            sent_nowhere: 0,
            counters,
            identity: Identity::generate().expect("the provider makes certificates"),
            out: Outbox::default(),
            random,
            callers: Vec::new(),
            by_address: HashMap::new(),
            agenda: Agenda::default(),
            spare: Vec::new(),
        }
    }

    /// A datagram from anywhere arrives at the SFU now.
    pub(crate) fn inject(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        let path = Path { remote: from, local_ip: None };
        self.sfu.handle_datagram(self.now, path, datagram, &mut self.out);
        while !self.sfu.forward(self.now, &mut self.out) {
            self.collect();
        }
        self.collect();
    }

    pub(crate) fn count(&self, counter: Counter) -> u64 {
        self.counters.get(counter)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            if self.sfu.poll_timeout().is_some_and(|at| at <= self.now) {
                self.sfu.handle_timeout(self.now, &mut self.out);
                self.collect();
            }
            while let Some(happening) = self.agenda.pop_due(self.now) {
                self.happen(happening);
            }
        }
        self.now = end;
    }

    fn next_moment(&self) -> Option<Instant> {
        [self.agenda.next(), self.sfu.poll_timeout()].into_iter().flatten().min()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToServer { from, mut datagram } => {
                self.inject(from, &mut datagram);
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
                let happening = Happening::ToServer { from: caller.address, datagram: copy };
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

    /// Takes what the SFU produced.
    fn collect(&mut self) {
        let out = std::mem::take(&mut self.out);
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
        self.out = out;
        self.out.clear_transmits();
        for event in std::mem::take(&mut self.out.events) {
            self.note(&event);
            self.events.push(event);
        }
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
            MediaEvent::Connected { .. } | MediaEvent::Disconnected { .. } | MediaEvent::Lost { .. } => {}
        }
    }
}
