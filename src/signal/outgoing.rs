//! The way from a connection to its socket: a bounded queue of frames and, once it is closed, the reason that goes to the client.
//! What was queued before is still sent. The connection never waits.
//!
//! Frames and bytes are bounded, for each class by itself. Beyond its bounds what the client can look up is left out, and from then on until
//! it has taken the `resync` that says so: it finds in the store what came meanwhile. What it can look up nowhere, answers and what happens
//! in calls, keeps its places; when even those are taken, the socket is closed and the client resumes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::replay::{Class, Frame};

/// Frames that wait for a socket and can be looked up. A transaction of a busy room has some hundred of them.
const MAX_CHAT_FRAMES: usize = 512;
/// Bytes of those, 48 of the largest messages. A client that takes nothing costs so much until it is given up, after 10 s.
const MAX_CHAT_BYTES: usize = 4 << 20;
/// Other frames that wait. So many mean that the client took nothing for a while; it resumes on a new socket.
const MAX_CALL_FRAMES: usize = 256;
/// Bytes of those; one frame more is always taken. As many as are kept for resuming.
const MAX_CALL_BYTES: usize = 1 << 20;

/// Why a WebSocket is closed (RFC 6455 §7.4; from 4000 on our own).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CloseCode(pub(super) u16);

impl CloseCode {
    pub(super) const GOING_AWAY: Self = Self(1001);
    pub(super) const TOO_BIG: Self = Self(1009);
    pub(super) const INTERNAL: Self = Self(1011);
    pub(super) const SERVICE_RESTART: Self = Self(1012);
    pub(super) const TRY_AGAIN_LATER: Self = Self(1013);
    pub(super) const MALFORMED: Self = Self(4400);
    pub(super) const SESSION_ENDED: Self = Self(4401);
    pub(super) const HELLO_TIMEOUT: Self = Self(4408);
    pub(super) const REPLACED: Self = Self(4409);
    pub(super) const TOO_MANY: Self = Self(4429);

    #[cfg(test)]
    pub(super) const ALL: [Self; 10] = [
        Self::GOING_AWAY,
        Self::TOO_BIG,
        Self::INTERNAL,
        Self::SERVICE_RESTART,
        Self::TRY_AGAIN_LATER,
        Self::MALFORMED,
        Self::SESSION_ENDED,
        Self::HELLO_TIMEOUT,
        Self::REPLACED,
        Self::TOO_MANY,
    ];
}

pub(super) fn outgoing() -> (Sending, Outgoing) {
    let (frames, queue) = mpsc::channel(MAX_CHAT_FRAMES + MAX_CALL_FRAMES);
    let shared = Arc::<Shared>::default();
    (Sending { frames, shared: Arc::clone(&shared), resync_seq: 0 }, Outgoing { queue, shared })
}

/// What both ends know.
#[derive(Debug, Default)]
struct Shared {
    close: OnceLock<CloseCode>,
    chat: Waiting,
    call: Waiting,
    /// The number of the last frame that the socket took.
    taken_seq: AtomicU64,
}

