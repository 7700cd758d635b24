//! What waits to be written to one TCP connection. A client that reads slowly loses media, as it would on a slow path over UDP; it
//! neither blocks the engine nor makes it remember more than a fixed number of bytes.
//!
//! A message goes in whole or not at all, and what was begun is finished, so that the framing holds.

use std::collections::VecDeque;

/// Media that waits, bytes: 200 ms at 2.5 Mbit/s. More is late when it arrives, less cuts keyframes.
const MAX_MEDIA_BYTES: usize = 64 << 10;
/// Bytes up to which answers are still taken, so that a client whose media is late can still end its allocation.
const MAX_BYTES: usize = MAX_MEDIA_BYTES + (8 << 10);
/// The type of a Data indication (RFC 8656 §17).
const DATA_INDICATION: [u8; 2] = [0x00, 0x17];

/// The queue of one connection.
#[derive(Default)]
pub struct SendQueue {
    bytes: VecDeque<u8>,
    dropped: u64,
}

impl SendQueue {
    /// Adds a message; false when it was dropped because too much waits.
    pub fn push(&mut self, message: &[u8]) -> bool {
        let is_media = matches!(message.first(), Some(0x40..=0x7f)) || message.starts_with(&DATA_INDICATION);
        let max = if is_media { MAX_MEDIA_BYTES } else { MAX_BYTES };
        let fits = self.bytes.len() + message.len() <= max;
        if fits {
            self.bytes.extend(message);
        } else {
            self.dropped += 1;
        }
        fits
    }

    /// What can be written next; empty when nothing waits.
    pub fn front(&self) -> &[u8] {
        self.bytes.as_slices().0
    }

    /// Forgets what was written from the front.
    pub fn written(&mut self, bytes: usize) {
        self.bytes.drain(..bytes.min(self.bytes.len()));
    }

    /// Messages that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(len: usize) -> Vec<u8> {
        let mut message = vec![0x40; 4];
        message.resize(len, 7);
        message
    }

    /// Group 16 of the security tests.
    #[test]
    fn a_client_that_does_not_read_costs_a_fixed_number_of_bytes_and_its_answers_still_fit() {
        let mut queue = SendQueue::default();
        let taken = (0..1_000).filter(|_| queue.push(&media(1_200))).count();
        assert_eq!(taken, MAX_MEDIA_BYTES / 1_200);
        assert_eq!(queue.dropped(), 1_000 - taken as u64);
        assert!(queue.push(&[1, 4, 0, 4]), "an answer");
        assert!(!queue.push(&[&DATA_INDICATION[..], &[0; 1_200]].concat()));
        while queue.push(&[1, 4, 0, 4]) {}
        assert!(queue.bytes.len() <= MAX_BYTES);
    }

    #[test]
    fn messages_leave_whole_and_in_order_however_little_is_written_at_a_time() {
        let mut queue = SendQueue::default();
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for round in 0..2_000_usize {
            let message = media(4 + round * 37 % 900);
            if queue.push(&message) {
                sent.extend(message);
            }
            let written = queue.front().len().min(round * 13 % 500);
            received.extend(&queue.front()[..written]);
            queue.written(written);
        }
        while !queue.front().is_empty() {
            let front = queue.front().to_vec();
            queue.written(front.len());
            received.extend(front);
        }
        assert_eq!(received, sent);
        assert!(queue.dropped() > 0);
    }
}
