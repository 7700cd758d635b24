//! Which packets of one SSRC are missing and when to ask for them: what libwebrtc's NACK module does on the receiving side.

use std::time::{Duration, Instant};

use crate::units::{SeqExtender, SeqNo};

/// Packets told apart from doubles; a power of two.
const WINDOW: u64 = 2_048;
/// Missing packets remembered. With more the receiver waits for a keyframe.
const MAX_MISSING: usize = 1_000;
/// A packet is asked for so many times.
const MAX_TRIES: u8 = 10;
/// What is this much older than the newest is given up.
const MAX_AGE: u64 = 1_000;

/// What a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// Not there before. Holds its extended number.
    New(u64),
    Duplicate,
    /// After an incredible jump, or too old to tell.
    Doubtful,
}

#[derive(Default)]
pub(super) struct Losses {
    seqs: SeqExtender,
    seen: Vec<u64>,
    highest: Option<u64>,
    missing: Vec<Missing>,
    has_given_up: bool,
    pub(super) lost: u64,
    pub(super) given_up: u64,
}

struct Missing {
    index: u64,
    asked: Option<Instant>,
    tries: u8,
}

impl Losses {
    pub(super) fn on_packet(&mut self, seq: SeqNo) -> Arrival {
        let Some(index) = self.seqs.extend(seq) else { return Arrival::Doubtful };
        let highest = *self.highest.get_or_insert_with(|| index.saturating_sub(1));
        if self.seen.is_empty() {
            self.seen = vec![0; (WINDOW / 64) as usize];
        }
        if index > highest {
            self.advance(highest, index);
        } else if highest - index >= WINDOW {
            return Arrival::Doubtful;
        }
        let (word, bit) = ((index % WINDOW / 64) as usize, 1_u64 << (index % 64));
        if self.seen[word] & bit != 0 {
            return Arrival::Duplicate;
        }
        self.seen[word] |= bit;
        self.missing.retain(|missing| missing.index != index);
        Arrival::New(index)
    }

    fn advance(&mut self, highest: u64, index: u64) {
        self.highest = Some(index);
        for skipped in (highest + 1).max(index.saturating_sub(WINDOW - 1))..=index {
            self.seen[(skipped % WINDOW / 64) as usize] &= !(1 << (skipped % 64));
        }
        let gap = index - highest - 1;
        self.lost += gap;
        if gap as usize + self.missing.len() > MAX_MISSING {
            self.given_up += gap + self.missing.len() as u64;
            self.missing.clear();
            self.has_given_up = true;
            return;
        }
        self.missing.extend((highest + 1..index).map(|index| Missing { index, asked: None, tries: 0 }));
    }

    /// Numbers that are not there.
    pub(super) fn missing(&self) -> u64 {
        self.given_up + self.missing.len() as u64
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What to ask for now: new gaps at once, old ones once in a round trip.
    pub(super) fn due(&mut self, now: Instant, round_trip: Duration, out: &mut Vec<SeqNo>) {
        out.clear();
        let highest = self.highest.unwrap_or_default();
        let before = self.missing.len();
        self.missing.retain(|missing| missing.tries < MAX_TRIES && highest - missing.index < MAX_AGE);
        let given_up = before - self.missing.len();
        self.given_up += given_up as u64;
        self.has_given_up |= given_up > 0;
        for missing in &mut self.missing {
            if missing.asked.is_none_or(|at| now.saturating_duration_since(at) >= round_trip) {
                missing.asked = Some(now);
                missing.tries += 1;
                out.push(SeqNo::of_index(missing.index));
            }
        }
    }

    /// Whether something was given up since the last call: only a keyframe helps then.
    pub(super) fn take_given_up(&mut self) -> bool {
        std::mem::take(&mut self.has_given_up)
    }

    /// Nothing before this number is of interest any more.
    pub(super) fn forget_before(&mut self, index: u64) {
        self.missing.retain(|missing| missing.index >= index);
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    fn due(losses: &mut Losses, now: Instant) -> Vec<u16> {
        let mut out = Vec::new();
        losses.due(now, RTT, &mut out);
        out.iter().map(|seq| seq.0).collect()
    }

    #[test]
    fn a_gap_is_asked_for_at_once_and_again_after_a_round_trip_until_it_is_filled() {
        let start = Instant::now();
        let mut losses = Losses::default();
        for seq in [65_534, 1] {
            losses.on_packet(SeqNo(seq));
        }
        assert_eq!(due(&mut losses, start), [65_535, 0]);
        assert_eq!(due(&mut losses, start + RTT / 2), [0; 0]);
        assert!(matches!(losses.on_packet(SeqNo(0)), Arrival::New(_)));
        assert_eq!(due(&mut losses, start + RTT), [65_535]);
        assert_eq!(losses.on_packet(SeqNo(1)), Arrival::Duplicate);
        assert_eq!((losses.lost, losses.given_up), (2, 0));
    }

    #[test]
    fn what_never_comes_is_given_up_and_said_once() {
        let start = Instant::now();
        let mut losses = Losses::default();
        losses.on_packet(SeqNo(1));
        losses.on_packet(SeqNo(3));
        let asked: usize = (0..40).map(|n| due(&mut losses, start + RTT * n).len()).sum();
        assert_eq!(asked, usize::from(MAX_TRIES));
        assert!(losses.take_given_up() && !losses.take_given_up());
        assert!(losses.is_complete());
    }

    #[test]
    fn a_flood_of_losses_is_given_up_whole() {
        let mut losses = Losses::default();
        losses.on_packet(SeqNo(1));
        losses.on_packet(SeqNo(2_000));
        assert!(losses.take_given_up() && losses.is_complete());
    }
}
