//! Whole databases: a copy of one that is in use, as a SQLite file, and such a file's rows moved into PostgreSQL. Both databases have
//! the same tables ([`TABLES`]), so that a copy is the same file whichever it was made from.
//!
//! Works on connections of its own, never on a [`super::Store`]: a source is not migrated, and a statement may take as long as it takes.
//! Called by `vault`, which decides where copies lie and what becomes of them.

mod rows;
mod tables;

use std::path::Path;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::open::{MIGRATE_POSTGRES, MIGRATE_SQLITE};
use super::{Result, StoreError};
pub use tables::{Kind, TABLES, Table};

/// Copies a SQLite database that may be in use into `file`, which must be empty or missing: the state of one moment, no matter what is
/// written meanwhile.
pub async fn snapshot_sqlite(source: &Path, file: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(source).read_only(true).busy_timeout(super::open::ACQUIRE_TIMEOUT);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let target = file.to_str().ok_or(StoreError::PathNotText)?;
    sqlx::query("vacuum into $1").bind(target).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Copies all rows of a PostgreSQL database that may be in use into `file`, which must be empty or missing: the state of one moment.
pub async fn snapshot_postgres(source: &PgConnectOptions, file: &Path) -> Result<()> {
    let mut connection = connect_patiently(source, "webcall-backup").await?;
    refuse_other_schema(&mut connection).await?;
    // What fails or is interrupted is thrown away as a whole: nothing needs a journal, and the file is synced once, when it is whole.
    let mut copy = open_copy(file, SqliteJournalMode::Off).await?;
    MIGRATE_SQLITE.run(&mut copy).await?;
    sqlx::query("begin isolation level repeatable read read only").execute(&mut connection).await?;
    for table in TABLES {
        sqlx::query("begin").execute(&mut copy).await?;
        rows::to_sqlite(&mut connection, &mut copy, table).await?;
        sqlx::query("commit").execute(&mut copy).await?;
    }
    sqlx::query("commit").execute(&mut connection).await?;
    connection.close().await?;
    Ok(copy.close().await?)
}

/// Brings a copy up to this version's schema and checks it whole.
pub async fn settle_copy(file: &Path) -> Result<()> {
    let mut copy = open_copy(file, SqliteJournalMode::Delete).await?;
    // First, so that no damage is migrated.
    let (verdict,): (String,) = sqlx::query_as("pragma quick_check(1)").fetch_one(&mut copy).await?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    MIGRATE_SQLITE.run(&mut copy).await?;
    Ok(copy.close().await?)
}

/// A copy, opened to be compared with the files that lie beside the database.
pub struct CopiedFiles {
    copy: SqliteConnection,
}

impl CopiedFiles {
    /// Opens it.
    pub async fn open(file: &Path) -> Result<Self> {
        let mut copy = open_copy(file, SqliteJournalMode::Delete).await?;
        sqlx::query("create temp table found (id blob primary key not null) strict, without rowid").execute(&mut copy).await?;
        Ok(Self { copy })
    }

    /// How many bytes of this file belong to the copy; `None` when it knows of no such file in a folder.
    pub async fn received_bytes(&mut self, id: uuid::Uuid) -> Result<Option<i64>> {
        let sql = "select received_bytes from files f where id = $1 \
                   and not exists (select 1 from file_pieces p where p.file_id = f.id)";
        let found: Option<(i64,)> = sqlx::query_as(sql).bind(id).fetch_optional(&mut self.copy).await?;
        Ok(found.map(|(bytes,)| bytes))
    }

    /// Notes that the bytes of this file are there.
    pub async fn found(&mut self, id: uuid::Uuid) -> Result<()> {
        sqlx::query("insert into found (id) values ($1) on conflict do nothing").bind(id).execute(&mut self.copy).await?;
        Ok(())
    }

    /// How many files are in a bucket.
    pub async fn in_bucket(&mut self) -> Result<u64> {
        let sql = "select count(distinct file_id) from file_pieces";
        let (count,): (i64,) = sqlx::query_as(sql).fetch_one(&mut self.copy).await?;
        Ok(count.unsigned_abs())
    }

    /// Removes the rows whose bytes were not found, nor are in a bucket: they were deleted since, or are lost. How many.
    pub async fn leave_out_others(mut self) -> Result<u64> {
        let sql = "delete from files where received_bytes > 0 and id not in (select id from found) \
                   and id not in (select file_id from file_pieces)";
        let removed = sqlx::query(sql).execute(&mut self.copy).await?.rows_affected();
        self.copy.close().await?;
        Ok(removed)
    }
}

/// Rows that were written to PostgreSQL and that nobody sees until they are committed. Dropped, there were none.
pub struct PendingCopy {
    target: PgConnection,
    rows: u64,
}

impl PendingCopy {
    /// Makes them visible; how many there are.
    pub async fn commit(mut self) -> Result<u64> {
        sqlx::query("commit").execute(&mut self.target).await?;
        self.target.close().await?;
        Ok(self.rows)
    }
}

/// Copies all rows of a SQLite database that nobody writes to into PostgreSQL, where the tables must be empty or missing.
pub async fn copy_to_postgres(file: &Path, target: &PgConnectOptions) -> Result<PendingCopy> {
    let mut target = connect_patiently(target, "webcall-restore").await?;
    // Before the tables are made, so that a database that is refused stays as it was.
    refuse_occupied(&mut target).await?;
    MIGRATE_POSTGRES.run(&mut target).await?;
    sqlx::query("begin").execute(&mut target).await?;
    let all = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
    // A server on this database may have begun to write since: it waits, or what it wrote is seen.
    sqlx::query(AssertSqlSafe(format!("lock table {all} in access exclusive mode"))).execute(&mut target).await?;
    refuse_occupied(&mut target).await?;
    let mut source = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file).read_only(true)).await?;
    sqlx::query("begin").execute(&mut source).await?;
    let mut rows = 0;
    for table in TABLES {
        rows += rows::to_postgres(&mut source, &mut target, table).await?;
    }
    source.close().await?;
    Ok(PendingCopy { target, rows })
}

