//! The bytes of one TCP connection on their way between the server's runtime, which reads and writes it, and the worker, which
//! understands it: a bounded ring each way. Nobody waits for the worker but the connection itself, and the worker waits for nobody.
//!
//! A connection that sends faster than the worker takes is not read meanwhile. A client that reads slowly loses media, as on a slow path
//! over UDP; a message goes in whole or not at all, so that the framing holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::Mailbox;
use crate::id::TcpId;

/// What may wait to be understood, bytes: a TLS record. Less makes connections wait for the worker's turn more often.
const INLET_BYTES: usize = 16 << 10;
/// Media that waits to be written, bytes: 200 ms at 2.5 Mbit/s. More is late when it arrives, less cuts keyframes.
const MAX_MEDIA_BYTES: usize = 64 << 10;
/// Bytes up to which answers are still taken, so that a client whose media is late can still end its allocation or keep its path.
const OUTLET_BYTES: usize = MAX_MEDIA_BYTES + (8 << 10);

/// What stands before a message on its way out.
const LENGTH_BYTES: usize = 2;
/// What is written at once, bytes: more only waits in the kernel instead of here.
const GROUP_BYTES: usize = 16 << 10;

/// What is written to a connection, by how bad its loss is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    Media,
    Answer,
}

/// What both sides see.
struct Signals {
    id: TcpId,
    mailbox: Arc<Mailbox>,
    /// The worker knows that there is something.
    is_rung: AtomicBool,
    /// The connection has ended.
    is_gone: AtomicBool,
    /// The worker has had enough of it.
    is_closed: AtomicBool,
    has_room: Notify,
    is_filled: Notify,
}

/// Takes what a connection received to its worker. When dropped, the worker forgets the connection.
pub struct TcpInlet {
    ring: rtrb::Producer<u8>,
    signals: Arc<Signals>,
}

/// Has what the worker wants written to the connection.
pub struct TcpOutlet {
    ring: rtrb::Consumer<u8>,
    signals: Arc<Signals>,
}

/// The worker's end.
pub(crate) struct WorkerEnd {
    received: rtrb::Consumer<u8>,
    to_write: rtrb::Producer<u8>,
    /// Something was put in since the connection was last told.
    is_fuller: bool,
    signals: Arc<Signals>,
}

/// The two ends of a connection whose worker has this mailbox.
pub(crate) fn pipe(id: TcpId, mailbox: Arc<Mailbox>) -> (TcpInlet, TcpOutlet, WorkerEnd) {
    let (inlet, received) = rtrb::RingBuffer::new(INLET_BYTES);
    let (to_write, outlet) = rtrb::RingBuffer::new(OUTLET_BYTES);
    let signals = Arc::new(Signals {
        id,
        mailbox,
        is_rung: AtomicBool::new(false),
        is_gone: AtomicBool::new(false),
        is_closed: AtomicBool::new(false),
        has_room: Notify::new(),
        is_filled: Notify::new(),
    });
    let worker = WorkerEnd { received, to_write, is_fuller: false, signals: signals.clone() };
    (TcpInlet { ring: inlet, signals: signals.clone() }, TcpOutlet { ring: outlet, signals }, worker)
}

impl Signals {
    /// Has the worker look, once for all that comes before it does.
    fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.mailbox.tell_ready(self.id);
        }
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

impl TcpInlet {
    /// Takes all of `bytes`, waiting for the worker where there is no room; false when the worker has closed the connection.
    pub async fn write(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            if self.signals.is_closed() {
                return false;
            }
            let (taken, rest) = self.ring.push_partial_slice(bytes);
            if !taken.is_empty() {
                self.signals.ring();
            }
            bytes = rest;
            if bytes.is_empty() {
                return true;
            }
            self.signals.has_room.notified().await;
        }
    }
}

impl Drop for TcpInlet {
    fn drop(&mut self) {
        self.signals.is_gone.store(true, Ordering::Release);
        self.signals.ring();
    }
}

/// What may be written to a connection at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    /// One message. In TLS each is to be a record of its own, because there are clients that take a record for a message.
    Single,
    /// As many as are there, up to a fair size.
    Many,
}

impl TcpOutlet {
    /// Waits for something to be written, and puts it into `buffer`, whole messages. Nothing when the worker has closed the connection.
    pub async fn read(&mut self, buffer: &mut Vec<u8>, grouping: Grouping) {
        buffer.clear();
        loop {
            // Before it is looked for what there is, so that nothing said before the end is lost.
            let is_closed = self.signals.is_closed();
            while self.read_message(buffer) && grouping == Grouping::Many && buffer.len() < GROUP_BYTES {}
            if !buffer.is_empty() || is_closed {
                return;
            }
            self.signals.is_filled.notified().await;
        }
    }

    /// Whether there was one. The worker puts a message in with its length or not at all, but not both at one moment.
    fn read_message(&mut self, buffer: &mut Vec<u8>) -> bool {
        let Ok(length) = self.ring.read_chunk(LENGTH_BYTES) else { return false };
        let (first, second) = length.as_slices();
        let len = first.iter().chain(second).fold(0, |len, byte| len << 8 | usize::from(*byte));
        let Ok(whole) = self.ring.read_chunk(LENGTH_BYTES + len) else { return false };
        let (first, second) = whole.as_slices();
        buffer.extend(first.iter().chain(second).skip(LENGTH_BYTES));
        whole.commit_all();
        true
    }
}

impl WorkerEnd {
    pub(super) fn id(&self) -> TcpId {
        self.signals.id
    }

