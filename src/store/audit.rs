//! The audit log: what owners and moderators did, for the owner to read. An act is recorded in the transaction that does it, by
//! `record!`, so that neither is ever there without the other; what is done in a call changes no table and is recorded by itself.
//!
//! A room keeps its newest [`MAX_ACTS`]. Acts are rate-limited where they are done, so that nobody hides one behind many others soon.

use serde::Serialize;
use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader};
use crate::id::{ActId, RoomId, UserId};
use crate::time::Timestamp;

/// Acts kept for each room, about 600 kB. Counting them costs a millisecond with each act; years' worth in a room with order in it.
pub const MAX_ACTS: i64 = 5_000;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AuditAct {
    /// The room has another name: the detail.
    Rename,
    /// The room has another link.
    ResetLink,
    /// The room has another topic: the detail.
    Topic,
    /// Only moderators write.
    Lock,
    /// Everybody writes again.
    Unlock,
    /// Messages are so many seconds apart: the detail.
    SlowMode,
    /// Messages are kept for so many days: the detail; for ever when it is empty.
    Retention,
    /// The subject has another role: the detail.
    Role,
    /// The subject owns the room.
    HandOver,
    /// The subject is no longer a member.
    Remove,
    /// The subject is no longer a member and cannot become one.
    Ban,
    /// The subject can become a member again.
    Unban,
    /// The subject may not write.
    MuteInChat,
    /// The subject may write again.
    UnmuteInChat,
    /// A message of the subject was pinned: the detail is its identifier.
    Pin,
    /// A message of the subject is no longer pinned.
    Unpin,
    /// A message of the subject was deleted.
    DeleteMessage,
    /// In the call, a source of the subject was switched off: the detail.
    Forbid,
    /// In the call, the subject may switch a source on again: the detail.
    Allow,
    /// The subject was removed from the call.
    RemoveFromCall,
}

/// An act to record.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// In which room.
    pub room: RoomId,
    /// When.
    pub at: Timestamp,
    /// Whose act.
    pub actor: UserId,
    /// What.
    pub act: AuditAct,
    /// Whom it was done to.
    pub subject: Option<UserId>,
    /// A new name, topic, role or number; see [`AuditAct`].
    pub detail: String,
}

/// A recorded act.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditRow {
    /// Sorts by time.
    pub id: ActId,
    /// When.
    pub at: Timestamp,
    /// Whose act.
    pub actor: UserId,
    /// Their name; none once the account is gone.
    pub actor_name: Option<String>,
    /// What.
    pub act: AuditAct,
    /// Whom it was done to.
    pub subject: Option<UserId>,
    /// Their name; none once the account is gone.
    pub subject_name: Option<String>,
    /// A new name, topic, role or number; see [`AuditAct`].
    pub detail: String,
}

pub(super) const INSERT: &str =
    "insert into audit_log (room_id, id, at, actor, act, subject, detail) values ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const TRIM: &str = "delete from audit_log where room_id = $1 and id <= \
                               (select id from audit_log where room_id = $1 order by id desc limit 1 offset $2)";

/// Records `&AuditEntry`s (anything that can be gone through) in the transaction `$tx` of `in_transaction!`, and drops what is then too much.
macro_rules! record {
    ($tx:ident, $entries:expr) => {{
        let mut recorded_in = None;
        for entry in $entries {
            let entry: &$crate::store::AuditEntry = entry;
            sqlx::query::<Db>($crate::store::audit::INSERT)
                .bind(entry.room)
                .bind($crate::id::ActId::new(entry.at))
                .bind(entry.at)
                .bind(entry.actor)
                .bind(entry.act)
                .bind(entry.subject)
                .bind(&entry.detail)
                .execute(&mut *$tx)
                .await?;
            recorded_in = Some(entry.room);
        }
        if let Some(room) = recorded_in {
            let trim = sqlx::query::<Db>($crate::store::audit::TRIM).bind(room).bind($crate::store::MAX_ACTS);
            trim.execute(&mut *$tx).await?;
        }
    }};
}

pub(super) use record;

impl Store {
    /// Records an act that changed nothing in the store. One in a room that was deleted meanwhile is dropped with it.
    pub async fn record_act(&self, entry: &AuditEntry) -> Result<()> {
        in_transaction!(self, tx => {
            let room: Option<(RoomId,)> =
                sqlx::query_as::<Db, _>("select id from rooms where id = $1").bind(entry.room).fetch_optional(&mut *tx).await?;
            if room.is_some() {
                record!(tx, [entry]);
            }
            tx.commit().await?;
        });
        Ok(())
    }

    /// The acts in a room, newest first, from the one before `before`.
    pub async fn acts_of(&self, room: RoomId, before: Option<ActId>, limit: i64) -> Result<Vec<AuditRow>> {
        let sql = "select a.id, a.at, a.actor, u.username as actor_name, a.act, a.subject, s.username as subject_name, a.detail \
                   from audit_log a left join users u on u.id = a.actor left join users s on s.id = a.subject \
                   where a.room_id = $1 and a.id < $2 order by a.id desc limit $3";
        // Above every identifier of version 7.
        let before = before.unwrap_or(ActId::from_bytes([0xff; 16]));
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, AuditRow>(sql).bind(room).bind(before).bind(limit).fetch_all(pool).await?
        }))
    }
}
