//! How busy a worker is: the part of its time that it does not wait for something to do. Being kept off its processor by others counts
//! as busy: then, too, it has more to do than it gets done.

use std::time::{Duration, Instant};

/// Time over which the figure is taken. Shorter is jumpier, longer is later.
const WINDOW: Duration = Duration::from_millis(250);

pub(crate) struct Meter {
    since: Instant,
    waited: Duration,
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, waited: Duration::ZERO }
    }

    /// Notes a wait.
    pub(crate) fn wait(&mut self, from: Instant, to: Instant) {
        self.waited += to.saturating_duration_since(from);
    }

    /// The busy part of the time, in thousandths, once a window is over.
    pub(crate) fn close(&mut self, now: Instant) -> Option<u64> {
        let span = now.saturating_duration_since(self.since);
        if span < WINDOW {
            return None;
        }
        let worked = span.saturating_sub(self.waited);
        *self = Self::new(now);
        Some((worked.as_micros() * 1000 / span.as_micros()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_the_part_of_a_window_that_was_not_waited() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut meter = Meter::new(start);
        meter.wait(at(0), at(100));
        assert_eq!(meter.close(at(100)), None, "the window is not over");
        meter.wait(at(150), at(250));
        assert_eq!(meter.close(at(250)), Some(200));
        assert_eq!(meter.close(at(750)), Some(1000), "a new window, and no wait");
    }
}
