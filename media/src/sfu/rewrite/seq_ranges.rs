//! Which outgoing sequence number an incoming one has, when some packets are dropped on purpose.
//!
//! A dropped packet must leave no gap, or the subscriber would ask for it; a lost one must, so that the subscriber does ask.
//! Each drop therefore ends a range of equal offset and begins the next; late packets look up the range that they fall into.
//! Owned by `rewrite::Rewriter`, one for each outgoing SSRC. Fixed size: the oldest range is forgotten, and what falls into it is
//! refused.

/// Ranges remembered. Fewer refuse repaired packets sooner when temporal layers are dropped (one range for each dropped frame);
/// each costs 24 bytes for every subscription.
const MAX_RANGES: usize = 32;
/// A longer gap is not worth keeping open: the publisher is asked for a keyframe instead, and the subscriber's numbers run on.
const MAX_GAP: u64 = 512;

/// Incoming indices from `start` up to, not including, `end`, each `offset` (wrapping) below its outgoing index.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: u64,
    end: u64,
    offset: u64,
}

/// The map of one source. Outgoing indices are given out from `next` on and never given to two packets.
#[derive(Clone, Debug)]
pub(super) struct SeqRanges {
    ranges: [Range; MAX_RANGES],
    newest: usize,
    len: usize,
    highest: u64,
}

impl SeqRanges {
    /// A map of which the first packet has come: incoming index `first`, outgoing index `out`.
    pub(super) fn starting(first: u64, out: u64) -> Self {
        let open = Range { start: first, end: u64::MAX, offset: out.wrapping_sub(first) };
        Self { ranges: [open; MAX_RANGES], newest: 0, len: 1, highest: first }
    }

    /// The outgoing index that the next incoming one would get.
    pub(super) fn next(&self) -> u64 {
        self.open().offset.wrapping_add(self.highest + 1)
    }

    /// Whether so much is missing before a packet that its gap is not kept open.
    pub(super) fn is_cut_off(&self, index: u64) -> bool {
        index.saturating_sub(self.highest) > MAX_GAP
    }

    /// The outgoing index of a packet. `None` for one that was dropped on purpose, is from before the start, or is forgotten.
    pub(super) fn map(&mut self, index: u64) -> Option<u64> {
        if index > self.highest {
            if index - self.highest > MAX_GAP {
                self.reopen(self.highest + 1, index, self.next());
            }
            self.highest = index;
            return Some(index.wrapping_add(self.open().offset));
        }
        let range = self.newest_first().find(|range| range.start <= index)?;
        (index < range.end).then(|| index.wrapping_add(range.offset))
    }

    /// Drops a packet on purpose. One that comes late has a number already, which stays a gap.
    pub(super) fn skip(&mut self, index: u64) {
        if index <= self.highest {
            return;
        }
        let lost = index - self.highest - 1;
        if lost >= MAX_GAP {
            self.reopen(self.highest + 1, index + 1, self.next());
        } else {
            self.reopen(index, index + 1, self.next().wrapping_add(lost));
        }
        self.highest = index;
    }

    fn open(&self) -> Range {
        self.ranges[self.newest]
    }

    /// Ends the open range at `end` and opens one in which `start` gets `out`.
    fn reopen(&mut self, end: u64, start: u64, out: u64) {
        let open = &mut self.ranges[self.newest];
        if open.start < end {
            open.end = end;
            self.newest = (self.newest + 1) % MAX_RANGES;
            self.len = (self.len + 1).min(MAX_RANGES);
        }
        self.ranges[self.newest] = Range { start, end: u64::MAX, offset: out.wrapping_sub(start) };
    }

    fn newest_first(&self) -> impl Iterator<Item = &Range> {
        (0..self.len).map(|age| &self.ranges[(self.newest + MAX_RANGES - age) % MAX_RANGES])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_packet_leaves_no_gap_and_a_lost_one_does() {
        let mut ranges = SeqRanges::starting(100, 7);
        assert_eq!(ranges.map(100), Some(7));
        ranges.skip(101);
        assert_eq!(ranges.map(102), Some(8));
        assert_eq!(ranges.map(104), Some(10), "103 is lost and keeps its number");
        assert_eq!(ranges.map(103), Some(9), "and gets it when it comes late");
    }

    #[test]
    fn a_run_of_drops_uses_one_range() {
        let mut ranges = SeqRanges::starting(100, 7);
        assert_eq!(ranges.map(100), Some(7));
        for index in 101..10_000 {
            ranges.skip(index);
        }
        assert_eq!(ranges.len, 2);
        assert_eq!(ranges.map(10_000), Some(8));
        assert_eq!(ranges.map(100), Some(7));
        assert_eq!(ranges.map(101), None, "a dropped packet stays dropped");
        assert_eq!(ranges.map(9_999), None);
    }

    #[test]
    fn a_drop_after_a_loss_keeps_the_number_of_the_lost_one() {
        let mut ranges = SeqRanges::starting(10, 0);
        assert_eq!(ranges.map(10), Some(0));
        ranges.skip(12);
        assert_eq!(ranges.map(13), Some(2));
        assert_eq!(ranges.map(11), Some(1));
        assert_eq!(ranges.map(12), None);
    }

    #[test]
    fn a_late_drop_changes_nothing() {
        let mut ranges = SeqRanges::starting(10, 0);
        assert_eq!(ranges.map(10), Some(0));
        assert_eq!(ranges.map(12), Some(2));
        ranges.skip(11);
        ranges.skip(12);
        assert_eq!(ranges.map(13), Some(3));
        assert_eq!(ranges.map(12), Some(2));
    }

    #[test]
    fn what_is_from_before_the_start_is_refused() {
        let mut ranges = SeqRanges::starting(10, 5);
        assert_eq!(ranges.map(9), None);
        assert_eq!(ranges.map(10), Some(5));
        assert_eq!(ranges.map(9), None);
    }

    #[test]
    fn a_gap_too_long_to_repair_is_closed() {
        let mut ranges = SeqRanges::starting(10, 5);
        assert_eq!(ranges.map(10), Some(5));
        assert_eq!(ranges.map(10 + MAX_GAP), Some(5 + MAX_GAP), "still open");
        assert_eq!(ranges.map(50_000), Some(6 + MAX_GAP));
        assert_eq!(ranges.map(49_999), None, "its number was not kept");
        ranges.skip(100_000);
        assert_eq!(ranges.map(100_001), Some(7 + MAX_GAP));
    }

    #[test]
    fn forgotten_ranges_are_refused_and_never_answered_wrongly() {
        let mut ranges = SeqRanges::starting(0x1_0000, 0);
        let mut given = Vec::new();
        for step in 0..200 {
            let index = 0x1_0000 + 2 * step;
            given.push((index, ranges.map(index).expect("in order")));
            ranges.skip(index + 1);
        }
        assert_eq!(given.last().map(|&(_, out)| out), Some(199));
        let remembered = given.iter().filter(|&&(index, out)| {
            let again = ranges.map(index);
            assert!(again.is_none_or(|again| again == out));
            again.is_some()
        });
        assert_eq!(remembered.count(), MAX_RANGES - 1);
    }
}
