//! Sealed backups of users: slots, so many and so large in all, written only by who knows the version that is there.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::UserId;

/// Holds all slots of the user while one is written; the user is there.
const HOLD_USER: &str = "update users set created_at = created_at where id = $1";
const UPDATE: &str = "update e2ee_backups set version = version + 1, body = $4 where user_id = $1 and slot = $2 and version = $3 \
                      and (select coalesce(sum(length(body)), 0) from e2ee_backups where user_id = $1 and slot <> $2 \
                      and (replace(slot, '.', '') = slot) = (replace($2, '.', '') = $2)) <= $5";
const INSERT: &str = "insert into e2ee_backups (user_id, slot, version, body) \
                      select $1, $2, 1, $3 where (select count(*) from e2ee_backups where user_id = $1 \
                      and (replace(slot, '.', '') = slot) = (replace($2, '.', '') = $2)) < $4 \
                      and (select coalesce(sum(length(body)), 0) from e2ee_backups where user_id = $1 \
                      and (replace(slot, '.', '') = slot) = (replace($2, '.', '') = $2)) <= $5 \
                      on conflict (user_id, slot) do nothing";

/// What one user may keep in slots whose names have a dot, which are those of archives, and as much again in those without: an archive that
/// others made grow leaves room for what opens it.
#[derive(Clone, Copy, Debug)]
pub struct BackupBounds {
    /// Slots.
    pub slots: i64,
    /// All their bodies together.
    pub size_bytes: i64,
}

/// A backup to store.
#[derive(Clone, Copy, Debug)]
pub struct NewBackup<'a> {
    /// Whose.
    pub user: UserId,
    /// Where.
    pub slot: &'a str,
    /// What is there now: its version, or 0 for nothing.
    pub version: i64,
    /// Sealed bytes.
    pub body: &'a [u8],
}

/// What became of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredBackup {
    /// It is there, with the next version.
    Stored,
    /// Another version is there; nothing was changed.
    OtherVersion,
    /// The user has as many slots or bytes as allowed; nothing was changed.
    TooMuch,
}

/// Where a backup is, and which.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BackupName {
    /// Its name.
    pub slot: String,
    /// From 1.
    pub version: i64,
}

/// A stored backup.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BackupRow {
    /// From 1.
    pub version: i64,
    /// Sealed bytes.
    pub body: Vec<u8>,
}

impl Store {
    /// Writes a backup in place of the version that the writer knows of, when the user has no more in all then than `bounds` allow.
    pub async fn put_backup(&self, new: &NewBackup<'_>, bounds: BackupBounds) -> Result<StoredBackup> {
        let others_bytes = bounds.size_bytes.saturating_sub(i64::try_from(new.body.len()).unwrap_or(i64::MAX));
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_USER).bind(new.user).execute(&mut *tx).await?;
            let written = if new.version == 0 {
                let insert = sqlx::query::<Db>(INSERT).bind(new.user).bind(new.slot).bind(new.body);
                insert.bind(bounds.slots).bind(others_bytes).execute(&mut *tx).await?
            } else {
                let update = sqlx::query::<Db>(UPDATE).bind(new.user).bind(new.slot).bind(new.version);
                update.bind(new.body).bind(others_bytes).execute(&mut *tx).await?
            };
            if written.rows_affected() == 1 {
                tx.commit().await?;
                return Ok(StoredBackup::Stored);
            }
            tx.rollback().await?;
        });
        let there = self.backup(new.user, new.slot).await?.map_or(0, |backup| backup.version);
        Ok(if there == new.version { StoredBackup::TooMuch } else { StoredBackup::OtherVersion })
    }

    /// Deletes a backup of this version. Returns whether it was there.
    pub async fn delete_backup(&self, user: UserId, slot: &str, version: i64) -> Result<bool> {
        let sql = "delete from e2ee_backups where user_id = $1 and slot = $2 and version = $3";
        let deleted = on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(user).bind(slot).bind(version).execute(pool).await?.rows_affected()
        });
        Ok(deleted == 1)
    }

    /// Where a user has backups, by name.
    pub async fn backups(&self, user: UserId) -> Result<Vec<BackupName>> {
        let sql = "select slot, version from e2ee_backups where user_id = $1 order by slot";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, BackupName>(sql).bind(user).fetch_all(pool).await?
        }))
    }

    /// A user's backup.
    pub async fn backup(&self, user: UserId, slot: &str) -> Result<Option<BackupRow>> {
        let sql = "select version, body from e2ee_backups where user_id = $1 and slot = $2";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, BackupRow>(sql).bind(user).bind(slot).fetch_optional(pool).await?
        }))
    }
}
