//! Which packets of one inbound layer are missing, and when to ask for them again (RFC 4585 §6.2.1).
//!
//! Reordered packets are not asked for at once, repeats wait for a round trip, and each packet is asked for a few times only:
//! a request for what is on its way already is how retransmission storms begin. Retransmissions are told to the tracker like any
//! packet, or it would go on asking for what it has. Called by `ingress` for each packet and by a timer.

use std::time::{Duration, Instant};

use crate::units::{SeqExtender, SeqNo};

/// Packets asked for at a time. More are missing after an outage only; a keyframe mends that for less.
const MAX_MISSING: usize = 512;
/// Numbers given out by one call, so that the request fits any path whatever its pattern; the rest follows with the next call.
const MAX_DUE: usize = 128;
/// A missing packet is asked for once so much time has passed or so many later packets came. Less asks for reordered packets,
/// more repairs later.
const GRACE: Duration = Duration::from_millis(10);
const GRACE_PACKETS: u64 = 2;
/// The shortest time between two requests for a packet. On a loopback the round trip alone would repeat them at each tick.
const MIN_REPEAT: Duration = Duration::from_millis(20);
/// Requests for one packet. With one in five lost each way, one in 4000 packets is given up.
const MAX_TRIES: u8 = 8;
/// A packet that is missing for longer helps no jitter buffer.
const MAX_AGE: Duration = Duration::from_millis(1_500);
/// Packets of which it is remembered whether they came.
const WINDOW: u64 = 2_048;

/// What a packet is to its layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrival {
    /// The newest so far.
    New {
        /// Its extended sequence number.
        index: u64,
    },
    /// It was passed by a newer one, or lost and sent again.
    Recovered {
        /// Its extended sequence number.
        index: u64,
    },
    /// It came before.
    Duplicate,
    /// It is from so long ago that nobody knows whether it came before, or has an incredible number.
    TooOld,
}

/// The missing packets of one layer.
#[derive(Debug)]
pub(crate) struct NackTracker {
    seqs: SeqExtender,
    received: Received,
    /// By rising index.
    missing: Vec<Missing>,
    /// New packets so far.
    arrivals: u64,
    due: Vec<SeqNo>,
    gave_up: bool,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    index: u64,
    noticed: Instant,
    /// New packets that had come by then.
    noticed_after: u64,
    asked: Option<Instant>,
    tries: u8,
}

impl Default for NackTracker {
    fn default() -> Self {
        Self {
            seqs: SeqExtender::default(),
            received: Received::default(),
            missing: Vec::with_capacity(MAX_MISSING),
            arrivals: 0,
            due: Vec::with_capacity(MAX_DUE),
            gave_up: false,
        }
    }
}

impl NackTracker {
    /// Notes a packet, sent for the first time or again.
    pub(crate) fn on_packet(&mut self, seq: SeqNo, now: Instant) -> Arrival {
        let highest = self.seqs.highest();
        let Some(index) = self.seqs.extend(seq) else { return Arrival::TooOld };
        match highest {
            Some(highest) if index <= highest => return self.on_late_packet(index, highest),
            Some(highest) => {
                self.received.advance(highest, index);
                self.note_gap(highest + 1, index, now);
            }
            None => {}
        }
        self.received.insert(index);
        self.arrivals += 1;
        Arrival::New { index }
    }

    /// The packets to ask for now, in the order of sending. Giving them counts as asking.
    pub(crate) fn due(&mut self, now: Instant, rtt: Duration) -> &[SeqNo] {
        let Self { missing, due, gave_up, arrivals, .. } = self;
        let repeat_after = (rtt + rtt / 10).max(MIN_REPEAT);
        due.clear();
        missing.retain_mut(|packet| {
            if packet.is_hopeless(now, repeat_after) {
                *gave_up = true;
                return false;
            }
            if due.len() < MAX_DUE && packet.is_due(now, repeat_after, *arrivals) {
                packet.asked = Some(now);
                packet.tries += 1;
                due.push(SeqNo::of_index(packet.index));
            }
            true
        });
        due
    }

    /// Whether packets are missing, or were given up.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.missing.is_empty() || self.gave_up
    }

    /// Whether a packet was given up since the last call: only a keyframe mends that.
    pub(crate) fn take_gave_up(&mut self) -> bool {
        std::mem::take(&mut self.gave_up)
    }

    fn on_late_packet(&mut self, index: u64, highest: u64) -> Arrival {
        if index + WINDOW <= highest {
            return Arrival::TooOld;
        }
        if !self.received.insert(index) {
            return Arrival::Duplicate;
        }
        if let Ok(position) = self.missing.binary_search_by_key(&index, |packet| packet.index) {
            self.missing.remove(position);
        }
        Arrival::Recovered { index }
    }

    /// Takes the packets from `start` up to, not including, `end` for missing. Too many are given up, with those before them.
    fn note_gap(&mut self, start: u64, end: u64, now: Instant) {
        if self.missing.len() as u64 + (end - start) > MAX_MISSING as u64 {
            self.missing.clear();
            self.gave_up = true;
            return;
        }
        let noticed_after = self.arrivals + 1;
        let gap = (start..end).map(|index| Missing { index, noticed: now, noticed_after, asked: None, tries: 0 });
        self.missing.extend(gap);
    }
}

impl Missing {
    fn is_due(&self, now: Instant, repeat_after: Duration, arrivals: u64) -> bool {
        match self.asked {
            Some(asked) => self.tries < MAX_TRIES && now.saturating_duration_since(asked) >= repeat_after,
            None => now.saturating_duration_since(self.noticed) >= GRACE || arrivals >= self.noticed_after + GRACE_PACKETS,
        }
    }

    fn is_hopeless(&self, now: Instant, repeat_after: Duration) -> bool {
        let is_tired =
            self.tries >= MAX_TRIES && self.asked.is_some_and(|asked| now.saturating_duration_since(asked) >= repeat_after);
        is_tired || now.saturating_duration_since(self.noticed) > MAX_AGE
    }
}

/// Which of the last packets came: a bit for each, by index modulo the window.
#[derive(Debug)]
struct Received {
    bits: [u64; (WINDOW / 64) as usize],
}

impl Default for Received {
    fn default() -> Self {
        Self { bits: [0; (WINDOW / 64) as usize] }
    }
}

impl Received {
    /// Makes room for the indices after `from` up to `to`.
    fn advance(&mut self, from: u64, to: u64) {
        if to - from >= WINDOW {
            *self = Self::default();
            return;
        }
        for index in from + 1..=to {
            let (word, bit) = self.word(index);
            *word &= !bit;
        }
    }

    /// Whether the index was not there yet.
    fn insert(&mut self, index: u64) -> bool {
        let (word, bit) = self.word(index);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn word(&mut self, index: u64) -> (&mut u64, u64) {
        let place = index % WINDOW;
        (&mut self.bits[(place / 64) as usize], 1 << (place % 64))
    }
}

#[cfg(test)]
#[path = "nack_tests.rs"]
mod tests;
