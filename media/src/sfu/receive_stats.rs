//! Receiver statistics of one inbound SSRC, for report blocks (RFC 3550 §6.4.1, appendix A.3 and A.8).

use std::time::{Duration, Instant};

use crate::rtcp::ReportBlock;
use crate::units::{ClockRate, NtpTime, RtpTimestamp, SeqExtender, SeqNo, Ssrc, compact_ntp};

pub(crate) struct ReceiveStats {
    clock_rate: ClockRate,
    epoch: Option<Instant>,
    seqs: SeqExtender,
    first: Option<u64>,
    received: u64,
    /// Expected and received at the last report.
    prior: (u64, u64),
    /// Interarrival jitter in timestamp units, times 16 as in appendix A.8.
    jitter_x16: u64,
    last_transit: Option<i64>,
    last_sender_report: Option<(NtpTime, Instant)>,
}

impl ReceiveStats {
    pub(crate) fn new(clock_rate: ClockRate) -> Self {
        Self {
            clock_rate,
            epoch: None,
            seqs: SeqExtender::default(),
            first: None,
            received: 0,
            prior: (0, 0),
            jitter_x16: 0,
            last_transit: None,
            last_sender_report: None,
        }
    }

    /// Notes a packet of the SSRC itself (not a retransmission).
    pub(crate) fn on_packet(&mut self, now: Instant, seq: SeqNo, timestamp: RtpTimestamp) {
        let Some(index) = self.seqs.extend(seq) else { return };
        self.first.get_or_insert(index);
        self.received += 1;
        let epoch = *self.epoch.get_or_insert(now);
        let arrival = self.clock_rate.ticks(now.saturating_duration_since(epoch)) as i64;
        // Only differences count; both clocks wrap alike in 32 bits.
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp.0));
        if let Some(last) = self.last_transit.replace(transit) {
            let difference = u64::from(((transit - last) as i32).unsigned_abs());
            self.jitter_x16 = self.jitter_x16 + difference - ((self.jitter_x16 + 8) >> 4);
        }
    }

    pub(crate) fn on_sender_report(&mut self, now: Instant, ntp: NtpTime) {
        self.last_sender_report = Some((ntp, now));
    }

    /// The block for the next report; starts the next interval.
    pub(crate) fn report_block(&mut self, now: Instant, ssrc: u32) -> ReportBlock {
        let highest = self.seqs.highest().unwrap_or_default();
        let expected = self.first.map_or(0, |first| highest.saturating_sub(first) + 1);
        let (prior_expected, prior_received) = self.prior;
        let expected_now = expected.saturating_sub(prior_expected);
        let received_now = self.received.saturating_sub(prior_received);
        self.prior = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction_lost = (lost_now * 256).checked_div(expected_now).unwrap_or_default().min(255) as u8;
        let (last_sender_report, delay) = match self.last_sender_report {
            Some((ntp, at)) => (ntp.middle(), now.saturating_duration_since(at)),
            None => (0, Duration::ZERO),
        };
        ReportBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost,
            // 24 bits signed on the wire; duplicates may make it negative.
            cumulative_lost: (expected as i64 - self.received as i64).clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_seq: highest as u32,
            jitter: (self.jitter_x16 >> 4) as u32,
            last_sender_report,
            delay_since_last_sender_report: compact_ntp(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_of_the_interval_and_in_all_are_reported() {
        let start = Instant::now();
        let mut stats = ReceiveStats::new(ClockRate::VIDEO);
        for seq in (65_500..65_600_u32).filter(|seq| seq % 10 != 0) {
            stats.on_packet(start, SeqNo(seq as u16), RtpTimestamp(0));
        }
        let block = stats.report_block(start, 7);
        assert_eq!((block.ssrc.0, block.cumulative_lost), (7, 9), "the first packet is the first that came");
        assert_eq!(block.fraction_lost, (9 * 256 / 99) as u8);
        assert_eq!(block.highest_seq & 0xffff, 65_599 & 0xffff);
        assert_eq!(stats.report_block(start, 7).fraction_lost, 0, "the next interval starts at zero");
    }

    #[test]
    fn even_spacing_has_no_jitter_and_uneven_spacing_has() {
        let start = Instant::now();
        let (mut even, mut uneven) = (ReceiveStats::new(ClockRate::OPUS), ReceiveStats::new(ClockRate::OPUS));
        for n in 0..500_u32 {
            let at = start + Duration::from_millis(20 * u64::from(n));
            even.on_packet(at, SeqNo(n as u16), RtpTimestamp(n * 960));
            let late = Duration::from_millis(u64::from(n % 2) * 10);
            uneven.on_packet(at + late, SeqNo(n as u16), RtpTimestamp(n * 960));
        }
        assert_eq!(even.report_block(start, 1).jitter, 0);
        let jitter = uneven.report_block(start, 1).jitter;
        assert!((400..=500).contains(&jitter), "10 ms are 480 ticks, measured {jitter}");
    }

    #[test]
    fn the_delay_since_the_last_sender_report_is_counted_in_65536ths_of_a_second() {
        let start = Instant::now();
        let mut stats = ReceiveStats::new(ClockRate::VIDEO);
        stats.on_sender_report(start, NtpTime(0x1234_5678_9abc_def0));
        let block = stats.report_block(start + Duration::from_millis(500), 1);
        assert_eq!(block.last_sender_report, 0x5678_9abc);
        assert!((32_767..=32_769).contains(&block.delay_since_last_sender_report));
    }
}
