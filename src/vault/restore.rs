//! `webcall restore`: a backup becomes an installation, on either database, in an empty data folder.
//!
//! Everything is unpacked and checked beside its place first. What makes it an installation, the database's file or the commit, is the
//! last step; until then every error and interruption takes back what was put in place. A process that is killed in between leaves a
//! folder that says so (`restoring`), on which no server starts.

use std::fs;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::draft::{DraftDatabase, refuse_existing, sync_folder};
use super::lock::{LOCK_NAME, Lock, beside, make_private};
use super::{DATABASE_NAME, Installation, Result, UNFINISHED_NAME, VaultError, archive, at, or_stopped, unless_stopped};
use crate::config::Database;
use crate::store::transfer;

/// What may lie in an empty folder: the lock, and what a file system puts into its root.
const NOTHING: [&str; 2] = [LOCK_NAME, "lost+found"];

/// Makes an installation of a backup, where there is none. Blocks on the disk between its awaits: it is all that its process does.
pub async fn restore(installation: &Installation, file: &Path, stop: &CancellationToken) -> Result<()> {
    let folder = &installation.data_dir;
    archive::verify(file, stop)?;
    let _lock = Lock::alone(folder)?;
    refuse_occupied(installation).await?;

    let mut placed = Placed::default();
    let staging = folder.join(UNFINISHED_NAME);
    placed.will_be(&staging);
    make_private(&staging).map_err(at(&staging))?;
    let database = match &installation.database {
        Database::Sqlite(target) => DraftDatabase::begin(beside_database(target)?)?,
        Database::Postgres(_) => DraftDatabase::begin(staging.join(DATABASE_NAME))?,
    };
    let unpacked = staging.join("data");
    make_private(&unpacked).map_err(at(&unpacked))?;
    archive::unpack(file, (database.path(), &unpacked), stop)?;
    or_stopped(stop, transfer::settle_copy(database.path())).await?;
    let pending = match &installation.database {
        Database::Sqlite(_) => None,
        Database::Postgres(target) => Some(or_stopped(stop, transfer::copy_to_postgres(database.path(), target)).await?),
    };

    put_in_place(&unpacked, folder, &mut placed)?;
    unless_stopped(stop)?;
    // From here on it is done or not done, whoever interrupts. Should the answer to a commit be lost, the folder is emptied and the
    // rows may be there: the next attempt then refuses the database and names a table.
    match (&installation.database, pending) {
        (Database::Sqlite(target), _) => database.publish_as(target)?,
        (Database::Postgres(_), pending) => {
            if let Some(pending) = pending {
                pending.commit().await?;
            }
        }
    }
    placed.keep();
    fs::remove_dir_all(&staging).map_err(at(&staging))?;
    sync_folder(folder)
}

/// Refuses whatever is there already, without changing it.
async fn refuse_occupied(installation: &Installation) -> Result<()> {
    let folder = &installation.data_dir;
    if folder.join(UNFINISHED_NAME).exists() {
        return Err(VaultError::Unfinished(folder.clone()));
    }
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        if !NOTHING.iter().any(|nothing| name == *nothing) {
            return Err(VaultError::NotEmpty { folder: folder.clone(), name: name.display().to_string() });
        }
    }
    match &installation.database {
        // A log without its database would be taken for that of the new one.
        Database::Sqlite(file) => {
            ["", "-wal", "-shm", "-journal"].iter().try_for_each(|suffix| refuse_existing(&beside(file, suffix)))
        }
        Database::Postgres(target) => Ok(transfer::refuse_occupied_postgres(target).await?),
    }
}

fn beside_database(target: &Path) -> Result<PathBuf> {
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private(folder).map_err(at(folder))?;
    }
    Ok(beside(target, ".restoring"))
}

/// Moves what was unpacked into the folder above.
fn put_in_place(unpacked: &Path, folder: &Path, placed: &mut Placed) -> Result<()> {
    // All names before the first is moved: a folder that changes may skip some. The server makes six of them.
    let entries = fs::read_dir(unpacked).map_err(at(unpacked))?;
    for entry in entries.collect::<std::io::Result<Vec<_>>>().map_err(at(unpacked))? {
        let target = folder.join(entry.file_name());
        placed.will_be(&target);
        fs::rename(entry.path(), &target).map_err(at(&target))?;
    }
    sync_folder(folder)
}

/// What was put where there was nothing; removed again when this is dropped before all of it is there.
#[derive(Default)]
struct Placed {
    paths: Vec<PathBuf>,
}

impl Placed {
    fn will_be(&mut self, path: &Path) {
        self.paths.push(path.to_owned());
    }

    fn keep(&mut self) {
        self.paths.clear();
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // The last first: the folder that says that this is unfinished goes when nothing else is left.
        for path in self.paths.iter().rev() {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}
