//! Sealed backups: bytes that a user's devices sealed for themselves, in named slots. The server only sees to it that of two devices
//! that write at once one learns of it, and that a user keeps a bounded amount.

use super::decode;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::{E2eeError, Error};
use crate::store::{BackupBounds, BackupName, BackupRow, NewBackup, StoredBackup};

/// The longest backup: a segment of the archive of keys, which has 40 bytes for each of 1,024 epochs of a room, in up to three of its histories.
pub const MAX_BACKUP_BYTES: usize = 128 << 10;
/// What one user keeps of archives, and as much again of anything else. An archive grows by 40 bytes with each epoch of a room: 16 MB are 800 epochs in each of 500 rooms.
const BOUNDS: BackupBounds = BackupBounds { slots: 2_048, size_bytes: 16 << 20 };
const MAX_SLOT_CHARS: usize = 32;

/// What a slot is called: 1 to 32 of `[a-z0-9_.-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotName(String);

impl SlotName {
    /// `invalid_slot` for what is no name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
        let is_name = (1..=MAX_SLOT_CHARS).contains(&text.len()) && text.chars().all(is_allowed);
        let invalid = Error::Invalid { code: "invalid_slot", detail: "a slot has 1 to 32 of a-z 0-9 _ . -" };
        if is_name { Ok(Self(text.to_owned())) } else { Err(invalid) }
    }
}

/// A stored backup.
pub type Backup = BackupRow;

/// Where a backup is stored.
pub type NamedBackup = BackupName;

/// Writes a backup in place of `version`, 0 for none. Returns the new version.
pub async fn put_backup(app: &App, principal: &Principal, slot: &SlotName, version: i64, body: &str) -> Result<i64, Error> {
    app.limits.e2ee.backup_write(principal.user)?;
    let body = decode(body, MAX_BACKUP_BYTES)?;
    let new = NewBackup { user: principal.user, slot: &slot.0, version, body: &body };
    match app.store.put_backup(&new, BOUNDS).await? {
        StoredBackup::Stored => Ok(version + 1),
        StoredBackup::OtherVersion => Err(E2eeError::BackupChanged.into()),
        StoredBackup::TooMuch => Err(E2eeError::TooManyBackups.into()),
    }
}

/// Where the caller has backups, by name: as many as a user may have.
pub async fn backups(app: &App, principal: &Principal) -> Result<Vec<NamedBackup>, Error> {
    app.limits.e2ee.backup_read(principal.user)?;
    Ok(app.store.backups(principal.user).await?)
}

/// The caller's own backup.
pub async fn backup(app: &App, principal: &Principal, slot: &SlotName) -> Result<Backup, Error> {
    app.limits.e2ee.backup_read(principal.user)?;
    app.store.backup(principal.user, &slot.0).await?.ok_or(E2eeError::BackupNotFound.into())
}

/// Deletes the caller's own backup, if this version of it is there.
pub async fn delete_backup(app: &App, principal: &Principal, slot: &SlotName, version: i64) -> Result<(), Error> {
    app.limits.e2ee.backup_write(principal.user)?;
    if app.store.delete_backup(principal.user, &slot.0, version).await? {
        return Ok(());
    }
    let is_there = app.store.backup(principal.user, &slot.0).await?.is_some();
    Err(if is_there { E2eeError::BackupChanged } else { E2eeError::BackupNotFound }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_have_short_plain_names() {
        assert!(SlotName::parse("archive.2026-11").is_ok());
        for bad in ["", "A", "a b", "ü", "a/b", &"x".repeat(33)] {
            assert!(SlotName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
