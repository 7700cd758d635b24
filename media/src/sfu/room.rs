//! One room's call: who is in it, what they offer, who sits in whose seats, and the routes compiled from that.
//!
//! [`Room::reconcile`] is idempotent: it derives seats and routes afresh from participants, publications, wishes and speakers.
//! Everything that changes one of these calls it; packets only follow the routes.

use std::time::{Duration, Instant};

use slab::Slab;

use super::layers;
use super::outgoing::LayerRef;
use super::participant::Participant;
use super::publication::{Publication, Route};
use super::seating::{self, Candidate};
use super::speaker::ActiveSpeakers;
use crate::api::{MediaEvent, Seated, SeatedFeed};
use crate::codec::CodecSet;
use crate::id::{FeedId, FeedKind, ParticipantId, RoomId};
use crate::outbox::Outbox;

/// Width taken for a feed before the viewer has said how large it is shown, pixels.
const DEFAULT_WIDTH_PX: u32 = 640;
/// How often layers are chosen again. Longer reacts later to a layer that stops; shorter costs time in large rooms.
const RETARGET_INTERVAL: Duration = Duration::from_millis(100);
/// How often the speakers are judged. Shorter flickers.
const SPEAKER_INTERVAL: Duration = Duration::from_millis(200);

pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) participants: Slab<Participant>,
    pub(crate) publications: Slab<Publication>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) speakers: ActiveSpeakers,
    loudest: Vec<FeedId>,
    next_feed: u32,
    next_order: u64,
    next_serial: u32,
    last_retarget: Option<Instant>,
    last_judged: Option<Instant>,
}

/// A participant's person or screen, which takes a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) id: FeedId,
    pub(crate) owner: usize,
    pub(crate) participant: ParticipantId,
    pub(crate) kind: FeedKind,
    order: u64,
}

impl Room {
    pub(crate) fn new(id: RoomId, first_feed: u32) -> Self {
        Self {
            id,
            participants: Slab::new(),
            publications: Slab::new(),
            feeds: Vec::new(),
            speakers: ActiveSpeakers::default(),
            loudest: Vec::new(),
            next_feed: first_feed,
            next_order: 0,
            next_serial: 0,
            last_retarget: None,
            last_judged: None,
        }
    }

    /// The feed of this kind of a participant, made when it is the first time.
    pub(crate) fn feed_of(&mut self, owner: usize, kind: FeedKind) -> FeedId {
        if let Some(feed) = self.feeds.iter().find(|feed| feed.owner == owner && feed.kind == kind) {
            return feed.id;
        }
        let id = FeedId(self.next_feed);
        // 0 is kept free: to a receiver it would look like "none".
        self.next_feed = self.next_feed.wrapping_add(1).max(1);
        self.next_order += 1;
        let participant = self.participants[owner].id;
        self.feeds.push(Feed { id, owner, participant, kind, order: self.next_order });
        id
    }

    pub(crate) fn next_serial(&mut self) -> u32 {
        self.next_serial += 1;
        self.next_serial
    }

    /// Takes a publication away, and its feed with its last one. The caller reconciles.
    pub(crate) fn unpublish(&mut self, key: usize) {
        let publication = self.publications.remove(key);
        for (_, participant) in &mut self.participants {
            for seat in &mut participant.seats {
                for line in [&mut seat.audio, &mut seat.video] {
                    if line.target().is_some_and(|layer| layer.publication == key)
                        || line.current.is_some_and(|layer| layer.publication == key)
                    {
                        line.clear();
                    }
                }
            }
        }
        if let Some(owner) = self.participants.get_mut(publication.owner) {
            owner.tracks.retain(|track| track.publication != key);
            owner.inbound.retain(|inbound| inbound.publication != key);
        }
        if !self.publications.iter().any(|(_, other)| other.feed == publication.feed) {
            self.feeds.retain(|feed| feed.id != publication.feed);
            self.speakers.remove(publication.feed);
        }
    }

    /// Takes a participant away with everything of theirs.
    pub(crate) fn remove(&mut self, key: usize) -> Participant {
        let published: Vec<usize> = self.publications.iter().filter(|(_, p)| p.owner == key).map(|(k, _)| k).collect();
        for publication in published {
            self.unpublish(publication);
        }
        self.feeds.retain(|feed| feed.owner != key);
        self.participants.remove(key)
    }

    /// What everybody who receives can decode.
    pub(crate) fn decodable(&self) -> CodecSet {
        let receivers = self.participants.iter().filter(|(_, participant)| !participant.seats.is_empty());
        receivers.fold(CodecSet::ALL, |set, (_, participant)| set.intersection(participant.decodable))
    }

