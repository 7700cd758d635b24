//! Appending messages to the logs of rooms, many in one transaction (group commit): what arrives while the last transaction commits goes
//! into the next, so that an idle server waits for nothing and a busy one pays for one commit instead of hundreds. A message is
//! answered after the commit of its transaction and not before.
//!
//! A room always has the same writer, so what one sender queues in order is stored in order. On PostgreSQL several writers overlap their
//! commits, and several nodes may append to one room: its row is the lock that keeps the numbers without gaps.

mod batch;
mod plan;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::messages::EntryRow;
use super::{Databases, FileSet, Result, RoomKind, StoreError};
use crate::id::{MessageId, RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// Messages that wait for each writer. Some hundred milliseconds' worth of the fastest disk: a longer queue only makes answers late.
const QUEUE: usize = 2_048;
/// Bytes of bodies that wait in all queues together.
const QUEUE_BYTES: usize = 32 << 20;
/// Messages in one transaction. More would not make a message cheaper, and readers of PostgreSQL wait for the rooms' rows.
const BATCH: usize = 512;
/// Writers on PostgreSQL: while one waits for its commit, the others work. Each holds one connection of the pool.
const POSTGRES_WRITERS: usize = 4;

/// A message to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// In which room.
    pub room: RoomId,
    /// By whom.
    pub sender: UserId,
    /// Made by the sender: storing it again stores nothing.
    pub id: MessageId,
    /// Opaque.
    pub body: Vec<u8>,
    /// Complete files of the sender in this room, which belong to the message from now on.
    pub files: FileSet,
    /// When it came.
    pub sent_at: Timestamp,
}

/// The standing of a sender, as the transaction finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// A room, or a direct conversation.
    pub kind: RoomKind,
    /// In the room.
    pub role: Role,
    /// May read only.
    pub chat_muted: bool,
    /// Only moderators write.
    pub locked: bool,
    /// A member's messages are so far apart, seconds.
    pub slow_mode_s: i64,
    /// The last one; known in rooms with slow mode.
    pub last_message_at: Timestamp,
}

/// Who may write now: the policy, handed in by whoever posts.
pub type Judge = fn(&Standing, Timestamp) -> std::result::Result<(), Unwelcome>;

/// Why a member may not write now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwelcome {
    /// The room is locked.
    Locked,
    /// A moderator muted the member.
    Muted,
    /// Too soon after the last one.
    TooSoon {
        /// Seconds until it is not.
        retry_after_s: u64,
    },
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    New {
        /// As it is stored.
        entry: EntryRow,
        /// The first entry of this room in the same transaction, told with the last one: one hint covers all between.
        since: Option<i64>,
    },
    /// The same sender stored it before.
    Before(EntryRow),
    /// No such room, or not a member.
    NoSuchRoom,
    /// Another message has this identifier.
    IdTaken,
    /// Some file is not there, not complete, not the sender's, or was sent already.
    NoSuchFile,
    /// The policy says no.
    Unwelcome(Unwelcome),
}

/// A queued message: the future of its answer.
pub struct Pending(oneshot::Receiver<Result<Appended>>);

impl Pending {
    /// Waits for the commit.
    pub async fn outcome(self) -> Result<Appended> {
        self.0.await.unwrap_or_else(|_| Err(StoreError::Unavailable("its writer is gone".to_owned())))
    }
}

/// A message on its way to a writer.
struct Job {
    message: NewMessage,
    judge: Judge,
    reply: oneshot::Sender<Result<Appended>>,
    _bytes: OwnedSemaphorePermit,
}

/// The queues of the writers. Cheap to clone; the writers end with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Appending {
    writers: Arc<[mpsc::Sender<Job>]>,
    bytes: Arc<Semaphore>,
}

impl Appending {
    /// Starts the writers.
    pub(super) fn start(databases: &Databases) -> Self {
        let count = match databases {
            Databases::Sqlite { .. } => 1,
            Databases::Postgres(_) => POSTGRES_WRITERS,
        };
        let writer = |_| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            tokio::spawn(write(databases.clone(), jobs));
            queue
        };
        Self { writers: (0..count).map(writer).collect(), bytes: Arc::new(Semaphore::new(QUEUE_BYTES)) }
    }

    /// Queues a message; refuses when too much waits.
    pub(super) fn queue(&self, message: NewMessage, judge: Judge) -> Result<Pending> {
        let too_much = || StoreError::Unavailable("too many messages wait".to_owned());
        let bytes = u32::try_from(message.body.len().max(1)).map_err(|_| too_much())?;
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| too_much())?;
        // Identifiers are random in their lower bits.
        let writer = &self.writers[(message.room.as_u128() % self.writers.len() as u128) as usize];
        let (reply, answer) = oneshot::channel();
        writer.try_send(Job { message, judge, reply, _bytes: permit }).map_err(|_| too_much())?;
        Ok(Pending(answer))
    }
}

/// One writer: transactions one after the other, each of all that waits.
async fn write(databases: Databases, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut waiting, BATCH).await > 0 {
        let batch: Vec<Job> = waiting.drain(..).filter(|job| !job.reply.is_closed()).collect();
        match batch::append(&databases, &batch).await {
            Ok(appended) => answer(batch, appended.into_iter().map(Ok)),
            Err(error) if (error.is_unavailable() && !error.is_conflict()) || error.is_full() => {
                let failed = batch.iter().map(|_| Err(error.again())).collect::<Vec<_>>();
                answer(batch, failed.into_iter());
            }
            Err(_) => one_by_one(&databases, batch).await,
        }
    }
}

/// After a transaction that the database refused: another node was faster with one of its messages, or one of them is bad in a way that
/// nobody foresaw. Neither must cost the others.
async fn one_by_one(databases: &Databases, batch: Vec<Job>) {
    for job in batch {
        let alone = [job];
        let appended = batch::append(databases, &alone).await;
        let appended = appended.map(|mut appended| appended.pop().expect("one answer for each message"));
        answer(alone.into_iter().collect(), std::iter::once(appended));
    }
}

fn answer(batch: Vec<Job>, appended: impl Iterator<Item = Result<Appended>>) {
    for (job, appended) in batch.into_iter().zip(appended) {
        // Whoever asked may be gone; the message is stored all the same.
        let _ = job.reply.send(appended);
    }
}
