//! Everything that outlives a restart: accounts, sessions, rooms, members, diagnostic reports, in SQLite or PostgreSQL.
//!
//! Owns the SQL and nothing else: no policy, no tokens, no request types. One SQL text in the common subset of both databases is
//! dispatched over [`Databases`] by the macros below; every function is run on both by `tests/store.rs`. Use-cases (`accounts`,
//! `rooms`) call it; HTTP and signalling never do.
//!
//! The common subset: `$1` placeholders, `returning`, `on conflict`, 64-bit integers, no `now()`, casts, arrays or JSON operators.
//! Functions that differ between the databases: none yet.

mod diagnostics;
mod members;
mod open;
mod rooms;
mod sessions;
pub mod transfer;
mod turn_keys;
mod users;

pub use diagnostics::{AddedReport, NewReport, ReportLimits, ReportRow};
pub use members::{Joined, MemberLimits, MemberRow};
pub use open::{reach_postgres, reach_sqlite};
pub use rooms::{AddedRoom, LinkedRoom, NewRoom, RoomRow};
pub use sessions::{NewSession, Rotation, SessionRow};
pub use turn_keys::{AddedTurnKey, TurnKeyRow};
pub use users::{AddedUser, NewUser, UserRow};

use sqlx::{PgPool, SqlitePool};
use thiserror::Error;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    databases: Databases,
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

impl StoreError {
    /// Whether the same request may succeed shortly: no connection was free in time.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut))
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// Runs one reading expression on either database. In it, `Db` is the database's type and `$pool` the pool to run on.
macro_rules! on_reader {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.databases {
            $crate::store::Databases::Sqlite { readers: $pool, .. } => {
                type Db = sqlx::Sqlite;
                $body
            }
            $crate::store::Databases::Postgres($pool) => {
                type Db = sqlx::Postgres;
                $body
            }
        }
    };
}

/// Runs one writing statement, which is its own transaction, on either database.
macro_rules! on_writer {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.databases {
            $crate::store::Databases::Sqlite { writer: $pool, .. } => {
                type Db = sqlx::Sqlite;
                $body
            }
            $crate::store::Databases::Postgres($pool) => {
                type Db = sqlx::Postgres;
                $body
            }
        }
    };
}

/// Runs statements in one transaction on either database. The body commits or rolls `$tx` back itself. SQLite takes its write lock
/// at once, so that a transaction never fails halfway because another one wrote first.
macro_rules! in_transaction {
    ($store:expr, $tx:ident => $body:expr) => {
        match &$store.databases {
            $crate::store::Databases::Sqlite { writer, .. } => {
                type Db = sqlx::Sqlite;
                let mut $tx = writer.begin_with("begin immediate").await?;
                $body
            }
            $crate::store::Databases::Postgres(pool) => {
                type Db = sqlx::Postgres;
                let mut $tx = pool.begin().await?;
                $body
            }
        }
    };
}

use {in_transaction, on_reader, on_writer};

impl Store {
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let _one: (i32,) = on_reader!(self, pool => sqlx::query_as::<Db, _>("select 1").fetch_one(pool).await?);
        Ok(())
    }
}
