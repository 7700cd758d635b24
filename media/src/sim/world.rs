//! The world of a scenario: the SFU, the callers and the time between them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::network::{Direction, Network, Tally};
use super::trace::Trace;
use crate::api::{MediaEvent, SeatedFeed, Wish};
use crate::counters::{Counter, Counters};
use crate::error::MediaError;
use crate::id::{FeedKind, ParticipantId, RoomId, Source};
use crate::outbox::Outbox;
use crate::random::Random;
use crate::sfu::{Sfu, SfuConfig};
use crate::synthetic::{Identity, Participant, Settings};
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
    agenda: BinaryHeap<Reverse<Entry>>,
    next_order: u64,
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

/// Something to come. Ordered by time, then by when it was planned.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Instant,
    order: u64,
    happening: Happening,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    ToServer { from: SocketAddr, datagram: Vec<u8> },
    ToCaller { caller: CallerKey, datagram: Vec<u8> },
    Wake { caller: CallerKey },
    Offer { caller: CallerKey },
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
            agenda: BinaryHeap::new(),
            next_order: 0,
            spare: Vec::new(),
        }
    }

    /// Lets somebody join and connect, over a network like this in both directions.
    pub(crate) fn join(&mut self, room: u128, settings: Settings, network: Network) -> CallerKey {
        let key = self.callers.len();
        let id = ParticipantId(u64::from(settings.source));
        let seed = |random: &mut Random| u64::from(random.next_u32());
        let synthetic = Participant::new(self.now, UNIX_TIME + self.elapsed(), settings, &self.identity, seed(&mut self.random))
            .expect("the provider gives random numbers");
        let (up, down) = (Direction::new(network, seed(&mut self.random)), Direction::new(network, seed(&mut self.random)));
        let address = self.fresh_address(key);
        let seated = Vec::new();
        let caller = Caller { id, synthetic, address, up, down, wakes_at: None, seated, wishes: Vec::new(), renegotiations: 0 };
        self.callers.push(caller);
        self.sfu.join(RoomId(room), id);
        self.offer(key).expect("the first offer is answered");
        key
    }

    /// Offers now, and takes the answer.
    pub(crate) fn offer(&mut self, key: CallerKey) -> Result<(), MediaError> {
        let caller = &mut self.callers[key];
        let offer = caller.synthetic.offer();
        let answer = self.sfu.negotiate(self.now, caller.id, &offer, &mut self.out)?;
        caller.synthetic.accept(self.now, &answer).expect("a synthetic participant understands the answer");
        caller.seated.resize(caller.synthetic.seats(), None);
        self.settle(key);
        Ok(())
    }

    pub(crate) fn leave(&mut self, key: CallerKey) {
        self.sfu.leave(self.now, self.callers[key].id, &mut self.out);
        self.collect();
    }

    pub(crate) fn set_muted(&mut self, key: CallerKey, source: Source, muted: bool) {
        self.sfu.set_muted(self.now, self.callers[key].id, source, muted);
        self.collect();
    }

    pub(crate) fn set_forbidden(&mut self, key: CallerKey, source: Source, forbidden: bool) {
        self.sfu.set_forbidden(self.now, self.callers[key].id, source, forbidden);
        self.collect();
    }

    /// Says how wide a viewer shows others: (whose, width, pinned).
    pub(crate) fn wish(&mut self, key: CallerKey, wishes: &[(CallerKey, u32, bool)]) {
        let wish = |&(of, width_px, pinned): &(CallerKey, u32, bool)| Wish {
            participant: self.callers[of].id,
            kind: FeedKind::Person,
            width_px,
            pinned,
        };
        let wishes: Vec<Wish> = wishes.iter().map(wish).collect();
        self.sfu.set_wishes(self.now, self.callers[key].id, &wishes, &mut self.out);
        self.callers[key].wishes = wishes;
        self.collect();
    }

    /// Gives a caller another address. Datagrams to the old one are lost from now on.
    pub(crate) fn move_address(&mut self, key: CallerKey) {
        self.by_address.remove(&self.callers[key].address);
        let address = self.fresh_address(key);
        self.callers[key].address = address;
    }

    /// Gives a caller an address that was another's.
    pub(crate) fn take_address(&mut self, key: CallerKey, address: SocketAddr) {
        self.by_address.remove(&self.callers[key].address);
        self.by_address.insert(address, key);
        self.callers[key].address = address;
    }

    fn fresh_address(&mut self, key: CallerKey) -> SocketAddr {
        let host = Ipv4Addr::new(198, 51, (self.by_address.len() >> 8) as u8, (self.by_address.len() & 0xff) as u8);
        let address = SocketAddr::new(host.into(), 1_024 + (self.random.next_u32() % 60_000) as u16);
        self.by_address.insert(address, key);
        address
    }

    pub(crate) fn set_network(&mut self, key: CallerKey, up: Network, down: Network) {
        self.callers[key].up.set(up);
        self.callers[key].down.set(down);
    }

    /// What the network did to datagrams of a caller: on the way up, and down.
    pub(crate) fn network(&self, key: CallerKey) -> (Tally, Tally) {
        (self.callers[key].up.tally, self.callers[key].down.tally)
    }

    pub(crate) fn caller(&self, key: CallerKey) -> &Caller {
        &self.callers[key]
    }

    /// Changes a participant, and sends what it says to that.
    pub(crate) fn with<T>(&mut self, key: CallerKey, change: impl FnOnce(&mut Participant, Instant) -> T) -> T {
        let result = change(&mut self.callers[key].synthetic, self.now);
        self.settle(key);
        result
    }

    pub(crate) fn address_of(&self, key: CallerKey) -> SocketAddr {
        self.callers[key].address
    }

    /// A datagram from anywhere arrives at the SFU now.
    pub(crate) fn inject(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        let path = Path { remote: from, local_ip: None };
        self.sfu.handle_datagram(self.now, path, datagram, &mut self.out);
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
            while let Some(entry) = self.agenda.pop_if_due(self.now) {
                self.happen(entry.happening);
            }
        }
        self.now = end;
    }

    fn next_moment(&self) -> Option<Instant> {
        let agenda = self.agenda.peek().map(|Reverse(entry)| entry.at);
        [agenda, self.sfu.poll_timeout()].into_iter().flatten().min()
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
                self.next_order += 1;
                self.agenda.push(Reverse(Entry { at, order: self.next_order, happening }));
            }
        }
        let wakes_at = caller.synthetic.poll_timeout().map(|at| at.max(now));
        if wakes_at.is_some() && wakes_at != caller.wakes_at {
            caller.wakes_at = wakes_at;
            self.plan(wakes_at.unwrap_or(now), Happening::Wake { caller: key });
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
                self.plan(at, Happening::ToCaller { caller: key, datagram: copy });
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
                self.plan(self.now + SIGNALLING_DELAY, Happening::Offer { caller });
            }
            MediaEvent::Connected { .. } | MediaEvent::Disconnected { .. } | MediaEvent::Lost { .. } => {}
        }
    }

    fn plan(&mut self, at: Instant, happening: Happening) {
        self.next_order += 1;
        self.agenda.push(Reverse(Entry { at, order: self.next_order, happening }));
    }
}

trait Agenda {
    fn pop_if_due(&mut self, now: Instant) -> Option<Entry>;
}

impl Agenda for BinaryHeap<Reverse<Entry>> {
    fn pop_if_due(&mut self, now: Instant) -> Option<Entry> {
        let is_due = self.peek().is_some_and(|Reverse(entry)| entry.at <= now);
        if is_due { self.pop().map(|Reverse(entry)| entry) } else { None }
    }
}
