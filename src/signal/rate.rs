//! How much a client may say: a token bucket for each socket. Pure; time is an argument. A message costs one token and one more for
//! each [`BYTES_PER_TOKEN`], so that large offers cannot be repeated as fast as pings.

use std::time::Instant;

/// Messages at once. Joining a call takes about ten; a page that lays itself out anew sends a `view` for each step.
pub(super) const BURST: u32 = 60;
/// Messages a second for long.
pub(super) const PER_SECOND: u32 = 20;
/// Size that costs a token more: an offer with 48 seats costs 5.
pub(super) const BYTES_PER_TOKEN: usize = 32 << 10;
/// Refusals before the socket is closed; forgiven once the bucket is full again.
pub(super) const STRIKES: u32 = 100;

/// The allowance of one socket.
#[derive(Debug)]
pub(super) struct Allowance {
    tokens: f64,
    at: Instant,
    refused: u32,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is handled.
    Pass,
    /// It is answered by `too_many_messages`.
    Refuse,
    /// The socket is closed.
    Expel,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { tokens: f64::from(BURST), at: now, refused: 0 }
    }

    /// A message of this size came in.
    pub(super) fn spend(&mut self, size_bytes: usize, now: Instant) -> Verdict {
        let elapsed = now.saturating_duration_since(self.at);
        self.at = now;
        self.tokens += elapsed.as_secs_f64() * f64::from(PER_SECOND);
        if self.tokens >= f64::from(BURST) {
            self.tokens = f64::from(BURST);
            self.refused = 0;
        }
        let cost = 1.0 + (size_bytes / BYTES_PER_TOKEN) as f64;
        if self.tokens >= cost {
            self.tokens -= cost;
            return Verdict::Pass;
        }
        self.refused += 1;
        if self.refused > STRIKES { Verdict::Expel } else { Verdict::Refuse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn exhausted() -> (Allowance, Instant) {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        for _ in 0..BURST {
            assert_eq!(allowance.spend(100, now), Verdict::Pass);
        }
        (allowance, now)
    }

    #[test]
    fn a_burst_passes_and_the_message_after_it_does_not() {
        let (mut allowance, now) = exhausted();
        assert_eq!(allowance.spend(100, now), Verdict::Refuse);
    }

    #[test]
    fn a_steady_sender_at_the_allowed_rate_is_never_refused() {
        let (mut allowance, mut now) = exhausted();
        for _ in 0..1_000 {
            now += Duration::from_micros(50_001); // a hair above, for the rounding of the sum
            assert_eq!(allowance.spend(100, now), Verdict::Pass);
        }
    }

    #[test]
    fn large_messages_cost_more() {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        let passed = (0..BURST).filter(|_| allowance.spend(145_000, now) == Verdict::Pass).count();
        assert_eq!(passed, 12);
    }

    #[test]
    fn who_goes_on_is_expelled_and_who_pauses_is_forgiven() {
        let (mut allowance, mut now) = exhausted();
        for _ in 0..STRIKES {
            assert_eq!(allowance.spend(100, now), Verdict::Refuse);
        }
        assert_eq!(allowance.spend(100, now), Verdict::Expel);
        now += Duration::from_secs(3);
        assert_eq!(allowance.spend(100, now), Verdict::Pass);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_and_takes_nothing() {
        let now = Instant::now() + Duration::from_secs(10);
        let mut allowance = Allowance::new(now);
        assert_eq!(allowance.spend(1, now - Duration::from_secs(5)), Verdict::Pass);
    }
}
