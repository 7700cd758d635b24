//! One outgoing SSRC with its retransmissions: numbers, header extensions as Chromium writes them, and what was sent lately.

use std::time::{Duration, Instant};

use super::datagrams::Datagrams;
use super::link::Link;
use super::numbering::ExtensionNumbers;
use super::settings::Numbering;
use crate::codec::Codec;
use crate::rtp::{OutExtension, OutHeader};
use crate::units::{NtpTime, PayloadType, RtpTimestamp, SeqNo, Ssrc};

/// Packets kept for retransmission; a power of two. libwebrtc keeps a second's worth.
const HISTORY: usize = 512;

/// A packet to be sent.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) codec: Codec,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    /// The value of the audio level extension.
    pub(super) level: Option<u8>,
    pub(super) payload: &'a [u8],
}

/// What all streams of a participant share.
pub(super) struct Wire<'a> {
    pub(super) link: &'a mut Link,
    pub(super) out: &'a mut Datagrams,
    pub(super) numbering: Numbering,
    /// The next transport-wide number.
    pub(super) twcc: &'a mut u16,
}

pub(super) struct Stream {
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: u32,
    mid: &'static str,
    rid: &'static str,
    index: u64,
    rtx_index: u64,
    /// A report about this SSRC came, so that the server knows what it is: mid and rid are left out from then on. Nobody reports
    /// about retransmissions, which therefore carry theirs for ever (as in libwebrtc).
    pub(super) is_acknowledged: bool,
    history: Vec<Sent>,
    pub(super) packets: u32,
    pub(super) octets: u32,
    pub(super) retransmitted: u64,
}

/// A packet kept for retransmission.
#[derive(Clone)]
struct Sent {
    seq: SeqNo,
    codec: Codec,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
    repeated: Option<Instant>,
}

impl Stream {
    pub(super) fn new(ssrc: u32, rtx_ssrc: u32, first_seq: u16, mid: &'static str, rid: &'static str) -> Self {
        Self {
            ssrc,
            rtx_ssrc,
            mid,
            rid,
            index: u64::from(first_seq),
            rtx_index: 1,
            is_acknowledged: false,
            history: Vec::new(),
            packets: 0,
            octets: 0,
            retransmitted: 0,
        }
    }

    /// Sends a packet with the next number. Video is kept for retransmission.
    pub(super) fn send(&mut self, packet: &Outgoing<'_>, wire: &mut Wire<'_>) {
        let index = self.index;
        let ids = wire.numbering.extensions();
        let rid = Some((ids.rid, self.rid));
        let is_known = self.is_acknowledged;
        let payload_type = wire.numbering.payload_type(packet.codec);
        let to = Address { ssrc: self.ssrc, payload_type, index, mid: self.mid, rid: rid.filter(|_| !is_known), is_known };
        if !to.send(packet, &[], wire, ids) {
            return;
        }
        self.index += 1;
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        if !packet.codec.is_audio() {
            self.remember(SeqNo::of_index(index), packet);
        }
    }

    fn remember(&mut self, seq: SeqNo, packet: &Outgoing<'_>) {
        if self.history.is_empty() {
            let none = Sent { seq, codec: packet.codec, timestamp: 0, marker: false, payload: Vec::new(), repeated: None };
            self.history = vec![none; HISTORY];
        }
        let slot = &mut self.history[usize::from(seq.0) % HISTORY];
        (slot.seq, slot.codec, slot.timestamp, slot.marker) = (seq, packet.codec, packet.timestamp, packet.marker);
        slot.repeated = None;
        slot.payload.clear();
        slot.payload.extend_from_slice(packet.payload);
    }

    /// Answers a request for a packet, at most once in a round trip.
    pub(super) fn retransmit(&mut self, now: Instant, seq: SeqNo, round_trip: Duration, wire: &mut Wire<'_>) {
        let Some(sent) = self.history.get_mut(usize::from(seq.0) % HISTORY).filter(|sent| sent.seq == seq) else { return };
        let Some(payload_type) = wire.numbering.rtx_payload_type(sent.codec) else { return };
        if sent.payload.is_empty() || sent.repeated.is_some_and(|at| now.saturating_duration_since(at) < round_trip) {
            return;
        }
        sent.repeated = Some(now);
        let ids = wire.numbering.extensions();
        let rid = Some((ids.repaired_rid, self.rid));
        let to = Address { ssrc: self.rtx_ssrc, payload_type, index: self.rtx_index, mid: self.mid, rid, is_known: false };
        let packet =
            Outgoing { codec: sent.codec, timestamp: sent.timestamp, marker: sent.marker, level: None, payload: &sent.payload };
        if to.send(&packet, &seq.0.to_be_bytes(), wire, ids) {
            self.rtx_index += 1;
            self.retransmitted += 1;
        }
    }

    /// Appends a sender report.
    pub(super) fn report(&self, ntp: NtpTime, timestamp: u32, compound: &mut Vec<u8>) {
        if self.packets > 0 {
            crate::rtcp::build::sender_report(compound, self.ssrc, ntp, timestamp, self.packets, self.octets);
        }
    }
}

/// As what a packet leaves.
struct Address {
    ssrc: u32,
    payload_type: u8,
    index: u64,
    mid: &'static str,
    /// The id of the extension, and the layer's name.
    rid: Option<(u8, &'static str)>,
    is_known: bool,
}

impl Address {
    fn send(&self, packet: &Outgoing<'_>, prefix: &[u8], wire: &mut Wire<'_>, ids: ExtensionNumbers) -> bool {
        let twcc = wire.twcc.to_be_bytes();
        let level = [packet.level.unwrap_or_default()];
        let mut extensions = [OutExtension { id: ids.twcc, value: &twcc }; 4];
        let mut count = 1;
        let mut add = |id: u8, value| {
            extensions[count] = OutExtension { id, value };
            count += 1;
        };
        if packet.level.is_some() {
            add(ids.audio_level, &level[..]);
        }
        if !self.is_known {
            add(ids.mid, self.mid.as_bytes());
        }
        if let Some((id, rid)) = self.rid.filter(|(_, rid)| !rid.is_empty()) {
            add(id, rid.as_bytes());
        }
        let header = OutHeader {
            marker: packet.marker,
            payload_type: PayloadType(self.payload_type),
            seq: SeqNo::of_index(self.index),
            timestamp: RtpTimestamp(packet.timestamp),
            ssrc: Ssrc(self.ssrc),
            csrcs: &[],
            extensions: &extensions[..count],
            padding_bytes: 0,
        };
        let is_sent = wire.link.send_rtp(&header, self.index, (prefix, packet.payload), wire.out);
        if is_sent {
            *wire.twcc = wire.twcc.wrapping_add(1);
        }
        is_sent
    }
}
