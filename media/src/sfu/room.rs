//! One room's call: who is in it, what they offer, who sits in whose seats, and the routes compiled from that.
//!
//! [`Room::reconcile`] is idempotent: it derives seats and routes afresh from participants, publications, wishes and speakers.
//! Everything that changes one of these calls it; packets only follow the routes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use slab::Slab;

use super::layers;
use super::outgoing::{LayerRef, Outgoing};
use super::participant::{Participant, Track};
use super::publication::{Publication, Route};
use super::seating::{self, Candidate};
use super::speaker::ActiveSpeakers;
use crate::api::{MediaEvent, Seated, SeatedFeed};
use crate::codec::{Codec, CodecSet};
use crate::id::{FeedId, FeedKind, ParticipantId, RoomId, Source};
use crate::outbox::Outbox;
use crate::transport::Transport;

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
    pub(crate) feeds: BTreeMap<FeedId, Feed>,
    pub(crate) speakers: ActiveSpeakers,
    loudest: Vec<FeedId>,
    next_feed: u32,
    next_order: u64,
    next_serial: u32,
    last_retarget: Option<Instant>,
    last_judged: Option<Instant>,
    /// Publications with packets that this turn has still to forward, and the next route of the last one.
    pub(super) staged: Vec<usize>,
    pub(super) next_route: usize,
    /// Participants with a line that shows a new source, of which a sender report has still to tell.
    pub(super) to_be_told: Vec<usize>,
    /// When the room is visited next, and when it was last.
    pub(super) due: Option<Instant>,
    pub(super) visited: Option<Instant>,
    /// Something cannot wait for the next regular visit.
    pub(super) is_restless: bool,
    /// Whom to hear was decided without knowing that a voice has levels.
    pub(super) is_stale: bool,
}

/// A participant's person or screen, which takes a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) owner: usize,
    pub(crate) participant: ParticipantId,
    pub(crate) kind: FeedKind,
    /// The publications' keys: at most one of each kind, since a participant has each source once.
    audio: Option<usize>,
    video: Option<usize>,
    order: u64,
}

impl Feed {
    fn publication(&mut self, source: Source) -> &mut Option<usize> {
        if source.is_audio() { &mut self.audio } else { &mut self.video }
    }
}

impl Room {
    pub(crate) fn new(id: RoomId, first_feed: u32) -> Self {
        Self {
            id,
            participants: Slab::new(),
            publications: Slab::new(),
            feeds: BTreeMap::new(),
            speakers: ActiveSpeakers::default(),
            loudest: Vec::new(),
            next_feed: first_feed,
            next_order: 0,
            next_serial: 0,
            last_retarget: None,
            last_judged: None,
            staged: Vec::new(),
            next_route: 0,
            to_be_told: Vec::new(),
            due: None,
            visited: None,
            is_restless: false,
            is_stale: false,
        }
    }

