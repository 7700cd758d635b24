//! The way from a connection to its socket: a bounded queue of frames and, once it is closed, the reason that goes to the client.
//! What was queued before is still sent. The connection never waits: a full queue is its sign that the client does not keep up.

use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::replay::Frame;

/// Frames that wait for a socket. A full one means that the client took nothing for a while; it resumes on a new socket.
const QUEUE: usize = 256;

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
    let (frames, queue) = mpsc::channel(QUEUE);
    let close = Arc::new(OnceLock::new());
    (Sending { frames, close: Arc::clone(&close) }, Outgoing { queue, close })
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Sending {
    frames: mpsc::Sender<Frame>,
    close: Arc<OnceLock<CloseCode>>,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotKeepingUp;

impl Sending {
    /// Queues a frame. To a socket that is gone already it does nothing: what that one passed on before may still wait to be heard.
    pub(super) fn push(&self, frame: Frame) -> Result<(), NotKeepingUp> {
        match self.frames.try_send(frame) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(NotKeepingUp),
        }
    }

    /// Whether half of the queue is free: the client keeps up.
    pub(super) fn is_roomy(&self) -> bool {
        self.frames.capacity() > QUEUE / 2
    }

    /// Waits until the other end is dropped.
    pub(super) async fn gone(&self) {
        self.frames.closed().await;
    }

    /// Closes the socket after what is queued.
    pub(super) fn close(self, code: CloseCode) {
        // Set before the queue's end is seen, which is when `self` is dropped.
        let _ = self.close.set(code);
    }
}

/// The socket's end.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::Receiver<Frame>,
    close: Arc<OnceLock<CloseCode>>,
}

impl Outgoing {
    /// The next frame, or why there will be none.
    pub(super) async fn next(&mut self) -> Result<Frame, CloseCode> {
        match self.queue.recv().await {
            Some(frame) => Ok(frame),
            // Without a code the connection's task broke off.
            None => Err(self.close.get().copied().unwrap_or(CloseCode::INTERNAL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: u64) -> Frame {
        Frame { seq, text: seq.to_string().into() }
    }

    #[tokio::test]
    async fn what_was_queued_goes_out_before_the_reason_for_closing() {
        let (sending, mut outgoing) = outgoing();
        sending.push(frame(1)).unwrap();
        sending.push(frame(2)).unwrap();
        sending.close(CloseCode::REPLACED);
        assert_eq!(outgoing.next().await, Ok(frame(1)));
        assert_eq!(outgoing.next().await, Ok(frame(2)));
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
        let roomy = (0..QUEUE).take_while(|_| sending.is_roomy() && sending.push(frame(1)).is_ok()).count();
        assert_eq!(roomy, QUEUE / 2);
    }

    #[test]
    fn a_full_queue_is_told_and_never_waited_for() {
        let (sending, _outgoing) = outgoing();
        for _ in 0..QUEUE {
            assert_eq!(sending.push(frame(1)), Ok(()));
        }
        assert_eq!(sending.push(frame(1)), Err(NotKeepingUp));
    }

    #[test]
    fn a_socket_that_is_gone_is_not_taken_for_a_slow_one() {
        let (sending, outgoing) = outgoing();
        drop(outgoing);
        assert_eq!(sending.push(frame(1)), Ok(()));
    }
}
