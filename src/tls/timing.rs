//! How long certificates wait for what. Constants in one place; tests shorten them, nobody else does.

use std::time::Duration;

/// How long certificates wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two looks at the files. They are some kilobytes: shorter costs little, longer serves an old certificate longer.
    pub file_poll: Duration,
    /// For an order, from when it is due. rustls-acme allows an authority some 18 minutes for each; a connection that hangs, which it
    /// does not notice, is given up after this.
    pub order_limit: Duration,
    /// After the first order that failed; doubled with each further one.
    pub first_retry: Duration,
    /// At least, after an authority refused. Let's Encrypt takes five refused proofs of a name in an hour and then none for a while;
    /// shorter would spend them before anybody has read the log.
    pub refused_pause: Duration,
}

/// The longest wait after orders that failed. An authority that was down is asked again within this time.
const LONGEST_RETRY: Duration = Duration::from_secs(3_600);

impl Default for Timing {
    fn default() -> Self {
        Self {
            file_poll: Duration::from_secs(10),
            order_limit: Duration::from_secs(30 * 60),
            first_retry: Duration::from_secs(1),
            refused_pause: Duration::from_secs(300),
        }
    }
}

impl Timing {
    /// How long to wait after the last of so many orders that failed in a row.
    pub(super) fn retry(&self, failures: u32, fault: Fault) -> Duration {
        let doubled = self.first_retry.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_RETRY);
        match fault {
            Fault::Refused => doubled.max(self.refused_pause),
            Fault::Trouble => doubled,
        }
    }
}

/// What kind of failure an order met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The authority said no: trying again soon gets the same answer.
    Refused,
    /// The authority was not reached or not understood.
    Trouble,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_are_longer_after_a_refusal() {
        let timing = Timing::default();
        for (failures, trouble_s, refused_s) in [
            (1, 1, 300),
            (2, 2, 300),
            (5, 16, 300),
            (10, 512, 512),
            (12, 2_048, 2_048),
            (13, 3_600, 3_600),
            (u32::MAX, 3_600, 3_600),
        ] {
            assert_eq!(timing.retry(failures, Fault::Trouble), Duration::from_secs(trouble_s));
            assert_eq!(timing.retry(failures, Fault::Refused), Duration::from_secs(refused_s));
        }
    }
}
