//! Numbers of RTP and RTCP as types, so that a sequence number is never added to a timestamp.
//!
//! Wrapping comparison and extension follow RFC 3550 §A.1. Extended sequence indices are plain `u64` named `…_index` or
//! `ext`: they never wrap in the life of a call. Nothing here reads a clock; time is always an argument.

use std::time::{Duration, Instant};

/// A synchronisation source (RFC 3550 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Ssrc(pub(crate) u32);

/// A payload type, 0 to 127.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct PayloadType(pub(crate) u8);

/// A sequence number as it is on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SeqNo(pub(crate) u16);

impl SeqNo {
    /// How far this number is ahead of `other`, on the shorter way round; negative when it is behind.
    pub(crate) fn ahead_of(self, other: Self) -> i16 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// The low 16 bits of an extended index.
    pub(crate) fn of_index(ext: u64) -> Self {
        Self((ext & 0xffff) as u16)
    }

    /// The number after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// A media timestamp as it is on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct RtpTimestamp(pub(crate) u32);

impl RtpTimestamp {
    /// How far this timestamp is ahead of `other`, on the shorter way round, in ticks of the media clock.
    pub(crate) fn ahead_of(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// This timestamp moved by a number of ticks, wrapping.
    pub(crate) fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }
}

/// Ticks of a media clock in a second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ClockRate(pub(crate) u32);

impl ClockRate {
    /// The clock of every video codec here (RFC 7741, 9628, 6184, AV1 RTP §7.1).
    pub(crate) const VIDEO: Self = Self(90_000);
    /// The clock of Opus (RFC 7587 §4.1).
    pub(crate) const OPUS: Self = Self(48_000);

    /// Ticks in a span of time, rounded down.
    pub(crate) fn ticks(self, span: Duration) -> u64 {
        let whole = span.as_secs().saturating_mul(u64::from(self.0));
        whole.saturating_add(u64::from(span.subsec_nanos()) * u64::from(self.0) / 1_000_000_000)
    }
}

/// A time of RFC 5905: seconds since 1900 in the high 32 bits, the fraction in the low ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct NtpTime(pub(crate) u64);

impl NtpTime {
    /// Seconds from 1900 to 1970.
    const UNIX_EPOCH_S: u64 = 2_208_988_800;

    /// The NTP time of a moment given as time since 1970. Wraps in 2036, as RFC 3550 §4 allows.
    pub(crate) fn from_unix(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().wrapping_add(Self::UNIX_EPOCH_S);
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
        Self((seconds << 32) | fraction)
    }

    /// The middle 32 bits: what LSR and DLSR count in, units of 1/65536 s (RFC 3550 §6.4.1).
    pub(crate) fn middle(self) -> u32 {
        ((self.0 >> 16) & 0xffff_ffff) as u32
    }
}

/// Turns moments into NTP times, without reading a clock: the pair of epochs is taken once, when the worker starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NtpClock {
    epoch: Instant,
    epoch_unix: Duration,
}

impl NtpClock {
    /// `epoch` and `epoch_unix` are the same moment.
    pub(crate) fn new(epoch: Instant, epoch_unix: Duration) -> Self {
        Self { epoch, epoch_unix }
    }

    /// The NTP time of `now`; monotonic, because `Instant` is.
    pub(crate) fn at(&self, now: Instant) -> NtpTime {
        NtpTime::from_unix(self.epoch_unix + now.saturating_duration_since(self.epoch))
    }
}

/// A span in units of 1/65536 s, saturating: DLSR.
pub(crate) fn compact_ntp(span: Duration) -> u32 {
    let whole = span.as_secs().saturating_mul(1 << 16);
    let ticks = whole.saturating_add((u64::from(span.subsec_nanos()) << 16) / 1_000_000_000);
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// The span that a number of units of 1/65536 s stands for.
pub(crate) fn from_compact_ntp(ticks: u32) -> Duration {
    Duration::from_nanos((u64::from(ticks) * 1_000_000_000) >> 16)
}

/// Extends the 16-bit sequence numbers of one SSRC to 64 bits.
///
/// Starts in the second cycle, so that packets reordered before the first one still have an index. A jump of more than
/// [`SeqExtender::MAX_JUMP`] is believed only when the packet after it follows on (RFC 3550 §A.1), and then counts as a jump
/// forward: an index never runs backwards for good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeqExtender {
    highest: Option<u64>,
    probation: Option<SeqNo>,
}

impl SeqExtender {
    /// Above this, a jump is doubted. Smaller makes long outages look like restarts; larger lets a stray packet move the window.
    pub(crate) const MAX_JUMP: i16 = 8_192;
    /// The first cycle. Indices stay above zero whatever is reordered at the start.
    const FIRST_CYCLE: u64 = 1 << 16;

    /// The index of a packet that arrived, or `None` for the first packet after an incredible jump.
    pub(crate) fn extend(&mut self, seq: SeqNo) -> Option<u64> {
        let Some(highest) = self.highest else {
            let index = Self::FIRST_CYCLE | u64::from(seq.0);
            self.highest = Some(index);
            return Some(index);
        };
        let ahead = seq.ahead_of(SeqNo::of_index(highest));
        if ahead.unsigned_abs() <= Self::MAX_JUMP.unsigned_abs() {
            self.probation = None;
            let index = highest.wrapping_add_signed(i64::from(ahead));
            self.highest = Some(highest.max(index));
            return Some(index);
        }
        if self.probation == Some(seq) {
            self.probation = None;
            let forward = seq.0.wrapping_sub(SeqNo::of_index(highest).0);
            let index = highest + u64::from(forward);
            self.highest = Some(index);
            return Some(index);
        }
        self.probation = Some(seq.next());
        None
    }

