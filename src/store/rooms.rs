//! Rooms: adding, listing, renaming, changing the link, deleting. Who may is decided by `rooms::policy`, not here.

use serde::Serialize;
use sqlx::FromRow;

use super::audit::{AuditEntry, record};
use super::messages::{EntryRow, LoggedRow};
use super::{Result, Store, in_transaction, on_reader};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// The text of a query for rooms as one of their members sees them.
macro_rules! select_rooms {
    ($which:literal) => {
        concat!(
            "select r.id, r.name, r.encryption, r.strict, r.link_code, r.created_at, r.member_count, m.role, r.kind, r.first_seq, r.last_seq, ",
            "m.read_seq, r.topic, r.locked, r.slow_mode_s, r.retention_days, m.chat_muted ",
            "from members m join rooms r on r.id = m.room_id ",
            $which
        )
    };
}

/// Bodies in a list of rooms, so that it stays small: a longer message is fetched when the room is opened.
const MAX_PREVIEW_BYTES: i64 = 4_096;

/// A room to add.
#[derive(Clone, Debug)]
pub struct NewRoom<'a> {
    /// The identifier.
    pub id: RoomId,
    /// The name.
    pub name: &'a str,
    /// What keeps it from the server; never changes.
    pub protection: Protection,
    /// The code in the link.
    pub link_code: &'a str,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A stored room as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RoomRow {
    /// The identifier.
    pub id: RoomId,
    /// The name.
    pub name: String,
    /// How the room is encrypted.
    pub encryption: Encryption,
    /// Whether its calls hide from the server who speaks.
    pub strict: bool,
    /// The code in the link.
    pub link_code: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many members it has.
    pub member_count: i64,
    /// The standing of the one who looks.
    pub role: Role,
    /// A room, or a direct conversation.
    pub kind: RoomKind,
    /// The first entry of its log that is still there; above `last_seq` when none is.
    pub first_seq: i64,
    /// The last entry of its log; 0 for none ever.
    pub last_seq: i64,
    /// The last entry that the one who looks has read.
    pub read_seq: i64,
    /// What it is about; may be empty.
    pub topic: String,
    /// Whether only moderators and the owner write.
    pub locked: bool,
    /// A member's messages are so far apart, seconds; 0 for any.
    pub slow_mode_s: i64,
    /// Entries older than this are removed; never without.
    pub retention_days: Option<i64>,
    /// Whether the one who looks may read but not write.
    pub chat_muted: bool,
}

/// What kind of room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RoomKind {
    /// Has a name, a link and an owner.
    Room,
    /// A conversation of a few people, all alike.
    Direct,
}

/// How a room is encrypted: said when it is made, never changed. No statement here writes it to a room that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Encryption {
    /// Not end-to-end: the server could read and listen.
    Open,
    /// Between its members' devices, which share the keys of an MLS group (RFC 9420).
    Mls,
}

/// What keeps a room's contents from the server: said when it is made, never changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection {
    /// How it is encrypted.
    pub encryption: Encryption,
    /// Whether its calls hide from the server who speaks; only where they are encrypted.
    pub strict: bool,
}

impl Protection {
    /// A new id that says whether the room is encrypted.
    pub fn room_id(self, now: Timestamp) -> RoomId {
        match self.encryption {
            Encryption::Mls => RoomId::of_encrypted(now),
            Encryption::Open => RoomId::new(now),
        }
    }
}

impl From<Encryption> for Protection {
    fn from(encryption: Encryption) -> Self {
        Self { encryption, strict: false }
    }
}

/// What to change in a room; what is not named stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomUpdate<'a> {
    /// A new name.
    pub name: Option<&'a str>,
    /// A new code in the link.
    pub link_code: Option<&'a str>,
    /// A new topic.
    pub topic: Option<&'a str>,
    /// Locked or not.
    pub locked: Option<bool>,
    /// Slow mode, seconds.
    pub slow_mode_s: Option<i64>,
    /// For how many days entries are kept; the inner `None` is for ever.
    pub retention_days: Option<Option<i64>>,
}

/// A room as one who holds its link sees it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LinkedRoom {
    /// The identifier.
    pub id: RoomId,
    /// The name.
    pub name: String,
    /// How it is encrypted.
    pub encryption: Encryption,
    /// Whether its calls hide from the server who speaks.
    pub strict: bool,
}

/// What became of a new room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedRoom {
    /// The room and its owner's membership are there.
    Added,
    /// The user is in as many rooms as allowed; nothing was added.
    TooManyRooms,
}

