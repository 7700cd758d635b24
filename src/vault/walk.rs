//! What lies in a data folder beside the database: secrets, certificates, people's files, and whatever else somebody put there. Taken is
//! everything that is not named here, so that what a later version keeps there is not forgotten.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::lock::{LOCK_NAME, beside};
use super::{DATABASE_NAME, Installation, Result, UNFINISHED_NAME, VaultError, at};
use crate::config::Database;

/// Folders in folders. The server makes two; a circle of links ends here.
const MAX_DEPTH: usize = 8;

/// A regular file in the data folder.
pub(super) struct Found {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path in the data folder.
    pub(super) name: PathBuf,
}

/// The folders of a data folder whose entries are still to be looked at.
pub(super) struct Walk {
    folder: PathBuf,
    /// Paths in the folder. As many as there are folders at one time, not files.
    folders: Vec<PathBuf>,
    current: Option<(PathBuf, fs::ReadDir)>,
    left_out: Vec<PathBuf>,
}

impl Walk {
    /// Begins to go through an installation's data folder.
    pub(super) fn through(installation: &Installation) -> Self {
        let folder = installation.data_dir.clone();
        let mut databases = vec![folder.join(DATABASE_NAME)];
        if let Database::Sqlite(file) = &installation.database {
            databases.push(file.clone());
        }
        let mut left_out = vec![folder.join(LOCK_NAME), folder.join(UNFINISHED_NAME)];
        for database in databases {
            left_out.extend(["", "-wal", "-shm", "-journal"].map(|suffix| beside(&database, suffix)));
        }
        Self { folder, folders: vec![PathBuf::new()], current: None, left_out: left_out.iter().map(|path| real(path)).collect() }
    }

    /// The next file, in no particular order. What is gone by the time it is looked at was deleted meanwhile.
    pub(super) fn next(&mut self) -> Result<Option<Found>> {
        loop {
            let Some((folder, entries)) = &mut self.current else {
                let Some(folder) = self.folders.pop() else { return Ok(None) };
                let path = self.folder.join(&folder);
                match fs::read_dir(&path) {
                    Ok(entries) => self.current = Some((folder, entries)),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(at(&path)(error)),
                }
                continue;
            };
            let Some(entry) = entries.next() else {
                self.current = None;
                continue;
            };
            let entry = entry.map_err(at(&self.folder))?;
            let (path, name) = (entry.path(), folder.join(entry.file_name()));
            // Links are followed: who moves their files to a larger disk wants them saved.
            let kind = match fs::metadata(&path) {
                Ok(facts) => facts.file_type(),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(at(&path)(error)),
            };
            if is_left_out(&self.left_out, &path) {
                continue;
            }
            if kind.is_dir() {
                if name.components().count() > MAX_DEPTH {
                    return Err(VaultError::TooDeep(path));
                }
                self.folders.push(name);
            } else if kind.is_file() {
                return Ok(Some(Found { path, name }));
            }
        }
    }
}

/// Looks behind links only where the last name fits: a folder may hold very many files.
fn is_left_out(left_out: &[PathBuf], path: &Path) -> bool {
    left_out.iter().any(|other| other.file_name() == path.file_name() && *other == real(path))
}

/// The path without links and dots, of a file that may be missing.
pub(super) fn real(path: &Path) -> PathBuf {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (fs::canonicalize(parent), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}
