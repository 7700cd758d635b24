//! Everything that outlives a restart: accounts, sessions, rooms, members, diagnostic reports, keys of encryption, in SQLite or PostgreSQL.
//!
//! Owns the SQL and nothing else: no policy, no tokens, no request types. One SQL text in the common subset of both databases is
//! dispatched over [`Databases`] by the macros below; every function is run on both by `tests/store.rs`. Use-cases (`accounts`,
//! `rooms`) call it; HTTP and signalling never do.
//!
//! The common subset: `$1` placeholders, `returning`, `on conflict`, 64-bit integers, no `now()`, casts (but of sums), arrays
//! or JSON operators.
//! Functions that differ between the databases: appending messages holds the rooms' rows first on PostgreSQL (`append/batch.rs`).

mod append;
mod audit;
mod bans;
mod chunks;
mod diagnostics;
mod direct;
mod dispatch;
mod e2ee;
mod expiry;
mod files;
mod marks;
mod members;
mod messages;
mod open;
mod pieces;
mod rooms;
mod sessions;
pub mod transfer;
mod turn_keys;
mod users;

pub use append::{Appended, Judge, NewMessage, Pending, Standing, Unwelcome};
pub use audit::{AuditAct, AuditEntry, AuditRow, MAX_ACTS};
pub use bans::{BanOutcome, BanRow, NewBan};
pub use diagnostics::{AddedReport, NewReport, ReportLimits, ReportRow};
pub use direct::{DirectLimits, NewDirect};
pub use e2ee::{
    AddedCommit, AddedGroup, AddedPackages, AddedToInbox, AppendedRecord, BackupBounds, BackupName, BackupRow, ClaimedPackage,
    CommitLimits, CommitRow, Counting, DeviceChange, GroupPlace, GroupRow, InboxLimits, InboxOf, InboxRow, NewBackup, NewCommit,
    NewGroup, NewInboxMessage, NewPackages, NewRecord, PackageLimits, PackageRow, RecordRow, Stock, StoredBackup,
};
pub use files::{AddedFile, FileLimits, FileRow, FileSet, MAX_FILES_PER_MESSAGE, NewFile, RemovedFile, WalkedFile};
pub use members::{Joined, MemberLimits, MemberRow, MemberUpdate, StandingRow};
pub use messages::{Act, Deletion, EntryKind, EntryRow, Page, Pin, PinRow, Range};
pub use open::{reach_postgres, reach_sqlite};
pub use pieces::{NewPieces, PieceRow};
pub use rooms::{AddedRoom, Encryption, LinkedRoom, NewRoom, Protection, RoomKind, RoomRow, RoomUpdate};
pub use sessions::{NewSession, Rotation, SessionRow};
pub use turn_keys::{AddedTurnKey, TurnKeyRow};
pub use users::{AddedUser, NewUser, UserRow};

use dispatch::{in_transaction, on_reader, on_writer};
use sqlx::{PgPool, SqlitePool};
use thiserror::Error;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    databases: Databases,
    appending: append::Appending,
    marking: marks::Marking,
}

#[derive(Clone, Debug)]
enum Databases {
    /// One connection that writes, several that read beside it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// Why the store could not do something.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused, failed or was not reached in time.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database's folder or file cannot be used.
    #[error("the database file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// The bundled SQLite is one of those that can corrupt a database in WAL mode.
    #[error("SQLite {0} is too old: at least 3.51.3 is needed")]
    SqliteTooOld(String),
    /// It cannot be reached, or has too much to do.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// It has no space left.
    #[error("the database has no space left")]
    Full,
    /// A copy is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A database that is to be filled holds something already.
    #[error("the database is not empty: there are rows in `{table}`")]
    NotEmpty {
        /// Where.
        table: &'static str,
    },
    /// A database has not the tables of this version.
    #[error("the database has the tables of another version of WebCall: start the server of this version on it once")]
    OtherSchema,
    /// Fewer or more rows arrived than were read.
    #[error("{read} rows of `{table}` were read, and {written} are there now")]
    RowsDiffer {
        /// Of which table.
        table: &'static str,
        /// How many were read.
        read: u64,
        /// How many there are.
        written: i64,
    },
    /// SQLite is told of a file's name as text.
    #[error("the name of the file is not UTF-8")]
    PathNotText,
}

/// Primary result codes of SQLite: another process has the database for longer than one waits; the disk is full. They are the lowest
/// byte of what is reported.
const SQLITE_BUSY: u32 = 5;
const SQLITE_FULL: u32 = 13;
/// The index of the write-ahead log could not grow, which a full disk looks like there (SQLITE_IOERR_SHMSIZE).
const SQLITE_NO_SHARED_MEMORY: u32 = 10 | (19 << 8);
/// PostgreSQL's (Appendix A of its manual), which have five characters; SQLite's have fewer.
const POSTGRES_FULL: &str = "53100";
/// Connection failures, a transaction that stood still for too long, conflicts, too few resources, an operator's shutdown.
const POSTGRES_UNAVAILABLE: [&str; 5] = ["08", "25P03", POSTGRES_CONFLICT, "53", "57"];
/// A transaction was rolled back because another stood in its way, as in a deadlock.
const POSTGRES_CONFLICT: &str = "40";

impl StoreError {
    /// Whether the same request may succeed shortly: no connection was free in time, or the database is away.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Database(sqlx::Error::Database(error)) => match error.code().unwrap_or_default() {
                code if code.len() == 5 => POSTGRES_UNAVAILABLE.iter().any(|class| code.starts_with(class)) && !self.is_full(),
                code => code.parse::<u32>().is_ok_and(|code| code & 0xff == SQLITE_BUSY),
            },
            Self::Database(error) => {
                use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
                matches!(error, PoolTimedOut | PoolClosed | Io(_) | Tls(_) | WorkerCrashed)
            }
            _ => false,
        }
    }

    /// Whether the same may succeed at once: another transaction stood in the way.
    fn is_conflict(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| code.len() == 5 && code.starts_with(POSTGRES_CONFLICT))
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full => true,
            Self::Database(sqlx::Error::Database(error)) => match error.code().unwrap_or_default() {
                code if code.len() == 5 => code == POSTGRES_FULL,
                code => code.parse::<u32>().is_ok_and(|code| code & 0xff == SQLITE_FULL || code == SQLITE_NO_SHARED_MEMORY),
            },
            _ => false,
        }
    }

    /// The same for another of those whom it concerns.
    fn again(&self) -> Self {
        if self.is_full() { Self::Full } else { Self::Unavailable(self.to_string()) }
    }
}

type Result<T> = std::result::Result<T, StoreError>;

impl Databases {
    fn databases(&self) -> &Self {
        self
    }
}

impl Store {
    fn new(databases: Databases) -> Self {
        Self { appending: append::Appending::start(&databases), marking: marks::Marking::start(&databases), databases }
    }

    fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let _one: (i32,) = on_reader!(self, pool => sqlx::query_as::<Db, _>("select 1").fetch_one(pool).await?);
        Ok(())
    }
}
