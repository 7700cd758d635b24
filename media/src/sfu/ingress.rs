//! RTP on the way in: whose it is, what layer, opened once, read, remembered, and handed to the routes.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::nack::Arrival;
use super::participant::{Inbound, MAX_INBOUND_SSRCS, Participant};
use super::ring::StoredHeader;
use super::room::Room;
use super::{Key, Sfu};
use crate::codec::{self, Codec};
use crate::counters::Counter;
use crate::handover::MediaPacket;
use crate::rtp::{AudioLevel, RtpHeader, strip_padding};
use crate::transport::{InboundIndex, OpenedRtp, Path, SrtpError};
use crate::units::SeqNo;

/// A packet from an unknown address may belong to a participant whose address changed. So many in this time are tried against the
/// known SSRCs; more are dropped, so that strangers cannot make the worker decrypt.
const MAX_STRANGERS: u32 = 32;
const STRANGERS_INTERVAL: Duration = Duration::from_millis(10);

/// An opened packet, before it is known to be new.
struct Opened {
    header: RtpHeader,
    publication: usize,
    layer: usize,
    is_rtx: bool,
    codec: Codec,
    seq: SeqNo,
    /// The extended sequence number that SRTP found; that of the retransmission where this is one.
    srtp_index: u64,
    payload: Range<usize>,
}

impl Sfu {
    pub(super) fn handle_rtp(&mut self, now: Instant, path: Path, packet: &mut [u8]) {
        let Some(header) = RtpHeader::parse(packet) else { return self.counters.count(Counter::DropMalformed) };
        let key = match self.by_address.get(&path.sender()) {
            Some(key) => *key,
            None => match self.find_stranger(now, &header) {
                Some(key) => key,
                None => return self.counters.count(Counter::DropUnknownSource),
            },
        };
        let room = &mut self.rooms[key.room];
        let (opened, found) = match open(room, key.participant, now, &header, packet) {
            Ok(opened) => opened,
            Err(reason) => return self.counters.count(reason),
        };
        // A fresh packet that authenticated shows where its sender is now, before the next ICE check does.
        let transport = room.participants[key.participant].transport.as_mut();
        if transport.is_some_and(|transport| transport.adopt_path(now, path, &opened)) {
            self.remember_address(key, path.sender());
            self.counters.count(Counter::PathChanges);
        }
        let read = read_payload(&self.rooms[key.room].participants[key.participant], &header, packet, opened, found);
        match read {
            Ok(Some(opened)) => {
                self.accept(now, key, packet, &opened);
                self.attend_if_restless(now, key.room);
            }
            Ok(None) => {}
            Err(reason) => self.counters.count(reason),
        }
    }