    /// Hands on what was received, in at most two pieces that follow one another. False when the connection has ended.
    pub(super) fn receive<E>(&mut self, mut handle: impl FnMut(&[u8]) -> Result<(), E>) -> Result<bool, E> {
        // Before looking, so that what comes meanwhile rings again.
        self.signals.is_rung.swap(false, Ordering::AcqRel);
        let is_gone = self.signals.is_gone.load(Ordering::Acquire);
        let waiting = self.received.slots();
        if let Ok(chunk) = self.received.read_chunk(waiting) {
            let (first, second) = chunk.as_slices();
            handle(first)?;
            handle(second)?;
            chunk.commit_all();
            self.signals.has_room.notify_one();
        }
        Ok(!is_gone)
    }

    /// Has a message of these parts written; false when it was dropped because too much waits.
    pub(super) fn push(&mut self, weight: Weight, parts: [&[u8]; 2]) -> bool {
        let Ok(len) = u16::try_from(parts[0].len() + parts[1].len()) else { return false };
        let spare = match weight {
            Weight::Media => OUTLET_BYTES - MAX_MEDIA_BYTES,
            Weight::Answer => 0,
        };
        if self.to_write.slots() < LENGTH_BYTES + usize::from(len) + spare {
            return false;
        }
        for part in [&len.to_be_bytes(), parts[0], parts[1]] {
            self.to_write.push_entire_slice(part).expect("there is room for all parts");
        }
        self.is_fuller = true;
        true
    }

    /// Has the connection written what was pushed.
    pub(super) fn flush(&mut self) {
        if std::mem::take(&mut self.is_fuller) {
            self.signals.is_filled.notify_one();
        }
    }
}

impl Drop for WorkerEnd {
    fn drop(&mut self) {
        self.signals.is_closed.store(true, Ordering::Release);
        self.signals.has_room.notify_one();
        self.signals.is_filled.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (TcpInlet, TcpOutlet, WorkerEnd, Arc<Mailbox>, mio::Poll) {
        let poll = mio::Poll::new().unwrap();
        let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap()));
        let (inlet, outlet, worker) = pipe(TcpId(7), mailbox.clone());
        (inlet, outlet, worker, mailbox, poll)
    }

    fn received(worker: &mut WorkerEnd) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        let is_open = worker
            .receive(|bytes| {
                all.extend_from_slice(bytes);
                Ok::<_, ()>(())
            })
            .unwrap();
        (all, is_open)
    }

    /// Group 16 of the security tests of TURN.
    #[test]
    fn a_client_that_does_not_read_costs_a_fixed_number_of_bytes_and_its_answers_still_fit() {
        let (_inlet, _outlet, mut worker, ..) = ends();
        let media = [0x40; 1_200];
        let taken = (0..1_000).filter(|_| worker.push(Weight::Media, [&media, &[]])).count();
        assert_eq!(taken, MAX_MEDIA_BYTES / (1_200 + LENGTH_BYTES));
        assert!(worker.push(Weight::Answer, [&[1, 4], &[0, 4]]));
        while worker.push(Weight::Answer, [&[0; 20], &[]]) {}
        assert!(worker.to_write.slots() < 20 + LENGTH_BYTES);
        assert!(!worker.push(Weight::Answer, [&[0; 70_000], &[]]), "longer than a message can be");
    }

    #[tokio::test]
    async fn what_is_pushed_is_read_whole_and_in_order_and_then_the_end() {
        let (_inlet, mut outlet, mut worker, ..) = ends();
        let (mut sent, mut read, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..3_000_usize {
            let message = vec![round as u8; round * 37 % 900];
            if worker.push(Weight::Media, [&message[..message.len() / 2], &message[message.len() / 2..]]) {
                sent.extend(message);
            }
            worker.flush();
            if round % 2 == 0 && read.len() < sent.len() {
                outlet.read(&mut buffer, Grouping::Single).await;
                assert!(buffer.len() < 900, "one message at a time");
                read.extend_from_slice(&buffer);
            }
        }
        drop(worker);
        loop {
            outlet.read(&mut buffer, Grouping::Many).await;
            if buffer.is_empty() {
                break;
            }
            read.extend_from_slice(&buffer);
        }
        assert!(sent.len() > MAX_MEDIA_BYTES);
        assert_eq!(read, sent);
    }

    #[tokio::test]
    async fn a_connection_that_sends_too_fast_waits_until_the_worker_has_looked() {
        let (mut inlet, _outlet, mut worker, mailbox, _poll) = ends();
        let bytes: Vec<u8> = (0..40_000_u32).map(|at| at as u8).collect();
        let expected = bytes.clone();
        let writing = tokio::spawn(async move { (inlet.write(&bytes).await, inlet) });
        let mut all = Vec::new();
        while all.len() < expected.len() {
            tokio::task::yield_now().await;
            for id in mailbox.take_ready() {
                assert_eq!(id, TcpId(7));
                let (part, is_open) = received(&mut worker);
                assert!(part.len() <= INLET_BYTES && is_open);
                all.extend(part);
            }
        }
        assert_eq!(all, expected);
        let (is_taken, inlet) = writing.await.unwrap();
        assert!(is_taken);
        drop(inlet);
        assert_eq!(mailbox.take_ready(), [TcpId(7)], "its end is told");
        assert_eq!(received(&mut worker), (Vec::new(), false));
    }

    #[tokio::test]
    async fn a_connection_that_the_worker_closes_takes_nothing_more() {
        let (mut inlet, mut outlet, mut worker, ..) = ends();
        assert!(worker.push(Weight::Answer, [b"bye", &[]]));
        drop(worker);
        assert!(!inlet.write(&[1; 3]).await);
        let mut buffer = Vec::new();
        outlet.read(&mut buffer, Grouping::Single).await;
        assert_eq!(buffer, b"bye");
        outlet.read(&mut buffer, Grouping::Single).await;
        assert!(buffer.is_empty());
    }
}
