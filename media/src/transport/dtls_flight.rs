//! The last flight we sent, kept to be sent again: on a timer (RFC 6347 §4.2.4.1) and when the other side repeats the flight that
//! ours answered. The records are repeated byte for byte; whoever received them drops them by their numbers, whoever did not takes them.
//!
//! `rtc-dtls` has a timer too, but stops it on any handshake record it cannot use, a repeated ClientHello for one, and then waits for
//! ever. So its timer is set far away and this one is used.

use std::time::{Duration, Instant};

use bytes::BytesMut;

/// Before the first repetition. RFC 6347 says one second unless more is known; media cannot wait that long, and ICE has shown the path
/// to be alive.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest time between repetitions.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// Not more often than this when the other side repeats itself.
const LEAST_GAP: Duration = Duration::from_millis(25);
/// Repetitions in one association, so that a forged repetition cannot make us send without end.
const MAX_REPETITIONS: u32 = 40;

/// The flight and when it is sent again.
#[derive(Default)]
pub(super) struct Flight {
    datagrams: Vec<BytesMut>,
    wait: Duration,
    next: Option<Instant>,
    sent: Option<Instant>,
    repetitions: u32,
    is_repeated: bool,
}

impl Flight {
    /// A new flight was sent.
    pub(super) fn replace(&mut self, now: Instant, datagrams: Vec<BytesMut>) {
        self.datagrams = datagrams;
        self.wait = FIRST_WAIT;
        self.next = Some(now + FIRST_WAIT);
        self.sent = Some(now);
        self.is_repeated = false;
    }

    /// How long the answer to the flight took, unless it was repeated: then it is not known which one was answered (Karn).
    pub(super) fn answered_after(&self, now: Instant) -> Option<Duration> {
        self.sent.filter(|_| !self.is_repeated).map(|sent| now.saturating_duration_since(sent))
    }

    /// A part of the answer is there: the rest is on its way.
    pub(super) fn note_progress(&mut self, now: Instant) {
        self.next = self.next.map(|_| now + self.wait);
    }

    /// Stops the timer. The flight can still be repeated when it is asked for.
    pub(super) fn stop_timer(&mut self) {
        self.next = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// What is to be sent again because of the time.
    pub(super) fn due(&mut self, now: Instant) -> &[BytesMut] {
        if self.next.is_none_or(|next| now < next) {
            return &[];
        }
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        self.next = Some(now + self.wait);
        self.repeat(now)
    }

    /// What is to be sent again because the other side has not received it.
    pub(super) fn asked_for(&mut self, now: Instant) -> &[BytesMut] {
        if self.sent.is_some_and(|sent| now < sent + LEAST_GAP) {
            return &[];
        }
        self.repeat(now)
    }

    fn repeat(&mut self, now: Instant) -> &[BytesMut] {
        if self.repetitions == MAX_REPETITIONS {
            return &[];
        }
        self.repetitions += 1;
        self.is_repeated = true;
        self.sent = Some(now);
        &self.datagrams
    }
}
