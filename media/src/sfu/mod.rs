//! The selective forwarding unit of one worker, sans-IO: datagrams, requests and time in; datagrams and events out.
//!
//! [`Sfu`] finds whose datagram it is and hands it on; a [`room::Room`] holds who is in a call and the routes. `negotiate`
//! compiles routes, `ingress` and `forward` follow them, `repair` mends losses, `timers` and `reports` do what time asks for.
//! Nothing here knows a socket, a thread or a clock: `now` is always an argument.

mod codecs;
mod forward;
mod ingress;
mod keyframe;
mod layers;
mod mirror;
mod nack;
mod negotiate;
mod outgoing;
mod participant;
#[cfg(test)]
mod properties;
mod publication;
mod reachable;
mod receive_stats;
mod repair;
mod reports;
mod rewrite;
mod ring;
mod room;
mod rtcp_in;
mod seating;
mod sent;
mod shedding;
#[cfg(test)]
mod sizes;
mod speaker;
mod spread;
mod timers;
mod wheel;

#[cfg(test)]
pub(crate) use sizes::Sizes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::api::{Levels, MediaEvent, Wish};
use crate::counters::{Counter, Counters};
use crate::demux::{Protocol, classify};
use crate::handover::{WorkerId, WorkerSet};
use crate::id::{ParticipantId, RoomId, Source};
use crate::outbox::Outbox;
use crate::random::Random;
use crate::transport::{Candidates, Certificate, Path, Sender, StunOutcome, Transport, TransportEvent, username_local_part};
use participant::{MAX_ADDRESSES, Participant};
use room::Room;
use shedding::{Shedding, Step};
use timers::Timer;
use wheel::Wheel;

/// What an SFU is told at its start.
pub(crate) struct SfuConfig {
    pub(crate) certificate: Arc<Certificate>,
    /// The worker that runs it.
    pub(crate) worker: WorkerId,
    pub(crate) candidates: Candidates,
}

/// Where a participant is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    room: usize,
    participant: usize,
}

pub(crate) struct Sfu {
    config: Arc<SfuConfig>,
    counters: Arc<Counters>,
    rooms: Slab<Room>,
    room_keys: HashMap<RoomId, usize>,
    participants: HashMap<ParticipantId, Key>,
    by_address: HashMap<Sender, Key>,
    by_ufrag: HashMap<String, Key>,
    random: Random,
    clock: crate::units::NtpClock,
    wheel: Wheel<Timer>,
    has_gauge_timer: bool,
    shedding: Shedding,
    /// Packets from unknown addresses since the moment.
    strangers: (Instant, u32),
    asked: reachable::Asked,
    /// Rooms with packets that this turn has still to forward.
    staged: Vec<usize>,
    scratch: Vec<u8>,
}

impl Sfu {
    pub(crate) fn new(config: Arc<SfuConfig>, counters: Arc<Counters>, now: Instant, unix_time: Duration, seed: u64) -> Self {
        // An SFU before this one may have left it.
        counters.set(Counter::Shedding, 0);
        Self {
            config,
            counters,
            rooms: Slab::new(),
            room_keys: HashMap::new(),
            participants: HashMap::new(),
            by_address: HashMap::new(),
            by_ufrag: HashMap::new(),
            random: Random::new(seed),
            clock: crate::units::NtpClock::new(now, unix_time),
            wheel: Wheel::new(now),
            has_gauge_timer: false,
            shedding: Shedding::default(),
            strangers: (now, 0),
            asked: reachable::Asked::new(now),
            staged: Vec::new(),
            scratch: Vec::with_capacity(1500),
        }
    }

    /// Whether whoever sends on this path is somebody's, by a check that authenticated.
    pub(crate) fn knows(&self, path: Path) -> bool {
        self.by_address.contains_key(&path.sender())
    }

    /// Everybody in a call here.
    pub(crate) fn participants(&self) -> Vec<ParticipantId> {
        self.participants.keys().copied().collect()
    }

    /// Puts a participant into a call, of which `others` have a part and whose levels are told or hidden. A second join of the same one
    /// changes nothing, nor does another word on levels than the first.
    pub(crate) fn join(
        &mut self,
        room: RoomId,
        participant: ParticipantId,
        (others, levels): (WorkerSet, Levels),
        out: &mut Outbox,
    ) {
        if self.participants.contains_key(&participant) {
            return;
        }
        let room = match self.room_keys.get(&room) {
            Some(key) => *key,
            None => {
                self.greet(room, others, out);
                let fresh = Room::new(room, levels, self.config.worker, self.shedding.step(), self.random.next_u32());
                let key = self.rooms.insert(fresh);
                self.room_keys.insert(room, key);
                key
            }
        };
        let report_ssrc = self.random.fresh_ssrc();
        let key = self.rooms[room].participants.insert(Participant::new(participant, report_ssrc));
        self.participants.insert(participant, Key { room, participant: key });
        self.count_gauges();
    }

