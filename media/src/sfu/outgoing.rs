//! One outgoing line of a seat, audio or video: which publication's layer it shows, and the rewriting that makes any sequence of
//! sources look like one unbroken stream.

use std::time::{Duration, Instant};

use super::rewrite::{Rewriter, Rewritten};
use super::sent::SentLog;
use crate::codec::Codec;
use crate::handover::MediaPacket;
use crate::transport::{CodecEntry, OutgoingIds};
use crate::units::SeqNo;

/// A pending switch whose keyframe does not come is given up after this; the next decision may try again. The keyframe normally
/// takes a frame interval and a round trip; a camera that stopped never sends one.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(5);

/// A layer of a publication, by its keys in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerRef {
    pub(crate) publication: usize,
    pub(crate) layer: usize,
}

pub(crate) struct Outgoing {
    pub(crate) mid: String,
    pub(crate) ids: OutgoingIds,
    /// The subscriber's payload types, by codec.
    codecs: Vec<CodecEntry>,
    pub(crate) rewriter: Rewriter,
    pub(crate) current: Option<LayerRef>,
    pending: Option<Pending>,
    current_codec: Option<Codec>,
    /// Sequence index of the next retransmission.
    pub(crate) rtx_index: u64,
    /// Video only.
    pub(crate) sent: Option<Box<SentLog>>,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    pub(crate) last_report: Option<Instant>,
    /// The source changed since somebody looked.
    has_switched: bool,
}

#[derive(Clone, Copy)]
struct Pending {
    target: LayerRef,
    since: Instant,
}

/// How an admitted packet leaves.
pub(crate) struct Admitted {
    pub(crate) payload_type: u8,
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) rewritten: Rewritten,
}

impl Outgoing {
    pub(crate) fn new(mid: String, ids: OutgoingIds, codecs: Vec<CodecEntry>, rewriter: Rewriter) -> Self {
        let is_video = codecs.iter().any(|entry| !entry.codec.is_audio());
        Self {
            mid,
            ids,
            codecs,
            rewriter,
            current: None,
            pending: None,
            current_codec: None,
            rtx_index: 0,
            sent: is_video.then(Box::default),
            packets: 0,
            octets: 0,
            last_report: None,
            has_switched: false,
        }
    }

    /// Takes the codecs of a later offer.
    pub(crate) fn set_codecs(&mut self, codecs: Vec<CodecEntry>) {
        self.codecs = codecs;
    }

    /// Shows `target` from its next keyframe on (sound: from its next packet on). What is shown now goes on until then.
    pub(crate) fn aim(&mut self, now: Instant, target: LayerRef) {
        if self.current == Some(target) {
            self.pending = None;
        } else if self.target() != Some(target) {
            self.pending = Some(Pending { target, since: now });
        }
    }

    /// Shows nothing from now on.
    pub(crate) fn clear(&mut self) {
        self.current = None;
        self.pending = None;
    }

    /// Stops at once what comes from other publications than `publication`.
    pub(crate) fn drop_foreign(&mut self, publication: usize) {
        self.current = self.current.filter(|layer| layer.publication == publication);
        self.pending = self.pending.filter(|pending| pending.target.publication == publication);
    }

    /// The layer to be shown once its keyframe came, else the one shown.
    pub(crate) fn target(&self) -> Option<LayerRef> {
        self.pending.map(|pending| pending.target).or(self.current)
    }

    /// The layer waited for.
    pub(crate) fn awaited(&self) -> Option<LayerRef> {
        self.pending.map(|pending| pending.target)
    }

    /// Whether the source changed since the last call.
    pub(crate) fn has_switched(&mut self) -> bool {
        std::mem::take(&mut self.has_switched)
    }

    /// Gives a switch up whose keyframe did not come.
    pub(crate) fn expire_pending(&mut self, now: Instant) {
        self.pending = self.pending.filter(|pending| now.saturating_duration_since(pending.since) < SWITCH_TIMEOUT);
    }

    /// Decides about one packet of a publication that this line is routed to, and rewrites it if it leaves.
    pub(crate) fn admit(&mut self, from: LayerRef, packet: &MediaPacket, payload_bytes: usize) -> Option<Admitted> {
        let entry = self.codecs.iter().find(|entry| entry.codec == packet.codec)?;
        let (payload_type, rtx_payload_type) = (entry.payload_type, entry.rtx_payload_type);
        let is_switch = self.current != Some(from);
        if is_switch && self.awaited() != Some(from) {
            return None;
        }
        // A publisher that changes its codec is a new source as far as decoders go.
        let is_new = is_switch || self.current_codec != Some(packet.codec);
        let needs_keyframe = !packet.codec.is_audio() && (is_new || self.rewriter.is_cut_off(packet.seq));
        if needs_keyframe && !packet.is_keyframe_start {
            self.await_keyframe(from, packet);
            return None;
        }
        let rewritten = if is_new {
            self.current = Some(from);
            self.current_codec = Some(packet.codec);
            self.pending = self.pending.filter(|pending| pending.target != from);
            self.last_report = None;
            self.has_switched = true;
            Some(self.rewriter.switch(packet.now, packet.codec, packet.seq, packet.timestamp, packet.picture_ids))
        } else {
            self.rewriter.map(packet.seq, packet.timestamp, packet.picture_ids)
        }?;
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload_bytes as u32);
        Some(Admitted { payload_type, rtx_payload_type, rewritten })
    }

    /// The picture cannot go on without a keyframe, which is asked for when the room aims its lines again. A late packet of the codec
    /// before is no reason: the new one has begun already.
    fn await_keyframe(&mut self, from: LayerRef, packet: &MediaPacket) {
        if self.current == Some(from) && packet.is_in_order {
            self.current = None;
            self.pending.get_or_insert(Pending { target: from, since: packet.now });
        }
    }

    /// Leaves a packet of the shown layer out without a gap in the numbers.
    pub(crate) fn skip(&mut self, from: LayerRef, seq: SeqNo) {
        if self.current == Some(from) {
            self.rewriter.skip(seq);
        }
    }
}