    /// Whose SSRC a packet from an unknown address carries.
    fn find_stranger(&mut self, now: Instant, header: &RtpHeader) -> Option<Key> {
        let (since, count) = &mut self.strangers;
        if now.saturating_duration_since(*since) >= STRANGERS_INTERVAL {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count > MAX_STRANGERS {
            return None;
        }
        let owns = |participant: &Participant| participant.inbound.iter().any(|inbound| inbound.ssrc == header.ssrc.0);
        self.participants.values().copied().find(|key| owns(&self.rooms[key.room].participants[key.participant]))
    }

    fn accept(&mut self, now: Instant, key: Key, packet: &[u8], opened: &Opened) {
        let header = &opened.header;
        let room = &mut self.rooms[key.room];
        let &Opened { publication: publication_key, layer: layer_index, codec, .. } = opened;
        let publication = &mut room.publications[publication_key];
        let payload = &packet[opened.payload.clone()];
        let layer = &mut publication.layers[layer_index];
        if opened.is_rtx {
            self.counters.count(Counter::RtxIn);
        }
        let begins = layer.touch(now);
        let (index, is_in_order) = match layer.arrive(now, opened, header) {
            Arrival::New { index } => (index, true),
            Arrival::Recovered { index } => (index, false),
            Arrival::Duplicate | Arrival::TooOld => return self.counters.count(Counter::DropDuplicate),
        };
        let ssrc = layer.ssrc.unwrap_or(header.ssrc.0);
        if publication.is_forbidden {
            return self.counters.count(Counter::DropForbidden);
        }
        let media = MediaPacket {
            now,
            layer: layer_index,
            ssrc,
            codec,
            seq: opened.seq,
            index,
            timestamp: header.timestamp.0,
            marker: header.marker,
            is_in_order,
            // Nobody switches at a keyframe's start that came late: the rest of it has already passed them by.
            is_keyframe_start: is_in_order && !codec.is_audio() && codec::is_keyframe_start(codec, payload),
            picture_ids: codec::picture_ids(codec, payload),
        };
        if codec.is_audio() && room.participants[key.participant].says_refused_level(header, packet) {
            self.counters.count(Counter::LevelsIgnored);
        }
        let is_silent = codec.is_audio() && !room.hear(now, key.participant, publication_key, header, packet);
        if room.take(publication_key, media, if is_silent { &[] } else { payload }, begins) {
            self.staged.push(key.room);
        }
    }
}

impl super::publication::Layer {
    /// Notes an arrival, and says whether it is new.
    fn arrive(&mut self, now: Instant, opened: &Opened, header: &RtpHeader) -> Arrival {
        if !opened.is_rtx {
            self.stats.on_packet(now, opened.seq, header.timestamp);
        }
        if opened.codec.is_audio() {
            // No retransmission is asked for sound: SRTP's replay window already refused doubles.
            return Arrival::New { index: opened.srtp_index };
        }
        let repair = self.repair.get_or_insert_with(Box::default);
        repair.nack.on_packet(opened.seq, now)
    }
}

impl Participant {
    /// Whether a packet says how loud it is though that was not negotiated. Nobody reads it, and no extension is ever forwarded.
    fn says_refused_level(&self, header: &RtpHeader, packet: &[u8]) -> bool {
        self.refused_level.is_some_and(|id| header.extensions(packet).find(id).is_some())
    }
}

impl Room {
    /// Reads the level of a voice (RFC 6464); whether the packet is to be forwarded.
    fn hear(&mut self, now: Instant, owner: usize, publication: usize, header: &RtpHeader, packet: &[u8]) -> bool {
        let id = self.participants[owner].extensions.audio_level;
        let level = id.and_then(|id| header.extensions(packet).find(id)).and_then(AudioLevel::parse);
        let publication = &mut self.publications[publication];
        let Some(level) = level else { return true };
        if !publication.has_levels {
            publication.has_levels = true;
            self.is_stale = true;
        }
        if publication.source == crate::id::Source::Microphone {
            self.speakers.observe(publication.feed, level, now);
        }
        publication.silence.admit(level)
    }

