//! Users: adding one together with its first session, finding one, changing the password.

use sqlx::FromRow;

use super::sessions::NewSession;
use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// The identifier.
    pub id: UserId,
    /// The name as written.
    pub username: &'a str,
    /// The name in lower case.
    pub username_folded: &'a str,
    /// What the name looks like: no other user's may look the same.
    pub username_skeleton: &'a str,
    /// The hashed password.
    pub password_hash: &'a str,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A stored user.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct UserRow {
    /// The identifier.
    pub id: UserId,
    /// The name as written.
    pub username: String,
    /// The hashed password.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// What became of a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedUser {
    /// The user and the session are there.
    Added,
    /// Another user has this name; nothing was added.
    NameTaken,
    /// Another user's name looks like this one; nothing was added.
    LooksTaken,
}

impl Store {
    /// Adds a user and the session they start with: both or neither.
    pub async fn add_user(&self, user: &NewUser<'_>, session: &NewSession<'_>) -> Result<AddedUser> {
        in_transaction!(self, tx => {
            let added = sqlx::query::<Db>(
                "insert into users (id, username, username_folded, username_skeleton, password_hash, created_at) \
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            )
            .bind(user.id)
            .bind(user.username)
            .bind(user.username_folded)
            .bind(user.username_skeleton)
            .bind(user.password_hash)
            .bind(user.created_at)
            .execute(&mut *tx)
            .await?;
            if added.rows_affected() == 0 {
                let sql = "select id from users where username_folded = $1";
                let same: Option<(UserId,)> =
                    sqlx::query_as::<Db, _>(sql).bind(user.username_folded).fetch_optional(&mut *tx).await?;
                tx.rollback().await?;
                return Ok(if same.is_some() { AddedUser::NameTaken } else { AddedUser::LooksTaken });
            }
            sqlx::query::<Db>(super::sessions::INSERT)
                .bind(session.id)
                .bind(session.user)
                .bind(session.created_at)
                .bind(session.user_agent)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        });
        Ok(AddedUser::Added)
    }

    /// The user with this name in lower case.
    pub async fn user_by_name(&self, username_folded: &str) -> Result<Option<UserRow>> {
        let sql = "select id, username, password_hash, created_at from users where username_folded = $1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, UserRow>(sql).bind(username_folded).fetch_optional(pool).await?))
    }

    /// The user with this identifier.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>> {
        let sql = "select id, username, password_hash, created_at from users where id = $1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, UserRow>(sql).bind(id).fetch_optional(pool).await?))
    }

    /// Replaces the hash of a password that stays the same, after its cost was raised.
    pub async fn rehash_password(&self, user: UserId, old_hash: &str, new_hash: &str) -> Result<()> {
        let sql = "update users set password_hash = $1 where id = $2 and password_hash = $3";
        on_writer!(self, pool => sqlx::query::<Db>(sql).bind(new_hash).bind(user).bind(old_hash).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Sets a new password and ends every session of the user but `keep`. Returns the ended ones.
    pub async fn change_password(&self, user: UserId, password_hash: &str, keep: SessionId) -> Result<Vec<SessionId>> {
        let ended: Vec<(SessionId,)> = in_transaction!(self, tx => {
            sqlx::query::<Db>("update users set password_hash = $1 where id = $2")
                .bind(password_hash)
                .bind(user)
                .execute(&mut *tx)
                .await?;
            let ended = sqlx::query_as::<Db, _>("delete from sessions where user_id = $1 and id <> $2 returning id")
                .bind(user)
                .bind(keep)
                .fetch_all(&mut *tx)
                .await?;
            tx.commit().await?;
            ended
        });
        Ok(ended.into_iter().map(|(id,)| id).collect())
    }
}
