//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): remembers when the packets of
//! one transport arrived and reports it. Without these reports Chromium sends at 30 kbit/s.
//!
//! One recorder for each publisher's transport. `record` is called for each packet and only writes one slot; `build` is called on
//! a timer. A packet that comes after it was reported missing is reported again, with what followed it.

use std::time::Instant;

use super::build::{begin, end};
use super::twcc_chunks::{Symbol, put_chunks};
use super::{FORMAT_TWCC, TRANSPORT_FEEDBACK};
use crate::units::{SeqExtender, SeqNo};

/// Packets remembered; a power of two. 1024 are 100 ms of 100 Mbit/s; what falls out unreported counts as never seen.
const WINDOW: u64 = 1024;
/// Deltas and reference times count quarters of a millisecond.
const TICKS_PER_SECOND: u64 = 4_000;
/// The reference time counts 64 ms.
const TICKS_PER_REFERENCE: u32 = 256;
/// Bytes of statuses and deltas in one packet, so that it fits any path.
const MAX_FEEDBACK_BYTES: usize = 900;
/// Packets of one call of `build`; what is left is reported the next time.
const MAX_PACKETS: usize = 3;

/// When the packets of a transport arrived.
#[derive(Debug, Default)]
pub(crate) struct TwccRecorder {
    epoch: Option<Instant>,
    seqs: SeqExtender,
    /// By index modulo the window: ticks since the epoch, which may wrap. Made with the first packet: most participants of a large call
    /// send none.
    arrivals: Box<[Option<u32>]>,
    /// The first index to report next.
    next: u64,
    /// One past the highest index that arrived.
    end: u64,
    feedback_count: u8,
}

impl TwccRecorder {
    /// Notes the arrival of the packet with this transport-wide number. Only the first arrival of a number counts.
    pub(crate) fn record(&mut self, seq: SeqNo, now: Instant) {
        let Some(index) = self.seqs.extend(seq) else { return };
        if self.epoch.is_none() {
            self.arrivals = vec![None; WINDOW as usize].into_boxed_slice();
            (self.next, self.end) = (index, index);
        }
        let epoch = *self.epoch.get_or_insert(now);
        if index >= self.end {
            self.advance(index + 1);
        } else if index + WINDOW < self.end {
            return;
        }
        let ticks = ticks(now.saturating_duration_since(epoch));
        let slot = self.slot(index);
        if slot.is_none() {
            *slot = Some(ticks);
            self.next = self.next.min(index);
        }
    }

    /// Appends feedback about everything recorded since the last call; nothing if there is nothing. Gives the number of packets.
    pub(crate) fn build(&mut self, out: &mut Vec<u8>, from: u32, media: u32) -> usize {
        (0..MAX_PACKETS).take_while(|_| self.build_one(out, from, media).is_some()).count()
    }

    /// Moves the end of the window; what falls out of it is forgotten.
    fn advance(&mut self, end: u64) {
        let cleared_from = self.end.max(end.saturating_sub(WINDOW));
        for index in cleared_from..end {
            *self.slot(index) = None;
        }
        self.end = end;
        self.next = self.next.max(end.saturating_sub(WINDOW));
    }

    fn build_one(&mut self, out: &mut Vec<u8>, from: u32, media: u32) -> Option<()> {
        let first = (self.next..self.end).find_map(|index| self.arrival(index))?;
        let reference = first / TICKS_PER_REFERENCE;
        let mut statuses = Statuses::new(reference.wrapping_mul(TICKS_PER_REFERENCE));
        let base = self.next;
        while self.next < self.end && statuses.push(self.arrival(self.next)) {
            self.next += 1;
        }
        // The last status is of a packet that came; losses before one that did not fit begin the next feedback.
        self.next -= statuses.trim();
        let start = begin(out, TRANSPORT_FEEDBACK, FORMAT_TWCC);
        out.extend_from_slice(&from.to_be_bytes());
        out.extend_from_slice(&media.to_be_bytes());
        out.extend_from_slice(&SeqNo::of_index(base).0.to_be_bytes());
        out.extend_from_slice(&((statuses.len & 0xffff) as u16).to_be_bytes());
        out.extend_from_slice(&(reference << 8 | u32::from(self.feedback_count)).to_be_bytes());
        statuses.put(out);
        out.resize(start + (out.len() - start).next_multiple_of(4), 0);
        end(out, start);
        self.feedback_count = self.feedback_count.wrapping_add(1);
        Some(())
    }

    fn arrival(&self, index: u64) -> Option<u32> {
        self.arrivals[(index % WINDOW) as usize]
    }

    fn slot(&mut self, index: u64) -> &mut Option<u32> {
        &mut self.arrivals[(index % WINDOW) as usize]
    }
}

/// The clock of feedback, which wraps with the reference time: after twelve days.
fn ticks(since_epoch: std::time::Duration) -> u32 {
    let whole = since_epoch.as_secs().wrapping_mul(TICKS_PER_SECOND);
    let ticks = whole.wrapping_add(u64::from(since_epoch.subsec_micros()) / 250);
    (ticks & 0xffff_ffff) as u32
}

/// The statuses and deltas of one feedback packet.
struct Statuses {
    symbols: [Symbol; WINDOW as usize],
    deltas: [i16; WINDOW as usize],
    len: usize,
    delta_count: usize,
    delta_bytes: usize,
    newest: u32,
}

impl Statuses {
    fn new(reference_ticks: u32) -> Self {
        Self {
            symbols: [Symbol::Missing; WINDOW as usize],
            deltas: [0; WINDOW as usize],
            len: 0,
            delta_count: 0,
            delta_bytes: 0,
            newest: reference_ticks,
        }
    }

    /// Adds the next status; false when it has no room or its delta does not fit 16 bits.
    fn push(&mut self, arrival: Option<u32>) -> bool {
        let delta = arrival.map(|ticks| ticks.wrapping_sub(self.newest).cast_signed());
        let (symbol, bytes) = match delta {
            None => (Symbol::Missing, 0),
            Some(0..=255) => (Symbol::SmallDelta, 1),
            Some(_) => (Symbol::LargeDelta, 2),
        };
        let Ok(delta) = delta.map(i16::try_from).transpose() else { return false };
        // At worst a chunk of two bytes holds seven statuses.
        let size = (self.len / 7 + 1) * 2 + self.delta_bytes + bytes;
        let Some(slot) = self.symbols.get_mut(self.len).filter(|_| size <= MAX_FEEDBACK_BYTES) else { return false };
        *slot = symbol;
        self.len += 1;
        if let (Some(delta), Some(ticks)) = (delta, arrival) {
            self.deltas[self.delta_count] = delta;
            self.delta_count += 1;
            self.delta_bytes += bytes;
            self.newest = ticks;
        }
        true
    }

    /// Removes losses from the end; how many.
    fn trim(&mut self) -> u64 {
        let before = self.len;
        while self.len > 0 && self.symbols[self.len - 1] == Symbol::Missing {
            self.len -= 1;
        }
        (before - self.len) as u64
    }

    fn put(&self, out: &mut Vec<u8>) {
        let symbols = &self.symbols[..self.len];
        put_chunks(out, symbols);
        let received = symbols.iter().filter(|symbol| **symbol != Symbol::Missing);
        for (symbol, delta) in received.zip(&self.deltas) {
            let [high, low] = delta.to_be_bytes();
            match symbol {
                Symbol::LargeDelta => out.extend_from_slice(&[high, low]),
                Symbol::SmallDelta | Symbol::Missing => out.push(low),
            }
        }
    }
}

#[cfg(test)]
#[path = "twcc_tests.rs"]
mod tests;
