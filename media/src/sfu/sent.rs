//! What one outgoing video line sent lately: enough to make a packet again from its layer's ring, and no more.

use std::time::{Duration, Instant};

use crate::codec::{Codec, PictureIds};
use crate::units::SeqNo;

/// Packets remembered; a power of two. 512 are 3 s of 720p and half a second of the fastest screen; a NACK for an older one comes too
/// late for any jitter buffer. Each costs 32 bytes for every subscription.
const RECORDS: usize = 512;
/// A packet is sent again so many times at most: what was lost four times will not arrive.
const MAX_ANSWERS: u8 = 3;
/// Repeated requests within less than this, or a round trip, are the same request.
const MIN_REPEAT: Duration = Duration::from_millis(10);
/// Share of what the line sends that retransmissions may add, percent, and a floor for lines that send little, bytes a second:
/// repair must never starve what it repairs.
const BUDGET_PERCENT: u64 = 25;
const BUDGET_FLOOR_BYTES_PER_S: u64 = 12_500;
/// Budget saved up at most, bytes: one keyframe's worth.
const MAX_BUDGET_BYTES: u64 = 60_000;

pub(crate) struct SentLog {
    /// Made with the first packet: most lines of most seats never send one.
    entries: Box<[Option<Entry>]>,
    budget_bytes: u64,
    budget_at: Option<Instant>,
    epoch: Option<Instant>,
}

/// How one packet left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SentRecord {
    /// The publication, by a number that is never given twice in a room.
    pub(crate) serial: u32,
    pub(crate) layer: u8,
    /// The packet's number in the layer's ring.
    pub(crate) ring_index: u64,
    pub(crate) codec: Codec,
    pub(crate) rtx_payload_type: u8,
    pub(crate) timestamp: u32,
    pub(crate) picture_ids: PictureIds,
    pub(crate) payload_bytes: u16,
}

/// A record packed: a subscription's memory is mostly these.
#[derive(Clone, Copy)]
struct Entry {
    ring_index: u32,
    serial: u32,
    timestamp: u32,
    /// Milliseconds since the log's epoch; counts only once answered.
    answered_ms: u32,
    picture_ids: PictureIds,
    payload_bytes: u16,
    seq: SeqNo,
    layer: u8,
    codec: Codec,
    rtx_payload_type: u8,
    answers: u8,
}

impl Default for SentLog {
    fn default() -> Self {
        Self { entries: Box::default(), budget_bytes: MAX_BUDGET_BYTES, budget_at: None, epoch: None }
    }
}

impl SentLog {
    /// What a log takes once it flows.
    #[cfg(test)]
    pub(super) const MEMORY_BYTES: usize = size_of::<Option<Entry>>() * RECORDS;

    /// Remembers a packet by its outgoing sequence number. One whose number in the ring exceeds 32 bits, after weeks, is not.
    pub(crate) fn record(&mut self, seq: SeqNo, record: SentRecord) {
        self.earn(u64::from(record.payload_bytes) * BUDGET_PERCENT / 100);
        if self.entries.is_empty() {
            self.entries = vec![None; RECORDS].into();
        }
        self.entries[usize::from(seq.0) % RECORDS] = Entry::of(seq, record);
    }

    /// What to send again for a lost packet; `None` when it is forgotten, was just sent again, or too much was already.
    pub(crate) fn answer(&mut self, seq: SeqNo, now: Instant, rtt: Duration) -> Option<SentRecord> {
        let since = self.budget_at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.earn(BUDGET_FLOOR_BYTES_PER_S * since.as_millis().min(10_000) as u64 / 1000);
        let now_ms = now.saturating_duration_since(*self.epoch.get_or_insert(now)).as_millis() as u32;
        let entry = self.entries.get_mut(usize::from(seq.0) % RECORDS)?.as_mut().filter(|entry| entry.seq == seq)?;
        let since_answer = Duration::from_millis(u64::from(now_ms.wrapping_sub(entry.answered_ms)));
        let is_repeat = entry.answers > 0 && since_answer < rtt.max(MIN_REPEAT);
        let cost = u64::from(entry.payload_bytes);
        if is_repeat || entry.answers >= MAX_ANSWERS || cost > self.budget_bytes {
            return None;
        }
        self.budget_bytes -= cost;
        entry.answers += 1;
        entry.answered_ms = now_ms;
        Some(entry.record())
    }

    fn earn(&mut self, bytes: u64) {
        self.budget_bytes = (self.budget_bytes + bytes).min(MAX_BUDGET_BYTES);
    }
}

impl Entry {
    fn of(seq: SeqNo, record: SentRecord) -> Option<Self> {
        let SentRecord { serial, layer, ring_index, codec, rtx_payload_type, timestamp, picture_ids, payload_bytes } = record;
        let ring_index = u32::try_from(ring_index).ok()?;
        let (answered_ms, answers) = (0, 0);
        Some(Self {
            ring_index,
            serial,
            timestamp,
            answered_ms,
            picture_ids,
            payload_bytes,
            seq,
            layer,
            codec,
            rtx_payload_type,
            answers,
        })
    }

    fn record(&self) -> SentRecord {
        let &Self { serial, layer, ring_index, codec, rtx_payload_type, timestamp, picture_ids, payload_bytes, .. } = self;
        let ring_index = u64::from(ring_index);
        SentRecord { serial, layer, ring_index, codec, rtx_payload_type, timestamp, picture_ids, payload_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    fn record(ring_index: u64) -> SentRecord {
        SentRecord {
            serial: 1,
            layer: 0,
            ring_index,
            codec: Codec::Vp8,
            rtx_payload_type: 97,
            timestamp: 1,
            picture_ids: PictureIds::default(),
            payload_bytes: 1_000,
        }
    }

    #[test]
    fn a_lost_packet_is_answered_once_in_a_round_trip_and_three_times_in_all() {
        let start = Instant::now();
        let mut log = SentLog::default();
        log.record(SeqNo(7), record(70));
        let answers = (0..100).filter(|ms| log.answer(SeqNo(7), start + Duration::from_millis(ms * 10), RTT).is_some()).count();
        assert_eq!(answers, 3);
        assert_eq!(log.answer(SeqNo(8), start, RTT), None, "never sent");
    }

    #[test]
    fn an_overwritten_number_is_not_mistaken_for_the_new_one() {
        let mut log = SentLog::default();
        log.record(SeqNo(7), record(70));
        log.record(SeqNo(7 + RECORDS as u16), record(1094));
        assert_eq!(log.answer(SeqNo(7), Instant::now(), RTT), None);
        assert_eq!(log.answer(SeqNo(7 + RECORDS as u16), Instant::now(), RTT).map(|r| r.ring_index), Some(1094));
    }

    #[test]
    fn retransmissions_stay_below_their_share_however_much_is_asked() {
        let start = Instant::now();
        let mut log = SentLog::default();
        let mut answered_bytes = 0_u64;
        for ms in 0..10_000_u64 {
            let now = start + Duration::from_millis(ms);
            log.record(SeqNo(ms as u16), record(ms));
            for back in 0..50 {
                let asked = SeqNo((ms as u16).wrapping_sub(back * 7));
                answered_bytes += log.answer(asked, now, RTT).map_or(0, |record| u64::from(record.payload_bytes));
            }
        }
        let allowed = 10_000_000 * BUDGET_PERCENT / 100 + 10 * BUDGET_FLOOR_BYTES_PER_S + MAX_BUDGET_BYTES;
        assert!(answered_bytes <= allowed, "{answered_bytes} of {allowed} bytes");
        assert!(answered_bytes > allowed / 2, "and it does answer: {answered_bytes}");
    }
}