impl Store {
    /// Adds a room with its owner as the only member, unless the owner is in `max_rooms` already.
    pub async fn add_room(&self, room: &NewRoom<'_>, owner: UserId, max_rooms: i64) -> Result<AddedRoom> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(
                "insert into rooms (id, name, encryption, strict, link_code, created_at, member_count) values ($1, $2, $3, $4, $5, $6, 1)",
            )
            .bind(room.id)
            .bind(room.name)
            .bind(room.protection.encryption)
            .bind(room.protection.strict)
            .bind(room.link_code)
            .bind(room.created_at)
            .execute(&mut *tx)
            .await?;
            let added = sqlx::query::<Db>(super::members::INSERT)
                .bind(room.id)
                .bind(owner)
                .bind(Role::Owner)
                .bind(room.created_at)
                .bind(max_rooms)
                .execute(&mut *tx)
                .await?;
            if added.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedRoom::TooManyRooms);
            }
            tx.commit().await?;
        });
        Ok(AddedRoom::Added)
    }

    /// The rooms of a user, newest first. Their number is bounded where they are joined.
    pub async fn rooms_of(&self, user: UserId) -> Result<Vec<RoomRow>> {
        let sql = select_rooms!("where m.user_id = $1 order by r.created_at desc, r.id desc");
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, RoomRow>(sql).bind(user).fetch_all(pool).await?))
    }

    /// One room as this member sees it; nothing for who is not a member.
    pub async fn room_of(&self, room: RoomId, user: UserId) -> Result<Option<RoomRow>> {
        let sql = select_rooms!("where m.room_id = $1 and m.user_id = $2");
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, RoomRow>(sql).bind(room).bind(user).fetch_optional(pool).await?))
    }

    /// The last entry of each of a user's rooms; without its body when that is longer than [`MAX_PREVIEW_BYTES`].
    pub async fn last_entries_of(&self, user: UserId) -> Result<Vec<(RoomId, EntryRow)>> {
        let sql = concat!(
            "select m.room_id, m.seq, m.id, m.kind, m.sender, m.sent_at, m.target, ",
            "case when length(m.body) <= $2 then m.body end as body from members own ",
            "join rooms r on r.id = own.room_id join messages m on m.room_id = r.id and m.seq = r.last_seq where own.user_id = $1"
        );
        let rows: Vec<LoggedRow> = on_reader!(self, pool => {
            sqlx::query_as::<Db, LoggedRow>(sql).bind(user).bind(MAX_PREVIEW_BYTES).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(|row| (row.room_id, row.entry)).collect())
    }

    /// The last entry of a room; without its body when that is longer than [`MAX_PREVIEW_BYTES`].
    pub async fn last_entry(&self, room: RoomId) -> Result<Option<EntryRow>> {
        let sql = "select seq, id, kind, sender, sent_at, target, case when length(body) <= $2 then body end as body \
                   from messages where room_id = $1 order by seq desc limit 1";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, EntryRow>(sql).bind(room).bind(MAX_PREVIEW_BYTES).fetch_optional(pool).await?
        }))
    }

    /// The room that a link leads to.
    pub async fn room_by_link(&self, link_code: &str) -> Result<Option<LinkedRoom>> {
        let sql = "select id, name, encryption, strict from rooms where link_code = $1 and kind = 'room'";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, LinkedRoom>(sql).bind(link_code).fetch_optional(pool).await?))
    }

    /// Changes a room and records the acts. Returns whether the room was there.
    pub async fn update_room(&self, room: RoomId, update: &RoomUpdate<'_>, acts: &[AuditEntry]) -> Result<bool> {
        let sql = "update rooms set name = coalesce($1, name), link_code = coalesce($2, link_code), topic = coalesce($3, topic), \
                   locked = coalesce($4, locked), slow_mode_s = coalesce($5, slow_mode_s), \
                   retention_days = case when $6 then $7 else retention_days end where id = $8";
        in_transaction!(self, tx => {
            let updated = sqlx::query::<Db>(sql)
                .bind(update.name)
                .bind(update.link_code)
                .bind(update.topic)
                .bind(update.locked)
                .bind(update.slow_mode_s)
                .bind(update.retention_days.is_some())
                .bind(update.retention_days.flatten())
                .bind(room)
                .execute(&mut *tx)
                .await?;
            if updated.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
            record!(tx, acts);
            tx.commit().await?;
        });
        Ok(true)
    }

    /// Deletes a room and all memberships. Its log, its files and the commits of its group are removed little by little afterwards. Returns who was a member, if it
    /// was there.
    pub async fn delete_room(&self, room: RoomId) -> Result<Option<Vec<UserId>>> {
        in_transaction!(self, tx => {
            // Locks the room's row, as whoever joins does: nobody is deleted with the room who is not named.
            let sql = "update rooms set member_count = 0 where id = $1";
            if sqlx::query::<Db>(sql).bind(room).execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(None);
            }
            let sql = "delete from members where room_id = $1 returning user_id";
            let members: Vec<(UserId,)> = sqlx::query_as::<Db, _>(sql).bind(room).fetch_all(&mut *tx).await?;
            let sql = "insert into e2ee_removed_histories (history_id) select history_id from e2ee_groups where room_id = $1";
            sqlx::query::<Db>(sql).bind(room).execute(&mut *tx).await?;
            sqlx::query::<Db>("delete from rooms where id = $1").bind(room).execute(&mut *tx).await?;
            sqlx::query::<Db>("insert into removed_rooms (room_id) values ($1) on conflict do nothing")
                .bind(room)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(Some(members.into_iter().map(|(user,)| user).collect()))
        })
    }

    /// How many rooms there are, for the metrics page.
    pub async fn count_rooms(&self) -> Result<i64> {
        let (count,): (i64,) =
            on_reader!(self, pool => sqlx::query_as::<Db, _>("select count(*) from rooms").fetch_one(pool).await?);
        Ok(count)
    }
}
