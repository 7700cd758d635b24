//! The recent packets of one layer, opened, once for all its subscribers: what retransmissions are made of.
//!
//! Payloads lie one after another in a byte ring; a slot for each sequence number says where. Both are overwritten by age, so
//! that a layer's memory is fixed once it flows and nothing is allocated for a packet.

use std::time::{Duration, Instant};

use crate::codec::Codec;

/// Bytes of payload kept: 5 s of 1.5 Mbit/s, 2 s of the fastest screen. Less answers fewer late NACKs.
const RING_BYTES: usize = 1 << 20;
/// Packets kept; a power of two. 1024 are 6 s of 720p.
const SLOTS: usize = 1024;
/// A packet older than this helps no jitter buffer.
const MAX_AGE: Duration = Duration::from_secs(2);
/// The largest payload kept; larger than any UDP datagram that a browser sends.
const MAX_PAYLOAD_BYTES: usize = 2048;

pub(crate) struct PacketRing {
    bytes: Box<[u8]>,
    slots: Box<[Option<Slot>]>,
    /// Bytes written since the beginning; the place in the ring is this modulo its size.
    head: u64,
}

/// What is kept beside the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredHeader {
    pub(crate) codec: Codec,
    pub(crate) marker: bool,
}

#[derive(Clone, Copy)]
struct Slot {
    index: u64,
    start: u64,
    len: usize,
    at: Instant,
    header: StoredHeader,
}

/// A packet from the ring.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored<'a> {
    pub(crate) header: StoredHeader,
    pub(crate) payload: &'a [u8],
}

impl Default for PacketRing {
    fn default() -> Self {
        Self { bytes: vec![0; RING_BYTES].into(), slots: vec![None; SLOTS].into(), head: 0 }
    }
}

impl PacketRing {
    /// Keeps a packet by its extended sequence number. One that is too large is not kept, nor one so late that a newer one has its
    /// slot.
    pub(crate) fn push(&mut self, now: Instant, index: u64, header: StoredHeader, payload: &[u8]) {
        let is_passed = self.slots[index as usize % SLOTS].is_some_and(|slot| slot.index > index);
        if payload.len() > MAX_PAYLOAD_BYTES || is_passed {
            return;
        }
        let mut start = self.head;
        let place = start as usize % RING_BYTES;
        if place + payload.len() > RING_BYTES {
            // A payload is never split: what is left at the end stays unused this time round.
            start += (RING_BYTES - place) as u64;
        }
        let place = start as usize % RING_BYTES;
        self.bytes[place..place + payload.len()].copy_from_slice(payload);
        self.head = start + payload.len() as u64;
        self.slots[index as usize % SLOTS] = Some(Slot { index, start, len: payload.len(), at: now, header });
    }

    /// The packet of an extended sequence number, unless it was never there, overwritten or is too old.
    pub(crate) fn get(&self, index: u64, now: Instant) -> Option<Stored<'_>> {
        let slot = self.slots[index as usize % SLOTS].filter(|slot| slot.index == index)?;
        let is_overwritten = self.head - slot.start > RING_BYTES as u64;
        if is_overwritten || now.saturating_duration_since(slot.at) > MAX_AGE {
            return None;
        }
        let place = slot.start as usize % RING_BYTES;
        Some(Stored { header: slot.header, payload: self.bytes.get(place..place + slot.len)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: StoredHeader = StoredHeader { codec: Codec::Vp8, marker: true };

    fn payload(index: u64, len: usize) -> Vec<u8> {
        (0..len).map(|at| (index as usize * 31 + at) as u8).collect()
    }

    #[test]
    fn what_was_kept_comes_back_until_it_is_overwritten_and_never_as_another_packet() {
        let now = Instant::now();
        let mut ring = PacketRing::default();
        for index in 0..5_000_u64 {
            ring.push(now, index, HEADER, &payload(index, 1 + (index as usize * 7) % 1_300));
            for back in [0, 1, 500, 700, 1_023, 1_024, 3_000] {
                let Some(index) = index.checked_sub(back) else { continue };
                match ring.get(index, now) {
                    Some(stored) => assert_eq!(stored.payload, payload(index, 1 + (index as usize * 7) % 1_300)),
                    None => assert!(back >= 700, "{back} packets back is well within the ring"),
                }
            }
        }
        assert_eq!(ring.get(5_000, now), None, "not there yet");
        assert_eq!(ring.get(5_000 - 1_025, now), None, "overwritten");
    }

    #[test]
    fn a_gap_in_the_numbers_is_not_filled_with_an_old_packet() {
        let now = Instant::now();
        let mut ring = PacketRing::default();
        ring.push(now, 10, HEADER, &[1]);
        ring.push(now, 10 + SLOTS as u64 + 1, HEADER, &[2]);
        assert_eq!(ring.get(11, now), None);
        assert_eq!(ring.get(10 + SLOTS as u64, now), None);
    }

    #[test]
    fn old_and_oversized_packets_are_not_given_out() {
        let now = Instant::now();
        let mut ring = PacketRing::default();
        ring.push(now, 1, HEADER, &[7; 100]);
        ring.push(now, 2, HEADER, &[7; MAX_PAYLOAD_BYTES + 1]);
        assert_eq!(ring.get(2, now), None);
        assert!(ring.get(1, now + MAX_AGE).is_some());
        assert_eq!(ring.get(1, now + MAX_AGE + Duration::from_millis(1)), None);
    }
}