    /// Seats everybody and compiles the routes.
    pub(crate) fn reconcile(&mut self, now: Instant, out: &mut Outbox) {
        self.ask_to_renegotiate(out);
        let keys: Vec<usize> = self.participants.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.seat(key, out);
        }
        self.compile_routes();
        self.retarget(now);
    }

    /// Asks those for a new offer who send what not everybody can decode, or could send what they would rather.
    fn ask_to_renegotiate(&mut self, out: &mut Outbox) {
        let decodable = self.decodable();
        for (_, participant) in &mut self.participants {
            let is_fitting = |track: &super::participant::Track| {
                super::codecs::choose(&track.codecs, decodable).is_none_or(|entry| *entry == track.chosen)
            };
            if !participant.is_asked_to_renegotiate && !participant.tracks.iter().all(is_fitting) {
                participant.is_asked_to_renegotiate = true;
                out.events.push(MediaEvent::Renegotiate { participant: participant.id });
            }
        }
    }

    fn seat(&mut self, viewer: usize, out: &mut Outbox) {
        let (feeds, loudest) = (&self.feeds, &self.loudest);
        let Some(participant) = self.participants.get_mut(viewer) else { return };
        let candidates: Vec<Candidate> = feeds
            .iter()
            .filter(|feed| feed.owner != viewer)
            .map(|feed| {
                let wish = participant.wishes.iter().find(|w| w.participant == feed.participant && w.kind == feed.kind);
                Candidate {
                    feed: feed.id,
                    is_pinned: wish.is_some_and(|wish| wish.pinned),
                    is_loud: loudest.contains(&feed.id),
                    is_screen: feed.kind == FeedKind::Screen,
                    is_visible: wish.is_some_and(|wish| wish.width_px > 0),
                    order: feed.order,
                }
            })
            .collect();
        let taken: Vec<Option<FeedId>> = participant.seats.iter().map(|seat| seat.feed).collect();
        let assigned = seating::assign(&taken, &candidates);
        let mut changed = Vec::new();
        for (index, (seat, feed)) in participant.seats.iter_mut().zip(assigned).enumerate() {
            if seat.feed == feed {
                continue;
            }
            seat.feed = feed;
            // Sound of the one who left the seat ends at once; the picture may go on until the new one's keyframe.
            seat.audio.clear();
            let feed = feed.and_then(|id| feeds.iter().find(|feed| feed.id == id));
            if feed.is_none() {
                seat.video.clear();
            }
            let seated = feed.map(|f| SeatedFeed { participant: f.participant, kind: f.kind, feed: f.id });
            changed.push(Seated { seat: index, feed: seated });
        }
        if !changed.is_empty() {
            out.events.push(MediaEvent::Seats { participant: participant.id, seats: changed });
        }
    }

    /// Writes the seats down as flat routes. A line goes on showing its old source until the new one's keyframe only while the old
    /// source is still in the room and its owner sits in another seat or in none: then it is the line's own `current`.
    fn compile_routes(&mut self) {
        for (_, publication) in &mut self.publications {
            publication.routes.clear();
        }
        for (viewer, participant) in &mut self.participants {
            for (index, seat) in participant.seats.iter_mut().enumerate() {
                let route = Route { participant: viewer, seat: index };
                for (key, publication) in &mut self.publications {
                    let line = seat.line(publication.source);
                    let is_shown = line.current.is_some_and(|layer| layer.publication == key);
                    if Some(publication.feed) == seat.feed || is_shown {
                        publication.routes.push(route);
                    }
                }
            }
        }
    }

    /// Aims every line at the layer that fits, and asks for the keyframes that this takes.
    pub(crate) fn retarget(&mut self, now: Instant) {
        self.last_retarget = Some(now);
        for (_, participant) in &mut self.participants {
            for seat in &mut participant.seats {
                seat.video.expire_pending(now);
                let Some(feed) = seat.feed else { continue };
                let width_px = wished_width(&participant.wishes, &self.feeds, feed);
                let mut has = [false; 2];
                for (key, publication) in self.publications.iter_mut().filter(|(_, p)| p.feed == feed) {
                    let is_audio = publication.source.is_audio();
                    has[usize::from(is_audio)] = true;
                    let line = seat.line(publication.source);
                    if is_audio {
                        line.aim(now, LayerRef { publication: key, layer: 0 });
                    } else {
                        aim_video(now, line, key, publication, width_px);
                    }
                }
                let [has_video, has_audio] = has;
                if !has_video {
                    seat.video.clear();
                }
                if !has_audio {
                    seat.audio.clear();
                }
            }
        }
    }

    /// What is due by time alone.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        let is_due = |last: Option<Instant>, interval| last.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        if is_due(self.last_judged, SPEAKER_INTERVAL) {
            self.last_judged = Some(now);
            self.judge_speakers(now, out);
        }
        if is_due(self.last_retarget, RETARGET_INTERVAL) {
            self.retarget(now);
        }
    }

    fn judge_speakers(&mut self, now: Instant, out: &mut Outbox) {
        let loudest: Vec<FeedId> = self.speakers.judge(now).to_vec();
        if loudest == self.loudest {
            return;
        }
        self.loudest = loudest;
        let of = |id: &FeedId| self.feeds.iter().find(|feed| feed.id == *id).map(|feed| feed.participant);
        let speakers = self.loudest.iter().filter_map(of).collect();
        out.events.push(MediaEvent::Speakers { room: self.id, speakers });
        // Only a room with more feeds than seats re-seats by voice.
        if self.participants.iter().any(|(_, p)| !p.seats.is_empty() && p.seats.len() + 1 < self.feeds.len()) {
            self.reconcile(now, out);
        }
    }
}

fn wished_width(wishes: &[crate::api::Wish], feeds: &[Feed], feed: FeedId) -> u32 {
    if wishes.is_empty() {
        return DEFAULT_WIDTH_PX;
    }
    let Some(feed) = feeds.iter().find(|f| f.id == feed) else { return 0 };
    wishes.iter().find(|w| w.participant == feed.participant && w.kind == feed.kind).map_or(0, |wish| wish.width_px)
}

fn aim_video(now: Instant, line: &mut super::outgoing::Outgoing, key: usize, publication: &mut Publication, width_px: u32) {
    if width_px == 0 {
        line.clear();
        return;
    }
    // While nothing flows the line keeps this publication's layer, so that a camera switched on again continues without a switch;
    // another's picture must not stand in for it.
    let layer = layers::choose(publication.flowing(now).as_slice(), width_px).filter(|_| publication.is_on());
    let Some(layer) = layer else {
        line.drop_foreign(key);
        return;
    };
    line.aim(now, LayerRef { publication: key, layer });
    if let Some(awaited) = line.awaited() {
        publication.layers[awaited.layer].keyframes.request(now);
    } else {
        line.drop_foreign(key);
    }
}
