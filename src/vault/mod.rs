//! A whole installation, moved: `webcall backup`, `webcall restore` and `webcall migrate-to`.
//!
//! A backup is one tar archive: the rows of either database as a SQLite file, and what lies in the data folder beside it. It is made
//! while the server runs; restoring and migrating need the data folder for themselves, which [`Lock`] sees to (the server shares it).
//! Nothing is overwritten: what exists is refused, what fails or is interrupted leaves what was there before.
//!
//! `archive` knows the file's form, `backup`, `restore` and `migrate` the order of steps, `store::transfer` the rows. Called by `main`.

mod archive;
mod backup;
mod command;
mod draft;
mod lock;
mod migrate;
mod restore;
mod walk;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio_util::sync::CancellationToken;

pub use backup::{Saved, back_up};
pub use command::{Task, run};
pub use lock::Lock;
pub use migrate::migrate;
pub use restore::restore;

use crate::config::{Config, ConfigError, Database};
use crate::store::StoreError;

/// Where an installation is kept.
pub struct Installation {
    /// Its rows.
    pub database: Database,
    /// Its secrets, certificates and files.
    pub data_dir: PathBuf,
}

impl Installation {
    /// The one that the server's settings name.
    pub fn of(config: &Config) -> Self {
        Self { database: config.database.clone(), data_dir: config.data_dir.clone() }
    }
}

/// The database's file in an archive, and in a data folder unless `DATABASE_URL` says otherwise.
const DATABASE_NAME: &str = "webcall.db";
/// The folder of people's files in the data folder.
const FILES_NAME: &str = "files";
/// Where a restore gathers what it will put in place; there only while one runs, or was cut off.
const UNFINISHED_NAME: &str = "restoring";

/// Why an installation could not be moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A setting or the command line is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A database failed, or is not as it must be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is overwritten.
    #[error("{} is there already: give another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// Somebody else is writing it.
    #[error("{} is being written by another backup", .0.display())]
    BeingWritten(PathBuf),
    /// It would be lost together with what it saves.
    #[error("{} lies in the data folder itself: put the backup elsewhere", .0.display())]
    InsideFolder(PathBuf),
    /// There is nothing to save.
    #[error("there is no database at {}: is this the server's data folder?", .0.display())]
    NoDatabase(PathBuf),
    /// The server runs, or another of these commands.
    #[error("{} is in use: stop the server first", .0.display())]
    InUse(PathBuf),
    /// A restore was cut off in the middle.
    #[error("{} holds a restore that was cut off: empty the folder and restore again", .0.display())]
    Unfinished(PathBuf),
    /// Only an empty folder is filled.
    #[error("{} is not empty ({name} is there): restore into an empty folder", folder.display())]
    NotEmpty {
        /// Which folder.
        folder: PathBuf,
        /// What lies there.
        name: String,
    },
    /// The file is no backup, or not a whole one.
    #[error("{} cannot be restored: {problem}", file.display())]
    NoBackup {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Folders in folders, deeper than the server makes them.
    #[error("{} lies too deep, or in a circle of links", .0.display())]
    TooDeep(PathBuf),
    /// There is nothing to migrate.
    #[error("the installation is on PostgreSQL already (DATABASE_URL)")]
    OnPostgres,
    /// Ctrl-C or SIGTERM.
    #[error("interrupted; nothing was changed")]
    Interrupted,
}

type Result<T> = std::result::Result<T, VaultError>;

/// For `map_err`: what the system said about a path.
fn at(path: &Path) -> impl Fn(io::Error) -> VaultError {
    move |source| match source.get_ref().is_some_and(|error| error.is::<archive::Stopped>()) {
        true => VaultError::Interrupted,
        false => VaultError::File { path: path.to_owned(), source },
    }
}

/// Goes on unless this was interrupted.
fn unless_stopped(stop: &CancellationToken) -> Result<()> {
    if stop.is_cancelled() { Err(VaultError::Interrupted) } else { Ok(()) }
}

/// Waits for a database, or until this is interrupted; what it was doing is then given up.
async fn or_stopped<T>(stop: &CancellationToken, work: impl Future<Output = std::result::Result<T, StoreError>>) -> Result<T> {
    tokio::select! {
        outcome = work => Ok(outcome?),
        () = stop.cancelled() => Err(VaultError::Interrupted),
    }
}
