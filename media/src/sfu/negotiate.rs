//! From an offer to tracks, seats and an answer. Checks everything before it changes anything.

use std::time::Instant;

use super::outgoing::Outgoing;
use super::participant::{Inbound, MAX_INBOUND_SSRCS, Participant, Seat, Track};
use super::rewrite::Rewriter;
use super::{Key, Sfu, codecs};
use crate::api::{Levels, Offer, SeatOffer, TrackOffer};
use crate::error::MediaError;
use crate::id::ParticipantId;
use crate::outbox::Outbox;
use crate::transport::{
    Answer, ExtensionIds, IcePlace, InboundIndex, LineAnswer, MediaKind, MediaLine, OutgoingIds, ParsedOffer, Transport,
};

const MAX_TRACKS: usize = 8;
const MAX_SEATS: usize = 48;

impl Sfu {
    /// Answers an offer: the first one, one that adds tracks or seats, or one that restarts ICE.
    pub(crate) fn negotiate(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        offer: &Offer,
        out: &mut Outbox,
    ) -> Result<String, MediaError> {
        let key = self.key_of(participant).ok_or(MediaError::UnknownParticipant(participant))?;
        let parsed = ParsedOffer::parse(&offer.sdp)?;
        check_tracks(&parsed, &offer.tracks)?;
        check_seats(&parsed, &offer.seats)?;
        check_no_line_twice(offer)?;
        let room = &mut self.rooms[key.room];
        check_seats_stay(&room.participants[key.participant], &offer.seats)?;
        self.set_transport(now, key, &parsed)?;
        self.set_tracks(now, key, &parsed, &offer.tracks);
        self.set_seats(key.room, key.participant, &parsed, &offer.seats);
        let room = &mut self.rooms[key.room];
        room.participants[key.participant].is_asked_to_renegotiate = false;
        room.reconcile(now, out);
        self.attend(now, key);
        self.attend_room(now, key.room);
        Ok(self.answer(key.room, key.participant, &parsed))
    }

    fn set_transport(&mut self, now: Instant, key: Key, parsed: &ParsedOffer) -> Result<(), MediaError> {
        let participant = &mut self.rooms[key.room].participants[key.participant];
        if participant.fingerprint.is_some_and(|known| known != parsed.fingerprint) {
            return Err(MediaError::OfferMismatch("the certificate changed: join again"));
        }
        participant.fingerprint = Some(parsed.fingerprint);
        let failed = |_| MediaError::BadOffer("the transport cannot be set up");
        match &mut participant.transport {
            None => {
                let certificate = self.config.certificate.clone();
                let place = IcePlace::new(self.config.worker.index()).expect("there are no more workers than places");
                let transport =
                    Transport::new(now, certificate, place, parsed.fingerprint, parsed.ufrag.clone()).map_err(failed)?;
                participant.transport = Some(transport);
            }
            Some(transport) if transport.remote_ufrag() != parsed.ufrag => {
                if let Some(retired) = transport.restart(parsed.ufrag.clone()).map_err(failed)? {
                    self.by_ufrag.remove(&retired);
                }
            }
            Some(_) => {}
        }
        for ufrag in participant.transport.iter().flat_map(Transport::ufrags) {
            self.by_ufrag.insert(ufrag.to_owned(), key);
        }
        Ok(())
    }

    fn set_tracks(&mut self, now: Instant, key: Key, parsed: &ParsedOffer, offered: &[TrackOffer]) {
        let (room, owner) = (&mut self.rooms[key.room], key.participant);
        let sending = |mid: &str| parsed.line(mid).is_some_and(|line| line.sends && !line.codecs.is_empty());
        let gone: Vec<usize> = room.participants[owner]
            .tracks
            .iter()
            .filter(|track| !offered.iter().any(|o| o.mid == track.mid && o.source == track.source) || !sending(&track.mid))
            .map(|track| track.publication)
            .collect();
        for publication in gone {
            room.unpublish(publication);
        }
        let (decodable, levels) = (room.decodable(), room.levels);
        for (offer, line) in offered.iter().filter_map(|offer| Some((offer, parsed.line(&offer.mid)?))) {
            let Some(chosen) = codecs::choose(&line.codecs, decodable).filter(|_| line.sends).cloned() else { continue };
            let participant = &mut room.participants[owner];
            participant.take_extensions(line.extensions, levels);
            if let Some(track) = participant.tracks.iter_mut().find(|track| track.mid == offer.mid) {
                track.codecs.clone_from(&line.codecs);
                track.chosen = chosen;
                continue;
            }
            let source = offer.source;
            let publication = room.publish(now, owner, source, chosen.codec, &line.rids);
            let participant = &mut room.participants[owner];
            participant.tracks.push(Track { mid: offer.mid.clone(), source, publication, codecs: line.codecs.clone(), chosen });
            participant.declare_ssrcs(line, publication);
        }
    }

    fn set_seats(&mut self, room: usize, owner: usize, parsed: &ParsedOffer, offered: &[SeatOffer]) {
        let participant = &mut self.rooms[room].participants[owner];
        let lines = |seat: &SeatOffer| Some((parsed.line(&seat.audio_mid)?, parsed.line(&seat.video_mid)?));
        for (seat, (audio, video)) in participant.seats.iter_mut().zip(offered.iter().filter_map(lines)) {
            seat.audio.set_codecs(audio.codecs.clone());
            seat.video.set_codecs(video.codecs.clone());
        }
        let known = participant.seats.len();
        for (audio, video) in offered.iter().filter_map(lines).skip(known) {
            let [audio, video] = [audio, video].map(|line| {
                let rewriter = Rewriter::new(self.random.first_seq(), self.random.next_u32());
                let ids = OutgoingIds { ssrc: self.random.fresh_ssrc(), rtx_ssrc: self.random.fresh_ssrc() };
                Outgoing::new(line.mid.clone(), ids, line.codecs.clone(), rewriter)
            });
            participant.seats.push(Seat { feed: None, width_px: 0, is_heard: true, is_prominent: false, audio, video });
        }
        if let Some((_, video)) = offered.first().and_then(lines) {
            participant.decodable = video.codec_set();
        }
    }

