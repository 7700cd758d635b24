//! The database alone: a row of a message's size, a commit, and again, by one connection.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::bench::BenchError;

const TABLE: &str = "create table bench_commits (id bigint primary key not null, body text not null)";
const ROW: &str = "insert into bench_commits (id, body) values ($1, $2)";
/// As a message of 200 bytes in base64.
const BODY_CHARACTERS: usize = 268;

/// The same on either kind of connection.
macro_rules! commits {
    ($connection:ident, $measured:ident) => {
        async {
            sqlx::query(TABLE).execute(&mut $connection).await?;
            let (body, began, mut count) = ("x".repeat(BODY_CHARACTERS), Instant::now(), 0_i64);
            while began.elapsed() < $measured {
                sqlx::query(ROW).bind(count).bind(&body).execute(&mut $connection).await?;
                count += 1;
            }
            Ok::<f64, sqlx::Error>(count as f64 / began.elapsed().as_secs_f64())
        }
        .await
    };
}

/// Commits a second.
pub(super) async fn measure(database: Option<&str>, measured: Duration) -> Result<f64, BenchError> {
    let failed = BenchError::of("measuring the database alone");
    match database {
        None => {
            let folder = std::env::temp_dir().join(format!("webcall-bench-floor-{}", std::process::id()));
            std::fs::create_dir_all(&folder)?;
            let options = SqliteConnectOptions::new()
                .filename(folder.join("floor.db"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            let mut connection = SqliteConnection::connect_with(&options).await.map_err(&failed)?;
            let rate = commits!(connection, measured).map_err(&failed);
            connection.close().await.map_err(&failed)?;
            std::fs::remove_dir_all(&folder)?;
            rate
        }
        Some(url) => {
            let options: PgConnectOptions = url.parse().map_err(&failed)?;
            let mut connection = PgConnection::connect_with(&options).await.map_err(&failed)?;
            sqlx::query("drop table if exists bench_commits").execute(&mut connection).await.map_err(&failed)?;
            let rate = commits!(connection, measured).map_err(&failed);
            sqlx::query("drop table bench_commits").execute(&mut connection).await.map_err(&failed)?;
            rate
        }
    }
}