    /// Adds a publication; makes its feed when it is the first of it.
    pub(crate) fn publish(&mut self, owner: usize, source: Source, codec: Codec, rids: &[String]) -> usize {
        let kind = source.feed();
        let known = self.feeds.iter().find(|(_, feed)| feed.owner == owner && feed.kind == kind).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| self.new_feed(owner, kind));
        self.next_serial += 1;
        let mut publication = Publication::new(self.next_serial, owner, source, id, codec, rids);
        let participant = &self.participants[owner];
        publication.is_muted = participant.muted.get(source);
        publication.is_forbidden = participant.forbidden.get(source);
        let key = self.publications.insert(publication);
        if let Some(feed) = self.feeds.get_mut(&id) {
            *feed.publication(source) = Some(key);
        }
        key
    }

    fn new_feed(&mut self, owner: usize, kind: FeedKind) -> FeedId {
        let id = FeedId(self.next_feed);
        // 0 is kept free: to a receiver it would look like "none".
        self.next_feed = self.next_feed.wrapping_add(1).max(1);
        self.next_order += 1;
        let participant = self.participants[owner].id;
        self.feeds.insert(id, Feed { owner, participant, kind, audio: None, video: None, order: self.next_order });
        id
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
        let Some(feed) = self.feeds.get_mut(&publication.feed) else { return };
        *feed.publication(publication.source) = None;
        if feed.audio.is_none() && feed.video.is_none() {
            self.feeds.remove(&publication.feed);
            self.speakers.remove(publication.feed);
        }
    }

    /// Takes a participant away with everything of theirs.
    pub(crate) fn remove(&mut self, key: usize) -> Participant {
        let published: Vec<usize> = self.publications.iter().filter(|(_, p)| p.owner == key).map(|(k, _)| k).collect();
        for publication in published {
            self.unpublish(publication);
        }
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
            let is_fitting =
                |track: &Track| super::codecs::choose(&track.codecs, decodable).is_none_or(|entry| *entry == track.chosen);
            if !participant.is_asked_to_renegotiate && !participant.tracks.iter().all(is_fitting) {
                participant.is_asked_to_renegotiate = true;
                out.events.push(MediaEvent::Renegotiate { participant: participant.id });
            }
        }
    }

    fn seat(&mut self, viewer: usize, out: &mut Outbox) {
        let (feeds, loudest, publications) = (&self.feeds, &self.loudest, &self.publications);
        let Some(participant) = self.participants.get_mut(viewer) else { return };
        let wishes = &participant.wishes;
        let candidate = |(id, feed): (&FeedId, &Feed)| {
            let wish = wishes.get(&(feed.participant, feed.kind));
            Candidate {
                feed: *id,
                is_pinned: wish.is_some_and(|wish| wish.pinned),
                is_loud: loudest.contains(id),
                is_screen: feed.kind == FeedKind::Screen,
                is_visible: wish.is_some_and(|wish| wish.width_px > 0),
                order: feed.order,
            }
        };
        let candidates: Vec<Candidate> = feeds.iter().filter(|(_, feed)| feed.owner != viewer).map(candidate).collect();
        let taken: Vec<Option<FeedId>> = participant.seats.iter().map(|seat| seat.feed).collect();
        let assigned = seating::assign(&taken, &candidates);
        let is_large = candidates.len() > taken.len();
        let mut changed = Vec::new();
        for (index, (seat, id)) in participant.seats.iter_mut().zip(assigned).enumerate() {
            let feed = id.and_then(|id| feeds.get(&id));
            let wish = feed.and_then(|feed| wishes.get(&(feed.participant, feed.kind)));
            let unasked = if wishes.is_empty() { DEFAULT_WIDTH_PX } else { 0 };
            seat.width_px = wish.map_or(unasked, |wish| wish.width_px);
            // Of a crowd the loudest three are heard and whom the viewer pinned, of a round of people everybody; what a shared screen
            // plays is no voice, and without levels nobody knows who is loud.
            let has_levels = |feed: &Feed| feed.audio.and_then(|key| publications.get(key)).is_some_and(|audio| audio.has_levels);
            let is_voice = feed.is_some_and(|feed| feed.kind == FeedKind::Person && has_levels(feed));
            let is_pinned = wish.is_some_and(|wish| wish.pinned);
            seat.is_heard = !(is_large && is_voice) || is_pinned || id.is_some_and(|id| loudest.contains(&id));
            if seat.feed == id {
                continue;
            }
            seat.feed = id;
            // Sound of the one who left the seat ends at once; the picture may go on until the new one's keyframe.
            seat.audio.clear();
            if id.is_none() {
                seat.video.clear();
            }
            let seated = |(id, feed): (FeedId, &Feed)| SeatedFeed { participant: feed.participant, kind: feed.kind, feed: id };
            changed.push(Seated { seat: index, feed: id.zip(feed).map(seated) });
        }
        if !changed.is_empty() {
            out.events.push(MediaEvent::Seats { participant: participant.id, seats: changed });
        }
    }

    /// Writes the seats down as flat routes. A line that still shows its seat's former feed keeps its route to that until the new
    /// feed's keyframe.
    fn compile_routes(&mut self) {
        for (_, publication) in &mut self.publications {
            publication.routes.clear();
        }
        for (viewer, participant) in &self.participants {
            for (index, seat) in participant.seats.iter().enumerate() {
                let feed = seat.feed.and_then(|id| self.feeds.get(&id));
                let heard = feed.and_then(|feed| feed.audio).filter(|_| seat.is_heard);
                for (line, seated) in [(&seat.audio, heard), (&seat.video, feed.and_then(|f| f.video))] {
                    let shown = line.current.map(|layer| layer.publication).filter(|shown| Some(*shown) != seated);
                    for key in seated.into_iter().chain(shown) {
                        self.publications[key].routes.push(Route { participant: viewer, seat: index });
                    }
                }
            }
        }
    }

    /// Aims every line at the layer that fits, and asks for the keyframes that this takes.
    pub(crate) fn retarget(&mut self, now: Instant) {
        self.last_retarget = Some(now);
        for (_, participant) in &mut self.participants {
            // Nothing can be forwarded before: a keyframe that was asked for now would come for nothing, and hold the next one back.
            let is_connected = participant.transport.as_ref().is_some_and(Transport::is_connected);
            for seat in &mut participant.seats {
                seat.video.expire_pending(now);
                let Some(feed) = seat.feed.and_then(|id| self.feeds.get(&id)) else { continue };
                match feed.audio.filter(|_| seat.is_heard) {
                    Some(publication) => {
                        seat.audio.drop_foreign(publication);
                        seat.audio.aim(now, LayerRef { publication, layer: 0 });
                    }
                    None => seat.audio.clear(),
                }
                match feed.video {
                    Some(key) => {
                        let publication = &mut self.publications[key];
                        let awaited = aim_video(now, &mut seat.video, key, publication, seat.width_px).filter(|_| is_connected);
                        if let Some(layer) = awaited {
                            publication.layers[layer].keyframes.request(now);
                            self.is_restless = true;
                        }
                    }
                    None => seat.video.clear(),
                }
            }
        }
    }

    /// What is due by time alone.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        let is_due = |last: Option<Instant>, interval| last.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        if std::mem::take(&mut self.is_stale) {
            self.reconcile(now, out);
        }
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
        let of = |id: &FeedId| self.feeds.get(id).map(|feed| feed.participant);
        let speakers = self.loudest.iter().filter_map(of).collect();
        out.events.push(MediaEvent::Speakers { room: self.id, speakers });
        // Only a room with more feeds than seats re-seats by voice.
        if self.participants.iter().any(|(_, p)| !p.seats.is_empty() && p.seats.len() < self.feeds.len()) {
            self.reconcile(now, out);
        }
    }
}

/// Aims a line at the layer of a publication that fits; the layer whose keyframe that takes.
fn aim_video(now: Instant, line: &mut Outgoing, key: usize, publication: &Publication, width_px: u32) -> Option<usize> {
    if width_px == 0 {
        line.clear();
        return None;
    }
    // A line that went on with a forbidden camera's numbers would ask for all that was not forwarded.
    if publication.is_forbidden {
        line.clear();
        return None;
    }
    // While nothing flows the line keeps this publication's layer, so that a camera switched on again continues without a switch;
    // another's picture must not stand in for it.
    let layer = layers::choose(publication.flowing(now).as_slice(), width_px).filter(|_| publication.is_on());
    let Some(layer) = layer else {
        line.drop_foreign(key);
        return None;
    };
    line.aim(now, LayerRef { publication: key, layer });
    let awaited = line.awaited();
    if awaited.is_none() {
        line.drop_foreign(key);
    }
    awaited.map(|awaited| awaited.layer)
}
