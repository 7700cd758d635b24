//! A seat's picture on the receiving side: losses asked for again, frames put together, the oracle asked about each.

use std::time::{Duration, Instant};

use super::losses::{Arrival, Losses};
use super::mark::Mark;
use super::oracle::{Follows, Oracle};
use super::payload::unpack;
use super::pieces::{Piece, Pieces, Step};
use super::report::{Tallies, VideoReport};
use super::seat::Received;
use crate::units::SeqNo;

/// Between two requests for a keyframe, and from the first packet to the first request: libwebrtc's wait for a keyframe.
const KEYFRAME_WAIT: Duration = Duration::from_millis(200);
/// Packets arrive and nothing is shown for this long: libwebrtc's wait for a frame.
const FRAME_WAIT: Duration = Duration::from_secs(3);
/// A line without packets for this long is empty: nothing is asked for.
const IDLE: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct PictureLine {
    losses: Losses,
    pieces: Pieces,
    oracle: Oracle,
    report: VideoReport,
    pub(super) tallies: Tallies,
    first_packet: Option<Instant>,
    last_packet: Option<Instant>,
    asked_for_keyframe: Option<Instant>,
    /// The capture mark and timestamp of the last frame shown.
    pub(super) captured: Option<(u64, u32)>,
}

impl PictureLine {
    pub(super) fn report(&self) -> VideoReport {
        VideoReport { lost: self.losses.lost, given_up: self.losses.given_up, missing: self.losses.missing(), ..self.report }
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.losses.highest()
    }

    /// Whether the line wants to be looked at again soon.
    pub(super) fn is_restless(&self) -> bool {
        !self.losses.is_complete() || (self.first_packet.is_some() && self.oracle.awaits_keyframe())
    }

    /// Takes a packet; says when it was captured, if it is new, readable and no retransmission.
    pub(super) fn receive(&mut self, packet: &Received<'_>) -> Option<u64> {
        let now = packet.now;
        self.first_packet.get_or_insert(now);
        self.last_packet = Some(now);
        self.report.packets += u64::from(!packet.is_rtx);
        let index = match self.losses.on_packet(packet.seq) {
            Arrival::New(index) => index,
            Arrival::Duplicate if packet.is_rtx => {
                self.report.useless_retransmissions += 1;
                return None;
            }
            // The original came after its retransmission, or the number was given twice: the marks of the two tell.
            Arrival::Duplicate => {
                self.report.duplicates += 1;
                return None;
            }
            Arrival::Doubtful => return None,
        };
        self.report.repaired += u64::from(packet.is_rtx);
        let unpacked = unpack(packet.codec, packet.payload);
        let Some((unpacked, mark)) = unpacked.and_then(|unpacked| Some((unpacked, Mark::read(unpacked.body)?))) else {
            self.report.faults.unreadable += 1;
            return None;
        };
        if !self.tallies.count(now, mark.source, packet.csrc) {
            self.report.faults.wrong_source += 1;
        }
        let piece = Piece {
            codec: packet.codec,
            timestamp: packet.timestamp,
            marker: packet.marker,
            starts_frame: unpacked.starts_frame,
            starts_keyframe: unpacked.starts_keyframe,
            ids: unpacked.ids,
            mark,
        };
        if !self.pieces.insert(index, piece) {
            self.oracle.reset();
        }
        self.advance(now);
        (!packet.is_rtx).then_some(mark.captured_us)
    }

    fn advance(&mut self, now: Instant) {
        loop {
            let (frame, follows) = match self.pieces.step() {
                Step::Wait => return,
                Step::Cut(head) => {
                    self.oracle.note_cut(&head, &mut self.report);
                    continue;
                }
                Step::Frame(frame) => (frame, Follows::Directly),
                Step::AfterGap(frame) => (frame, Follows::AfterGap),
            };
            if follows == Follows::AfterGap {
                self.losses.forget_before(self.pieces.front());
            }
            // An H.264 slice may look like a beginning when the parameter sets before it were lost.
            let is_rest = !frame.head.starts_frame || (frame.head.mark.index > 0 && self.oracle.awaits_keyframe());
            if is_rest {
                // Its beginning was before the first packet that arrived, or was given up.
                self.report.awaiting_keyframe += 1;
                self.oracle.reset();
                continue;
            }
            if self.oracle.judge(now, &frame, follows, &mut self.report) {
                self.captured = Some((frame.head.mark.captured_us, frame.head.timestamp));
            }
        }
    }

    /// What to ask for again.
    pub(super) fn due(&mut self, now: Instant, round_trip: Duration, out: &mut Vec<SeqNo>) {
        self.losses.due(now, round_trip, out);
    }

    /// Whether to ask for a keyframe. Answering yes counts as asked.
    pub(super) fn wants_keyframe(&mut self, now: Instant) -> bool {
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let has_given_up = self.losses.take_given_up();
        let is_stuck = self.oracle.awaits_keyframe() && since(self.first_packet) > KEYFRAME_WAIT;
        let stands_still = self.report.last_shown.is_some_and(|shown| since(Some(shown.at)) > FRAME_WAIT);
        let wants = has_given_up || ((is_stuck || stands_still) && since(self.last_packet) < IDLE);
        if self.first_packet.is_none() || !wants || since(self.asked_for_keyframe) < KEYFRAME_WAIT {
            return false;
        }
        self.asked_for_keyframe = Some(now);
        self.report.keyframe_requests += 1;
        true
    }

    pub(super) fn set_skew(&mut self, skew_ms: i64) {
        self.report.skew_ms = Some(skew_ms);
    }
}
