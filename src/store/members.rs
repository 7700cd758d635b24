//! Members: joining by link, listing, changing the role, muting in chat, showing an invitation, handing over the room, removing. The writes that are
//! decided by a role say which one they expect to find, so that a decision made on an older role changes nothing.

use sqlx::FromRow;

use super::audit::{AuditEntry, record};
use super::rooms::{Encryption, RoomKind};
use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// Adds a membership unless the user has `$5` already that they asked for. On PostgreSQL two joins at the same moment may exceed that by one.
pub(super) const INSERT: &str = "insert into members (room_id, user_id, role, joined_at, read_seq) \
                                 select $1, $2, $3, $4, last_seq from rooms where id = $1 \
                                 and (select count(*) from members where user_id = $2 and not unasked) < $5";

/// Locks the room's row. Whoever appends messages holds it, too, and reads who may write under it: once a change of that is
/// acknowledged, no message that goes by the old standing is stored.
pub(super) const HOLD_ROOM: &str = "update rooms set member_count = member_count where id = $1";

/// A stored member.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MemberRow {
    /// The user.
    pub user_id: UserId,
    /// Their name.
    pub username: String,
    /// Their standing.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// May read but not write.
    pub chat_muted: bool,
}

/// A user's standing in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct StandingRow {
    /// What kind of room.
    pub kind: RoomKind,
    /// Their role.
    pub role: Role,
    /// May read but not write.
    pub chat_muted: bool,
}

/// What to change about a member; what is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberUpdate {
    /// A new role, not that of the owner.
    pub role: Option<Role>,
    /// May read but not write, or both again.
    pub chat_muted: Option<bool>,
}

/// What became of an attempt to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The user is a member now.
    Joined(RoomId),
    /// The user was one before; nothing changed.
    AlreadyMember(RoomId),
    /// No room has this link.
    NoSuchLink,
    /// The user is banned from the room.
    Banned,
    /// The room has as many members as allowed.
    RoomFull,
    /// The user is in as many rooms as allowed.
    TooManyRooms,
}

/// The most memberships that [`Store::join_room`] allows.
#[derive(Clone, Copy, Debug)]
pub struct MemberLimits {
    /// In one room.
    pub in_room: i64,
    /// Of one user.
    pub of_user: i64,
}

