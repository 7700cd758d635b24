//! One room's call: who is in it, what they offer, who sits in whose seats, and the routes compiled from that.
//!
//! [`Room::reconcile`] is idempotent: it derives seats and routes afresh from participants, publications, wishes and speakers.
//! Everything that changes one of these calls it; packets only follow the routes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use slab::Slab;

use super::layers;
use super::outgoing::LayerRef;
use super::participant::{Participant, Seat, Track};
use super::publication::{Origin, Publication, Route};
use super::seating::{self, Candidate};
use super::shedding::Step;
use super::speaker::{ActiveSpeakers, MAX_SPEAKERS};
use super::spread::Spread;
use crate::api::{Levels, MediaEvent, Seated, SeatedFeed};
use crate::codec::{Codec, CodecSet};
use crate::handover::{MAX_WORKERS, Word, WorkerId};
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
    pub(super) levels: Levels,
    pub(crate) participants: Slab<Participant>,
    pub(crate) publications: Slab<Publication>,
    pub(crate) feeds: BTreeMap<FeedId, Feed>,
    pub(crate) speakers: ActiveSpeakers,
    pub(super) loudest: Vec<FeedId>,
    pub(super) spread: Spread,
    /// What is left out because the worker cannot carry all.
    pub(super) shedding: Step,
    next_feed: u32,
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
    /// Seats and routes are to be derived afresh at the next visit.
    pub(super) is_stale: bool,
}

/// A participant's person or screen, which takes a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) participant: ParticipantId,
    pub(crate) kind: FeedKind,
    /// The publications' keys: at most one of each kind, since a participant has each source once.
    audio: Option<usize>,
    video: Option<usize>,
    /// Who came first is seated first.
    pub(super) since: Instant,
}

impl Feed {
    fn publication(&mut self, source: Source) -> &mut Option<usize> {
        if source.is_audio() { &mut self.audio } else { &mut self.video }
    }

    /// Since when the microphone is on, if it is.
    fn voice_since(&self, publications: &Slab<Publication>) -> Option<Instant> {
        let audio = self.audio.filter(|_| self.kind == FeedKind::Person)?;
        publications.get(audio)?.on_since
    }
}

