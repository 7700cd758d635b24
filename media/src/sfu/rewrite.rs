//! Makes one gapless RTP flow of whatever is forwarded on an outgoing SSRC: sequence numbers, timestamps and picture numbers run
//! on over switches of the source and over packets dropped on purpose.
//!
//! Pure: the caller decides when to switch (video: at the first packet of a keyframe that came in order; sound: at any packet) and
//! gives only packets of the current source, each once: one SRTP index must never seal two packets. Real loss upstream stays a
//! gap, so that the subscriber asks for it. Timestamps follow the wall clock from one anchor, so that errors do not add up over
//! switches and lip-sync survives (RFC 3550 §5.1).

mod id_counters;
mod seq_ranges;

use std::time::Instant;

use id_counters::IdCounters;
use seq_ranges::SeqRanges;

use crate::codec::{Codec, PictureIds};
use crate::units::{RtpTimestamp, SeqExtender, SeqNo};

/// Ticks by which a switch of video moves at least: one frame of 60 a second. Less, and two frames would share a moment.
const MIN_VIDEO_STEP: u64 = 1_500;
/// Ticks of the usual frame of sound. A switch moves by whole ones, so that no frame overlaps another and is thrown away.
const AUDIO_FRAME: u64 = 960;

/// The outgoing numbers of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rewritten {
    /// The extended sequence index; its low 16 bits go on the wire, all of it into SRTP.
    pub(crate) index: u64,
    /// The timestamp.
    pub(crate) timestamp: u32,
    /// The picture numbers, in the widths of the incoming ones.
    pub(crate) picture_ids: PictureIds,
}

/// The state of one outgoing SSRC.
#[derive(Clone, Debug)]
pub(crate) struct Rewriter {
    source: Option<Source>,
    first_index: u64,
    /// The newest timestamp sent, extended.
    newest_timestamp: u64,
    /// The moment and extended timestamp of the first packet of all.
    anchor: Option<(Instant, u64)>,
    ids: IdCounters,
}

/// How the numbers of the current source map to outgoing ones.
#[derive(Clone, Debug)]
struct Source {
    seqs: SeqExtender,
    ranges: SeqRanges,
    timestamp_offset: u32,
}

impl Rewriter {
    /// A flow that begins with these numbers, which should be random (RFC 3550 §5.1).
    pub(crate) fn new(first_seq: u16, first_timestamp: u32) -> Self {
        Self {
            source: None,
            first_index: u64::from(first_seq),
            newest_timestamp: u64::from(first_timestamp),
            anchor: None,
            ids: IdCounters::default(),
        }
    }

    /// Changes the source to that of this packet, and rewrites the packet; mapping it again gives the same. Packets of the source
    /// with a lower number are refused from now on.
    pub(crate) fn switch(&mut self, now: Instant, codec: Codec, seq: SeqNo, timestamp: u32, ids: PictureIds) -> Rewritten {
        let first = self.first_timestamp(now, codec);
        let index = self.next_index();
        let mut seqs = SeqExtender::default();
        let incoming = seqs.extend(seq).unwrap_or_default();
        let timestamp_offset = low_half(first).wrapping_sub(timestamp);
        self.ids.change_source();
        self.source = Some(Source { seqs, ranges: SeqRanges::starting(incoming, index), timestamp_offset });
        self.rewritten(index, low_half(first), ids)
    }

    /// Rewrites a packet of the current source. `None` without a source, and for a packet from before the switch, one dropped on
    /// purpose, or one too late to remember its number.
    pub(crate) fn map(&mut self, seq: SeqNo, timestamp: u32, ids: PictureIds) -> Option<Rewritten> {
        let source = self.source.as_mut()?;
        let index = source.ranges.map(source.seqs.extend(seq)?)?;
        let timestamp = timestamp.wrapping_add(source.timestamp_offset);
        Some(self.rewritten(index, timestamp, ids))
    }

    /// Whether so much is missing before this packet of the current source that nobody will ask for it: its number would follow on
    /// as if nothing were missing, so that a picture may only go on with a keyframe.
    pub(crate) fn is_cut_off(&self, seq: SeqNo) -> bool {
        let Some(source) = &self.source else { return false };
        let mut seqs = source.seqs;
        seqs.extend(seq).is_some_and(|index| source.ranges.is_cut_off(index))
    }

    /// Drops a packet of the current source on purpose, without a gap.
    pub(crate) fn skip(&mut self, seq: SeqNo) {
        if let Some(source) = &mut self.source
            && let Some(index) = source.seqs.extend(seq)
        {
            source.ranges.skip(index);
        }
    }

    /// The outgoing timestamp for one of the current source: for sender reports.
    pub(crate) fn timestamp_of(&self, timestamp: u32) -> u32 {
        timestamp.wrapping_add(self.source.as_ref().map_or(0, |source| source.timestamp_offset))
    }

    /// The extended index that the next packet in order would get.
    fn next_index(&self) -> u64 {
        self.source.as_ref().map_or(self.first_index, |source| source.ranges.next())
    }

    /// The extended timestamp of the first packet after a switch: by the wall clock, but always ahead of everything sent.
    fn first_timestamp(&mut self, now: Instant, codec: Codec) -> u64 {
        let newest = self.newest_timestamp;
        let Some((since, anchor)) = self.anchor else {
            self.anchor = Some((now, newest));
            return newest;
        };
        let clock = codec.clock_rate();
        let by_clock = anchor.saturating_add(clock.ticks(now.saturating_duration_since(since)));
        let step = by_clock.saturating_sub(newest);
        let step = match codec.is_audio() {
            true => (step.saturating_add(AUDIO_FRAME / 2) / AUDIO_FRAME).max(1) * AUDIO_FRAME,
            false => step.max(MIN_VIDEO_STEP),
        };
        let first = newest.saturating_add(step);
        if newest > by_clock.saturating_add(u64::from(clock.0)) {
            // A source ran more than a second ahead of the wall clock; without a new anchor its error would stay in every switch.
            self.anchor = Some((now, first));
        }
        first
    }

    fn rewritten(&mut self, index: u64, timestamp: u32, ids: PictureIds) -> Rewritten {
        let ahead = RtpTimestamp(timestamp).ahead_of(RtpTimestamp(low_half(self.newest_timestamp)));
        self.newest_timestamp += u64::try_from(ahead).unwrap_or(0);
        Rewritten { index, timestamp, picture_ids: self.ids.map(ids) }
    }
}

fn low_half(extended: u64) -> u32 {
    (extended & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests;