/// What waits of one class.
#[derive(Debug, Default)]
struct Waiting {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

impl Shared {
    fn of(&self, class: Class) -> &Waiting {
        match class {
            Class::Chat => &self.chat,
            Class::Call => &self.call,
        }
    }
}

impl Waiting {
    fn add(&self, bytes: usize) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) {
        self.frames.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Sending {
    frames: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
    /// The number of the last `resync`.
    resync_seq: u64,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotKeepingUp;

impl Sending {
    /// Queues a frame. To a socket that is gone already it does nothing: what that one passed on before may still wait to be heard.
    pub(super) fn push(&self, frame: Frame) -> Result<(), NotKeepingUp> {
        let (waiting, bytes) = (self.shared.of(frame.class), frame.text.len());
        let is_full = frame.class == Class::Call
            && (waiting.frames() >= MAX_CALL_FRAMES || waiting.frames() > 0 && waiting.bytes() + bytes > MAX_CALL_BYTES);
        // Counted first: the other end may take it at once.
        waiting.add(bytes);
        let sent = if is_full { Err(NotKeepingUp) } else { self.send(frame) };
        if sent.is_err() {
            waiting.take(bytes);
        }
        sent
    }

    fn send(&self, frame: Frame) -> Result<(), NotKeepingUp> {
        match self.frames.try_send(frame) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(NotKeepingUp),
        }
    }

    /// Whether something of so many bytes that can be looked up has a place. To be asked before it has a number.
    pub(super) fn has_room_for_chat(&self, bytes: usize) -> bool {
        let chat = &self.shared.chat;
        !self.is_resync_waiting() && chat.frames() < MAX_CHAT_FRAMES && chat.bytes() + bytes <= MAX_CHAT_BYTES
    }

    /// Whether a `resync` has not been taken yet: what is left out now is looked up because of that one.
    pub(super) fn is_resync_waiting(&self) -> bool {
        self.resync_seq > self.shared.taken_seq.load(Ordering::Acquire)
    }

    /// The frame of this number is a `resync`. To be said before it is queued.
    pub(super) fn resyncs_at(&mut self, seq: u64) {
        self.resync_seq = seq;
    }

    /// Whether half of the queue is free: the client keeps up.
    pub(super) fn is_roomy(&self) -> bool {
        self.shared.call.frames() < MAX_CALL_FRAMES / 2 && self.shared.chat.frames() < MAX_CHAT_FRAMES / 2
    }

    /// Waits until the other end is dropped.
    pub(super) async fn gone(&self) {
        self.frames.closed().await;
    }

    /// Closes the socket after what is queued.
    pub(super) fn close(self, code: CloseCode) {
        // Set before the queue's end is seen, which is when `self` is dropped.
        let _ = self.shared.close.set(code);
    }
}

/// The socket's end.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::Receiver<Frame>,
    shared: Arc<Shared>,
}

impl Outgoing {
    /// The next frame, or why there will be none.
    pub(super) async fn next(&mut self) -> Result<Frame, CloseCode> {
        match self.queue.recv().await {
            Some(frame) => {
                self.shared.of(frame.class).take(frame.text.len());
                self.shared.taken_seq.store(frame.seq, Ordering::Release);
                Ok(frame)
            }
            // Without a code the connection's task broke off.
            None => Err(self.shared.close.get().copied().unwrap_or(CloseCode::INTERNAL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(seq: u64) -> Frame {
        Frame { seq, class: Class::Call, text: seq.to_string().into() }
    }

    fn chat(seq: u64, bytes: usize) -> Frame {
        Frame { seq, class: Class::Chat, text: "x".repeat(bytes).into() }
    }

    /// Queues frames of chat as long as they have a place; how many.
    fn fill(sending: &Sending, bytes: usize) -> usize {
        (0..).take_while(|_| sending.has_room_for_chat(bytes) && sending.push(chat(1, bytes)).is_ok()).count()
    }

    #[tokio::test]
    async fn what_was_queued_goes_out_before_the_reason_for_closing() {
        let (sending, mut outgoing) = outgoing();
        sending.push(call(1)).unwrap();
        sending.push(call(2)).unwrap();
        sending.close(CloseCode::REPLACED);
        assert_eq!(outgoing.next().await, Ok(call(1)));
        assert_eq!(outgoing.next().await, Ok(call(2)));
        assert_eq!(outgoing.next().await, Err(CloseCode::REPLACED));
    }

    #[tokio::test]
    async fn a_connection_that_breaks_off_closes_its_socket_as_an_internal_error() {
        let (sending, mut outgoing) = outgoing();
        drop(sending);
        assert_eq!(outgoing.next().await, Err(CloseCode::INTERNAL));
    }

    #[test]
    fn a_queue_is_roomy_until_half_of_it_waits() {
        let (sending, _outgoing) = outgoing();
        let roomy = (0..MAX_CALL_FRAMES).take_while(|_| sending.is_roomy() && sending.push(call(1)).is_ok()).count();
        assert_eq!(roomy, MAX_CALL_FRAMES / 2);
    }

    #[test]
    fn what_can_be_looked_up_is_bounded_in_frames_and_in_bytes_and_leaves_calls_their_places() {
        for (bytes, frames) in [(1, MAX_CHAT_FRAMES), (88_000, MAX_CHAT_BYTES / 88_000), (MAX_CHAT_BYTES + 1, 0)] {
            let (sending, _outgoing) = outgoing();
            assert_eq!(fill(&sending, bytes), frames);
            for _ in 0..MAX_CALL_FRAMES {
                assert_eq!(sending.push(call(1)), Ok(()));
            }
            assert_eq!(sending.push(call(1)), Err(NotKeepingUp), "a full queue is told and never waited for");
        }
    }

    #[test]
    fn what_cannot_be_looked_up_is_bounded_in_bytes_but_one_of_any_size_is_taken() {
        let (sending, _outgoing) = outgoing();
        let large = |bytes: usize| Frame { text: "x".repeat(bytes).into(), ..call(1) };
        assert_eq!(sending.push(large(2 * MAX_CALL_BYTES)), Ok(()));
        assert_eq!(sending.push(large(1)), Err(NotKeepingUp));
        assert_eq!(sending.shared.call.frames(), 1, "what was not taken does not count");
    }

    #[tokio::test]
    async fn nothing_that_can_be_looked_up_is_queued_behind_a_resync_until_that_is_taken() {
        let (mut sending, mut outgoing) = outgoing();
        sending.push(chat(1, 10)).unwrap();
        sending.resyncs_at(2);
        sending.push(call(2)).unwrap();
        assert!(sending.is_resync_waiting() && !sending.has_room_for_chat(1));
        outgoing.next().await.unwrap();
        assert!(!sending.has_room_for_chat(1));
        outgoing.next().await.unwrap();
        assert!(sending.has_room_for_chat(1));
        assert_eq!((sending.shared.chat.bytes(), sending.shared.call.bytes()), (0, 0));
    }

    #[test]
    fn a_socket_that_is_gone_is_not_taken_for_a_slow_one() {
        let (sending, outgoing) = outgoing();
        drop(outgoing);
        assert_eq!(sending.push(call(1)), Ok(()));
    }
}
