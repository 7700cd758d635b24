//! A seat's sound on the receiving side. Nothing is asked for again; what is missing would be concealed.

use super::losses::{Arrival, Losses};
use super::mark::Mark;
use super::payload::unpack;
use super::report::{AudioReport, Tallies};
use super::seat::Received;
use crate::units::RtpTimestamp;

#[derive(Default)]
pub(super) struct SoundLine {
    losses: Losses,
    report: AudioReport,
    pub(super) tallies: Tallies,
    first: Option<u64>,
    /// The newest packet: its extended number, timestamp, source and frame.
    newest: Option<(u64, u32, u32, u32)>,
    /// The capture mark and timestamp of the newest packet.
    pub(super) captured: Option<(u64, u32)>,
}

impl SoundLine {
    pub(super) fn report(&self) -> AudioReport {
        let span = self.first.zip(self.losses.highest()).map_or(0, |(first, highest)| highest - first + 1);
        let newest = self.newest.map(|(_, _, source, frame)| (source, frame));
        AudioReport { missing: span.cast_signed() - self.report.packets.cast_signed(), newest, ..self.report }
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.losses.highest()
    }

    /// Takes a packet; says when it was captured, if it is new and readable.
    pub(super) fn receive(&mut self, packet: &Received<'_>) -> Option<u64> {
        let now = packet.now;
        let index = match self.losses.on_packet(packet.seq) {
            Arrival::New(index) => index,
            Arrival::Duplicate => {
                self.report.duplicates += 1;
                return None;
            }
            Arrival::Doubtful => return None,
        };
        self.losses.forget_before(u64::MAX);
        self.first = Some(self.first.map_or(index, |first| first.min(index)));
        self.report.packets += 1;
        if let Some(last) = self.report.last_packet.replace(now) {
            self.report.longest_gap = self.report.longest_gap.max(now.saturating_duration_since(last));
        }
        let mark = unpack(packet.codec, packet.payload).and_then(|unpacked| Mark::read(unpacked.body));
        let Some(mark) = mark else {
            self.report.faults.unreadable += 1;
            return None;
        };
        if !self.tallies.count(now, mark.source, packet.csrc) {
            self.report.faults.wrong_source += 1;
        }
        if let Some((newest, timestamp, source, frame)) = self.newest {
            if index < newest {
                return Some(mark.captured_us);
            }
            let ahead = RtpTimestamp(packet.timestamp).ahead_of(RtpTimestamp(timestamp));
            self.report.faults.timestamps += u64::from(ahead <= 0);
            self.report.faults.order += u64::from(source == mark.source && mark.frame <= frame);
        }
        self.newest = Some((index, packet.timestamp, mark.source, mark.frame));
        self.captured = Some((mark.captured_us, packet.timestamp));
        Some(mark.captured_us)
    }

    pub(super) fn set_skew(&mut self, skew_ms: i64) {
        self.report.skew_ms = Some(skew_ms);
    }
}