impl Store {
    /// Makes a user a member of the room with this link.
    pub async fn join_room(&self, link_code: &str, user: UserId, now: Timestamp, limits: MemberLimits) -> Result<Joined> {
        in_transaction!(self, tx => {
            // Counting first locks the room's row, so that what follows sees every earlier join.
            let room: Option<(RoomId, i64)> = sqlx::query_as::<Db, _>(
                "update rooms set member_count = member_count + 1 where link_code = $1 and kind = 'room' \
                 returning id, member_count",
            )
            .bind(link_code)
            .fetch_optional(&mut *tx)
            .await?;
            let Some((room, count)) = room else {
                tx.rollback().await?;
                return Ok(Joined::NoSuchLink);
            };
            let member: Option<(Role,)> = sqlx::query_as::<Db, _>("select role from members where room_id = $1 and user_id = $2")
                .bind(room)
                .bind(user)
                .fetch_optional(&mut *tx)
                .await?;
            // Here and not before: whoever bans locks the room's row as well.
            let ban: Option<(Timestamp,)> =
                sqlx::query_as::<Db, _>("select banned_at from bans where room_id = $1 and user_id = $2")
                    .bind(room)
                    .bind(user)
                    .fetch_optional(&mut *tx)
                    .await?;
            let refusal = match member {
                Some(_) => Some(Joined::AlreadyMember(room)),
                None if ban.is_some() => Some(Joined::Banned),
                None if count > limits.in_room => Some(Joined::RoomFull),
                None => None,
            };
            if let Some(refusal) = refusal {
                tx.rollback().await?;
                return Ok(refusal);
            }
            let added = sqlx::query::<Db>(INSERT)
                .bind(room)
                .bind(user)
                .bind(Role::Member)
                .bind(now)
                .bind(limits.of_user)
                .execute(&mut *tx)
                .await?;
            if added.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(Joined::TooManyRooms);
            }
            tx.commit().await?;
            Ok(Joined::Joined(room))
        })
    }

    /// The members of a room: owner first, then moderators, then by when they joined. Their number is bounded where they join.
    pub async fn members_of(&self, room: RoomId) -> Result<Vec<MemberRow>> {
        let sql = "select m.user_id, u.username, m.role, m.joined_at, m.chat_muted from members m join users u on u.id = m.user_id \
                   where m.room_id = $1 \
                   order by case m.role when 'owner' then 0 when 'moderator' then 1 else 2 end, m.joined_at, m.user_id";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, MemberRow>(sql).bind(room).fetch_all(pool).await?))
    }

    /// Who is a member of a room.
    pub async fn member_ids(&self, room: RoomId) -> Result<Vec<UserId>> {
        let sql = "select user_id from members where room_id = $1";
        let rows: Vec<(UserId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(room).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(user,)| user).collect())
    }

    /// The role of a user in a room, if they are a member.
    pub async fn role_of(&self, room: RoomId, user: UserId) -> Result<Option<Role>> {
        let sql = "select role from members where room_id = $1 and user_id = $2";
        let row: Option<(Role,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(room).bind(user).fetch_optional(pool).await?);
        Ok(row.map(|(role,)| role))
    }

    /// The standing of a user in a room, if they are a member.
    pub async fn standing_of(&self, room: RoomId, user: UserId) -> Result<Option<StandingRow>> {
        let sql = "select r.kind, m.role, m.chat_muted from members m join rooms r on r.id = m.room_id \
                   where m.room_id = $1 and m.user_id = $2";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, StandingRow>(sql).bind(room).bind(user).fetch_optional(pool).await?
        }))
    }

    /// Changes a member whose role still is `from`, and records the acts. Returns whether it was.
    pub async fn change_member(
        &self,
        room: RoomId,
        user: UserId,
        from: Role,
        update: MemberUpdate,
        acts: &[AuditEntry],
    ) -> Result<bool> {
        let sql = "update members set role = coalesce($1, role), chat_muted = coalesce($2, chat_muted) \
                   where room_id = $3 and user_id = $4 and role = $5";
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_ROOM).bind(room).execute(&mut *tx).await?;
            let changed = sqlx::query::<Db>(sql)
                .bind(update.role)
                .bind(update.chat_muted)
                .bind(room)
                .bind(user)
                .bind(from)
                .execute(&mut *tx)
                .await?;
            if changed.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
            record!(tx, acts);
            tx.commit().await?;
        });
        Ok(true)
    }

    /// What the members of a room show to be let into its group, of those who show something.
    pub async fn invitations_in(&self, room: RoomId) -> Result<Vec<(UserId, Vec<u8>)>> {
        let sql =
            "select user_id, invitation from members where room_id = $1 and invitation is not null order by joined_at, user_id";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, (UserId, Vec<u8>)>(sql).bind(room).fetch_all(pool).await?))
    }

    /// Puts an invitation in the place of the one that a member of an encrypted room shows. Returns whether it is another one.
    pub async fn show_invitation(&self, room: RoomId, user: UserId, invitation: &[u8]) -> Result<bool> {
        let sql = "update members set invitation = $1 \
                   where room_id = $2 and user_id = $3 and (invitation is null or invitation <> $1) \
                   and exists (select 1 from rooms where id = $2 and encryption <> $4)";
        let changed = on_writer!(self, pool => {
            let query = sqlx::query::<Db>(sql).bind(invitation).bind(room).bind(user).bind(Encryption::Open);
            query.execute(pool).await?.rows_affected()
        });
        Ok(changed > 0)
    }

    /// Makes the member `to`, whose role still is `from`, the owner; the owner until now becomes a moderator. Both or neither.
    /// Returns whether it was done.
    pub async fn hand_over(&self, room: RoomId, owner: UserId, to: UserId, from: Role, act: &AuditEntry) -> Result<bool> {
        // An owner who could not write would have nobody to ask.
        let sql = "update members set role = $1, chat_muted = $2 where room_id = $3 and user_id = $4 and role = $5";
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_ROOM).bind(room).execute(&mut *tx).await?;
            // The old one first: at no moment are there two.
            for (role, user, expected) in [(Role::Moderator, owner, Role::Owner), (Role::Owner, to, from)] {
                let changed =
                    sqlx::query::<Db>(sql).bind(role).bind(false).bind(room).bind(user).bind(expected).execute(&mut *tx).await?;
                if changed.rows_affected() == 0 {
                    tx.rollback().await?;
                    return Ok(false);
                }
            }
            record!(tx, [act]);
            tx.commit().await?;
        });
        Ok(true)
    }

    /// Ends a membership if its role still is `role`, and records the act, which leaving is not. Returns whether it was.
    pub async fn remove_member(&self, room: RoomId, user: UserId, role: Role, act: Option<&AuditEntry>) -> Result<bool> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>("update rooms set member_count = member_count - 1 where id = $1").bind(room).execute(&mut *tx).await?;
            let removed = sqlx::query::<Db>("delete from members where room_id = $1 and user_id = $2 and role = $3")
                .bind(room)
                .bind(user)
                .bind(role)
                .execute(&mut *tx)
                .await?;
            if removed.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
            record!(tx, act.into_iter());
            tx.commit().await?;
            Ok(true)
        })
    }
}
