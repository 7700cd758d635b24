//! Seconds since 1970, from a moment at which they were known. Nonces and time-limited credentials speak of them.

use std::time::{Duration, Instant};

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnixClock {
    at: Instant,
    unix_time: Duration,
}

impl UnixClock {
    pub(super) fn new(at: Instant, unix_time: Duration) -> Self {
        Self { at, unix_time }
    }

    /// The whole seconds since 1970 at a moment.
    pub(super) fn seconds(&self, now: Instant) -> u64 {
        (self.unix_time + now.saturating_duration_since(self.at)).as_secs()
    }
}
