//! What waits for a device until it fetches it: welcomes, which stand with their commits, and messages of their own.

use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::commits::KEEP_LESS;
use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{DeviceId, HistoryId, InboxId, RoomId, UserId};
use crate::time::Timestamp;

/// Of welcomes of a device into one group the last four stay: whoever was put out and brought in again while away was there in between, too.
pub(super) const DROP_EARLIEST_WELCOMES: &str = "delete from e2ee_inbox where user_id = $1 and device_id = $2 and history_id = $3 and body is null \
    and epoch < (select epoch from e2ee_inbox where user_id = $1 and device_id = $2 and history_id = $3 and body is null \
                 order by epoch desc limit 1 offset 3)";
/// All welcomes of a device but `$3`: those into conversations that others opened with its user go first, then the oldest. So strangers who open
/// conversations push out nothing but the welcomes of one another.
pub(super) const TRIM_WELCOMES: &str = "delete from e2ee_inbox where id in (select i.id from e2ee_inbox i \
    left join e2ee_groups g on g.history_id = i.history_id left join members m on m.room_id = g.room_id and m.user_id = i.user_id \
    where i.user_id = $1 and i.device_id = $2 and i.body is null order by coalesce(m.unasked, true), i.id desc limit 1000 offset $3)";

/// A message for one device.
#[derive(Clone, Copy, Debug)]
pub struct NewInboxMessage<'a> {
    /// Its identifier.
    pub id: InboxId,
    /// Of which group.
    pub history: HistoryId,
    /// Who leaves it.
    pub sender: UserId,
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

/// What is looked for among what waits.
#[derive(Clone, Copy, Debug)]
pub struct InboxOf {
    /// Whose.
    pub user: UserId,
    /// For which device.
    pub device: DeviceId,
    /// Welcomes into this group only.
    pub into: Option<[u8; 17]>,
}

/// How much may wait for one device.
#[derive(Clone, Copy, Debug)]
pub struct InboxLimits {
    /// Messages.
    pub messages: i64,
    /// Messages, beyond which none is left by way of a conversation that others opened with the device's user.
    pub unasked: i64,
    /// Messages of one sender.
    pub of_sender: i64,
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
    /// Of a welcome: its commit, as long as it is kept.
    pub commit_bytes: Option<Vec<u8>>,
    /// Since when it waits.
    pub created_at: Timestamp,
}

impl Store {
    /// Leaves a message for a device that counts in the room, unless as many wait for it as may.
    pub async fn add_to_inbox(&self, new: &NewInboxMessage<'_>, limits: InboxLimits) -> Result<AddedToInbox> {
        let sql = "insert into e2ee_inbox (id, user_id, device_id, history_id, body, created_at, sender) \
                   select $1, d.user_id, d.device_id, $2, $3, $4, $9 from e2ee_devices d \
                   join members m on m.user_id = d.user_id and m.room_id = $5 where d.user_id = $6 and d.device_id = $7 \
                   and (select count(*) from e2ee_inbox where user_id = $6 and device_id = $7 and body is not null) \
                       < case when m.unasked then cast($10 as bigint) else cast($8 as bigint) end \
                   and (select count(*) from e2ee_inbox where user_id = $6 and device_id = $7 and sender = $9) < $11";
        let added = on_writer!(self, pool => {
            let insert = sqlx::query::<Db>(sql).bind(new.id).bind(new.history).bind(new.body).bind(new.at).bind(new.room);
            let insert = insert.bind(new.user).bind(new.device).bind(limits.messages).bind(new.sender);
            insert.bind(limits.unasked).bind(limits.of_sender).execute(pool).await?.rows_affected()
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

    /// The oldest that waits for a device, `limit` at most and not more than fit `max_bytes`, but one if there is one; and whether there is more.
    pub async fn inbox(&self, of: &InboxOf, limit: i64, max_bytes: usize) -> Result<(Vec<InboxRow>, bool)> {
        let sql = "select i.id, g.id as group_id, i.epoch, coalesce(i.body, c.welcome) as body, c.commit_bytes, i.created_at from e2ee_inbox i \
                   join e2ee_groups g on g.history_id = i.history_id \
                   left join e2ee_commits c on c.history_id = i.history_id and c.epoch = i.epoch \
                   where i.user_id = $1 and i.device_id = $2 and ($4 or i.body is null and g.id = $5) order by i.id limit $3";
        let (is_all, group) = (of.into.is_none(), of.into.unwrap_or_default());
        let (mut items, mut bytes) = (Vec::new(), 0);
        on_reader!(self, pool => {
            let query = sqlx::query_as::<Db, InboxRow>(sql).bind(of.user).bind(of.device).bind(limit + 1);
            let mut rows = query.bind(is_all).bind(&group[..]).fetch(pool);
            while let Some(item) = rows.try_next().await? {
                bytes += [&item.body, &item.commit_bytes].into_iter().flatten().map(Vec::len).sum::<usize>();
                let is_too_much = items.len() as i64 == limit || bytes > max_bytes && !items.is_empty();
                if is_too_much {
                    return Ok((items, true));
                }
                items.push(item);
            }
        });
        Ok((items, false))
    }

    /// Removes what a user's device has fetched, and a welcome for which nobody else waits. Returns whether it was there.
    pub async fn remove_from_inbox(&self, id: InboxId, user: UserId) -> Result<bool> {
        let sql = "delete from e2ee_inbox where id = $1 and user_id = $2 returning history_id, epoch";
        in_transaction!(self, tx => {
            // The group first, as whoever adds a commit holds it before what waits for the devices that it adds.
            let hold = "update e2ee_groups set kept_bytes = kept_bytes where history_id = \
                        (select history_id from e2ee_inbox where id = $1 and user_id = $2)";
            sqlx::query::<Db>(hold).bind(id).bind(user).execute(&mut *tx).await?;
            let removed = sqlx::query_as::<Db, (HistoryId, Option<i64>)>(sql).bind(id).bind(user).fetch_optional(&mut *tx).await?;
            if let Some((history, Some(epoch))) = removed {
                // Of two that are the last at the same moment neither may see it; the welcome then goes when it is old.
                let sql = "select cast(length(welcome) as bigint) from e2ee_commits where history_id = $1 and epoch = $2 \
                           and welcome is not null and not exists (select 1 from e2ee_inbox where history_id = $1 and epoch = $2)";
                let bytes: Option<(i64,)> = sqlx::query_as::<Db, _>(sql).bind(history).bind(epoch).fetch_optional(&mut *tx).await?;
                if let Some((bytes,)) = bytes {
                    sqlx::query::<Db>(KEEP_LESS).bind(history).bind(bytes).execute(&mut *tx).await?;
                    let sql = "update e2ee_commits set welcome = null where history_id = $1 and epoch = $2";
                    sqlx::query::<Db>(sql).bind(history).bind(epoch).execute(&mut *tx).await?;
                }
            }
            tx.commit().await?;
            Ok(removed.is_some())
        })
    }

    /// Removes what has waited since before `cutoff`, `limit` at most. Returns how many.
    pub async fn forget_inbox(&self, cutoff: Timestamp, limit: i64) -> Result<u64> {
        let sql =
            "delete from e2ee_inbox where id in (select id from e2ee_inbox where created_at < $1 order by created_at limit $2)";
        Ok(on_writer!(self, pool => sqlx::query::<Db>(sql).bind(cutoff).bind(limit).execute(pool).await?.rows_affected()))
    }
}
