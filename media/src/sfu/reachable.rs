//! Answers to whoever asks a media port whether it can be reached: a STUN Binding request without a user (RFC 8489 §7.3.1). A browser,
//! `webcall doctor` and a second machine learn by it that no firewall is in the way, before a call fails for it.
//!
//! Whoever asks has proved nothing and may have forged their address: an answer is small, keeps nothing, and there are few of them.

use std::time::{Duration, Instant};

use super::Sfu;
use crate::counters::Counter;
use crate::outbox::Outbox;
use crate::transport::{Path, plain_answer};

/// Answers of one worker in a second. More would make the port worth using against others; fewer would make honest askers, who repeat
/// themselves, wait for each other.
const MAX_ANSWERS: u32 = 100;
const INTERVAL: Duration = Duration::from_secs(1);

/// How many were answered since when.
pub(super) struct Asked {
    since: Instant,
    count: u32,
}

impl Asked {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    fn admit(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= INTERVAL {
            *self = Self::new(now);
        }
        self.count += 1;
        self.count <= MAX_ANSWERS
    }
}

impl Sfu {
    /// Answers a STUN datagram that is no participant's, or counts it.
    pub(super) fn answer_stranger(&mut self, now: Instant, path: Path, datagram: &[u8], out: &mut Outbox) {
        match plain_answer(datagram, path.remote).filter(|_| self.asked.admit(now)) {
            Some(answer) => out.push(path, &answer),
            None => self.counters.count(Counter::DropUnknownSource),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_answered_in_a_second_than_a_hundred_and_the_next_second_is_a_new_one() {
        let now = Instant::now();
        let mut asked = Asked::new(now);
        assert_eq!((0..1_000).filter(|_| asked.admit(now)).count(), MAX_ANSWERS as usize);
        assert!(!asked.admit(now + INTERVAL / 2));
        assert!(asked.admit(now + INTERVAL));
    }
}
