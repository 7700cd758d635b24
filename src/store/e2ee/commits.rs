//! Commits of groups: one for each epoch, together with the state that it leads to and the welcomes for those whom it adds; and what goes
//! of them when it is old, too much, or of a group that is gone.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::groups::{Counting, HOLD_COUNTING, REMEMBER};
use super::inbox::{DROP_EARLIEST_WELCOMES, TRIM_WELCOMES};
use super::{Result, Store, in_transaction, on_reader};
use crate::id::{HistoryId, InboxId, RoomId};
use crate::store::members::HOLD_ROOM;
use crate::time::Timestamp;

/// Notes that so many bytes less are kept of a group, if it is still there.
pub(super) const KEEP_LESS: &str = "update e2ee_groups set kept_bytes = kept_bytes - $2 where history_id = $1";
/// Holds the row of a group, if it is still there. Whoever changes commits holds it first, as whoever adds one does: nobody then waits for a
/// commit while another who has that waits for the group.
const HOLD_GROUP: &str = "update e2ee_groups set kept_bytes = kept_bytes where history_id = $1";
/// The oldest of a group, a few at a time.
const DROP_OLDEST: &str = "delete from e2ee_commits where history_id = $1 and epoch in \
     (select epoch from e2ee_commits where history_id = $1 order by epoch limit 20) \
     returning cast(length(commit_bytes) + coalesce(length(welcome), 0) as bigint) as bytes";

/// A commit to add.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// Of which room.
    pub room: RoomId,
    /// In which history.
    pub history: HistoryId,
    /// In which epoch it was made.
    pub epoch: i64,
    /// Its bytes.
    pub commit: &'a [u8],
    /// For those whom it adds.
    pub welcome: Option<&'a [u8]>,
    /// Of the next epoch.
    pub group_info: &'a [u8],
    /// What the server knows of the group in the next epoch.
    pub state: &'a [u8],
    /// Who made it.
    pub by: Counting<'a>,
    /// Whom it adds; each finds the welcome in its inbox.
    pub added: &'a [Counting<'a>],
    /// What may be kept.
    pub limits: CommitLimits,
    /// When.
    pub at: Timestamp,
}

/// What may be kept.
#[derive(Clone, Copy, Debug)]
pub struct CommitLimits {
    /// That wait for one device, into all groups; of more, those go first that the user did not ask for, then the oldest.
    pub welcomes: i64,
    /// Commits and welcomes of one group; of more, the oldest go.
    pub kept_bytes: i64,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedCommit {
    /// It is there, and its welcomes wait.
    Added,
    /// The group is in another epoch, or gone; nothing was changed.
    OtherEpoch,
    /// A device no longer counts, or the room is gone; nothing was changed.
    NotCounting,
}

/// A stored commit.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CommitRow {
    /// In which it was made.
    pub epoch: i64,
    /// Its bytes.
    pub commit_bytes: Vec<u8>,
}

