//! The other workers, as one of them sees them: letters go into their mailboxes; packets take a bounded ring, with one back for the
//! emptied batches, so that nothing is allocated once both have warmed up. Nobody ever waits: packets that do not fit are dropped and
//! counted by the sender.

use std::sync::Arc;

use super::{Command, Mailbox};
use crate::counters::{Counter, Counters};
use crate::handover::{Batch, Stray, WorkerId};
use crate::outbox::Outbox;

/// Batches on their way to one worker. A turn of a busy worker makes some tens; more waiting means that the other drowns.
const MAX_BATCHES: usize = 256;
/// Strays on their way: each is one datagram of a participant behind a relay.
const MAX_STRAYS: usize = 1024;

/// All other workers.
pub(crate) struct Neighbours(Vec<Neighbour>);

struct Neighbour {
    worker: WorkerId,
    mailbox: Arc<Mailbox>,
    batches: Lanes<Batch>,
    strays: Lanes<Stray>,
    /// Something went its way in this turn.
    is_to_be_rung: bool,
}

/// The ways to a neighbour and from it.
struct Lanes<T> {
    outlet: Outlet<T>,
    inlet: Inlet<T>,
}

struct Outlet<T> {
    full: rtrb::Producer<T>,
    empty: rtrb::Consumer<T>,
}

struct Inlet<T> {
    full: rtrb::Consumer<T>,
    empty: rtrb::Producer<T>,
}

impl Neighbours {
    /// Makes everybody everybody's neighbour; gives each worker's, in the order of the mailboxes.
    pub(crate) fn introduce(mailboxes: &[Arc<Mailbox>]) -> Vec<Self> {
        let mut all: Vec<Self> = mailboxes.iter().map(|_| Self(Vec::new())).collect();
        for one in 0..mailboxes.len() {
            for other in one + 1..mailboxes.len() {
                let (batches, strays) = (lanes(MAX_BATCHES), lanes(MAX_STRAYS));
                all[one].0.push(Neighbour::new(other, mailboxes, batches.0, strays.0));
                all[other].0.push(Neighbour::new(one, mailboxes, batches.1, strays.1));
            }
        }
        all
    }

    /// Sends the letters and packets that a turn has for others, and takes emptied batches back.
    pub(crate) fn deliver(&mut self, out: &mut Outbox, counters: &Counters) {
        for (to, letter) in out.letters.drain(..) {
            if let Some(neighbour) = self.0.iter().find(|neighbour| neighbour.worker == to) {
                // Only words that are said again soon are refused, and only by a worker that drowns.
                let _ = neighbour.mailbox.send(Command::Read(letter));
            }
        }
        if out.batches.is_empty() && out.strays.is_empty() {
            return;
        }
        let (mut batches, mut strays) = (std::mem::take(&mut out.batches), std::mem::take(&mut out.strays));
        for (to, batch) in batches.drain(..) {
            let Some(neighbour) = self.0.iter_mut().find(|neighbour| neighbour.worker == to) else { continue };
            if let Some(refused) = neighbour.pass(|neighbour| &mut neighbour.batches, batch) {
                counters.count(Counter::DropHandover);
                out.take_back(refused);
            }
        }
        for (to, stray) in strays.drain(..) {
            let Some(neighbour) = self.0.iter_mut().find(|neighbour| neighbour.worker == to) else { continue };
            if let Some(refused) = neighbour.pass(|neighbour| &mut neighbour.strays, stray) {
                counters.count(Counter::DropHandover);
                out.take_stray_back(refused);
            }
        }
        // The memory is kept.
        (out.batches, out.strays) = (batches, strays);
        for neighbour in &mut self.0 {
            while let Ok(batch) = neighbour.batches.outlet.empty.pop() {
                out.take_back(batch);
            }
            while let Ok(stray) = neighbour.strays.outlet.empty.pop() {
                out.take_stray_back(stray);
            }
            if std::mem::take(&mut neighbour.is_to_be_rung) {
                neighbour.mailbox.ring();
            }
        }
    }

    /// Gives `take` the packets that others have sent.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(WorkerId, &Batch)) {
        for Neighbour { worker, batches, .. } in &mut self.0 {
            batches.inlet.empty_into(|batch| {
                take(*worker, batch);
                batch.packets.clear();
            });
        }
    }

    /// Gives `take` the strays that others have sent.
    pub(crate) fn receive_strays(&mut self, mut take: impl FnMut(&mut Stray)) {
        for neighbour in &mut self.0 {
            neighbour.strays.inlet.empty_into(&mut take);
        }
    }
}

impl Neighbour {
    fn new(index: usize, mailboxes: &[Arc<Mailbox>], batches: Lanes<Batch>, strays: Lanes<Stray>) -> Self {
        let worker = WorkerId(index as u8);
        Self { worker, mailbox: mailboxes[index].clone(), batches, strays, is_to_be_rung: false }
    }

    /// Sends something one of the ways; gives it back when that is full.
    fn pass<T>(&mut self, way: impl Fn(&mut Self) -> &mut Lanes<T>, item: T) -> Option<T> {
        match way(self).outlet.full.push(item) {
            Ok(()) => {
                self.is_to_be_rung = true;
                None
            }
            Err(rtrb::PushError::Full(item)) => Some(item),
        }
    }
}

impl<T> Inlet<T> {
    /// Gives `take` everything that is there, and gives it back.
    fn empty_into(&mut self, mut take: impl FnMut(&mut T)) {
        // No more than were there at the beginning would fit.
        for _ in 0..self.full.buffer().capacity() {
            let Ok(mut item) = self.full.pop() else { break };
            take(&mut item);
            // With no room on the way back the sender has enough of them.
            let _ = self.empty.push(item);
        }
    }
}

/// The ways between two workers, as each of them sees them.
fn lanes<T>(capacity: usize) -> (Lanes<T>, Lanes<T>) {
    let (there, here) = (lane(capacity), lane(capacity));
    (Lanes { outlet: there.0, inlet: here.1 }, Lanes { outlet: here.0, inlet: there.1 })
}

/// A way from one worker to another.
fn lane<T>(capacity: usize) -> (Outlet<T>, Inlet<T>) {
    let (full_in, full_out) = rtrb::RingBuffer::new(capacity);
    let (empty_in, empty_out) = rtrb::RingBuffer::new(capacity);
    (Outlet { full: full_in, empty: empty_out }, Inlet { full: full_out, empty: empty_in })
}