    /// The highest index so far.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sequence_numbers_compare_on_the_shorter_way_round() {
        assert_eq!(SeqNo(0).ahead_of(SeqNo(65_535)), 1);
        assert_eq!(SeqNo(65_535).ahead_of(SeqNo(0)), -1);
        assert_eq!(SeqNo(7).ahead_of(SeqNo(7)), 0);
        assert_eq!(SeqNo(2).ahead_of(SeqNo(65_534)), 4);
        assert_eq!(SeqNo(65_535).next(), SeqNo(0));
    }

    #[test]
    fn timestamps_compare_on_the_shorter_way_round() {
        assert_eq!(RtpTimestamp(100).ahead_of(RtpTimestamp(u32::MAX)), 101);
        assert_eq!(RtpTimestamp(u32::MAX).ahead_of(RtpTimestamp(100)), -101);
        assert_eq!(RtpTimestamp(u32::MAX).plus(3), RtpTimestamp(2));
    }

    #[test]
    fn a_clock_counts_its_ticks_without_overflow() {
        assert_eq!(ClockRate::VIDEO.ticks(Duration::from_millis(100)), 9_000);
        assert_eq!(ClockRate::OPUS.ticks(Duration::from_millis(20)), 960);
        assert_eq!(ClockRate::VIDEO.ticks(Duration::from_secs(86_400 * 365)), 90_000 * 86_400 * 365);
        let _ = ClockRate(u32::MAX).ticks(Duration::MAX);
    }

    #[test]
    fn ntp_time_counts_from_1900_and_gives_its_middle() {
        let ntp = NtpTime::from_unix(Duration::new(1, 500_000_000));
        assert_eq!(ntp.0 >> 32, 2_208_988_801);
        assert_eq!(ntp.0 & 0xffff_ffff, 1 << 31);
        assert_eq!(ntp.middle(), (((2_208_988_801_u64 & 0xffff) << 16) | 0x8000) as u32);
    }

    #[test]
    fn the_ntp_clock_follows_the_instant() {
        let epoch = Instant::now();
        let clock = NtpClock::new(epoch, Duration::from_secs(1_000));
        let later = clock.at(epoch + Duration::from_secs(2));
        assert_eq!((later.0 - clock.at(epoch).0) >> 32, 2);
    }

    #[test]
    fn compact_ntp_spans_round_trip_and_saturate() {
        assert_eq!(compact_ntp(Duration::from_millis(500)), 0x8000);
        assert_eq!(compact_ntp(Duration::from_secs(1 << 20)), u32::MAX);
        assert_eq!(from_compact_ntp(0x8000), Duration::from_millis(500));
        assert_eq!(from_compact_ntp(u32::MAX).as_secs(), 65_535);
    }

    #[test]
    fn an_extender_crosses_the_wrap_in_both_directions() {
        let mut extender = SeqExtender::default();
        let first = extender.extend(SeqNo(65_534)).expect("the first is always believed");
        assert_eq!(extender.extend(SeqNo(1)), Some(first + 3));
        assert_eq!(extender.extend(SeqNo(65_535)), Some(first + 1));
        assert_eq!(extender.highest(), Some(first + 3));
    }

    #[test]
    fn packets_reordered_before_the_first_still_have_an_index() {
        let mut extender = SeqExtender::default();
        let first = extender.extend(SeqNo(0)).expect("the first is always believed");
        assert_eq!(extender.extend(SeqNo(65_535)), Some(first - 1));
    }

    #[test]
    fn one_stray_packet_does_not_move_the_window() {
        let mut extender = SeqExtender::default();
        let first = extender.extend(SeqNo(100)).expect("the first is always believed");
        assert_eq!(extender.extend(SeqNo(40_000)), None);
        assert_eq!(extender.extend(SeqNo(101)), Some(first + 1));
        assert_eq!(extender.extend(SeqNo(40_001)), None, "probation ended with the packet in order");
    }

    #[test]
    fn two_packets_in_a_row_after_a_jump_are_a_restart_and_move_forward() {
        let mut extender = SeqExtender::default();
        let first = extender.extend(SeqNo(30_000)).expect("the first is always believed");
        assert_eq!(extender.extend(SeqNo(10_000)), None);
        let index = extender.extend(SeqNo(10_001)).expect("it follows on");
        assert!(index > first);
        assert_eq!(SeqNo::of_index(index), SeqNo(10_001));
    }

    proptest! {
        #[test]
        fn an_index_keeps_its_low_bits_and_recovers_any_credible_walk(
            start: u16, steps in prop::collection::vec(-8_000_i64..8_000, 0..200),
        ) {
            let mut extender = SeqExtender::default();
            let first = extender.extend(SeqNo(start)).expect("the first is always believed");
            let mut highest = first;
            for step in steps {
                let truth = highest.saturating_add_signed(step);
                let index = extender.extend(SeqNo::of_index(truth));
                prop_assert_eq!(index, Some(truth));
                highest = highest.max(truth);
                prop_assert_eq!(extender.highest(), Some(highest));
            }
        }

        #[test]
        fn no_sequence_of_numbers_makes_the_highest_index_run_backwards(numbers: Vec<u16>) {
            let mut extender = SeqExtender::default();
            let mut highest = 0;
            for number in numbers {
                let index = extender.extend(SeqNo(number));
                prop_assert!(index.is_none_or(|index| SeqNo::of_index(index) == SeqNo(number)));
                let now = extender.highest().expect("one arrived");
                prop_assert!(now >= highest);
                highest = now;
            }
        }
    }
}
