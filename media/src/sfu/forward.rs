//! The hot loop: what a turn has received of a publication, along its routes. No allocation, no search, no log.

use super::outgoing::{Admitted, LayerRef};
use super::participant::Participant;
use super::publication::{Origin, Publication};
use super::room::Room;
use super::sent::SentRecord;
use crate::codec::rewrite_picture_ids;
use crate::counters::{Counter, Counters};
use crate::handover::Body;
use crate::outbox::Outbox;
use crate::rtp::{OutHeader, write_header};
use crate::transport::{MAX_RTP_OVERHEAD_BYTES, Path, Transport};
use crate::units::{PayloadType, RtpTimestamp, SeqNo, Ssrc};

/// The header that subscribers get: fixed part and one CSRC.
const HEADER_BYTES: usize = 16;
/// The original sequence number in front of a retransmission's payload (RFC 4588 §4).
const OSN_BYTES: usize = 2;

/// An RTP packet about to be written for one subscriber.
pub(super) struct Departure<'a> {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    /// Extended sequence number: its lower 16 bits go on the wire, the rest is SRTP's rollover counter.
    pub(super) index: u64,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    /// The feed, which the receiver compares with the seat's name.
    pub(super) csrc: u32,
    /// The original sequence number of a retransmission.
    pub(super) original: Option<SeqNo>,
    pub(super) payload: &'a [u8],
    pub(super) padding_bytes: u8,
    pub(super) picture_ids: crate::codec::PictureIds,
    pub(super) codec: crate::codec::Codec,
}

impl Room {
    /// Sends what is staged to everybody whom it is routed to; false when `out` is full before the end.
    pub(super) fn forward(&mut self, counters: &Counters, out: &mut Outbox) -> bool {
        let Self { participants, publications, staged, next_route, to_be_told, is_restless, .. } = self;
        while let Some(&key) = staged.last() {
            if let Some(publication) = publications.get_mut(key) {
                if *next_route == 0 {
                    publication.hand_over(counters, out);
                    publication.staged.equalise();
                }
                while let Some(route) = publication.routes.get(*next_route) {
                    if out.is_full() {
                        return false;
                    }
                    *next_route += 1;
                    let Some(participant) = participants.get_mut(route.participant) else { continue };
                    counters.add(Counter::PacketsForwarded, participant.receive(route.seat, key, publication, out));
                    if participant.is_to_be_told_of(route.seat, publication) {
                        participant.is_to_be_told = true;
                        to_be_told.push(route.participant);
                        *is_restless = true;
                    }
                }
                publication.staged.clear();
            }
            *next_route = 0;
            staged.pop();
        }
        true
    }
}

impl Publication {
    /// Hands what is staged to the mirrors, first: their workers have a way to go.
    fn hand_over(&self, counters: &Counters, out: &mut Outbox) {
        if let Origin::Here { mirrors, .. } = &self.origin {
            for (worker, at) in mirrors {
                out.hand_over(*worker, *at, self.serial, &self.staged);
                counters.count(Counter::BatchesHandedOver);
            }
        }
    }
}

impl Participant {
    /// Whether a line shows a new source and no report is on its way yet.
    fn is_to_be_told_of(&mut self, seat: usize, publication: &Publication) -> bool {
        let line = self.seats[seat].line(publication.source);
        line.has_switched() && !self.is_to_be_told
    }

    /// Sends what is staged of a publication to this subscriber; how many packets that were.
    fn receive(&mut self, seat: usize, key: usize, publication: &Publication, out: &mut Outbox) -> u64 {
        let Some(transport) = self.transport.as_mut().filter(|transport| transport.is_connected()) else { return 0 };
        let Some(path) = transport.path() else { return 0 };
        let line = self.seats[seat].line(publication.source);
        let mut forwarded = 0;
        for (packet, Body { payload, padding_bytes }) in publication.staged.iter() {
            let from = LayerRef { publication: key, layer: packet.layer };
            if payload.is_empty() {
                line.skip(from, packet.seq);
                continue;
            }
            let Some(Admitted { payload_type, rtx_payload_type, rewritten }) = line.admit(from, packet, payload.len()) else {
                continue;
            };
            let departure = Departure {
                ssrc: line.ids.ssrc,
                payload_type,
                index: rewritten.index,
                timestamp: rewritten.timestamp,
                marker: packet.marker,
                csrc: publication.feed.0,
                original: None,
                payload,
                padding_bytes,
                picture_ids: rewritten.picture_ids,
                codec: packet.codec,
            };
            if !departure.send(transport, path, out) {
                continue;
            }
            forwarded += 1;
            if let (Some(sent), Some(rtx_payload_type)) = (&mut line.sent, rtx_payload_type) {
                let record = SentRecord {
                    serial: publication.serial,
                    layer: packet.layer as u8,
                    ring_index: packet.index,
                    codec: packet.codec,
                    rtx_payload_type,
                    timestamp: rewritten.timestamp,
                    picture_ids: rewritten.picture_ids,
                    payload_bytes: payload.len() as u16,
                };
                sent.record(SeqNo::of_index(rewritten.index), record);
            }
        }
        forwarded
    }
}

impl Departure<'_> {
    /// Writes and seals the packet into the outbox; false when it cannot be sealed.
    pub(super) fn send(&self, transport: &mut Transport, path: Path, out: &mut Outbox) -> bool {
        let capacity = HEADER_BYTES + OSN_BYTES + self.payload.len() + usize::from(self.padding_bytes) + MAX_RTP_OVERHEAD_BYTES;
        out.write(path, capacity, |buffer| self.write(transport, buffer))
    }

    fn write(&self, transport: &mut Transport, buffer: &mut [u8]) -> Option<usize> {
        let header = OutHeader {
            marker: self.marker,
            payload_type: PayloadType(self.payload_type),
            seq: SeqNo::of_index(self.index),
            timestamp: RtpTimestamp(self.timestamp),
            ssrc: Ssrc(self.ssrc),
            csrcs: &[self.csrc],
            extensions: &[],
            padding_bytes: self.padding_bytes,
        };
        let header_len = write_header(buffer, &header)?;
        let mut at = header_len;
        if let Some(original) = self.original {
            buffer.get_mut(at..at + OSN_BYTES)?.copy_from_slice(&original.0.to_be_bytes());
            at += OSN_BYTES;
        }
        let payload = buffer.get_mut(at..at + self.payload.len())?;
        payload.copy_from_slice(self.payload);
        rewrite_picture_ids(self.codec, payload, self.picture_ids);
        at += self.payload.len();
        if self.padding_bytes > 0 {
            // RFC 3550 §5.1: zeros, and the count of all of them last.
            let padding = buffer.get_mut(at..at + usize::from(self.padding_bytes))?;
            padding.fill(0);
            *padding.last_mut()? = self.padding_bytes;
            at += padding.len();
        }
        transport.seal_rtp(buffer, header_len, at, self.index).ok()
    }
}
