//! Read markers, many in one transaction: when a message reaches a busy room, each who looks at it moves their own, and hundreds of commits
//! of one row would keep the writers of messages waiting. What arrives while the last transaction commits goes into the next.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::{mpsc, oneshot};

use super::chunks::fetch_chunks;
use super::{Databases, Result, Store, StoreError, in_transaction};
use crate::id::{RoomId, UserId};

/// Markers that wait. A longer queue only makes answers late.
const QUEUE: usize = 4_096;
/// Markers in one transaction.
const BATCH: usize = 1_024;

const BEFORE: &str = "with marks (room_id, user_id, seq) as (";
/// Forwards only and not beyond the log.
const AFTER: &str = ") update members set read_seq = marks.seq from marks \
                     where members.room_id = marks.room_id and members.user_id = marks.user_id and members.read_seq < marks.seq \
                     and marks.seq <= (select last_seq from rooms where rooms.id = marks.room_id) \
                     returning members.room_id, members.user_id";

/// Whose marker.
type Whose = (RoomId, UserId);

struct Mark {
    whose: Whose,
    seq: i64,
    reply: oneshot::Sender<Result<bool>>,
}

/// The queue of the writer. Cheap to clone; the writer ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Marking(mpsc::Sender<Mark>);

impl Marking {
    /// Starts the writer.
    pub(super) fn start(databases: &Databases) -> Self {
        let (queue, marks) = mpsc::channel(QUEUE);
        tokio::spawn(write(databases.clone(), marks));
        Self(queue)
    }
}

impl Store {
    /// Moves a member's read marker, forwards only and not beyond the log. Returns after the commit whether it moved to this entry.
    pub async fn mark_read(&self, room: RoomId, user: UserId, seq: i64) -> Result<bool> {
        let (reply, answer) = oneshot::channel();
        let too_many = |_| StoreError::Unavailable("too many read markers wait".to_owned());
        self.marking.0.try_send(Mark { whose: (room, user), seq, reply }).map_err(too_many)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("its writer is gone".to_owned())))
    }
}

async fn write(databases: Databases, mut marks: mpsc::Receiver<Mark>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while marks.recv_many(&mut waiting, BATCH).await > 0 {
        let furthest = furthest(&waiting);
        let mut moved = move_all(&databases, &furthest).await;
        if moved.as_ref().is_err_and(StoreError::is_conflict) {
            moved = move_all(&databases, &furthest).await;
        }
        for Mark { whose, seq, reply } in waiting.drain(..) {
            let answer = match &moved {
                // Whoever was overtaken by their own other window moved nothing.
                Ok(moved) => Ok(moved.contains(&whose) && furthest[&whose] == seq),
                Err(error) => Err(error.again()),
            };
            let _ = reply.send(answer);
        }
    }
}

/// The furthest of each marker: a statement changes a row once. In one order, so that two servers do not wait for each other.
fn furthest(marks: &[Mark]) -> BTreeMap<Whose, i64> {
    let mut furthest = BTreeMap::new();
    for mark in marks {
        let seq = furthest.entry(mark.whose).or_insert(mark.seq);
        *seq = mark.seq.max(*seq);
    }
    furthest
}

async fn move_all(databases: &Databases, marks: &BTreeMap<Whose, i64>) -> Result<BTreeSet<Whose>> {
    let rows: Vec<(Whose, i64)> = marks.iter().map(|(whose, seq)| (*whose, *seq)).collect();
    in_transaction!(databases, tx => {
        let moved = fetch_chunks!(tx, Db, &rows => Whose, BEFORE, |mut row, ((room, user), seq)| {
            row.push_bind(*room).push_bind(*user).push_bind(*seq);
        }, AFTER);
        tx.commit().await?;
        Ok(moved.into_iter().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_of_one_member_the_furthest_counts() {
        let (room, anna, boris) = (RoomId::from_bytes([1; 16]), UserId::from_bytes([2; 16]), UserId::from_bytes([3; 16]));
        let mark = |user, seq| Mark { whose: (room, user), seq, reply: oneshot::channel().0 };
        let marks = [mark(boris, 4), mark(anna, 7), mark(anna, 5)];
        assert_eq!(furthest(&marks), BTreeMap::from([((room, anna), 7), ((room, boris), 4)]));
    }
}