impl Room {
    /// The part of a room that `me` has; its numbers go on from random ones, so that no part's packets are taken for another's.
    pub(crate) fn new(id: RoomId, levels: Levels, me: WorkerId, shedding: Step, random: u32) -> Self {
        Self {
            id,
            levels,
            participants: Slab::new(),
            publications: Slab::new(),
            feeds: BTreeMap::new(),
            speakers: ActiveSpeakers::default(),
            loudest: Vec::new(),
            spread: Spread::new(me),
            shedding,
            next_feed: random,
            next_serial: random,
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

    /// Adds a publication of somebody here; makes its feed when it is the first of it.
    pub(crate) fn publish(&mut self, now: Instant, owner: usize, source: Source, codec: Codec, rids: &[String]) -> usize {
        let participant = &self.participants[owner];
        let (is_muted, is_forbidden) = (participant.muted.get(source), participant.forbidden.get(source));
        let (whose, kind) = (participant.id, source.feed());
        let is_it = |feed: &Feed| feed.participant == whose && feed.kind == kind;
        let known = self.feeds.iter().find(|(_, feed)| is_it(feed)).map(|(id, feed)| (*id, feed.since));
        let (feed, since) = known.unwrap_or_else(|| (self.fresh_feed(), now));
        let origin = Origin::Here { owner, announced: None, mirrors: Vec::new() };
        let key = self.insert(origin, source, codec, rids, (feed, whose, since));
        self.publications[key].switch(now, is_muted, is_forbidden);
        key
    }

    /// Adds a publication to its feed, which is this participant's since this moment.
    pub(super) fn insert(
        &mut self,
        origin: Origin,
        source: Source,
        codec: Codec,
        rids: &[String],
        (id, participant, since): (FeedId, ParticipantId, Instant),
    ) -> usize {
        self.next_serial = self.next_serial.wrapping_add(1);
        let key = self.publications.insert(Publication::new(self.next_serial, origin, source, id, codec, rids));
        let kind = source.feed();
        let feed = self.feeds.entry(id).or_insert(Feed { participant, kind, audio: None, video: None, since });
        *feed.publication(source) = Some(key);
        key
    }

    /// A number that no other worker gives: the upper bits are the worker's own.
    fn fresh_feed(&mut self) -> FeedId {
        const OWN_BITS: u32 = u32::BITS - MAX_WORKERS.trailing_zeros();
        let own = (1 << OWN_BITS) - 1;
        // 0 is kept free: to a receiver it would look like "none".
        self.next_feed = (self.next_feed.wrapping_add(1) & own).max(1);
        FeedId(u32::from(self.spread.me.0) << OWN_BITS | self.next_feed)
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
        if let Origin::Here { owner, announced, .. } = publication.origin {
            if let Some(owner) = self.participants.get_mut(owner) {
                owner.tracks.retain(|track| track.publication != key);
                owner.inbound.retain(|inbound| inbound.publication != key);
            }
            if announced.is_some() {
                self.spread.withdrawn.push(publication.serial);
            }
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
        let published: Vec<usize> = self.publications.iter().filter(|(_, p)| p.is_of(key)).map(|(k, _)| k).collect();
        for publication in published {
            self.unpublish(publication);
        }
        self.participants.remove(key)
    }

    /// What everybody who receives can decode.
    pub(crate) fn decodable(&self) -> CodecSet {
        self.decodable_here().intersection(self.spread.decodable())
    }

    /// What everybody who receives through this worker can decode.
    pub(super) fn decodable_here(&self) -> CodecSet {
        let receivers = self.participants.iter().filter(|(_, participant)| !participant.seats.is_empty());
        receivers.fold(CodecSet::ALL, |set, (_, participant)| set.intersection(participant.decodable))
    }

    /// Seats everybody and compiles the routes.
    pub(crate) fn reconcile(&mut self, now: Instant, out: &mut Outbox) {
        self.ask_to_renegotiate(out);
        if self.levels == Levels::Hidden {
            self.loudest = self.last_switched_on();
        }
        let keys: Vec<usize> = self.participants.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.seat(key, out);
        }
        self.compile_routes();
        self.retarget(now);
        self.tell_others(now, out);
    }

    /// A source was switched on or off.
    pub(super) fn switched(&mut self, now: Instant, out: &mut Outbox) {
        match self.levels {
            Levels::Told => {
                self.retarget(now);
                self.tell_others(now, out);
            }
            // Seats go by whose microphones are on.
            Levels::Hidden => self.reconcile(now, out),
        }
    }

    /// Who stands in for the loudest where nobody knows how loud anybody is.
    fn last_switched_on(&self) -> Vec<FeedId> {
        let mut on: Vec<(Instant, FeedId)> =
            self.feeds.iter().filter_map(|(id, feed)| Some((feed.voice_since(&self.publications)?, *id))).collect();
        on.sort_by(|a, b| b.cmp(a));
        on.into_iter().take(MAX_SPEAKERS).map(|(_, id)| id).collect()
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
        let (levels, feeds, loudest, publications) = (self.levels, &self.feeds, &self.loudest, &self.publications);
        let Some(participant) = self.participants.get_mut(viewer) else { return };
        let (viewer_id, wishes) = (participant.id, &participant.wishes);
        let candidate = |(id, feed): (&FeedId, &Feed)| {
            let wish = wishes.get(&(feed.participant, feed.kind));
            Candidate {
                feed: *id,
                is_pinned: wish.is_some_and(|wish| wish.pinned),
                is_loud: loudest.contains(id),
                is_screen: feed.kind == FeedKind::Screen,
                is_visible: wish.is_some_and(|wish| wish.width_px > 0),
                on_since: feed.voice_since(publications).filter(|_| levels == Levels::Hidden),
                since: feed.since,
            }
        };
        let candidates: Vec<Candidate> = feeds.iter().filter(|(_, feed)| feed.participant != viewer_id).map(candidate).collect();
        let taken: Vec<Option<FeedId>> = participant.seats.iter().map(|seat| seat.feed).collect();
        let assigned = seating::assign(&taken, &candidates);
        let is_crowd = candidates.len() > taken.len() && levels == Levels::Told;
        let is_limited = is_crowd || self.shedding.limits_voices();
        let mut changed = Vec::new();
        for (index, (seat, id)) in participant.seats.iter_mut().zip(assigned).enumerate() {
            let feed = id.and_then(|id| feeds.get(&id));
            let wish = feed.and_then(|feed| wishes.get(&(feed.participant, feed.kind)));
            let unasked = if wishes.is_empty() { DEFAULT_WIDTH_PX } else { 0 };
            seat.width_px = wish.map_or(unasked, |wish| wish.width_px);
            // Of a crowd the loudest three are heard and whom the viewer pinned, of a round of people everybody; what a shared screen
            // plays is no voice, and without levels nobody knows who is loud. Where they are hidden everybody seated is heard, and while the
            // worker cannot carry all, those who stand in for the loudest.
            let has_levels = |feed: &Feed| feed.audio.and_then(|key| publications.get(key)).is_some_and(|audio| audio.has_levels);
            let is_judged = |feed: &Feed| feed.kind == FeedKind::Person && (levels == Levels::Hidden || has_levels(feed));
            let is_voice = feed.is_some_and(is_judged);
            let is_pinned = wish.is_some_and(|wish| wish.pinned);
            let is_loud = id.is_some_and(|id| loudest.contains(&id));
            seat.is_heard = !(is_limited && is_voice) || is_pinned || is_loud;
            seat.is_prominent = is_pinned || is_loud || feed.is_some_and(|feed| feed.kind == FeedKind::Screen);
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
                        let awaited = aim_video(now, seat, key, publication, self.shedding).filter(|_| is_connected);
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
        self.tell_others(now, out);
    }

    /// One worker judges for all that have a part of the room; the others tell it whom they hear.
    fn judge_speakers(&mut self, now: Instant, out: &mut Outbox) {
        if self.levels == Levels::Hidden {
            return;
        }
        let judge = self.spread.judge();
        if judge != self.spread.me {
            let heard = self.speakers.loudest(now);
            if !heard.is_empty() {
                out.say(judge, self.spread.me, self.id, Word::Voices(heard));
            }
            return;
        }
        let loudest: Vec<FeedId> = self.speakers.judge(now).to_vec();
        if loudest == self.loudest {
            return;
        }
        for worker in self.spread.others() {
            out.say(worker, self.spread.me, self.id, Word::Loudest(loudest.clone()));
        }
        self.set_loudest(now, loudest, out);
        let of = |id: &FeedId| self.feeds.get(id).map(|feed| feed.participant);
        let speakers = self.loudest.iter().filter_map(of).collect();
        out.events.push(MediaEvent::Speakers { room: self.id, speakers });
    }

    pub(super) fn set_loudest(&mut self, now: Instant, loudest: Vec<FeedId>, out: &mut Outbox) {
        self.loudest = loudest;
        // Only a room with more feeds than seats re-seats by voice.
        if self.participants.iter().any(|(_, p)| !p.seats.is_empty() && p.seats.len() < self.feeds.len()) {
            self.reconcile(now, out);
        }
    }
}

/// Aims a line at the layer of a publication that fits; the layer whose keyframe that takes.
fn aim_video(now: Instant, seat: &mut Seat, key: usize, publication: &Publication, shedding: Step) -> Option<usize> {
    let Seat { video: line, width_px, is_prominent, .. } = seat;
    if *width_px == 0 || !shedding.shows(*is_prominent) {
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
    let layer =
        layers::choose(publication.flowing(now).limited_by(shedding).as_slice(), *width_px).filter(|_| publication.is_on());
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
