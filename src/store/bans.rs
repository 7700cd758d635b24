//! Bans: who cannot become a member of a room. Joining looks here (`members.rs`); both lock the room's row first, so that nobody
//! slips in beside a ban.

use sqlx::FromRow;

use super::audit::{AuditEntry, record};
use super::{Result, Store, in_transaction, on_reader};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// A user to ban; must exist.
#[derive(Clone, Copy, Debug)]
pub struct NewBan {
    /// From which room.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
    /// Their role when it was decided; none for who is no member.
    pub role: Option<Role>,
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Bans that the room may have.
    pub max_bans: i64,
}

/// What became of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanOutcome {
    /// The user is banned, and no longer a member if they were one.
    Banned,
    /// The user was banned before; nothing changed.
    Before,
    /// The user's role is no longer the expected one, or the room is gone; nothing changed.
    RoleChanged,
    /// The room has as many bans as allowed; nothing changed.
    TooMany,
}

/// A stored ban.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BanRow {
    /// Who is banned.
    pub user_id: UserId,
    /// Their name.
    pub username: String,
    /// By whom.
    pub banned_by: UserId,
    /// When.
    pub banned_at: Timestamp,
}

impl Store {
    /// Bans a user from a room, ends their membership and records the act: all or nothing.
    pub async fn ban(&self, ban: NewBan, act: &AuditEntry) -> Result<BanOutcome> {
        in_transaction!(self, tx => {
            // Locks the room's row, as joining does.
            let sql = "update rooms set member_count = member_count - $1 where id = $2";
            let was_member = i64::from(ban.role.is_some());
            let room = sqlx::query::<Db>(sql).bind(was_member).bind(ban.room).execute(&mut *tx).await?.rows_affected();
            let sql = "delete from members where room_id = $1 and user_id = $2 returning role";
            let role: Option<(Role,)> = sqlx::query_as::<Db, _>(sql).bind(ban.room).bind(ban.user).fetch_optional(&mut *tx).await?;
            if room == 0 || role.map(|(role,)| role) != ban.role {
                tx.rollback().await?;
                return Ok(BanOutcome::RoleChanged);
            }
            let sql = "insert into bans (room_id, user_id, banned_by, banned_at) values ($1, $2, $3, $4) on conflict do nothing";
            let added = sqlx::query::<Db>(sql).bind(ban.room).bind(ban.user).bind(ban.by).bind(ban.at);
            let added = added.execute(&mut *tx).await?.rows_affected();
            let sql = "select count(*) from bans where room_id = $1";
            let (count,): (i64,) = sqlx::query_as::<Db, _>(sql).bind(ban.room).fetch_one(&mut *tx).await?;
            if added == 0 || count > ban.max_bans {
                tx.rollback().await?;
                return Ok(if added == 0 { BanOutcome::Before } else { BanOutcome::TooMany });
            }
            record!(tx, [act]);
            tx.commit().await?;
            Ok(BanOutcome::Banned)
        })
    }

    /// Lifts a ban and records the act. Returns whether there was one.
    pub async fn unban(&self, room: RoomId, user: UserId, act: &AuditEntry) -> Result<bool> {
        in_transaction!(self, tx => {
            let lifted = sqlx::query::<Db>("delete from bans where room_id = $1 and user_id = $2")
                .bind(room)
                .bind(user)
                .execute(&mut *tx)
                .await?;
            if lifted.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
            record!(tx, [act]);
            tx.commit().await?;
            Ok(true)
        })
    }

    /// The bans of a room, newest first. Their number is bounded where they are made.
    pub async fn bans_of(&self, room: RoomId) -> Result<Vec<BanRow>> {
        let sql = "select b.user_id, u.username, b.banned_by, b.banned_at from bans b join users u on u.id = b.user_id \
                   where b.room_id = $1 order by b.banned_at desc, b.user_id desc";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, BanRow>(sql).bind(room).fetch_all(pool).await?))
    }
}