    /// Remembers a packet, and keeps it until the turn forwards; whether it is the room's first. One without payload is left out of the
    /// flow.
    pub(super) fn take(&mut self, key: usize, packet: MediaPacket, payload: &[u8], begins: bool) -> bool {
        let publication = &mut self.publications[key];
        publication.codec = packet.codec;
        let layer = &mut publication.layers[packet.layer];
        if let Some(repair) = layer.repair.as_mut().filter(|_| !payload.is_empty()) {
            let header = StoredHeader { codec: packet.codec, marker: packet.marker };
            repair.ring.push(packet.now, packet.index, header, payload);
        }
        self.is_restless |= layer.is_waiting();
        if begins {
            // A layer that begins is aimed at before its first packet is forwarded: that one is often the keyframe.
            self.retarget(packet.now);
        }
        let publication = &mut self.publications[key];
        if packet.is_keyframe_start {
            // After aiming, which asks for the very keyframe that this is.
            publication.layers[packet.layer].keyframes.satisfied();
        }
        let is_first_of_publication = publication.staged.is_empty();
        publication.staged.push(packet, payload);
        if is_first_of_publication {
            self.staged.push(key);
        }
        is_first_of_publication && self.staged.len() == 1
    }
}

/// What an SSRC carries: publication, layer, whether retransmissions.
type Found = (usize, usize, bool);

/// Opens a packet in place, and remembers its SSRC when it was not known yet and the packet authenticates.
fn open(
    room: &mut Room,
    owner: usize,
    now: Instant,
    header: &RtpHeader,
    packet: &mut [u8],
) -> Result<(OpenedRtp, Found), Counter> {
    let participant = &mut room.participants[owner];
    let known = participant.inbound.iter().position(|inbound| inbound.ssrc == header.ssrc.0);
    let position = match known {
        Some(position) => position,
        None => {
            let learned = learn(participant, room_layers(&room.publications), header, packet);
            participant.inbound.push(learned.ok_or(Counter::DropUnknownSsrc)?);
            participant.inbound.len() - 1
        }
    };
    let transport = participant.transport.as_mut().filter(|transport| transport.is_connected());
    let result = match transport {
        Some(transport) => transport.open_rtp(packet, usize::from(header.header_len), &mut participant.inbound[position].index),
        None => Err(SrtpError::NoKeys),
    };
    let opened = result.map_err(|error| {
        if known.is_none() {
            participant.inbound.pop();
        }
        match error {
            SrtpError::NoKeys => Counter::DropNotConnected,
            SrtpError::Replayed => Counter::DropReplay,
            _ => Counter::DropAuthentication,
        }
    })?;
    if let Some(id) = participant.extensions.twcc
        && let Some(&[high, low]) = header.extensions(packet).find(id)
    {
        participant.twcc.record(SeqNo(u16::from_be_bytes([high, low])), now);
    }
    let &Inbound { ssrc, publication, layer, is_rtx, .. } = &participant.inbound[position];
    if !is_rtx {
        room.publications[publication].layers[layer].begin(ssrc);
    }
    Ok((opened, (publication, layer, is_rtx)))
}

fn read_payload(
    participant: &Participant,
    header: &RtpHeader,
    packet: &[u8],
    opened: OpenedRtp,
    (publication, layer, is_rtx): Found,
) -> Result<Option<Opened>, Counter> {
    let track = participant.tracks.iter().find(|track| track.publication == publication).ok_or(Counter::DropUnknownSsrc)?;
    let payload_type = header.payload_type.0;
    let matches = |entry: &&crate::transport::CodecEntry| {
        if is_rtx { entry.rtx_payload_type == Some(payload_type) } else { entry.payload_type == payload_type }
    };
    let codec = track.codecs.iter().find(matches).ok_or(Counter::DropUnknownPayloadType)?.codec;
    let OpenedRtp { mut payload, index: srtp_index, .. } = opened;
    if header.has_padding {
        let kept = strip_padding(&packet[payload.clone()]).ok_or(Counter::DropMalformed)?;
        payload.end = payload.start + kept.len();
    }
    let mut seq = header.seq;
    if is_rtx {
        // RFC 4588 §4: the original sequence number stands before the payload. Without one it is a bandwidth probe.
        let Some(&[high, low]) = packet[payload.clone()].first_chunk::<2>() else { return Ok(None) };
        seq = SeqNo(u16::from_be_bytes([high, low]));
        payload.start += 2;
        if payload.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(Opened { header: *header, publication, layer, is_rtx, codec, seq, srtp_index, payload }))
}

fn room_layers(publications: &slab::Slab<super::publication::Publication>) -> impl Fn(usize, Option<&[u8]>) -> Option<usize> {
    move |publication, rid| {
        let layers = &publications.get(publication)?.layers;
        match rid {
            _ if layers.len() == 1 && layers[0].rid.is_none() => Some(0),
            Some(rid) => layers.iter().position(|layer| layer.rid.as_ref().is_some_and(|r| r.as_bytes() == rid)),
            None => None,
        }
    }
}

/// Finds by mid and rid what an unknown SSRC carries (RFC 8843 §9.2, RFC 8852). Nothing is kept before the packet authenticates.
fn learn(
    participant: &Participant,
    layer_of: impl Fn(usize, Option<&[u8]>) -> Option<usize>,
    header: &RtpHeader,
    packet: &[u8],
) -> Option<Inbound> {
    if participant.inbound.len() >= MAX_INBOUND_SSRCS {
        return None;
    }
    let find = |id: Option<u8>| id.and_then(|id| header.extensions(packet).find(id));
    let mid = find(participant.extensions.mid)?;
    let track = participant.tracks.iter().find(|track| track.mid.as_bytes() == mid)?;
    let is_rtx = track.codecs.iter().any(|entry| entry.rtx_payload_type == Some(header.payload_type.0));
    let rid = find(if is_rtx { participant.extensions.repaired_rid } else { participant.extensions.rid });
    let layer = layer_of(track.publication, rid)?;
    Some(Inbound { ssrc: header.ssrc.0, publication: track.publication, layer, is_rtx, index: InboundIndex::default() })
}
