//! A room that several workers have a part of: what this part tells the others and hears from them.
//!
//! Every part derives its seats and routes by itself, from its participants and from mirrors of the others' publications.
//! [`Room::tell_others`] is idempotent like the room's `reconcile`: it compares what the others were told last with what is so now.
//! Packets come in through `mirror`, and leave in `forward`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::publication::{Origin, Publication, SenderReport};
use super::room::{Feed, Room};
use crate::api::Levels;
use crate::codec::CodecSet;
use crate::handover::{Announcement, Place, Status, Word, WorkerId};
use crate::id::FeedId;
use crate::outbox::Outbox;

/// The other parts of a room.
pub(crate) struct Spread {
    pub(crate) me: WorkerId,
    others: Vec<Other>,
    /// What the others were told that everybody here can decode.
    told_decodable: CodecSet,
    /// Publications that ended since the others were told.
    pub(super) withdrawn: Vec<u32>,
}

struct Other {
    worker: WorkerId,
    /// What everybody can decode who receives through it.
    decodable: CodecSet,
}

impl Spread {
    pub(super) fn new(me: WorkerId) -> Self {
        Self { me, others: Vec::new(), told_decodable: CodecSet::ALL, withdrawn: Vec::new() }
    }

    pub(crate) fn others(&self) -> impl Iterator<Item = WorkerId> {
        self.others.iter().map(|other| other.worker)
    }

    /// What everybody can decode who receives through the others.
    pub(super) fn decodable(&self) -> CodecSet {
        self.others.iter().fold(CodecSet::ALL, |set, other| set.intersection(other.decodable))
    }

    /// The worker that judges who speaks.
    pub(super) fn judge(&self) -> WorkerId {
        self.others().fold(self.me, WorkerId::min)
    }

    fn knows(&self, worker: WorkerId) -> bool {
        self.others().any(|other| other == worker)
    }
}

impl Room {
    /// Tells the others what changed here.
    pub(super) fn tell_others(&mut self, now: Instant, out: &mut Outbox) {
        let withdrawn = std::mem::take(&mut self.spread.withdrawn);
        if self.spread.others.is_empty() {
            return;
        }
        for serial in withdrawn {
            self.say_to_all(out, || Word::Withdraw { serial });
        }
        let decodable = self.decodable_here();
        if decodable != self.spread.told_decodable {
            self.spread.told_decodable = decodable;
            self.say_to_all(out, || Word::Decodes(decodable));
        }
        let (me, room) = (self.spread.me, self.id);
        for (_, publication) in &mut self.publications {
            let status = publication.status(now);
            let is_routed = !publication.routes.is_empty();
            match &mut publication.origin {
                Origin::Here { announced, .. } if *announced != Some(status) => {
                    *announced = Some(status);
                    let Some(announcement) = announcement(&self.feeds, publication, status) else { continue };
                    for worker in self.spread.others() {
                        out.say(worker, me, room, Word::Announce(Box::new(announcement.clone())));
                    }
                }
                Origin::There { worker, serial, at, is_wanted, .. } if *is_wanted != is_routed => {
                    *is_wanted = is_routed;
                    let (serial, at) = (*serial, *at);
                    out.say(*worker, me, room, if is_routed { Word::Want { serial, at } } else { Word::Unwant { serial } });
                }
                _ => {}
            }
        }
    }

    /// Says goodbye, because the last participant here left.
    pub(super) fn part(&self, out: &mut Outbox) {
        self.say_to_all(out, || Word::Gone);
    }

    /// Takes in what another worker says. `key` is the room's own.
    pub(super) fn read(&mut self, now: Instant, key: usize, from: WorkerId, word: Word, out: &mut Outbox) {
        match word {
            Word::Hello => {
                self.forget(now, from, out);
                out.say(from, self.spread.me, self.id, Word::Welcome);
                return self.meet(now, from, out);
            }
            Word::Welcome => return self.meet(now, from, out),
            _ if !self.spread.knows(from) => return,
            Word::Gone => return self.forget(now, from, out),
            Word::Decodes(set) => {
                for other in self.spread.others.iter_mut().filter(|other| other.worker == from) {
                    other.decodable = set;
                }
                self.is_stale = true;
            }
            Word::Announce(announcement) => self.mirror(now, key, from, &announcement),
            Word::Withdraw { serial } => {
                if let Some(key) = self.mirror_of(from, serial) {
                    self.unpublish(key);
                    self.is_stale = true;
                }
            }
            Word::Want { serial, at } => self.set_mirrored(serial, from, Some(at), out),
            Word::Unwant { serial } => self.set_mirrored(serial, from, None, out),
            Word::Keyframe { serial, layer } => {
                let wanted = self.publications.iter_mut().find(|(_, publication)| publication.serial == serial);
                if let Some(layer) = wanted.and_then(|(_, publication)| publication.layers.get_mut(layer)) {
                    layer.keyframes.request(now);
                }
            }
            Word::Clock { serial, layer, at, rtp_timestamp } => {
                if let Some(key) = self.mirror_of(from, serial) {
                    self.set_clock(key, layer, SenderReport { at, rtp_timestamp }, out);
                }
            }
            Word::Voices(heard) => heard.into_iter().for_each(|voice| self.speakers.hear(voice, now)),
            Word::Loudest(loudest) if self.spread.judge() == from => self.set_loudest(now, loudest, out),
            Word::Loudest(_) => {}
        }
        self.is_restless = true;
    }

