//! Direct conversations: rooms that are found by who is in them.

use super::{Protection, Result, Store, in_transaction, on_reader};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// A direct conversation to find or make.
#[derive(Clone, Debug)]
pub struct NewDirect<'a> {
    /// The identifier, if it is made.
    pub id: RoomId,
    /// The same for the same people.
    pub key: &'a str,
    /// Everybody in it.
    pub members: &'a [UserId],
    /// Who of them asks for it.
    pub by: UserId,
    /// Never shown: every room has one.
    pub link_code: &'a str,
    /// What keeps it from the server, if it is made.
    pub protection: Protection,
    /// When it is made.
    pub created_at: Timestamp,
}

/// The most memberships that [`Store::open_direct`] allows a user.
#[derive(Clone, Copy, Debug)]
pub struct DirectLimits {
    /// That they asked for, rooms included.
    pub asked: i64,
    /// Direct conversations that others put them into.
    pub unasked: i64,
}

impl Store {
    /// The conversation of these people, made if there is none. Whoever left it is in it again.
    /// Nothing when one of them has as many memberships of this kind as allowed.
    pub async fn open_direct(&self, new: &NewDirect<'_>, limits: DirectLimits) -> Result<Option<RoomId>> {
        in_transaction!(self, tx => {
            let sql = "insert into rooms (id, name, encryption, strict, link_code, created_at, member_count, kind, direct_key) \
                       values ($1, '', $2, $3, $4, $5, 0, 'direct', $6) \
                       on conflict (direct_key) where direct_key is not null do update set name = '' returning id";
            let (room,): (RoomId,) = sqlx::query_as::<Db, _>(sql)
                .bind(new.id)
                .bind(new.protection.encryption)
                .bind(new.protection.strict)
                .bind(new.link_code)
                .bind(new.created_at)
                .bind(new.key)
                .fetch_one(&mut *tx)
                .await?;
            for member in new.members {
                let unasked = *member != new.by;
                let sql = "insert into members (room_id, user_id, role, joined_at, read_seq, unasked) \
                           select $1, $2, $3, $4, last_seq, $5 from rooms where id = $1 on conflict do nothing";
                sqlx::query::<Db>(sql)
                    .bind(room)
                    .bind(member)
                    .bind(Role::Member)
                    .bind(new.created_at)
                    .bind(unasked)
                    .execute(&mut *tx)
                    .await?;
                let sql = "select count(*) from members where user_id = $1 and unasked = $2";
                let (rooms,): (i64,) = sqlx::query_as::<Db, _>(sql).bind(member).bind(unasked).fetch_one(&mut *tx).await?;
                if rooms > if unasked { limits.unasked } else { limits.asked } {
                    tx.rollback().await?;
                    return Ok(None);
                }
            }
            let sql = "update rooms set member_count = (select count(*) from members where room_id = $1) where id = $1";
            sqlx::query::<Db>(sql).bind(room).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(Some(room))
        })
    }

    /// The conversation with this key, if the user is in it.
    pub async fn direct_of(&self, key: &str, user: UserId) -> Result<Option<RoomId>> {
        let sql = "select r.id from rooms r join members m on m.room_id = r.id and m.user_id = $2 where r.direct_key = $1";
        let row: Option<(RoomId,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(key).bind(user).fetch_optional(pool).await?);
        Ok(row.map(|(room,)| room))
    }

    /// Who is in each of a user's direct conversations: room, user and name, by name.
    pub async fn people_of_directs(&self, user: UserId) -> Result<Vec<(RoomId, UserId, String)>> {
        let sql = "select m.room_id, m.user_id, u.username from members own \
                   join rooms r on r.id = own.room_id and r.kind = 'direct' \
                   join members m on m.room_id = r.id join users u on u.id = m.user_id \
                   where own.user_id = $1 order by m.room_id, u.username_folded";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(user).fetch_all(pool).await?))
    }

    /// The users of these names, in lower case.
    pub async fn users_named(&self, folded: &[String]) -> Result<Vec<UserId>> {
        let mut users = Vec::new();
        for name in folded {
            let sql = "select id from users where username_folded = $1";
            let found: Option<(UserId,)> =
                on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(name).fetch_optional(pool).await?);
            users.extend(found.map(|(user,)| user));
        }
        Ok(users)
    }
}
