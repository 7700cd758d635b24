//! What waits for a device until it fetches it: welcomes, which stand with their commits, and messages of their own.

use sqlx::FromRow;

use super::{Result, Store, on_reader, on_writer};
use crate::id::{DeviceId, InboxId, RoomId, UserId};
use crate::time::Timestamp;

/// All welcomes of a device but the `$3` newest.
pub(super) const TRIM_WELCOMES: &str = "delete from e2ee_inbox where id in (select id from e2ee_inbox \
    where user_id = $1 and device_id = $2 and body is null order by id desc limit 1000 offset $3)";

/// A message for one device.
#[derive(Clone, Copy, Debug)]
pub struct NewInboxMessage<'a> {
    /// Its identifier.
    pub id: InboxId,
    /// In which group, 17 bytes.
    pub group: &'a [u8],
    /// Of which room.
    pub room: RoomId,
    /// Whose device.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// Opaque.
    pub body: &'a [u8],
    /// When.
    pub at: Timestamp,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedToInbox {
    /// It waits.
    Added,
    /// As many wait as may; it was not added.
    Full,
    /// No such device counts in the room; nothing was added.
    NotCounting,
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct InboxRow {
    /// Its identifier. They rise.
    pub id: InboxId,
    /// Of which group, 17 bytes.
    pub group_id: Vec<u8>,
    /// Of a welcome: in which its commit was made. Nothing for a message.
    pub epoch: Option<i64>,
    /// Nothing for a welcome whose commit is no longer kept.
    pub body: Option<Vec<u8>>,
    /// Since when it waits.
    pub created_at: Timestamp,
}

impl Store {
    /// Leaves a message for a device that counts in the room, unless `max` wait for it.
    pub async fn add_to_inbox(&self, new: &NewInboxMessage<'_>, max: i64) -> Result<AddedToInbox> {
        let sql = "insert into e2ee_inbox (id, user_id, device_id, group_id, body, created_at) \
                   select $1, d.user_id, d.device_id, $2, $3, $4 from e2ee_devices d \
                   join members m on m.user_id = d.user_id and m.room_id = $5 where d.user_id = $6 and d.device_id = $7 \
                   and (select count(*) from e2ee_inbox where user_id = $6 and device_id = $7 and body is not null) < $8";
        let added = on_writer!(self, pool => {
            let insert = sqlx::query::<Db>(sql).bind(new.id).bind(new.group).bind(new.body).bind(new.at).bind(new.room);
            insert.bind(new.user).bind(new.device).bind(max).execute(pool).await?.rows_affected()
        });
        if added == 1 {
            return Ok(AddedToInbox::Added);
        }
        let sql = "select d.device_id from e2ee_devices d join members m on m.user_id = d.user_id and m.room_id = $1 \
                   where d.user_id = $2 and d.device_id = $3";
        let counts: Option<(DeviceId,)> = on_reader!(self, pool => {
            sqlx::query_as::<Db, _>(sql).bind(new.room).bind(new.user).bind(new.device).fetch_optional(pool).await?
        });
        Ok(if counts.is_some() { AddedToInbox::Full } else { AddedToInbox::NotCounting })
    }

    /// The oldest that waits for a device, `limit` at most.
    pub async fn inbox(&self, user: UserId, device: DeviceId, limit: i64) -> Result<Vec<InboxRow>> {
        let sql = "select i.id, i.group_id, i.epoch, coalesce(i.body, c.welcome) as body, i.created_at from e2ee_inbox i \
                   left join e2ee_commits c on c.group_id = i.group_id and c.epoch = i.epoch \
                   where i.user_id = $1 and i.device_id = $2 order by i.id limit $3";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, InboxRow>(sql).bind(user).bind(device).bind(limit).fetch_all(pool).await?
        }))
    }

    /// Removes what a user's device has fetched. Returns whether it was there.
    pub async fn remove_from_inbox(&self, id: InboxId, user: UserId) -> Result<bool> {
        let sql = "delete from e2ee_inbox where id = $1 and user_id = $2";
        let removed = on_writer!(self, pool => sqlx::query::<Db>(sql).bind(id).bind(user).execute(pool).await?.rows_affected());
        Ok(removed == 1)
    }

    /// Removes what has waited since before `cutoff`, `limit` at most. Returns how many.
    pub async fn forget_inbox(&self, cutoff: Timestamp, limit: i64) -> Result<u64> {
        let sql =
            "delete from e2ee_inbox where id in (select id from e2ee_inbox where created_at < $1 order by created_at limit $2)";
        Ok(on_writer!(self, pool => sqlx::query::<Db>(sql).bind(cutoff).bind(limit).execute(pool).await?.rows_affected()))
    }
}
