//! What one turn of a worker produced: datagrams in one contiguous buffer, events for the server, and what other workers are to have.
//!
//! The buffer is reused from turn to turn, so that nothing is allocated for a packet once it has grown to what a turn needs.

use std::net::SocketAddr;

use crate::api::MediaEvent;
use crate::handover::{Batch, Letter, Packets, Place, Stray, Word, WorkerId};
use crate::id::RoomId;
use crate::transport::Path;

/// One datagram in [`Outbox::bytes`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transmit {
    pub(crate) path: Path,
    start: usize,
    len: usize,
}

/// What becomes of a datagram in the outbox.
pub(crate) enum Diverted {
    /// It goes over the network.
    No,
    /// It went.
    Taken,
    /// It goes to another worker, as from this address.
    To { owner: WorkerId, from: SocketAddr },
}

/// What collects before it is to be sent, bytes: less than a second-level cache, so that the kernel copies what is still in it.
const FULL_BYTES: usize = 256 << 10;
/// Emptied batches kept for the next packets that are handed over. More than a turn hands over are of no use.
const MAX_SPARE_BATCHES: usize = 64;
/// The same for strays, of which each is one datagram.
const MAX_SPARE_STRAYS: usize = 256;

#[derive(Default)]
pub(crate) struct Outbox {
    /// Not cleared when sent: to fill it with zeros again would cost as much as the packets' headers.
    bytes: Vec<u8>,
    used: usize,
    transmits: Vec<Transmit>,
    pub(crate) events: Vec<MediaEvent>,
    /// For other workers, in order.
    pub(crate) letters: Vec<(WorkerId, Letter)>,
    pub(crate) batches: Vec<(WorkerId, Batch)>,
    spare_batches: Vec<Batch>,
    pub(crate) strays: Vec<(WorkerId, Stray)>,
    spare_strays: Vec<Stray>,
}

impl Outbox {
    /// Adds a finished datagram.
    pub(crate) fn push(&mut self, path: Path, datagram: &[u8]) {
        self.write(path, datagram.len(), |buffer| {
            buffer.copy_from_slice(datagram);
            Some(datagram.len())
        });
    }

    /// Lets `write` fill up to `capacity` bytes in place, where anything may stand, and say how many it used; `None` takes the datagram
    /// back.
    pub(crate) fn write(&mut self, path: Path, capacity: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let start = self.used;
        if self.bytes.len() < start + capacity {
            self.bytes.resize(start + capacity, 0);
        }
        let len = write(&mut self.bytes[start..start + capacity]).filter(|len| *len <= capacity);
        if let Some(len) = len {
            self.used += len;
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

    /// Says something about a room to another worker.
    pub(crate) fn say(&mut self, to: WorkerId, from: WorkerId, room: RoomId, word: Word) {
        self.letters.push((to, Letter { room, from, word }));
    }

    /// Hands packets to another worker's mirror of their publication.
    pub(crate) fn hand_over(&mut self, to: WorkerId, at: Place, serial: u32, packets: &Packets) {
        let mut batch = self.spare_batches.pop().unwrap_or_default();
        (batch.at, batch.serial) = (at, serial);
        batch.packets.copy_from(packets);
        self.batches.push((to, batch));
    }

    /// Takes a batch back whose packets nobody needs any more.
    pub(crate) fn take_back(&mut self, batch: Batch) {
        if self.spare_batches.len() < MAX_SPARE_BATCHES {
            self.spare_batches.push(batch);
        }
    }

    /// Hands a datagram to the worker that has the address it is for.
    pub(crate) fn stray(&mut self, owner: WorkerId, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let mut stray = self.spare_strays.pop().unwrap_or_default();
        stray.set(from, to, bytes);
        self.strays.push((owner, stray));
    }

    /// Takes a stray back that nobody needs any more.
    pub(crate) fn take_stray_back(&mut self, stray: Stray) {
        if self.spare_strays.len() < MAX_SPARE_STRAYS {
            self.spare_strays.push(stray);
        }
    }

    /// Takes those datagrams out that do not go over the network.
    pub(crate) fn divert(&mut self, mut judge: impl FnMut(Path, &[u8]) -> Diverted) {
        let Self { bytes, transmits, strays, spare_strays, .. } = self;
        transmits.retain(|transmit| {
            let datagram = &bytes[transmit.start..transmit.start + transmit.len];
            match judge(transmit.path, datagram) {
                Diverted::No => true,
                Diverted::Taken => false,
                Diverted::To { owner, from } => {
                    let mut stray = spare_strays.pop().unwrap_or_default();
                    stray.set(from, transmit.path.remote, datagram);
                    strays.push((owner, stray));
                    false
                }
            }
        });
    }

    /// Whether it should be sent before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.used >= FULL_BYTES
    }

    /// Forgets the datagrams, keeps the memory and the events.
    pub(crate) fn clear_transmits(&mut self) {
        self.used = 0;
        self.transmits.clear();
    }
}

impl Transmit {
    /// Whether it lies right behind the other one.
    pub(crate) fn follows(&self, previous: &Self) -> bool {
        self.start == previous.start + previous.len
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
