//! Members: joining by link, listing, changing the role, removing. The writes say which role they expect to find, so that a
//! decision made on an older role changes nothing.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// Adds a membership unless the user has `$5` already. On PostgreSQL two joins at the same moment may exceed that by one.
pub(super) const INSERT: &str = "insert into members (room_id, user_id, role, joined_at, read_seq) \
                                 select $1, $2, $3, $4, last_seq from rooms where id = $1 \
                                 and (select count(*) from members where user_id = $2) < $5";

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
            let refusal = match member {
                Some(_) => Some(Joined::AlreadyMember(room)),
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
        let sql = "select m.user_id, u.username, m.role, m.joined_at from members m join users u on u.id = m.user_id \
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

    /// Changes a member's role if it still is `from`. Returns whether it was.
    pub async fn change_role(&self, room: RoomId, user: UserId, from: Role, to: Role) -> Result<bool> {
        let sql = "update members set role = $1 where room_id = $2 and user_id = $3 and role = $4";
        let rows = on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(to).bind(room).bind(user).bind(from).execute(pool).await?.rows_affected()
        });
        Ok(rows == 1)
    }

    /// Ends a membership if its role still is `role`. Returns whether it was.
    pub async fn remove_member(&self, room: RoomId, user: UserId, role: Role) -> Result<bool> {
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
            tx.commit().await?;
            Ok(true)
        })
    }
}
