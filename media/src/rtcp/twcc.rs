//! Transport-wide congestion control feedback: when each packet of a publisher arrived
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). Without it Chromium sends 30 kbit/s.

use std::time::{Duration, Instant};

use super::build::packet;
use crate::units::{SeqExtender, SeqNo};

/// Packets that one feedback covers, lost ones included: what 50 ms of the fastest publisher hold, many times over.
const MAX_SPAN: usize = 512;
/// A delta is counted in quarters of a millisecond.
const TICK: Duration = Duration::from_micros(250);
/// The reference time is counted in 64 ms.
const TICKS_PER_REFERENCE: u64 = 256;

pub(crate) struct TwccRecorder {
    epoch: Option<Instant>,
    seqs: SeqExtender,
    /// The lowest number not reported yet.
    base: Option<u64>,
    /// Arrival ticks by number minus base, modulo the span; `None` where nothing arrived.
    arrivals: Box<[Option<u64>]>,
    highest: u64,
    feedbacks: u8,
}

impl Default for TwccRecorder {
    fn default() -> Self {
        let arrivals = vec![None; MAX_SPAN].into();
        Self { epoch: None, seqs: SeqExtender::default(), base: None, arrivals, highest: 0, feedbacks: 0 }
    }
}

impl TwccRecorder {
    /// Notes an arrival. What comes behind the last feedback is too late to report; what runs too far ahead drops the oldest.
    pub(crate) fn record(&mut self, seq: SeqNo, now: Instant) {
        let Some(index) = self.seqs.extend(seq) else { return };
        let epoch = *self.epoch.get_or_insert(now);
        let base = *self.base.get_or_insert(index);
        if index < base {
            return;
        }
        if index >= base + MAX_SPAN as u64 {
            let new_base = index + 1 - MAX_SPAN as u64;
            for forgotten in base..new_base.min(base + MAX_SPAN as u64) {
                self.arrivals[forgotten as usize % MAX_SPAN] = None;
            }
            self.base = Some(new_base);
        }
        let ticks = now.saturating_duration_since(epoch).as_micros() / TICK.as_micros();
        self.arrivals[index as usize % MAX_SPAN].get_or_insert(ticks as u64);
        self.highest = self.highest.max(index);
    }

    /// Writes one feedback for what arrived since the last one, as far as its deltas reach; nothing when nothing did.
    pub(crate) fn build(&mut self, out: &mut Vec<u8>, from: u32, media_ssrc: u32) {
        let Some(base) = self.base else { return };
        let arrival = |index: u64| self.arrivals[index as usize % MAX_SPAN];
        let Some(first) = (base..=self.highest).find_map(arrival) else { return };
        let reference = first / TICKS_PER_REFERENCE;
        let (mut statuses, mut deltas) = ([0u8; MAX_SPAN], [0i16; MAX_SPAN]);
        let (mut count, mut last) = (0, reference * TICKS_PER_REFERENCE);
        for index in base..=self.highest.min(base + MAX_SPAN as u64 - 1) {
            if let Some(ticks) = arrival(index) {
                // A gap that two bytes cannot hold (8 s) starts the next feedback.
                let Ok(delta) = i16::try_from(ticks as i64 - last as i64) else { break };
                statuses[count] = if (0..=255).contains(&delta) { 1 } else { 2 };
                deltas[count] = delta;
                last = ticks;
            }
            count += 1;
        }
        // What is lost at the very end may still come: it belongs to the next feedback.
        while count > 0 && statuses[count - 1] == 0 {
            count -= 1;
        }
        let feedback_count = self.feedbacks;
        packet(out, 15, 205, |body| {
            body.extend(from.to_be_bytes());
            body.extend(media_ssrc.to_be_bytes());
            body.extend((base as u16).to_be_bytes());
            body.extend((count as u16).to_be_bytes());
            body.extend(&(reference as u32).to_be_bytes()[1..]);
            body.push(feedback_count);
            write_chunks(body, &statuses[..count]);
            for (status, delta) in statuses[..count].iter().zip(deltas) {
                match status {
                    1 => body.push(delta as u8),
                    2 => body.extend(delta.to_be_bytes()),
                    _ => {}
                }
            }
        });
        self.feedbacks = self.feedbacks.wrapping_add(1);
        for index in base..base + count as u64 {
            self.arrivals[index as usize % MAX_SPAN] = None;
        }
        self.base = Some(base + count as u64);
    }
}

/// Run-length chunks for runs of more than seven, else vectors of seven two-bit symbols (§3.1.3, §3.1.4).
fn write_chunks(body: &mut Vec<u8>, statuses: &[u8]) {
    let mut rest = statuses;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|status| *status == first).count();
        let taken = if run > 7 || run == rest.len() {
            body.extend(((u16::from(*first) << 13) | run as u16).to_be_bytes());
            run
        } else {
            let seven = &rest[..rest.len().min(7)];
            let symbols = seven.iter().enumerate().fold(0u16, |word, (at, status)| word | (u16::from(*status) << (12 - 2 * at)));
            body.extend((0xc000 | symbols).to_be_bytes());
            seven.len()
        };
        rest = &rest[taken..];
    }
}

#[cfg(test)]
#[path = "twcc_tests.rs"]
mod tests;
