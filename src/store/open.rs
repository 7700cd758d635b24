//! Opening the database: connection settings, their reasons, and migrations.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlitePool};

use super::{Databases, Result, Store, StoreError};
use crate::config::Database;

/// Connections that read SQLite beside the writer. Each costs a thread and up to 16 MB of cache; reads here take microseconds.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL. More only queue inside PostgreSQL, whose default is 100 in all, shared with other nodes.
const POSTGRES_CONNECTIONS: u32 = 16;
/// A request that waits this long for a connection is answered `busy`. Longer only piles requests up.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A statement that takes longer is given up by PostgreSQL. The longest honest one takes milliseconds.
const STATEMENT_TIMEOUT: &str = "10s";
/// A transaction whose node says nothing for so long is rolled back: a node that lost its power must not hold a room's row for hours.
/// More than a statement may take, so that PostgreSQL standing still for a moment ends none.
const IDLE_TRANSACTION_TIMEOUT: &str = "30s";
/// PostgreSQL keeps the plan of a prepared statement, also one that it made while a table was small and reading all of it was cheapest.
/// Every statement here finds its rows by an index, so it may as well be told: without these, storing a batch of 64 messages took 200 ms
/// a minute after the start.
const POSTGRES_PLANS: [(&str, &str); 4] =
    [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off")];
/// Between two attempts to open a file that another server is opening.
const OPEN_AGAIN: Duration = Duration::from_millis(20);
/// The first SQLite without the WAL-reset corruption bug.
const SQLITE_OLDEST: (u32, u32, u32) = (3, 51, 3);

/// The schema, step by step.
pub(super) static MIGRATE_SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static MIGRATE_POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Whether a SQLite database can be read, without creating, migrating or changing anything. `false` when there is none yet.
pub async fn reach_sqlite(file: &Path) -> Result<bool> {
    if !file.exists() {
        return Ok(false);
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(ACQUIRE_TIMEOUT);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    // The first page is read and checked by this, not by opening.
    sqlx::query("select count(*) from sqlite_schema").execute(&mut connection).await?;
    connection.close().await?;
    Ok(true)
}

/// Whether a PostgreSQL server takes these credentials, without migrating or changing anything.
pub async fn reach_postgres(options: &PgConnectOptions) -> Result<()> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::query("select 1").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

impl Store {
    /// Opens the database that the settings name.
    pub async fn open(database: &Database) -> Result<Self> {
        match database {
            Database::Sqlite(file) => Self::open_sqlite(file).await,
            Database::Postgres(options) => Self::open_postgres(options.as_ref().clone()).await,
        }
    }

    /// Opens or creates a SQLite database file and brings its schema up to date.
    pub async fn open_sqlite(file: &Path) -> Result<Self> {
        create_private(file)?;
        let options = sqlite_options(file);
        let writer = connect_writer(&options).await?;
        refuse_old_sqlite(&writer).await?;
        // One transaction around all steps, so that servers that share the folder do not take the same step at once.
        let mut tx = writer.begin_with("begin immediate").await?;
        MIGRATE_SQLITE.run(&mut *tx).await?;
        tx.commit().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        Ok(Self::new(Databases::Sqlite { writer, readers }))
    }

    /// Connects to PostgreSQL and brings the schema up to date. Several nodes may do so at once: the migrator takes a lock.
    pub async fn open_postgres(options: PgConnectOptions) -> Result<Self> {
        let options = options.application_name("webcall");
        // On a connection of their own: a migration may take longer than a request may.
        let mut connection = PgConnection::connect_with(&options).await?;
        MIGRATE_POSTGRES.run(&mut connection).await?;
        connection.close().await?;
        let limits =
            [("statement_timeout", STATEMENT_TIMEOUT), ("idle_in_transaction_session_timeout", IDLE_TRANSACTION_TIMEOUT)];
        let options = options.options(limits).options(POSTGRES_PLANS);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        Ok(Self::new(Databases::Postgres(pool)))
    }

    /// Finishes what was begun and closes all connections.
    pub async fn close(&self) {
        match &self.databases {
            Databases::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Databases::Postgres(pool) => pool.close().await,
        }
    }
}

/// The connection that writes. Servers that make the same new file at once meet in its change to WAL, which SQLite refuses at once instead
/// of waiting as it does elsewhere.
async fn connect_writer(options: &SqliteConnectOptions) -> Result<SqlitePool> {
    let until = Instant::now() + ACQUIRE_TIMEOUT;
    loop {
        // A full disk makes SQLite roll back by itself, after which the driver believes for ever to be within a transaction: such a
        // connection is replaced by a fresh one.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
        match pool.connect_with(options.clone()).await.map_err(StoreError::from) {
            Err(error) if error.is_unavailable() && Instant::now() < until => tokio::time::sleep(OPEN_AGAIN).await,
            connected => return connected,
        }
    }
}

/// WAL lets readers go on beside the writer; `synchronous = full` makes a commit survive a power cut; memory-mapped reading stays off,
/// because it is what made past WAL bugs worse.
/// Pages that the log takes before they are brought into the database: 16 MB. SQLite's own 1,000 are full after seven commits to 64 rooms,
/// which change the same pages each time; more than this is read through by every reader, and replayed after a crash.
const PAGES_IN_LOG: &str = "4000";

fn sqlite_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", PAGES_IN_LOG)
        .pragma("cache_size", "-16000")
        .pragma("temp_store", "memory")
        .optimize_on_close(true, None)
}

/// The file holds password hashes: nobody but the server's user may read it.
fn create_private(file: &Path) -> Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    Ok(())
}

async fn refuse_old_sqlite(writer: &SqlitePool) -> Result<()> {
    let (version,): (String,) = sqlx::query_as("select sqlite_version()").fetch_one(writer).await?;
    if parse_version(&version).is_some_and(|found| found >= SQLITE_OLDEST) {
        return Ok(());
    }
    Err(StoreError::SqliteTooOld(version))
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
