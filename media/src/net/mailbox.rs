//! How requests of the server and letters of other workers reach a worker: a bounded queue and a wake-up. A worker looks inside only when told that there is
//! something, so that no packet meets the lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::tcp::TcpConnection;
use crate::api::{Levels, Offer, Wish};
use crate::error::MediaError;
use crate::handover::{Letter, WorkerSet};
use crate::id::{ParticipantId, RoomId, Source, TcpId};
use crate::turn::TurnConfig;

/// Requests waiting for one worker. A worker takes them all each turn; more than this waiting means that it is stuck or drowning,
/// and the caller is told `media_busy`.
const MAX_WAITING: usize = 1024;

/// A request to a worker.
pub(crate) enum Command {
    Join {
        room: RoomId,
        participant: ParticipantId,
        /// The other workers that have a part of the room.
        others: WorkerSet,
        levels: Levels,
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
    /// A TCP connection came.
    Connect(TcpConnection),
    /// The TURN engine takes new settings.
    ReloadTurn(Box<TurnConfig>),
    /// What another worker says.
    Read(Letter),
    /// Asks whether the worker's loop turns.
    Ping {
        reply: oneshot::Sender<()>,
    },
    /// For the tests of crash containment.
    Crash,
    Stop,
}

impl Command {
    fn must_arrive(&self) -> bool {
        match self {
            Self::Leave { .. } | Self::ReloadTurn(_) | Self::Stop => true,
            Self::Read(letter) => !letter.word.is_passing(),
            _ => false,
        }
    }
}

pub(crate) struct Mailbox {
    waiting: Mutex<VecDeque<Command>>,
    is_filled: AtomicBool,
    is_rung: AtomicBool,
    /// TCP connections that have something, each once.
    ready: Mutex<Vec<TcpId>>,
    has_ready: AtomicBool,
    waker: mio::Waker,
}

impl Mailbox {
    pub(crate) fn new(waker: mio::Waker) -> Self {
        let no = || AtomicBool::new(false);
        Self { waiting: Mutex::default(), is_filled: no(), is_rung: no(), ready: Mutex::default(), has_ready: no(), waker }
    }

    /// Puts a request in. Some are taken even when full: they must not be lost, and there are no more of them than participants and
    /// publications.
    pub(crate) fn send(&self, command: Command) -> Result<(), MediaError> {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING && !command.must_arrive() {
                return Err(MediaError::Busy);
            }
            waiting.push_back(command);
        }
        self.is_filled.store(true, Ordering::Release);
        self.waker.wake().map_err(|_| MediaError::Busy)
    }

    /// Wakes the worker for packets of another one, once for all that come before it looks.
    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // A worker that cannot be woken is gone.
            let _ = self.waker.wake();
        }
    }

    /// Says that a TCP connection has something, or has ended. It is not said again before the worker has looked.
    pub(super) fn tell_ready(&self, connection: TcpId) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.has_ready.store(true, Ordering::Release);
        self.ring();
    }

    /// The TCP connections that have something.
    pub(super) fn take_ready(&self) -> Vec<TcpId> {
        if !self.has_ready.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The worker looks for such packets after this.
    pub(crate) fn answer_ring(&self) {
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> VecDeque<Command> {
        if !self.is_filled.swap(false, Ordering::Acquire) {
            return VecDeque::new();
        }
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
