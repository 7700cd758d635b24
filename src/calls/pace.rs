//! How often something may be done: a token bucket over the server's clock. Pure; time is an argument.

use crate::time::Timestamp;

/// At once, and then for long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// So many at once.
    pub(super) burst: u32,
    /// So many a second for long.
    pub(super) per_second: u32,
}

/// A bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    tokens: f64,
    at: Timestamp,
}

impl Pace {
    /// Full.
    pub(super) fn new(rate: Rate, now: Timestamp) -> Self {
        Self { tokens: f64::from(rate.burst), at: now }
    }

    /// Whether one more may be done now; takes nothing.
    pub(super) fn allows(&mut self, rate: Rate, now: Timestamp) -> bool {
        let gained = now.since(self.at).as_secs_f64() * f64::from(rate.per_second);
        self.tokens = (self.tokens + gained).min(f64::from(rate.burst));
        self.at = now;
        self.tokens >= 1.0
    }

    /// One was done.
    pub(super) fn spend(&mut self) {
        self.tokens -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2 };
    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn take(pace: &mut Pace, now: Timestamp) -> bool {
        let allowed = pace.allows(RATE, now);
        if allowed {
            pace.spend();
        }
        allowed
    }

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let mut pace = Pace::new(RATE, START);
        assert_eq!([(); 4].map(|()| take(&mut pace, START)), [true, true, true, false]);
        let later = START.plus(Duration::from_secs(1));
        assert_eq!([(); 3].map(|()| take(&mut pace, later)), [true, true, false]);
        let rested = later.plus(Duration::from_secs(3_600));
        assert_eq!([(); 4].map(|()| take(&mut pace, rested)), [true, true, true, false]);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_and_stops_nobody_for_good() {
        let mut pace = Pace::new(RATE, START);
        let earlier = START.minus(Duration::from_secs(3_600));
        assert_eq!([(); 4].map(|()| take(&mut pace, earlier)), [true, true, true, false]);
        assert!(take(&mut pace, earlier.plus(Duration::from_secs(1))));
    }
}