    /// Takes a participant out: from here on nothing of theirs is received, forwarded or remembered.
    pub(crate) fn leave(&mut self, now: Instant, participant: ParticipantId, out: &mut Outbox) {
        let Some(key) = self.participants.remove(&participant) else { return };
        if let Some(transport) = &mut self.rooms[key.room].participants[key.participant].transport {
            transport.close(now, &mut |to, record| out.push(to, record));
        }
        self.rooms[key.room].remove(key.participant);
        self.by_address.retain(|_, other| *other != key);
        self.by_ufrag.retain(|_, other| *other != key);
        if self.rooms[key.room].participants.is_empty() {
            let room = self.rooms.remove(key.room);
            self.room_keys.remove(&room.id);
            room.part(out);
        } else {
            self.rooms[key.room].reconcile(now, out);
            self.attend_room(now, key.room);
        }
        self.count_gauges();
    }

    pub(crate) fn set_wishes(&mut self, now: Instant, participant: ParticipantId, wishes: &[Wish], out: &mut Outbox) {
        let Some(key) = self.key_of(participant) else { return };
        let room = &mut self.rooms[key.room];
        let by_feed = wishes.iter().map(|wish| ((wish.participant, wish.kind), wish.clone()));
        room.participants[key.participant].wishes = by_feed.collect();
        room.reconcile(now, out);
        self.attend_room(now, key.room);
    }

    pub(crate) fn set_muted(&mut self, now: Instant, participant: ParticipantId, source: Source, muted: bool, out: &mut Outbox) {
        let Some(key) = self.key_of(participant) else { return };
        let room = &mut self.rooms[key.room];
        room.participants[key.participant].muted.set(source, muted);
        for (_, publication) in room.publications.iter_mut().filter(|(_, p)| p.is_of(key.participant) && p.source == source) {
            publication.switch(now, muted, publication.is_forbidden);
        }
        room.switched(now, out);
        self.attend_room(now, key.room);
    }

    pub(crate) fn set_forbidden(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        source: Source,
        forbidden: bool,
        out: &mut Outbox,
    ) {
        let Some(key) = self.key_of(participant) else { return };
        let room = &mut self.rooms[key.room];
        room.participants[key.participant].forbidden.set(source, forbidden);
        for (_, publication) in room.publications.iter_mut().filter(|(_, p)| p.is_of(key.participant) && p.source == source) {
            publication.switch(now, publication.is_muted, forbidden);
        }
        room.switched(now, out);
        self.attend_room(now, key.room);
    }

    /// Takes the part of its time that the worker worked of late, in thousandths, and leaves out what it cannot carry. Others are told a
    /// figure of about a second: a single negotiation fills a shorter time.
    pub(crate) fn set_busy(&mut self, now: Instant, busy_permille: u64, out: &mut Outbox) {
        let smoothed = (3 * self.counters.get(Counter::BusyPermille) + busy_permille) / 4;
        self.counters.set(Counter::BusyPermille, smoothed);
        let before = self.shedding.step();
        if !self.shedding.judge(now, busy_permille) {
            return;
        }
        let step = self.shedding.step();
        if step.left_out() != before.left_out() {
            let told = |participant: &ParticipantId| MediaEvent::LeftOut { participant: *participant, what: step.left_out() };
            out.events.extend(self.participants.keys().map(told));
        }
        self.counters.set(Counter::Shedding, u64::from(step > Step::Nothing));
        for (_, room) in &mut self.rooms {
            room.shedding = step;
            room.reconcile(now, out);
        }
        self.watch_gauges(now);
    }

