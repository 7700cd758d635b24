//! Sessions: adding, listing, exchanging the refresh token's generation, ending, sweeping.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{DeviceId, SessionId, UserId};
use crate::time::Timestamp;

pub(super) const INSERT: &str = "insert into sessions (id, user_id, generation, rotated_at, created_at, last_used_at, user_agent) \
                                 values ($1, $2, 0, $3, $3, $3, $4)";

/// The text of a query for whole sessions; the argument says which.
macro_rules! select_sessions {
    ($which:literal) => {
        concat!(
            "select s.id, s.user_id, u.username, u.created_at as user_created_at, s.generation, s.rotated_at, s.created_at, ",
            "s.last_used_at, s.user_agent from sessions s join users u on u.id = s.user_id ",
            $which
        )
    };
}

/// A session to add.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// The identifier.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// The browser's name for itself, cut to a bounded length.
    pub user_agent: &'a str,
}

/// A stored session and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SessionRow {
    /// The identifier.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The user's name.
    pub username: String,
    /// When the user's account was made.
    pub user_created_at: Timestamp,
    /// How often the refresh token was exchanged.
    pub generation: i64,
    /// When it was exchanged last.
    pub rotated_at: Timestamp,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it was used last (to the refresh, about ten minutes).
    pub last_used_at: Timestamp,
    /// The browser's name for itself.
    pub user_agent: String,
}

/// What became of an exchange of refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The generation went up by one.
    Rotated,
    /// The session is gone, or somebody else exchanged this generation first.
    Lost,
}

impl Store {
    /// Adds a session. Of more than `max_sessions`, those unused longest are ended; returns them.
    pub async fn add_session(&self, session: &NewSession<'_>, max_sessions: i64) -> Result<Vec<SessionId>> {
        let ended: Vec<(SessionId,)> = in_transaction!(self, tx => {
            let ended = sqlx::query_as::<Db, _>(
                "delete from sessions where id in (select id from sessions where user_id = $1 order by last_used_at desc, id desc \
                 limit 1000 offset $2) returning id",
            )
            .bind(session.user)
            .bind(max_sessions - 1)
            .fetch_all(&mut *tx)
            .await?;
            sqlx::query::<Db>(INSERT)
                .bind(session.id)
                .bind(session.user)
                .bind(session.created_at)
                .bind(session.user_agent)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            ended
        });
        Ok(ended.into_iter().map(|(id,)| id).collect())
    }

    /// The session with this identifier.
    pub async fn session(&self, id: SessionId) -> Result<Option<SessionRow>> {
        let sql = select_sessions!("where s.id = $1");
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, SessionRow>(sql).bind(id).fetch_optional(pool).await?))
    }

    /// The sessions of a user, last used first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>> {
        let sql = select_sessions!("where s.user_id = $1 order by s.last_used_at desc, s.id desc");
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, SessionRow>(sql).bind(user).fetch_all(pool).await?))
    }

    /// Exchanges the refresh token: the generation goes up if it still is `generation`.
    pub async fn rotate_session(&self, id: SessionId, generation: i64, now: Timestamp) -> Result<Rotation> {
        let sql = "update sessions set generation = generation + 1, rotated_at = $1, last_used_at = $1 where id = $2 and generation = $3";
        let rows = on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(now).bind(id).bind(generation).execute(pool).await?.rows_affected()
        });
        Ok(if rows == 1 { Rotation::Rotated } else { Rotation::Lost })
    }

    /// Whether a device spoke through a session before.
    pub async fn speaks_through(&self, id: SessionId, device: DeviceId) -> Result<bool> {
        let sql = "select device_id from session_devices where session_id = $1 and device_id = $2";
        let row: Option<(DeviceId,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(id).bind(device).fetch_optional(pool).await?);
        Ok(row.is_some())
    }

    /// A device of the user that counts speaks through this session: it ends with it. Others are not remembered.
    pub async fn add_device_of_session(&self, id: SessionId, device: DeviceId) -> Result<()> {
        let sql = "insert into session_devices (session_id, device_id) select s.id, d.device_id from sessions s \
                   join e2ee_devices d on d.user_id = s.user_id and d.device_id = $2 where s.id = $1 on conflict do nothing";
        on_writer!(self, pool => { sqlx::query::<Db>(sql).bind(id).bind(device).execute(pool).await?; });
        Ok(())
    }

    /// Ends a session. Returns whether it was there.
    pub async fn end_session(&self, id: SessionId, user: UserId) -> Result<bool> {
        let sql = "delete from sessions where id = $1 and user_id = $2";
        let rows = on_writer!(self, pool => sqlx::query::<Db>(sql).bind(id).bind(user).execute(pool).await?.rows_affected());
        Ok(rows == 1)
    }

    /// Removes the sessions not used after `unused_since` or begun no later than `begun_until`. Returns how many.
    pub async fn sweep_sessions(&self, unused_since: Timestamp, begun_until: Timestamp) -> Result<u64> {
        let sql = "delete from sessions where last_used_at <= $1 or created_at <= $2";
        Ok(on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(unused_since).bind(begun_until).execute(pool).await?.rows_affected()
        }))
    }
}