    /// A publisher's clock became known or went on: viewers are told, and the workers with mirrors.
    pub(super) fn set_clock(&mut self, key: usize, layer: usize, report: SenderReport, out: &mut Outbox) {
        let Some(publication) = self.publications.get_mut(key) else { return };
        let serial = publication.serial;
        let Some(known) = publication.layers.get_mut(layer) else { return };
        let is_first = known.sender_report.replace(report).is_none();
        if let Origin::Here { mirrors, .. } = &publication.origin {
            for (worker, _) in mirrors {
                out.say(*worker, self.spread.me, self.id, clock(serial, layer, report));
            }
        }
        if is_first {
            self.tell_clock_of(key);
        }
    }

    /// Asks the workers of mirrored publications for the keyframes that somebody waits for.
    pub(super) fn look_after_mirrors(&mut self, now: Instant, out: &mut Outbox) {
        for (_, publication) in &mut self.publications {
            let Origin::There { worker, serial, .. } = publication.origin else { continue };
            for (index, layer) in publication.layers.iter_mut().enumerate() {
                if layer.keyframes.is_due(now, Duration::ZERO) {
                    out.say(worker, self.spread.me, self.id, Word::Keyframe { serial, layer: index });
                }
                self.is_restless |= layer.keyframes.is_waiting();
            }
        }
    }

    /// Knows another part of the room from now on, and tells it everything.
    fn meet(&mut self, now: Instant, worker: WorkerId, out: &mut Outbox) {
        if self.spread.knows(worker) {
            return;
        }
        self.spread.others.push(Other { worker, decodable: CodecSet::ALL });
        let (me, room) = (self.spread.me, self.id);
        out.say(worker, me, room, Word::Decodes(self.decodable_here()));
        for (_, publication) in &mut self.publications {
            let status = publication.status(now);
            let Some(known) = announcement(&self.feeds, publication, status) else { continue };
            if let Origin::Here { announced, .. } = &mut publication.origin {
                *announced = Some(status);
                out.say(worker, me, room, Word::Announce(Box::new(known)));
            }
        }
        if self.spread.judge() == me && !self.loudest.is_empty() {
            out.say(worker, me, room, Word::Loudest(self.loudest.clone()));
        }
    }

    /// Another part of the room is no more, nor what it published.
    fn forget(&mut self, now: Instant, worker: WorkerId, out: &mut Outbox) {
        if !self.spread.knows(worker) {
            return;
        }
        self.spread.others.retain(|other| other.worker != worker);
        let is_its = |publication: &Publication| matches!(publication.origin, Origin::There { worker: w, .. } if w == worker);
        let gone: Vec<usize> = self.publications.iter().filter(|(_, p)| is_its(p)).map(|(key, _)| key).collect();
        for key in gone {
            self.unpublish(key);
        }
        for (_, publication) in &mut self.publications {
            if let Origin::Here { mirrors, .. } = &mut publication.origin {
                mirrors.retain(|(other, _)| *other != worker);
            }
        }
        self.reconcile(now, out);
    }

    /// Mirrors a publication, or what changed of it.
    fn mirror(&mut self, now: Instant, room: usize, worker: WorkerId, announced: &Announcement) {
        let Announcement { serial, participant, source, feed, since, codec, rids, status } = announced;
        let known = self.mirror_of(worker, *serial);
        let key = known.unwrap_or_else(|| {
            let origin =
                Origin::There { worker, serial: *serial, at: Place::default(), is_wanted: false, flowing: status.flowing };
            self.insert(origin, *source, *codec, rids, (*feed, *participant, *since))
        });
        if let Origin::There { at, .. } = &mut self.publications[key].origin {
            *at = Place { room, publication: key };
        }
        let publication = &self.publications[key];
        let is_switched = self.levels == Levels::Hidden && publication.on_since != status.on_since;
        self.is_stale |= known.is_none() || publication.has_levels != status.has_levels || is_switched;
        self.publications[key].set_status(*status);
        self.retarget(now);
    }

    /// Where the packets of a publication go beside the viewers here.
    fn set_mirrored(&mut self, serial: u32, worker: WorkerId, at: Option<Place>, out: &mut Outbox) {
        let wanted = self.publications.iter_mut().find(|(_, publication)| publication.serial == serial);
        let Some((_, publication)) = wanted else { return };
        let Origin::Here { mirrors, .. } = &mut publication.origin else { return };
        mirrors.retain(|(other, _)| *other != worker);
        let Some(at) = at else { return };
        mirrors.push((worker, at));
        for (index, layer) in publication.layers.iter().enumerate() {
            if let Some(report) = layer.sender_report {
                out.say(worker, self.spread.me, self.id, clock(serial, index, report));
            }
        }
    }

    fn mirror_of(&self, worker: WorkerId, serial: u32) -> Option<usize> {
        self.publications.iter().find(|(_, publication)| publication.mirrors(worker, serial)).map(|(key, _)| key)
    }

    fn say_to_all(&self, out: &mut Outbox, word: impl Fn() -> Word) {
        for worker in self.spread.others() {
            out.say(worker, self.spread.me, self.id, word());
        }
    }
}

fn clock(serial: u32, layer: usize, report: SenderReport) -> Word {
    let SenderReport { at, rtp_timestamp } = report;
    Word::Clock { serial, layer, at, rtp_timestamp }
}

/// What the others are told of a publication here.
fn announcement(feeds: &BTreeMap<FeedId, Feed>, publication: &Publication, status: Status) -> Option<Announcement> {
    let feed = feeds.get(&publication.feed)?;
    Some(Announcement {
        serial: publication.serial,
        participant: feed.participant,
        source: publication.source,
        feed: publication.feed,
        since: feed.since,
        codec: publication.codec,
        rids: publication.layers.iter().filter_map(|layer| layer.rid.clone()).collect(),
        status,
    })
}
