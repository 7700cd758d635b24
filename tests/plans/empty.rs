//! Stores with nothing in them, one after the other.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use webcall::store::Store;

use crate::postgres::Postgres;

/// Opens them.
pub(crate) enum Opener {
    Sqlite {
        folder: TempDir,
        opened: u32,
    },
    /// One server; each store is a database of its own, copied from one that was migrated.
    Postgres {
        server: Postgres,
        opened: u32,
    },
}

impl Opener {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite { folder: tempfile::tempdir().unwrap(), opened: 0 }
    }

    pub(crate) async fn postgres() -> Self {
        let server = Postgres::start();
        run(&server.options(), "create database migrated").await;
        Store::open_postgres(server.options().database("migrated")).await.unwrap().close().await;
        Self::Postgres { server, opened: 0 }
    }

    pub(crate) async fn empty(&mut self) -> Store {
        match self {
            Self::Sqlite { folder, opened } => {
                *opened += 1;
                Store::open_sqlite(&folder.path().join(format!("{opened}.db"))).await.unwrap()
            }
            Self::Postgres { server, opened } => {
                *opened += 1;
                run(&server.options(), &format!("create database empty{opened} template migrated")).await;
                Store::open_postgres(server.options().database(&format!("empty{opened}"))).await.unwrap()
            }
        }
    }
}

async fn run(options: &PgConnectOptions, statement: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
