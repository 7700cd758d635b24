//! Datagrams waiting to be taken: one buffer for all of them, reused, so that a packet allocates nothing.

use std::collections::VecDeque;
use std::ops::Range;

/// Waiting datagrams beyond this are dropped, the newest first: whoever drives the participant takes them after each call.
const MAX_WAITING: usize = 4096;

#[derive(Default)]
pub(super) struct Datagrams {
    bytes: Vec<u8>,
    waiting: VecDeque<Range<usize>>,
}

impl Datagrams {
    pub(super) fn push(&mut self, datagram: &[u8]) {
        self.write(datagram.len(), |buffer| {
            buffer.copy_from_slice(datagram);
            Some(datagram.len())
        });
    }

    /// Lets `write` fill up to `capacity` bytes and say how many it used; `None` takes the datagram back.
    pub(super) fn write(&mut self, capacity: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        if self.waiting.is_empty() {
            self.bytes.clear();
        }
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.resize(start + capacity, 0);
        let len = write(&mut self.bytes[start..]).filter(|len| *len <= capacity);
        self.bytes.truncate(start + len.unwrap_or(0));
        if let Some(len) = len {
            self.waiting.push_back(start..start + len);
        }
        len.is_some()
    }

    pub(super) fn pop(&mut self) -> Option<&[u8]> {
        self.waiting.pop_front().map(|range| &self.bytes[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_come_out_in_order_and_a_withdrawn_one_does_not() {
        let mut datagrams = Datagrams::default();
        datagrams.push(&[1, 2]);
        assert!(!datagrams.write(10, |_| None));
        assert!(datagrams.write(10, |buffer| {
            buffer[0] = 3;
            Some(1)
        }));
        assert_eq!(datagrams.pop(), Some(&[1, 2][..]));
        assert_eq!(datagrams.pop(), Some(&[3][..]));
        assert_eq!(datagrams.pop(), None);
    }

    #[test]
    fn what_nobody_takes_does_not_grow_without_bound() {
        let mut datagrams = Datagrams::default();
        for _ in 0..2 * MAX_WAITING {
            datagrams.push(&[0; 100]);
        }
        assert_eq!(datagrams.waiting.len(), MAX_WAITING);
        assert_eq!(datagrams.bytes.len(), 100 * MAX_WAITING);
    }
}
