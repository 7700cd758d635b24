//! The decodability oracle: would a decoder show this frame, and is it the right one?
//!
//! It compares what the clear bytes promise with what the marks know, so that a frame which a real decoder would turn into garbage
//! is found without decoding anything.

use std::time::{Duration, Instant};

use super::pieces::{Assembled, Piece};
use super::report::{Shown, VideoReport};
use crate::codec::Codec;
use crate::units::{ClockRate, RtpTimestamp};

/// Decoded frames that others may refer to.
const REFERENCES: usize = 16;
/// A picture that stands still for this long is frozen: with 25 frames a second, 150 ms more than usual (as `freezeCount` counts).
const FREEZE: Duration = Duration::from_millis(190);
const PICTURE_ID_MASK: u16 = 0x7fff;

/// How a frame follows the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Follows {
    /// Every packet between them was there.
    Directly,
    AfterGap,
}

#[derive(Default)]
pub(super) struct Oracle {
    current: Option<Current>,
    /// The picture id and TL0PICIDX of the last frame that had them.
    newest_ids: Option<(u16, u8)>,
    /// Whether something was missing since then: codecs without ids may have come between.
    has_gap: bool,
    newest_timestamp: Option<u32>,
    /// When the first frame was shown, and its timestamp.
    anchor: Option<(Instant, u32)>,
}

/// What is being decoded.
#[derive(Clone, Copy)]
struct Current {
    source: u32,
    layer: u8,
    codec: Codec,
    newest: u32,
    /// The last frames decoded, in a ring.
    decoded: [Option<u32>; REFERENCES],
}

impl Oracle {
    /// A decoder that has shown nothing, or lost its way, takes keyframes only.
    pub(super) fn awaits_keyframe(&self) -> bool {
        self.current.is_none()
    }

    /// Loses its way: something was missing for good.
    pub(super) fn reset(&mut self) {
        self.current = None;
    }

    /// Notes the part of a frame whose end never came.
    pub(super) fn note_cut(&mut self, head: &Piece, report: &mut VideoReport) {
        report.cut += 1;
        self.check_ids(head, Follows::Directly, report);
        self.check_timestamp(head, report);
        // The next frames of the same source would refer to it; a keyframe must follow.
        self.current = self.current.filter(|current| !current.is_of(head));
    }

    /// Judges a frame; whether it is shown.
    pub(super) fn judge(&mut self, now: Instant, frame: &Assembled, follows: Follows, report: &mut VideoReport) -> bool {
        let head = &frame.head;
        self.check_ids(head, follows, report);
        self.check_timestamp(head, report);
        if !frame.is_pure {
            report.faults.mixed += 1;
            self.reset();
            return false;
        }
        if head.starts_keyframe != head.mark.is_keyframe {
            report.faults.unreadable += 1;
        }
        if !self.decode(head, report) {
            return false;
        }
        self.show(now, head, report);
        true
    }

    fn decode(&mut self, head: &Piece, report: &mut VideoReport) -> bool {
        let mark = &head.mark;
        if head.starts_keyframe {
            let before = self.current.filter(|current| current.is_of(head));
            if before.is_some_and(|current| mark.frame <= current.newest) {
                report.faults.order += 1;
            }
            let shown = report.last_shown.map(|shown| (shown.source, shown.layer));
            report.switches += u64::from(shown.is_some_and(|shown| shown != (mark.source, mark.layer)));
            report.keyframes += 1;
            let mut decoded = [None; REFERENCES];
            decoded[mark.frame as usize % REFERENCES] = Some(mark.frame);
            self.current =
                Some(Current { source: mark.source, layer: mark.layer, codec: head.codec, newest: mark.frame, decoded });
            return true;
        }
        let Some(current) = &mut self.current else {
            report.awaiting_keyframe += 1;
            return false;
        };
        let referred = mark.frame.wrapping_sub(u32::from(mark.reference));
        if !current.is_of(head) || current.decoded[referred as usize % REFERENCES] != Some(referred) {
            report.faults.undecodable += 1;
            self.reset();
            return false;
        }
        if mark.frame <= current.newest {
            report.faults.order += 1;
        }
        current.newest = mark.frame;
        current.decoded[mark.frame as usize % REFERENCES] = Some(mark.frame);
        true
    }

    fn show(&mut self, now: Instant, head: &Piece, report: &mut VideoReport) {
        let shown =
            Shown { at: now, source: head.mark.source, layer: head.mark.layer, codec: head.codec.name(), frame: head.mark.frame };
        if let Some(last) = report.last_shown {
            let gap = now.saturating_duration_since(last.at);
            report.longest_gap = report.longest_gap.max(gap);
            report.freezes += u64::from(gap > FREEZE);
        }
        report.shown += 1;
        report.first_shown.get_or_insert(shown);
        report.last_shown = Some(shown);
        let (since, timestamp) = *self.anchor.get_or_insert((now, head.timestamp));
        let by_clock = ClockRate::VIDEO.ticks(now.saturating_duration_since(since)) as u32;
        let drift = RtpTimestamp(head.timestamp).ahead_of(RtpTimestamp(timestamp.wrapping_add(by_clock)));
        report.worst_drift_ms = report.worst_drift_ms.max(drift.unsigned_abs() / 90);
    }

    fn check_timestamp(&mut self, head: &Piece, report: &mut VideoReport) {
        let newest = self.newest_timestamp.replace(head.timestamp);
        if newest.is_some_and(|newest| RtpTimestamp(head.timestamp).ahead_of(RtpTimestamp(newest)) <= 0) {
            report.faults.timestamps += 1;
        }
    }

    fn check_ids(&mut self, head: &Piece, follows: Follows, report: &mut VideoReport) {
        self.has_gap |= follows == Follows::AfterGap;
        let (Some(picture_id), Some(tl0)) = (head.ids.picture_id, head.ids.tl0) else { return };
        let has_gap = std::mem::take(&mut self.has_gap);
        let Some((last_id, last_tl0)) = self.newest_ids.replace((picture_id, tl0)) else { return };
        let ahead = picture_id.wrapping_sub(last_id) & PICTURE_ID_MASK;
        let tl0_step = tl0.wrapping_sub(last_tl0);
        let runs_on = if has_gap {
            (1..=PICTURE_ID_MASK / 2).contains(&ahead) && tl0_step <= 127
        } else {
            ahead == 1 && tl0_step == u8::from(head.ids.temporal == 0)
        };
        if !runs_on {
            report.faults.picture_ids += 1;
        }
    }
}

impl Current {
    fn is_of(&self, head: &Piece) -> bool {
        (self.source, self.layer, self.codec) == (head.mark.source, head.mark.layer, head.codec)
    }
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;
