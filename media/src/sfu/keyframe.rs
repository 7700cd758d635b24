//! Keyframe requests for one layer of a publication: everybody's wishes joined into as few PLIs as do.

use std::time::{Duration, Instant};

/// Never two requests closer together: a keyframe costs the publisher several times a frame's bits, and a browser answers two
/// requests with two keyframes.
const MIN_INTERVAL: Duration = Duration::from_millis(200);
/// While somebody waits the interval grows up to this, since a keyframe that did not come in a second will not come sooner for
/// being asked more often.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// Somebody who has not asked again for this long no longer waits.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct KeyframeRequests {
    /// The last time that somebody asked; `None` when nobody waits.
    asked: Option<Instant>,
    sent: Option<Instant>,
    unanswered: u32,
}

impl KeyframeRequests {
    /// Somebody needs a keyframe.
    pub(crate) fn request(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// A keyframe arrived: nobody waits any more.
    pub(crate) fn satisfied(&mut self) {
        self.asked = None;
        self.unanswered = 0;
    }

    /// Whether somebody waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether a PLI is to be sent now. Answering yes counts as sent.
    pub(crate) fn is_due(&mut self, now: Instant, rtt: Duration) -> bool {
        let Some(asked) = self.asked else { return false };
        if now.saturating_duration_since(asked) > PATIENCE {
            self.satisfied();
            return false;
        }
        let interval = (MIN_INTERVAL * self.unanswered.max(1) + rtt).min(MAX_INTERVAL + rtt);
        if self.sent.is_some_and(|sent| now.saturating_duration_since(sent) < interval) {
            return false;
        }
        self.sent = Some(now);
        self.unanswered = self.unanswered.saturating_add(1).min(8);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    fn requests_sent(wanted: impl Fn(u64) -> bool, answered_at: Option<u64>) -> Vec<u64> {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        let mut sent = Vec::new();
        for ms in (0..10_000).step_by(10) {
            let now = start + Duration::from_millis(ms);
            if wanted(ms) {
                requests.request(now);
            }
            if answered_at == Some(ms) {
                requests.satisfied();
            }
            if requests.is_due(now, RTT) {
                sent.push(ms);
            }
        }
        sent
    }

    #[test]
    fn two_hundred_viewers_asking_at_once_cost_one_request() {
        assert_eq!(requests_sent(|ms| ms < 60, Some(70)), [0]);
    }

    #[test]
    fn an_unanswered_request_is_repeated_ever_more_slowly_and_given_up() {
        let sent = requests_sent(|ms| ms == 0, None);
        assert!(sent.len() >= 4 && sent.len() <= 8, "{sent:?}");
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= 250));
        assert!(*sent.last().expect("some were sent") <= 5_000);
    }

    #[test]
    fn viewers_who_ask_all_the_time_get_no_more_than_the_minimum_interval_allows() {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        let mut sent = 0;
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            requests.request(now);
            sent += u32::from(requests.is_due(now, Duration::ZERO));
            if ms % 50 == 0 {
                requests.satisfied();
            }
        }
        assert!(sent <= 25, "{sent} requests in 5 s");
    }
}