    /// Takes one datagram, in place. What it leads to for subscribers waits for [`Sfu::forward`] in the same turn.
    pub(crate) fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8], out: &mut Outbox) {
        self.counters.count(Counter::PacketsIn);
        self.counters.add(Counter::BytesIn, datagram.len() as u64);
        match classify(datagram) {
            Protocol::Rtp => self.handle_rtp(now, path, datagram),
            Protocol::Rtcp => self.handle_rtcp(now, path, datagram, out),
            Protocol::Stun => self.handle_stun(now, path, datagram, out),
            Protocol::Dtls => self.handle_dtls(now, path, datagram, out),
            _ => self.counters.count(Counter::DropNotMedia),
        }
    }

    /// Writes what was received for subscribers, all of a publication to one of them together. False when `out` is as full as it
    /// should be before more is to be sent: then there is more.
    pub(crate) fn forward(&mut self, now: Instant, out: &mut Outbox) -> bool {
        while let Some(&key) = self.staged.last() {
            let Some(room) = self.rooms.get_mut(key) else {
                self.staged.pop();
                continue;
            };
            if !room.forward(&self.counters, out) {
                return false;
            }
            self.staged.pop();
            self.attend_if_restless(now, key);
        }
        true
    }

    fn key_of(&self, participant: ParticipantId) -> Option<Key> {
        self.participants.get(&participant).copied()
    }

    fn handle_stun(&mut self, now: Instant, path: Path, datagram: &[u8], out: &mut Outbox) {
        let key = username_local_part(datagram).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied();
        let Some(key) = key else { return self.answer_stranger(now, path, datagram, out) };
        let participant = &mut self.rooms[key.room].participants[key.participant];
        let Some(transport) = &mut participant.transport else { return };
        let had_path = transport.path().is_some();
        match transport.handle_stun(now, datagram, path, &mut |to, answer| out.push(to, answer)) {
            StunOutcome::Answered { has_moved, retired_ufrag, event } => {
                if let Some(event) = event {
                    participant.tell(&event, &self.counters, out);
                }
                if let Some(retired) = retired_ufrag {
                    self.by_ufrag.remove(&retired);
                }
                if has_moved && had_path {
                    self.counters.count(Counter::PathChanges);
                }
                self.remember_address(key, path.sender());
                self.attend(now, key);
            }
            StunOutcome::Rejected | StunOutcome::Ignored(_) => self.counters.count(Counter::DropStun),
        }
    }

    fn remember_address(&mut self, key: Key, address: Sender) {
        let participant = &mut self.rooms[key.room].participants[key.participant];
        if participant.addresses.contains(&address) && self.by_address.get(&address) == Some(&key) {
            return;
        }
        participant.addresses.retain(|other| *other != address);
        if participant.addresses.len() >= MAX_ADDRESSES {
            let current = participant.transport.as_ref().and_then(Transport::path).map(|path| path.sender());
            let oldest = participant.addresses.iter().position(|a| Some(*a) != current).unwrap_or(0);
            self.by_address.remove(&participant.addresses.remove(oldest));
        }
        participant.addresses.push(address);
        // An address that moved to another participant (a NAT gave it anew) belongs to whoever authenticated last.
        self.by_address.insert(address, key);
    }

    fn handle_dtls(&mut self, now: Instant, path: Path, datagram: &[u8], out: &mut Outbox) {
        let Some(&key) = self.by_address.get(&path.sender()) else { return self.counters.count(Counter::DropUnknownSource) };
        let room = &mut self.rooms[key.room];
        let participant = &mut room.participants[key.participant];
        let Some(transport) = &mut participant.transport else { return };
        let was_connected = transport.is_connected();
        let mut is_answered = false;
        let event = transport.handle_dtls(now, datagram, path, &mut |to, record| {
            is_answered = true;
            out.push(to, record);
        });
        if was_connected && event.is_none() && !is_answered {
            // After the handshake there is nothing to say but goodbye, and to repeat the last flight.
            self.counters.count(Counter::DropDtls);
        }
        if let Some(event) = event {
            let is_up = event == TransportEvent::Connected;
            participant.tell(&event, &self.counters, out);
            if is_up {
                // Whoever waits for this participant's seats to fill asks for keyframes now.
                room.retarget(now);
            }
        }
        self.attend(now, key);
        self.attend_room(now, key.room);
    }

    fn count_gauges(&self) {
        let participants = self.participants.len() as u64;
        let of_here = |room: &Room| room.publications.iter().filter(|(_, publication)| publication.is_from_here()).count() as u64;
        let publications = self.rooms.iter().map(|(_, room)| of_here(room)).sum();
        let routes = |room: &Room| room.publications.iter().map(|(_, p)| p.routes.len() as u64).sum::<u64>();
        self.counters.set(Counter::Participants, participants);
        self.counters.set(Counter::Publications, publications);
        self.counters.set(Counter::Subscriptions, self.rooms.iter().map(|(_, room)| routes(room)).sum());
    }
}