impl Store {
    /// Adds a commit and takes its group to the next epoch, if the group is in the epoch of the commit and everybody counts.
    pub async fn add_commit(&self, new: &NewCommit<'_>) -> Result<AddedCommit> {
        let size_bytes = i64::try_from(new.commit.len() + new.welcome.map_or(0, <[u8]>::len)).unwrap_or(i64::MAX);
        let mut devices: Vec<&Counting<'_>> = std::iter::once(&new.by).chain(new.added).collect();
        // In one order, so that no two commits wait for one another.
        devices.sort_by_key(|device| (device.user, device.device));
        in_transaction!(self, tx => {
            // First, as everybody who changes memberships does: whom this adds is a member until it is committed.
            sqlx::query::<Db>(HOLD_ROOM).bind(new.room).execute(&mut *tx).await?;
            let sql = "update e2ee_groups set epoch = epoch + 1, group_info = $3, state = $4, kept_bytes = kept_bytes + $5 \
                       where history_id = $1 and epoch = $2 returning kept_bytes";
            let moved = sqlx::query_as::<Db, (i64,)>(sql).bind(new.history).bind(new.epoch).bind(new.group_info).bind(new.state);
            let Some((mut kept,)) = moved.bind(size_bytes).fetch_optional(&mut *tx).await? else {
                tx.rollback().await?;
                return Ok(AddedCommit::OtherEpoch);
            };
            for device in devices {
                let counts = sqlx::query::<Db>(HOLD_COUNTING).bind(new.room).bind(device.user).bind(device.device);
                if counts.bind(device.certificate).execute(&mut *tx).await?.rows_affected() == 0 {
                    tx.rollback().await?;
                    return Ok(AddedCommit::NotCounting);
                }
                sqlx::query::<Db>(REMEMBER).bind(new.room).bind(device.user).execute(&mut *tx).await?;
            }
            // As many bytes go at the most as come, and twenty commits more.
            while kept > new.limits.kept_bytes {
                let gone: Vec<(i64,)> = sqlx::query_as::<Db, _>(DROP_OLDEST).bind(new.history).fetch_all(&mut *tx).await?;
                let bytes: i64 = gone.iter().map(|(bytes,)| bytes).sum();
                sqlx::query::<Db>(KEEP_LESS).bind(new.history).bind(bytes).execute(&mut *tx).await?;
                kept = if gone.is_empty() { 0 } else { kept - bytes };
            }
            let sql = "insert into e2ee_commits (history_id, epoch, commit_bytes, welcome, created_at) values ($1, $2, $3, $4, $5)";
            let insert = sqlx::query::<Db>(sql).bind(new.history).bind(new.epoch).bind(new.commit).bind(new.welcome);
            insert.bind(new.at).execute(&mut *tx).await?;
            for device in new.added {
                let sql = "insert into e2ee_inbox (id, user_id, device_id, history_id, epoch, created_at) values ($1, $2, $3, $4, $5, $6)";
                let insert = sqlx::query::<Db>(sql).bind(InboxId::new(new.at)).bind(device.user).bind(device.device);
                insert.bind(new.history).bind(new.epoch).bind(new.at).execute(&mut *tx).await?;
                let earliest = sqlx::query::<Db>(DROP_EARLIEST_WELCOMES).bind(device.user).bind(device.device).bind(new.history);
                earliest.execute(&mut *tx).await?;
                let trim = sqlx::query::<Db>(TRIM_WELCOMES).bind(device.user).bind(device.device).bind(new.limits.welcomes);
                trim.execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(AddedCommit::Added)
        })
    }

    /// The commits of a group from an epoch on, in order: at most `limit`, and not more than fit `max_bytes`, but one if there is one.
    pub async fn commits(&self, history: HistoryId, from: i64, limit: i64, max_bytes: usize) -> Result<Vec<CommitRow>> {
        let sql = "select epoch, commit_bytes from e2ee_commits where history_id = $1 and epoch >= $2 order by epoch limit $3";
        let (mut commits, mut bytes) = (Vec::new(), 0);
        on_reader!(self, pool => {
            let mut rows = sqlx::query_as::<Db, CommitRow>(sql).bind(history).bind(from).bind(limit).fetch(pool);
            while let Some(commit) = rows.try_next().await? {
                bytes += commit.commit_bytes.len();
                if bytes > max_bytes && !commits.is_empty() {
                    break;
                }
                commits.push(commit);
            }
        });
        Ok(commits)
    }

    /// Removes commits from before `cutoff`, `limit` at most. Returns how many.
    pub async fn forget_commits(&self, cutoff: Timestamp, limit: i64) -> Result<u64> {
        let sql = "select history_id, epoch from e2ee_commits where created_at < $1 order by created_at limit $2";
        let delete = "delete from e2ee_commits where history_id = $1 and epoch <= $2 and created_at < $3 \
                      returning cast(length(commit_bytes) + coalesce(length(welcome), 0) as bigint)";
        in_transaction!(self, tx => {
            let old: Vec<(HistoryId, i64)> = sqlx::query_as::<Db, _>(sql).bind(cutoff).bind(limit).fetch_all(&mut *tx).await?;
            let mut removed = 0;
            for (history, epoch) in last_of_each(&old) {
                sqlx::query::<Db>(HOLD_GROUP).bind(history).execute(&mut *tx).await?;
                let delete = sqlx::query_as::<Db, (i64,)>(delete).bind(history).bind(epoch).bind(cutoff);
                let gone = delete.fetch_all(&mut *tx).await?;
                let bytes: i64 = gone.iter().map(|(bytes,)| bytes).sum();
                sqlx::query::<Db>(KEEP_LESS).bind(history).bind(bytes).execute(&mut *tx).await?;
                removed += gone.len() as u64;
            }
            tx.commit().await?;
            Ok(removed)
        })
    }

    /// Histories of groups that are gone, some of them.
    pub async fn removed_histories(&self, limit: i64) -> Result<Vec<HistoryId>> {
        let sql = "select history_id from e2ee_removed_histories order by history_id limit $1";
        let rows: Vec<(HistoryId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(history,)| history).collect())
    }

    /// Removes some of what hangs on the history of a group that is gone, `limit` rows of each kind at most. Returns whether nothing is left.
    pub async fn purge_history(&self, history: HistoryId, limit: i64) -> Result<bool> {
        in_transaction!(self, tx => {
            let mut is_empty = true;
            for sql in [
                "delete from e2ee_commits where history_id = $1 and epoch in \
                 (select epoch from e2ee_commits where history_id = $1 order by epoch limit $2)",
                "delete from e2ee_inbox where id in (select id from e2ee_inbox where history_id = $1 limit $2)",
            ] {
                let removed = sqlx::query::<Db>(sql).bind(history).bind(limit).execute(&mut *tx).await?.rows_affected();
                is_empty &= removed.cast_signed() < limit;
            }
            if is_empty {
                sqlx::query::<Db>("delete from e2ee_removed_histories where history_id = $1").bind(history).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(is_empty)
        })
    }
}

/// The last epoch of each history, in one order, so that no two transactions wait for one another.
fn last_of_each(commits: &[(HistoryId, i64)]) -> BTreeMap<HistoryId, i64> {
    let mut last = BTreeMap::new();
    for (history, epoch) in commits {
        let known = last.entry(*history).or_insert(*epoch);
        *known = (*known).max(*epoch);
    }
    last
}
