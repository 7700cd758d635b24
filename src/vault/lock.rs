//! Who uses a data folder: the servers on it share it, whoever moves it as a whole has it alone. A lock of the system (`flock`) on an
//! empty file, which ends with the process, however that ends. SQLite's own locks would not do: a server that is idle holds none.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Installation, Result, UNFINISHED_NAME, VaultError, at};
use crate::config::Database;

/// The file in the data folder.
pub(super) const LOCK_NAME: &str = "lock";

/// The data folder is in use until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// For a server: nobody may move the folder meanwhile. `None` when there is no folder and none is needed, or when it or its file
    /// system takes no lock: what a server can do without is no reason not to serve.
    pub fn share(installation: &Installation) -> Result<Option<Self>> {
        let folder = &installation.data_dir;
        if matches!(installation.database, Database::Sqlite(_)) {
            make_private(folder).map_err(at(folder))?;
        }
        if folder.join(UNFINISHED_NAME).exists() {
            return Err(VaultError::Unfinished(folder.clone()));
        }
        let Ok(file) = open(&folder.join(LOCK_NAME)) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(VaultError::InUse(folder.clone())),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be locked: do not restore or migrate it while this server runs");
                Ok(None)
            }
        }
    }

    /// For whoever moves the folder: no server may use it meanwhile. Makes the folder when there is none.
    pub(super) fn alone(folder: &Path) -> Result<Self> {
        make_private(folder).map_err(at(folder))?;
        let path = folder.join(LOCK_NAME);
        let file = open(&path).map_err(at(&path))?;
        lock_alone(&file).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => VaultError::InUse(folder.to_owned()),
            _ => at(&path)(error),
        })?;
        Ok(Self { _file: file })
    }
}

/// Locks an open file for its opener alone; `WouldBlock` when somebody else has it.
pub(super) fn lock_alone(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        TryLockError::Error(error) => error,
    })
}

/// A folder that only the server's user reads.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// `path` with something added to its last name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(folder: &Path) -> Installation {
        Installation { database: Database::Sqlite(folder.join("webcall.db")), data_dir: folder.to_owned() }
    }

    #[test]
    fn servers_share_a_folder_that_only_one_may_move() {
        let folder = tempfile::tempdir().unwrap();
        let installation = installation(folder.path());
        let (one, other) = (Lock::share(&installation).unwrap(), Lock::share(&installation).unwrap());
        assert!(one.is_some() && other.is_some());
        drop(one);
        assert!(matches!(Lock::alone(folder.path()), Err(VaultError::InUse(_))));
        drop(other);
        let _alone = Lock::alone(folder.path()).unwrap();
        assert!(matches!(Lock::share(&installation), Err(VaultError::InUse(_))));
        assert!(matches!(Lock::alone(folder.path()), Err(VaultError::InUse(_))));
    }

    #[test]
    fn a_server_does_not_start_on_half_a_restore() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(UNFINISHED_NAME)).unwrap();
        assert!(matches!(Lock::share(&installation(folder.path())), Err(VaultError::Unfinished(_))));
    }
}