/// Refuses a PostgreSQL database in which one of the tables has a row, without changing anything.
pub async fn refuse_occupied_postgres(target: &PgConnectOptions) -> Result<()> {
    let mut connection = PgConnection::connect_with(target).await?;
    refuse_occupied(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn refuse_occupied(target: &mut PgConnection) -> Result<()> {
    for table in TABLES {
        let (exists,): (bool,) =
            sqlx::query_as("select to_regclass($1) is not null").bind(table.name).fetch_one(&mut *target).await?;
        if !exists {
            continue;
        }
        let any = AssertSqlSafe(format!("select 1 from {} limit 1", table.name));
        if sqlx::query(any).fetch_optional(&mut *target).await?.is_some() {
            return Err(StoreError::NotEmpty { table: table.name });
        }
    }
    Ok(())
}

/// A source is read as it is: it must have the tables that this version knows.
async fn refuse_other_schema(source: &mut PgConnection) -> Result<()> {
    let (exists,): (bool,) = sqlx::query_as("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut *source).await?;
    let mut found = Vec::new();
    if exists {
        let sql = "select version from _sqlx_migrations where success order by version";
        found = sqlx::query_as::<_, (i64,)>(sql).fetch_all(source).await?;
    }
    match found.iter().map(|(version,)| *version).eq(MIGRATE_POSTGRES.iter().map(|migration| migration.version)) {
        true => Ok(()),
        false => Err(StoreError::OtherSchema),
    }
}

/// A connection without the time limits that a server's role may have: a table takes as long as it takes.
async fn connect_patiently(options: &PgConnectOptions, name: &str) -> Result<PgConnection> {
    let no_limits = [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
    let options = options.clone().application_name(name).options(no_limits);
    Ok(PgConnection::connect_with(&options).await?)
}

async fn open_copy(file: &Path, journal: SqliteJournalMode) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(journal)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(true)
        .pragma("cache_size", "-16000");
    Ok(SqliteConnection::connect_with(&options).await?)
}
