//! The way of events from the calls to one connection: a bounded queue that never makes a call wait. Overflow policy: the queue is
//! closed for good and its reader learns so after what was queued before; the connection then ends, and its client joins again
//! with a true picture instead of going on with a wrong one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::event::Delivery;

/// Events queued for one connection. Its task only moves them on, so a full queue means a starved process; a larger number hides
/// that for longer.
pub(super) const CAPACITY: usize = 256;

/// With fewer places free than this, what is of the moment is left out, so that it never ends a connection.
const SPARE: usize = CAPACITY / 2;

/// Makes a queue: the sending end for [`super::Calls`], the receiving end for the connection.
pub fn outbox() -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let overrun = Arc::new(AtomicBool::new(false));
    (Outbox { sender, overrun: Arc::clone(&overrun) }, Inbox { receiver, overrun })
}

/// The sending end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    sender: mpsc::Sender<Delivery>,
    overrun: Arc<AtomicBool>,
}

impl Outbox {
    /// Queues an event, or closes the queue when it is full. What is of the moment is dropped long before.
    pub fn push(&self, delivery: Delivery) {
        if self.overrun.load(Ordering::Acquire) || delivery.event.is_of_the_moment() && self.sender.capacity() < SPARE {
            return;
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(delivery) {
            self.overrun.store(true, Ordering::Release);
        }
    }
}

/// The receiving end.
#[derive(Debug)]
pub struct Inbox {
    receiver: mpsc::Receiver<Delivery>,
    overrun: Arc<AtomicBool>,
}

/// What the receiving end takes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// An event.
    Delivery(Delivery),
    /// Events were lost; nothing further will come.
    Overrun,
}

impl Inbox {
    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Taken {
        if self.overrun.load(Ordering::Acquire) {
            // What is queued has a gap after it; the connection ends either way.
            return Taken::Overrun;
        }
        match self.receiver.recv().await {
            Some(delivery) => Taken::Delivery(delivery),
            // Every sending end is gone. The connection keeps one itself, so this is its own end.
            None => Taken::Overrun,
        }
    }
}

#[cfg(test)]
mod tests {
    use webcall_media::ParticipantId;

    use super::*;
    use crate::calls::{CallEvent, Emoji};

    fn renegotiate() -> Delivery {
        Delivery { to: ParticipantId(1), event: CallEvent::Renegotiate }
    }

    #[tokio::test]
    async fn events_come_out_as_they_went_in() {
        let (outbox, mut inbox) = outbox();
        outbox.push(renegotiate());
        assert_eq!(inbox.next().await, Taken::Delivery(renegotiate()));
    }

    #[tokio::test]
    async fn reactions_are_dropped_long_before_the_queue_is_full() {
        let (outbox, mut inbox) = outbox();
        let event = CallEvent::Reaction { participant: ParticipantId(2), emoji: Emoji::parse("👍").unwrap() };
        for _ in 0..2 * CAPACITY {
            outbox.push(Delivery { to: ParticipantId(1), event: event.clone() });
        }
        for _ in 0..SPARE - 1 {
            outbox.push(renegotiate());
        }
        let mut reactions = 0;
        while matches!(inbox.next().await, Taken::Delivery(Delivery { event: CallEvent::Reaction { .. }, .. })) {
            reactions += 1;
        }
        assert_eq!(reactions, CAPACITY - SPARE + 1);
    }

    #[tokio::test]
    async fn a_full_queue_ends_instead_of_skipping_events() {
        let (outbox, mut inbox) = outbox();
        for _ in 0..CAPACITY {
            outbox.push(renegotiate());
        }
        assert_eq!(inbox.next().await, Taken::Delivery(renegotiate()));
        outbox.push(renegotiate());
        outbox.push(renegotiate()); // one too many
        assert_eq!(inbox.next().await, Taken::Overrun);
        outbox.push(renegotiate());
        assert_eq!(inbox.next().await, Taken::Overrun);
    }
}
