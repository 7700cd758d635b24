//! The other workers, as one of them sees them: letters go into their mailboxes; packets take a bounded ring, with one back for the
//! emptied batches, so that nothing is allocated once both have warmed up. Nobody ever waits: packets that do not fit are dropped and
//! counted by the sender.

use std::sync::Arc;

use super::{Command, Mailbox};
use crate::counters::{Counter, Counters};
use crate::handover::{Batch, WorkerId};
use crate::outbox::Outbox;

/// Batches on their way to one worker. A turn of a busy worker makes some tens; more waiting means that the other drowns.
const MAX_BATCHES: usize = 256;

/// All other workers.
pub(crate) struct Neighbours(Vec<Neighbour>);

struct Neighbour {
    worker: WorkerId,
    mailbox: Arc<Mailbox>,
    outlet: Outlet,
    inlet: Inlet,
    /// Packets went its way in this turn.
    is_to_be_rung: bool,
}

struct Outlet {
    full: rtrb::Producer<Batch>,
    empty: rtrb::Consumer<Batch>,
}

struct Inlet {
    full: rtrb::Consumer<Batch>,
    empty: rtrb::Producer<Batch>,
}

impl Neighbours {
    /// Makes everybody everybody's neighbour; gives each worker's, in the order of the mailboxes.
    pub(crate) fn introduce(mailboxes: &[Arc<Mailbox>]) -> Vec<Self> {
        let mut all: Vec<Self> = mailboxes.iter().map(|_| Self(Vec::new())).collect();
        for one in 0..mailboxes.len() {
            for other in one + 1..mailboxes.len() {
                let (there, here) = (lane(), lane());
                all[one].0.push(Neighbour::new(other, mailboxes, there.0, here.1));
                all[other].0.push(Neighbour::new(one, mailboxes, here.0, there.1));
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
        if out.batches.is_empty() {
            return;
        }
        let mut batches = std::mem::take(&mut out.batches);
        for (to, batch) in batches.drain(..) {
            let Some(neighbour) = self.0.iter_mut().find(|neighbour| neighbour.worker == to) else { continue };
            match neighbour.outlet.full.push(batch) {
                Ok(()) => neighbour.is_to_be_rung = true,
                Err(rtrb::PushError::Full(batch)) => {
                    counters.count(Counter::DropHandover);
                    out.take_back(batch);
                }
            }
        }
        // The memory is kept.
        out.batches = batches;
        for neighbour in &mut self.0 {
            while let Ok(batch) = neighbour.outlet.empty.pop() {
                out.take_back(batch);
            }
            if std::mem::take(&mut neighbour.is_to_be_rung) {
                neighbour.mailbox.ring();
            }
        }
    }

    /// Gives `take` what others have sent.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(WorkerId, &Batch)) {
        for neighbour in &mut self.0 {
            // No more than were there at the beginning would fit.
            for _ in 0..MAX_BATCHES {
                let Ok(mut batch) = neighbour.inlet.full.pop() else { break };
                take(neighbour.worker, &batch);
                batch.packets.clear();
                // With no room on the way back the sender has enough of them.
                let _ = neighbour.inlet.empty.push(batch);
            }
        }
    }
}

impl Neighbour {
    fn new(index: usize, mailboxes: &[Arc<Mailbox>], outlet: Outlet, inlet: Inlet) -> Self {
        let worker = WorkerId(index as u8);
        Self { worker, mailbox: mailboxes[index].clone(), outlet, inlet, is_to_be_rung: false }
    }
}

/// A way from one worker to another.
fn lane() -> (Outlet, Inlet) {
    let (full_in, full_out) = rtrb::RingBuffer::new(MAX_BATCHES);
    let (empty_in, empty_out) = rtrb::RingBuffer::new(MAX_BATCHES);
    (Outlet { full: full_in, empty: empty_out }, Inlet { full: full_out, empty: empty_in })
}
