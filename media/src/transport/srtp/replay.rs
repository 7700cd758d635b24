//! Which packet is this, and was it seen before: index estimation (RFC 3711 §3.3.1) and the replay window (§3.3.2).
//!
//! Pure bookkeeping. Nothing changes before the packet has authenticated: `estimate` and `check` only look, `commit` is called
//! with the proven index. The caller owns one [`InboundIndex`] for each SSRC that it knows.

use super::SrtpError;

/// Packets below the newest one that are still told apart. At 2,500 packets a second this is 400 ms of reordering; the cost is
/// 128 bytes for each SSRC.
const RTP_WINDOW_WORDS: usize = 16;

/// A sliding window of `64 * WORDS` indices below the newest one.
#[derive(Clone, Debug)]
pub(super) struct ReplayWindow<const WORDS: usize> {
    newest: Option<u64>,
    /// A ring: the bit of an index is at `index % (64 * WORDS)`.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    const BITS: u64 = 64 * WORDS as u64;

    pub(super) const fn new() -> Self {
        Self { newest: None, seen: [0; WORDS] }
    }

    /// Whether the index may be accepted.
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        let Some(newest) = self.newest else { return Ok(()) };
        if index > newest {
            Ok(())
        } else if newest - index >= Self::BITS {
            Err(SrtpError::TooOld)
        } else if self.word(index) & Self::bit(index) != 0 {
            Err(SrtpError::Replayed)
        } else {
            Ok(())
        }
    }

    /// Remembers an authenticated index and says whether it is the newest so far.
    pub(super) fn commit(&mut self, index: u64) -> bool {
        let is_newest = self.newest.is_none_or(|newest| index > newest);
        if is_newest {
            match self.newest {
                // The ring's places of the skipped indices still hold what fell out of the window.
                Some(newest) if index - newest < Self::BITS => {
                    for skipped in newest + 1..=index {
                        *self.word_mut(skipped) &= !Self::bit(skipped);
                    }
                }
                _ => self.seen = [0; WORDS],
            }
            self.newest = Some(index);
        }
        *self.word_mut(index) |= Self::bit(index);
        is_newest
    }

    fn word(&self, index: u64) -> u64 {
        self.seen[(index % Self::BITS / 64) as usize]
    }

    fn word_mut(&mut self, index: u64) -> &mut u64 {
        &mut self.seen[(index % Self::BITS / 64) as usize]
    }

    fn bit(index: u64) -> u64 {
        1 << (index % 64)
    }
}

/// Where an inbound SSRC stands: its rollover counter, its newest sequence number and what was received before that.
#[derive(Clone, Debug)]
pub(crate) struct InboundIndex {
    window: ReplayWindow<RTP_WINDOW_WORDS>,
}

impl Default for InboundIndex {
    fn default() -> Self {
        Self { window: ReplayWindow::new() }
    }
}

impl InboundIndex {
    /// The extended sequence number (rollover counter and sequence number) that a packet most likely has, unless it was
    /// seen before or is too old to know.
    pub(super) fn estimate(&self, sequence: u16) -> Result<u64, SrtpError> {
        let index = match self.window.newest {
            None => u64::from(sequence),
            Some(newest) => extend(newest, sequence),
        };
        self.window.check(index)?;
        Ok(index)
    }

    /// Remembers a packet that has authenticated and says whether it is the newest of its SSRC.
    pub(super) fn commit(&mut self, index: u64) -> bool {
        self.window.commit(index)
    }
}

/// The extended sequence number next to `newest`: less than half the number space away.
///
/// During the first cycle there is no cycle before, so that a packet from far below is taken for one from far ahead.
fn extend(newest: u64, sequence: u16) -> u64 {
    let cycle = newest >> 16;
    let newest_sequence = i32::from(newest as u16);
    let distance = i32::from(sequence) - newest_sequence;
    let cycle = if newest_sequence < 0x8000 {
        if distance > 0x8000 { cycle.saturating_sub(1) } else { cycle }
    } else if distance < -0x8000 {
        cycle + 1
    } else {
        cycle
    };
    cycle << 16 | u64::from(sequence)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_estimate_follows_the_sequence_number_over_its_end() {
        let mut state = InboundIndex::default();
        for index in 65_000..200_000u64 {
            // A sender that starts in cycle 0, as RFC 3711 demands.
            assert_eq!(state.estimate(index as u16), Ok(index));
            assert!(state.commit(index));
        }
    }

    #[test]
    fn a_late_packet_from_before_the_rollover_keeps_its_cycle() {
        let mut state = InboundIndex::default();
        state.commit(65_530);
        state.commit(65_540);
        assert_eq!(state.estimate(65_535), Ok(65_535));
        assert_eq!(state.estimate(5), Ok(65_541));
    }

    #[test]
    fn estimating_changes_nothing() {
        let mut state = InboundIndex::default();
        state.commit(1_000);
        assert_eq!(state.estimate(30_000), Ok(30_000));
        assert_eq!(state.estimate(30_000), Ok(30_000));
        assert_eq!(state.estimate(1_001), Ok(1_001));
    }

    #[test]
    fn a_packet_older_than_the_window_is_refused() {
        let mut state = InboundIndex::default();
        state.commit(10_000);
        assert_eq!(state.estimate(10_000 - 1_023), Ok(10_000 - 1_023));
        assert_eq!(state.estimate(10_000 - 1_024), Err(SrtpError::TooOld));
    }

    proptest! {
        #[test]
        fn the_estimate_is_right_for_every_distance_below_half_the_space(newest in 0x1_0000u64..1 << 47, distance in -0x7fffi64..0x7fff) {
            let index = newest.checked_add_signed(distance).unwrap();
            prop_assert_eq!(extend(newest, index as u16), index);
        }

        #[test]
        fn no_index_is_accepted_twice_and_none_in_the_window_is_lost(
            start in 0u64..1 << 40, steps in proptest::collection::vec((-1_500i64..1_500, 0u8..20), 1..400),
        ) {
            let mut window = ReplayWindow::<16>::new();
            let mut model: BTreeSet<u64> = BTreeSet::new();
            let mut at = start;
            for (step, size) in steps {
                // Mostly small steps, sometimes far ones in both directions.
                let step = if size > 0 { step / 200 } else { step };
                at = at.saturating_add_signed(step);
                let newest = model.last().copied();
                let expected = match newest {
                    Some(newest) if at <= newest && newest - at >= 1_024 => Err(SrtpError::TooOld),
                    _ if model.contains(&at) => Err(SrtpError::Replayed),
                    _ => Ok(()),
                };
                prop_assert_eq!(window.check(at), expected);
                if expected.is_ok() {
                    prop_assert_eq!(window.commit(at), newest.is_none_or(|newest| at > newest));
                    model.insert(at);
                }
            }
        }
    }
}
