//! How the server's requests reach a worker: a bounded queue and a wake-up. A worker looks inside only when told that there is
//! something, so that no packet meets the lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::api::{Offer, Wish};
use crate::error::MediaError;
use crate::id::{ParticipantId, RoomId, Source};

/// Requests waiting for one worker. A worker takes them all each turn; more than this waiting means that it is stuck or drowning,
/// and the caller is told `media_busy`.
const MAX_WAITING: usize = 1024;

/// A request to a worker.
pub(crate) enum Command {
    Join {
        room: RoomId,
        participant: ParticipantId,
    },
    Negotiate {
        participant: ParticipantId,
        offer: Offer,
        reply: oneshot::Sender<Result<String, MediaError>>,
    },
    Leave {
        participant: ParticipantId,
    },
    SetWishes {
        participant: ParticipantId,
        wishes: Vec<Wish>,
    },
    SetMuted {
        participant: ParticipantId,
        source: Source,
        muted: bool,
    },
    SetForbidden {
        participant: ParticipantId,
        source: Source,
        forbidden: bool,
    },
    /// Asks whether the worker's loop turns.
    Ping {
        reply: oneshot::Sender<()>,
    },
    /// For the tests of crash containment.
    Crash,
    Stop,
}

pub(crate) struct Mailbox {
    waiting: Mutex<VecDeque<Command>>,
    is_filled: AtomicBool,
    waker: mio::Waker,
}

impl Mailbox {
    pub(crate) fn new(waker: mio::Waker) -> Self {
        Self { waiting: Mutex::default(), is_filled: AtomicBool::new(false), waker }
    }

    /// Puts a request in. A leave is taken even when full: it must not be lost, and there is one for each participant at most.
    pub(crate) fn send(&self, command: Command) -> Result<(), MediaError> {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let must_arrive = matches!(command, Command::Leave { .. } | Command::Stop);
            if waiting.len() >= MAX_WAITING && !must_arrive {
                return Err(MediaError::Busy);
            }
            waiting.push_back(command);
        }
        self.is_filled.store(true, Ordering::Release);
        self.waker.wake().map_err(|_| MediaError::Busy)
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> VecDeque<Command> {
        if !self.is_filled.swap(false, Ordering::Acquire) {
            return VecDeque::new();
        }
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