    fn answer(&mut self, room: usize, owner: usize, parsed: &ParsedOffer) -> String {
        let levels = self.rooms[room].levels;
        let participant = &mut self.rooms[room].participants[owner];
        participant.answer_version += 1;
        let participant = &*participant;
        let transport = participant.transport.as_ref().expect("set before an answer is written");
        let fingerprint = self.config.certificate.fingerprint().to_string();
        let answer = Answer {
            version: participant.answer_version,
            ufrag: &transport.local_credentials().ufrag,
            pwd: &transport.local_credentials().password,
            fingerprint: &fingerprint,
            candidates: &self.config.candidates,
            levels,
            lines: parsed.answer_lines(|line| participant.answer_to(line)),
        };
        answer.write()
    }
}

impl Participant {
    /// Takes over how the offerer numbers header extensions, but of those that the call does without.
    fn take_extensions(&mut self, mut offered: ExtensionIds, levels: Levels) {
        if levels == Levels::Hidden {
            self.refused_level = self.refused_level.or(offered.audio_level.take());
        }
        self.extensions.merge(offered);
    }

    fn answer_to<'a>(&'a self, line: &'a MediaLine) -> LineAnswer<'a> {
        if let Some(track) = self.tracks.iter().find(|track| track.mid == line.mid) {
            return LineAnswer::Track { codec: &track.chosen };
        }
        for (index, seat) in self.seats.iter().enumerate() {
            for outgoing in [&seat.audio, &seat.video] {
                if outgoing.mid == line.mid {
                    return LineAnswer::Seat { seat: index, ids: outgoing.ids };
                }
            }
        }
        if line.kind.is_some() && !line.codecs.is_empty() { LineAnswer::Idle } else { LineAnswer::Refused }
    }

    /// SSRCs written in the offer need not be learned from packets.
    fn declare_ssrcs(&mut self, line: &MediaLine, publication: usize) {
        if !line.rids.is_empty() {
            return;
        }
        for (ssrc, is_rtx) in [(line.ssrc, false), (line.rtx_ssrc, true)] {
            let Some(ssrc) = ssrc else { continue };
            if self.inbound.len() < MAX_INBOUND_SSRCS && !self.inbound.iter().any(|inbound| inbound.ssrc == ssrc) {
                self.inbound.push(Inbound { ssrc, publication, layer: 0, is_rtx, index: InboundIndex::default() });
            }
        }
    }
}

fn check_tracks(parsed: &ParsedOffer, tracks: &[TrackOffer]) -> Result<(), MediaError> {
    if tracks.len() > MAX_TRACKS {
        return Err(MediaError::TooManyTracks);
    }
    for (i, track) in tracks.iter().enumerate() {
        let line = parsed.line(&track.mid).ok_or(MediaError::OfferMismatch("a track's line is missing"))?;
        if line.kind.is_some_and(|kind| (kind == MediaKind::Audio) != track.source.is_audio()) {
            return Err(MediaError::OfferMismatch("a track is of another kind than its line"));
        }
        if line.sends && line.codecs.is_empty() {
            return Err(MediaError::OfferMismatch("a track has no codec known here"));
        }
        if tracks[..i].iter().any(|other| other.source == track.source) {
            return Err(MediaError::OfferMismatch("a source stands twice"));
        }
    }
    Ok(())
}

fn check_seats(parsed: &ParsedOffer, seats: &[SeatOffer]) -> Result<(), MediaError> {
    if seats.len() > MAX_SEATS {
        return Err(MediaError::TooManyTracks);
    }
    for seat in seats {
        for (mid, kind) in [(&seat.audio_mid, MediaKind::Audio), (&seat.video_mid, MediaKind::Video)] {
            let line = parsed.line(mid).ok_or(MediaError::OfferMismatch("a seat's line is missing"))?;
            if line.kind != Some(kind) || !line.receives || line.codecs.is_empty() {
                return Err(MediaError::OfferMismatch("a seat's line does not receive its kind"));
            }
        }
    }
    Ok(())
}

fn check_no_line_twice(offer: &Offer) -> Result<(), MediaError> {
    let seats = offer.seats.iter().flat_map(|seat| [&seat.audio_mid, &seat.video_mid]);
    let mut mids: Vec<&String> = offer.tracks.iter().map(|track| &track.mid).chain(seats).collect();
    mids.sort();
    let is_twice = mids.windows(2).any(|pair| pair[0] == pair[1]);
    if is_twice { Err(MediaError::OfferMismatch("a line stands for two things")) } else { Ok(()) }
}

/// Seats are only ever added: a seat that moved would show one participant under another's name.
fn check_seats_stay(participant: &Participant, seats: &[SeatOffer]) -> Result<(), MediaError> {
    let stays = |(old, new): (&Seat, &SeatOffer)| old.audio.mid == new.audio_mid && old.video.mid == new.video_mid;
    if seats.len() < participant.seats.len() || !participant.seats.iter().zip(seats).all(stays) {
        return Err(MediaError::OfferMismatch("a seat was moved or taken away"));
    }
    Ok(())
}
