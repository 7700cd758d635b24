//! Sealed backups of users: a few slots each, written only by who knows the version that is there.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::UserId;

/// Holds all slots of the user while one is written; the user is there.
const HOLD_USER: &str = "update users set created_at = created_at where id = $1";
const UPDATE: &str = "update e2ee_backups set version = version + 1, body = $4 where user_id = $1 and slot = $2 and version = $3";
const INSERT: &str = "insert into e2ee_backups (user_id, slot, version, body) \
                      select $1, $2, 1, $3 where (select count(*) from e2ee_backups where user_id = $1) < $4 \
                      on conflict (user_id, slot) do nothing";

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
    /// The user has as many slots as allowed; nothing was changed.
    TooManySlots,
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
    /// Writes a backup in place of the version that the writer knows of, when the user has fewer than `max_slots` others.
    pub async fn put_backup(&self, new: &NewBackup<'_>, max_slots: i64) -> Result<StoredBackup> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(HOLD_USER).bind(new.user).execute(&mut *tx).await?;
            let written = if new.version == 0 {
                sqlx::query::<Db>(INSERT).bind(new.user).bind(new.slot).bind(new.body).bind(max_slots).execute(&mut *tx).await?
            } else {
                let update = sqlx::query::<Db>(UPDATE).bind(new.user).bind(new.slot).bind(new.version);
                update.bind(new.body).execute(&mut *tx).await?
            };
            if written.rows_affected() == 1 {
                tx.commit().await?;
                return Ok(StoredBackup::Stored);
            }
            tx.rollback().await?;
        });
        let is_there = self.backup(new.user, new.slot).await?.is_some();
        Ok(if new.version == 0 && !is_there { StoredBackup::TooManySlots } else { StoredBackup::OtherVersion })
    }

    /// Deletes a backup of this version. Returns whether it was there.
    pub async fn delete_backup(&self, user: UserId, slot: &str, version: i64) -> Result<bool> {
        let sql = "delete from e2ee_backups where user_id = $1 and slot = $2 and version = $3";
        let deleted = on_writer!(self, pool => {
            sqlx::query::<Db>(sql).bind(user).bind(slot).bind(version).execute(pool).await?.rows_affected()
        });
        Ok(deleted == 1)
    }

    /// A user's backup.
    pub async fn backup(&self, user: UserId, slot: &str) -> Result<Option<BackupRow>> {
        let sql = "select version, body from e2ee_backups where user_id = $1 and slot = $2";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, BackupRow>(sql).bind(user).bind(slot).fetch_optional(pool).await?
        }))
    }
}
