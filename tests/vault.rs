//! Backups of an installation, restored and compared row by row, on both databases; and every way in which they must be refused.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/postgres.rs"]
mod postgres;

#[path = "vault/command.rs"]
mod command;
#[path = "vault/crafted.rs"]
mod crafted;
#[path = "vault/files.rs"]
mod files;
#[path = "vault/large.rs"]
mod large;
#[path = "vault/refusals.rs"]
mod refusals;
#[path = "vault/rows.rs"]
mod rows;
#[path = "vault/schema.rs"]
mod schema;
#[path = "vault/whole.rs"]
mod whole;

use std::path::Path;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use webcall::config::Database;
use webcall::store::Store;
use webcall::time::Timestamp;
use webcall::vault::{self, Installation, Saved, VaultError};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// An installation on SQLite in this folder, where there need not be one yet.
fn on_sqlite(folder: &Path) -> Installation {
    Installation { database: Database::Sqlite(folder.join("webcall.db")), data_dir: folder.to_owned() }
}

/// An installation on PostgreSQL with this data folder.
fn on_postgres(options: PgConnectOptions, folder: &Path) -> Installation {
    Installation { database: Database::Postgres(Box::new(options)), data_dir: folder.to_owned() }
}

/// Makes another empty database on a server.
async fn another_database(server: &postgres::Postgres, name: &str) -> PgConnectOptions {
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    server.options().database(name)
}

/// What a first start makes: the schema and a secret.
async fn set_up(installation: &Installation) {
    std::fs::create_dir_all(&installation.data_dir).unwrap();
    std::fs::write(installation.data_dir.join("password_pepper"), "pepper").unwrap();
    Store::open(&installation.database).await.unwrap().close().await;
}

async fn back_up(installation: &Installation, file: &Path) -> Result<Saved, VaultError> {
    vault::back_up(installation, file, NOW, &CancellationToken::new()).await
}

async fn restore(installation: &Installation, file: &Path) -> Result<(), VaultError> {
    vault::restore(installation, file, &CancellationToken::new()).await
}

/// The names in a folder, without the lock, which holds nothing.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "lock");
    names.sort();
    names
}
