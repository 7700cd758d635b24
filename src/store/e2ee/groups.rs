//! Groups of rooms: one for each, with the history of its commits (`commits.rs`), and a new one only where nobody of the old one counts.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader};
use crate::id::{DeviceId, HistoryId, RoomId, UserId};
use crate::store::members::HOLD_ROOM;
use crate::time::Timestamp;

/// Whether a device counts in a room: its user is a member and vouches for it. Holds the device's row, so that it is not revoked until what
/// hangs on it is committed; whoever changes memberships holds the room's.
pub(super) const HOLD_COUNTING: &str = "update e2ee_devices set certificate = certificate where user_id = $2 and device_id = $3 and certificate = $4 \
     and exists (select 1 from members where room_id = $1 and user_id = $2)";
const COUNTING: &str = "select d.certificate from members m join e2ee_devices d on d.user_id = m.user_id where m.room_id = $1";

/// Whose keys are readable to members of the room from then on.
pub(super) const REMEMBER: &str =
    "insert into e2ee_ever_members (room_id, user_id) values ($1, $2) on conflict (room_id, user_id) do nothing";

/// A group to add.
#[derive(Clone, Copy, Debug)]
pub struct NewGroup<'a> {
    /// 17 bytes.
    pub id: &'a [u8],
    /// Of which room.
    pub room: RoomId,
    /// What its commits will hang on.
    pub history: HistoryId,
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
    /// What its commits hang on.
    pub history_id: HistoryId,
    /// Of the next commit.
    pub epoch: i64,
    /// Of this epoch.
    pub group_info: Vec<u8>,
    /// What the server knows of it in this epoch.
    pub state: Vec<u8>,
}

/// Where a group is, without what is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct GroupPlace {
    /// Of which room.
    pub room_id: RoomId,
    /// What its commits hang on.
    pub history_id: HistoryId,
    /// Of the next commit.
    pub epoch: i64,
}

impl Store {
    /// Adds a group, if the device that made it counts in the room and there is none yet.
    pub async fn add_group(&self, new: &NewGroup<'_>) -> Result<AddedGroup> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_ROOM).bind(new.room).execute(&mut *tx).await?;
            let counts = sqlx::query::<Db>(HOLD_COUNTING).bind(new.room).bind(new.by.user).bind(new.by.device);
            if counts.bind(new.by.certificate).execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedGroup::NotCounting);
            }
            let sql = "insert into e2ee_groups (id, room_id, history_id, epoch, group_info, state, kept_bytes, created_at) \
                       values ($1, $2, $3, 0, $4, $5, 0, $6) on conflict (id) do nothing";
            let added = sqlx::query::<Db>(sql)
                .bind(new.id)
                .bind(new.room)
                .bind(new.history)
                .bind(new.group_info)
                .bind(new.state)
                .bind(new.created_at)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if added == 1 {
                sqlx::query::<Db>(REMEMBER).bind(new.room).bind(new.by.user).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(if added == 1 { AddedGroup::Added } else { AddedGroup::Exists })
        })
    }

    /// Puts a group in the place of one with this history and in this epoch, if none of the certificates of its `leaves` counts in the room
    /// any more. What hangs on the old history is removed little by little.
    pub async fn replace_group(&self, new: &NewGroup<'_>, old: GroupPlace, leaves: &BTreeSet<Vec<u8>>) -> Result<AddedGroup> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_ROOM).bind(new.room).execute(&mut *tx).await?;
            let counts = sqlx::query::<Db>(HOLD_COUNTING).bind(new.room).bind(new.by.user).bind(new.by.device);
            if counts.bind(new.by.certificate).execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedGroup::NotCounting);
            }
            // A device that was revoked never counts again, and nobody becomes a member while the room is held.
            let counting: Vec<(Vec<u8>,)> = sqlx::query_as::<Db, _>(COUNTING).bind(new.room).fetch_all(&mut *tx).await?;
            let is_living = counting.iter().any(|(certificate,)| leaves.contains(certificate));
            let sql = "update e2ee_groups set history_id = $2, epoch = 0, group_info = $3, state = $4, kept_bytes = 0, created_at = $5 \
                       where id = $1 and history_id = $6 and epoch = $7";
            let replaced = sqlx::query::<Db>(sql).bind(new.id).bind(new.history).bind(new.group_info).bind(new.state);
            let replaced = replaced.bind(new.created_at).bind(old.history_id).bind(old.epoch);
            if is_living || replaced.execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedGroup::Exists);
            }
            sqlx::query::<Db>("insert into e2ee_removed_histories (history_id) values ($1)")
                .bind(old.history_id)
                .execute(&mut *tx)
                .await?;
            sqlx::query::<Db>(REMEMBER).bind(new.room).bind(new.by.user).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(AddedGroup::Added)
        })
    }

    /// A group, for a member of its room.
    pub async fn group(&self, id: &[u8], user: UserId) -> Result<Option<GroupRow>> {
        let sql = "select g.room_id, g.history_id, g.epoch, g.group_info, g.state from e2ee_groups g \
                   join members m on m.room_id = g.room_id and m.user_id = $2 where g.id = $1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, GroupRow>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// Where a group is, for a member of its room.
    pub async fn group_place(&self, id: &[u8], user: UserId) -> Result<Option<GroupPlace>> {
        let sql = "select g.room_id, g.history_id, g.epoch from e2ee_groups g \
                   join members m on m.room_id = g.room_id and m.user_id = $2 where g.id = $1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, GroupPlace>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// The certificates of all devices that count in a room.
    pub async fn counting_certificates(&self, room: RoomId) -> Result<Vec<Vec<u8>>> {
        let rows: Vec<(Vec<u8>,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(COUNTING).bind(room).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(certificate,)| certificate).collect())
    }
}
