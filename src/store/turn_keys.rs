//! Keys with which programs fetch credentials for TURN, by their hashes.

use sqlx::FromRow;

use super::{Result, Store, on_reader, on_writer};
use crate::time::Timestamp;

/// A stored key.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TurnKeyRow {
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What became of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedTurnKey {
    /// It is there.
    Added,
    /// Another one has this name; nothing was added.
    NameTaken,
    /// There are as many as there may be.
    TooMany,
}

impl Store {
    /// Adds a key, when there are fewer than `max`.
    pub async fn add_turn_key(&self, name: &str, key_hash: &[u8], now: Timestamp, max: i64) -> Result<AddedTurnKey> {
        let sql = "insert into turn_keys (name, key_hash, created_at) \
                   select $1, $2, $3 where (select count(*) from turn_keys) < $4 on conflict (name) do nothing";
        let added = on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(name).bind(key_hash).bind(now).bind(max).execute(pool).await?.rows_affected()
        });
        if added > 0 {
            return Ok(AddedTurnKey::Added);
        }
        let is_taken = self.turn_keys().await?.iter().any(|key| key.name == name);
        Ok(if is_taken { AddedTurnKey::NameTaken } else { AddedTurnKey::TooMany })
    }

    /// The name of the key with this hash.
    pub async fn turn_key(&self, key_hash: &[u8]) -> Result<Option<String>> {
        let sql = "select name from turn_keys where key_hash = $1";
        let found: Option<(String,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(key_hash).fetch_optional(pool).await?);
        Ok(found.map(|(name,)| name))
    }

    /// All keys, by name.
    pub async fn turn_keys(&self) -> Result<Vec<TurnKeyRow>> {
        let sql = "select name, created_at from turn_keys order by name";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, TurnKeyRow>(sql).fetch_all(pool).await?))
    }

    /// Removes a key; whether there was one.
    pub async fn remove_turn_key(&self, name: &str) -> Result<bool> {
        let sql = "delete from turn_keys where name = $1";
        let removed = on_writer!(self, pool => sqlx::query::<Db>(sql).bind(name).execute(pool).await?.rows_affected());
        Ok(removed > 0)
    }
}
