//! What one turn of a worker produced: datagrams in one contiguous buffer, and events for the server.
//!
//! The buffer is reused from turn to turn, so that nothing is allocated for a packet once it has grown to what a turn needs.

use crate::api::MediaEvent;
use crate::transport::Path;

/// One datagram in [`Outbox::bytes`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transmit {
    pub(crate) path: Path,
    start: usize,
    len: usize,
}

/// What collects before it is to be sent, bytes: less than a second-level cache, so that the kernel copies what is still in it.
const FULL_BYTES: usize = 256 << 10;

#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    transmits: Vec<Transmit>,
    pub(crate) events: Vec<MediaEvent>,
}

impl Outbox {
    /// Adds a finished datagram.
    pub(crate) fn push(&mut self, path: Path, datagram: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.transmits.push(Transmit { path, start, len: datagram.len() });
    }

    /// Lets `write` fill up to `capacity` bytes in place and say how many it used; `None` takes the datagram back.
    pub(crate) fn write(&mut self, path: Path, capacity: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let start = self.bytes.len();
        self.bytes.resize(start + capacity, 0);
        let len = write(&mut self.bytes[start..]).filter(|len| *len <= capacity);
        self.bytes.truncate(start + len.unwrap_or(0));
        if let Some(len) = len {
            self.transmits.push(Transmit { path, start, len });
        }
        len.is_some()
    }

    /// The datagrams in the order they were added.
    pub(crate) fn transmits(&self) -> &[Transmit] {
        &self.transmits
    }

    /// The bytes of consecutive datagrams, which lie next to one another.
    pub(crate) fn contents(&self, run: &[Transmit]) -> &[u8] {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return &[] };
        &self.bytes[first.start..last.start + last.len]
    }

    /// Whether it should be sent before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    /// Forgets the datagrams, keeps the memory and the events.
    pub(crate) fn clear_transmits(&mut self) {
        self.bytes.clear();
        self.transmits.clear();
    }
}

impl Transmit {
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
