//! Groups and their commits: one commit for each epoch, together with the state that it leads to and the welcomes for those whom it adds.

use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::inbox::TRIM_WELCOMES;
use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{DeviceId, InboxId, RoomId, UserId};
use crate::store::members::HOLD_ROOM;
use crate::time::Timestamp;

/// Whether a device counts in a room: its user is a member and vouches for it.
const COUNTS: &str = "select d.device_id from e2ee_devices d join members m on m.user_id = d.user_id and m.room_id = $1 \
                      where d.user_id = $2 and d.device_id = $3 and d.certificate = $4";

/// A group to add.
#[derive(Clone, Copy, Debug)]
pub struct NewGroup<'a> {
    /// 17 bytes.
    pub id: &'a [u8],
    /// Of which room.
    pub room: RoomId,
    /// Who made it.
    pub by: Counting<'a>,
    /// Signed by them.
    pub group_info: &'a [u8],
    /// What the server knows of it.
    pub state: &'a [u8],
    /// When.
    pub created_at: Timestamp,
}

/// A device that must count in the room.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// By which certificate.
    pub certificate: &'a [u8],
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedGroup {
    /// It is there.
    Added,
    /// One is there already; nothing was changed.
    Exists,
    /// The device that made it no longer counts, or the room is gone; nothing was added.
    NotCounting,
}

/// A stored group.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GroupRow {
    /// Of which room.
    pub room_id: RoomId,
    /// Of the next commit.
    pub epoch: i64,
    /// Of this epoch.
    pub group_info: Vec<u8>,
    /// What the server knows of it in this epoch.
    pub state: Vec<u8>,
}

/// A commit to add.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// In which group, 17 bytes.
    pub group: &'a [u8],
    /// Of which room.
    pub room: RoomId,
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
    /// Welcomes that wait for one device; of more, the oldest go.
    pub max_welcomes: i64,
    /// When.
    pub at: Timestamp,
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
    /// Adds a group, if the device that made it counts in the room and there is none yet.
    pub async fn add_group(&self, new: &NewGroup<'_>) -> Result<AddedGroup> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_ROOM).bind(new.room).execute(&mut *tx).await?;
            let counts: Option<(DeviceId,)> = sqlx::query_as::<Db, _>(COUNTS)
                .bind(new.room)
                .bind(new.by.user)
                .bind(new.by.device)
                .bind(new.by.certificate)
                .fetch_optional(&mut *tx)
                .await?;
            if counts.is_none() {
                tx.rollback().await?;
                return Ok(AddedGroup::NotCounting);
            }
            let sql = "insert into e2ee_groups (id, room_id, epoch, group_info, state, created_at) \
                       values ($1, $2, 0, $3, $4, $5) on conflict (id) do nothing";
            let added = sqlx::query::<Db>(sql)
                .bind(new.id)
                .bind(new.room)
                .bind(new.group_info)
                .bind(new.state)
                .bind(new.created_at)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            tx.commit().await?;
            Ok(if added == 1 { AddedGroup::Added } else { AddedGroup::Exists })
        })
    }

    /// A group, for a member of its room.
    pub async fn group(&self, id: &[u8], user: UserId) -> Result<Option<GroupRow>> {
        let sql = "select g.room_id, g.epoch, g.group_info, g.state from e2ee_groups g \
                   join members m on m.room_id = g.room_id and m.user_id = $2 where g.id = $1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, GroupRow>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// The certificates of all devices that count in a room.
    pub async fn counting_certificates(&self, room: RoomId) -> Result<Vec<Vec<u8>>> {
        let sql = "select d.certificate from members m join e2ee_devices d on d.user_id = m.user_id where m.room_id = $1";
        let rows: Vec<(Vec<u8>,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(room).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(certificate,)| certificate).collect())
    }

    /// Adds a commit and takes its group to the next epoch, if the group is in the epoch of the commit and everybody counts.
    pub async fn add_commit(&self, new: &NewCommit<'_>) -> Result<AddedCommit> {
        in_transaction!(self, tx => {
            // First, as everybody who changes memberships does: whom this adds is a member until it is committed.
            sqlx::query::<Db>(HOLD_ROOM).bind(new.room).execute(&mut *tx).await?;
            let sql = "update e2ee_groups set epoch = epoch + 1, group_info = $3, state = $4 where id = $1 and epoch = $2";
            let moved = sqlx::query::<Db>(sql).bind(new.group).bind(new.epoch).bind(new.group_info).bind(new.state);
            if moved.execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedCommit::OtherEpoch);
            }
            for device in std::iter::once(&new.by).chain(new.added) {
                let counts: Option<(DeviceId,)> = sqlx::query_as::<Db, _>(COUNTS)
                    .bind(new.room)
                    .bind(device.user)
                    .bind(device.device)
                    .bind(device.certificate)
                    .fetch_optional(&mut *tx)
                    .await?;
                if counts.is_none() {
                    tx.rollback().await?;
                    return Ok(AddedCommit::NotCounting);
                }
            }
            let sql = "insert into e2ee_commits (group_id, epoch, commit_bytes, welcome, created_at) values ($1, $2, $3, $4, $5)";
            let insert = sqlx::query::<Db>(sql).bind(new.group).bind(new.epoch).bind(new.commit).bind(new.welcome);
            insert.bind(new.at).execute(&mut *tx).await?;
            for device in new.added {
                let sql = "insert into e2ee_inbox (id, user_id, device_id, group_id, epoch, created_at) values ($1, $2, $3, $4, $5, $6)";
                let insert = sqlx::query::<Db>(sql).bind(InboxId::new(new.at)).bind(device.user).bind(device.device);
                insert.bind(new.group).bind(new.epoch).bind(new.at).execute(&mut *tx).await?;
                let trim = sqlx::query::<Db>(TRIM_WELCOMES).bind(device.user).bind(device.device).bind(new.max_welcomes);
                trim.execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(AddedCommit::Added)
        })
    }

    /// The commits of a group from an epoch on, in order: at most `limit`, and not more than fit `max_bytes`, but one if there is one.
    pub async fn commits(&self, group: &[u8], from: i64, limit: i64, max_bytes: usize) -> Result<Vec<CommitRow>> {
        let sql = "select epoch, commit_bytes from e2ee_commits where group_id = $1 and epoch >= $2 order by epoch limit $3";
        let (mut commits, mut bytes) = (Vec::new(), 0);
        on_reader!(self, pool => {
            let mut rows = sqlx::query_as::<Db, CommitRow>(sql).bind(group).bind(from).bind(limit).fetch(pool);
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
        let sql = "delete from e2ee_commits where (group_id, epoch) in \
                   (select group_id, epoch from e2ee_commits where created_at < $1 order by created_at limit $2)";
        Ok(on_writer!(self, pool => sqlx::query::<Db>(sql).bind(cutoff).bind(limit).execute(pool).await?.rows_affected()))
    }
}
