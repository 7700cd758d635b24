//! `webcall backup`: a copy of an installation that is in use.
//!
//! The rows first, of one moment; then the files that those rows speak of, each as long as its row says. A file grows before its row
//! does, so that what the copied rows count is on the disk by then. A file that was deleted since, with its message, is left out together
//! with its row. So no row of a backup points to bytes that are not in it.
//!
//! Files in a bucket stay there, with the rows that say what of them counts: whoever keeps files in a store of their own can copy and
//! version it better than a backup file could, which would have to hold all of it each time.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::archive::Writer;
use super::draft::Draft;
use super::walk::{Found, Walk, real};
use super::{FILES_NAME, Installation, Result, VaultError, at, or_stopped, unless_stopped};
use crate::config::Database;
use crate::store::transfer::{self, CopiedFiles};
use crate::time::Timestamp;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its size.
    pub size_bytes: u64,
    /// Files in rooms whose bytes were not there: deleted in the meantime, or lost.
    pub left_out: u64,
    /// Files that stay in the bucket: their rows are here, their bytes are not.
    pub in_bucket: u64,
}

/// Writes an installation into one file, which must not be there yet. Blocks on the disk between its awaits: it is all that its process
/// does.
pub async fn back_up(installation: &Installation, file: &Path, now: Timestamp, stop: &CancellationToken) -> Result<Saved> {
    refuse_inside(file, &installation.data_dir)?;
    let draft = Draft::begin(file)?;
    let database = draft.database()?;
    match &installation.database {
        Database::Sqlite(source) if !source.exists() => return Err(VaultError::NoDatabase(source.clone())),
        Database::Sqlite(source) => or_stopped(stop, transfer::snapshot_sqlite(source, database.path())).await?,
        Database::Postgres(source) => or_stopped(stop, transfer::snapshot_postgres(source, database.path())).await?,
    }
    or_stopped(stop, transfer::settle_copy(database.path())).await?;

    let mut copied = CopiedFiles::open(database.path()).await?;
    let mut writer = Writer::begin(draft.file(), now, stop).map_err(at(file))?;
    let mut walk = Walk::through(installation);
    while let Some(found) = walk.next()? {
        unless_stopped(stop)?;
        if is_shared(&found.name) {
            save_shared(&found, &mut copied, &mut writer).await?;
        } else {
            save(&found, None, &mut writer)?;
        }
    }
    let in_bucket = copied.in_bucket().await?;
    let left_out = copied.leave_out_others().await?;
    writer.add_database(database.path()).and_then(|()| writer.finish()).map_err(at(file))?;
    let size_bytes = draft.file().metadata().map_err(at(file))?.len();
    unless_stopped(stop)?;
    draft.publish()?;
    Ok(Saved { size_bytes, left_out, in_bucket })
}

/// Whether a path in the data folder is that of something people shared.
fn is_shared(name: &Path) -> bool {
    name.starts_with(FILES_NAME)
}

/// Saves the bytes that the file's row counts, when there is a row and when they are there.
async fn save_shared(found: &Found, copied: &mut CopiedFiles, writer: &mut Writer<'_>) -> Result<()> {
    let id = found.name.file_name().and_then(|name| name.to_str()).and_then(|name| Uuid::try_parse(name).ok());
    let Some(id) = id else { return Ok(()) };
    let Some(received) = copied.received_bytes(id).await? else { return Ok(()) };
    if save(found, u64::try_from(received).ok(), writer)? {
        copied.found(id).await?;
    }
    Ok(())
}

/// Saves a file, or its first `len` bytes; whether it was still there, and that long.
fn save(found: &Found, len: Option<u64>, writer: &mut Writer<'_>) -> Result<bool> {
    let file = match File::open(&found.path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(at(&found.path)(error)),
    };
    let there = file.metadata().map_err(at(&found.path))?.len();
    if len.is_some_and(|len| len > there) {
        return Ok(false);
    }
    writer.add_file(&found.name, len.unwrap_or(there), file).map_err(at(&found.path))?;
    Ok(true)
}

fn refuse_inside(file: &Path, data_dir: &Path) -> Result<()> {
    let folder = fs::canonicalize(data_dir).unwrap_or_else(|_| PathBuf::from(data_dir));
    if real(file).starts_with(folder) { Err(VaultError::InsideFolder(file.to_owned())) } else { Ok(()) }
}
