//! A pair of receiving lines, and what both kinds have in common: SRTP, report blocks, the clock that sender reports give.

use std::time::Instant;

use super::picture::PictureLine;
use super::sound::SoundLine;
use crate::codec::Codec;
use crate::rtcp::ReportBlock;
use crate::transport::InboundIndex;
use crate::units::{ClockRate, NtpTime, RtpTimestamp, SeqNo, Ssrc, compact_ntp};

/// A packet that was opened, as the lines get it. A retransmission has its original number here.
pub(super) struct Received<'a> {
    pub(super) now: Instant,
    pub(super) codec: Codec,
    pub(super) seq: SeqNo,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) csrc: u32,
    pub(super) is_rtx: bool,
    pub(super) payload: &'a [u8],
}

/// An SSRC pair that the answer named.
pub(super) struct Line<T> {
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: u32,
    pub(super) index: InboundIndex,
    pub(super) rtx_index: InboundIndex,
    pub(super) content: T,
    sender_report: Option<SenderClock>,
}

/// The last sender report of a line.
#[derive(Clone, Copy)]
struct SenderClock {
    at: Instant,
    ntp: NtpTime,
    timestamp: RtpTimestamp,
}

pub(super) struct Seat {
    pub(super) sound: Line<SoundLine>,
    pub(super) picture: Line<PictureLine>,
}

impl<T: Default> Line<T> {
    pub(super) fn new(ssrc: u32, rtx_ssrc: u32) -> Self {
        Self {
            ssrc,
            rtx_ssrc,
            index: InboundIndex::default(),
            rtx_index: InboundIndex::default(),
            content: T::default(),
            sender_report: None,
        }
    }

    pub(super) fn on_sender_report(&mut self, at: Instant, ntp: NtpTime, timestamp: RtpTimestamp) {
        self.sender_report = Some(SenderClock { at, ntp, timestamp });
    }

    /// Play-out moment minus capture moment of a packet with this capture mark and timestamp.
    pub(super) fn skew_ms(&self, clock: ClockRate, (captured_us, timestamp): (u64, u32)) -> Option<i64> {
        let report = self.sender_report?;
        let since_report_ms = i64::from(RtpTimestamp(timestamp).ahead_of(report.timestamp)) * 1_000 / i64::from(clock.0);
        let shown_ms = (unix_us(report.ntp) / 1_000).cast_signed() + since_report_ms;
        Some(shown_ms - (captured_us / 1_000).cast_signed())
    }

    /// A report block about this line. It tells of no loss: nobody here adapts to it.
    pub(super) fn report_block(&self, now: Instant, highest: Option<u64>) -> Option<ReportBlock> {
        let report = self.sender_report;
        Some(ReportBlock {
            ssrc: Ssrc(self.ssrc),
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_seq: (highest? & 0xffff_ffff) as u32,
            jitter: 0,
            last_sender_report: report.map_or(0, |report| report.ntp.middle()),
            delay_since_last_sender_report: report.map_or(0, |report| compact_ntp(now.saturating_duration_since(report.at))),
        })
    }
}

/// The Unix time in microseconds.
pub(super) fn unix_us(ntp: NtpTime) -> u64 {
    let seconds = (ntp.0 >> 32).wrapping_sub(2_208_988_800) & 0xffff_ffff;
    let fraction_us = ((ntp.0 & 0xffff_ffff) * 1_000_000) >> 32;
    seconds * 1_000_000 + fraction_us
}
