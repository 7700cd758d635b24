//! Several servers start at once on a database that is empty: one of them makes the tables, all of them serve.

use std::path::PathBuf;

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use webcall::store::Store;

use crate::binary::Server;
use crate::postgres::Postgres;

const NODES: usize = 4;
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_the_tables_of_postgres_once() {
    let postgres = Postgres::start();
    let alone = tables_after(&postgres, "alone", 1).await;
    assert!(!alone.is_empty());
    for round in 0..ROUNDS {
        assert_eq!(tables_after(&postgres, &format!("round{round}"), NODES).await, alone, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_share_a_folder_share_its_sqlite_database() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        // One after the other: the first makes the folder's secrets.
        let servers: Vec<Server> = (0..NODES).map(|_| Server::start(folder.path(), None)).collect();
        work_together(&servers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_new_sqlite_database_at_once_makes_its_tables_once() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webcall.db");
        for store in futures_util::future::join_all((0..NODES).map(|_| Store::open_sqlite(&file))).await {
            let store = store.unwrap();
            assert_eq!(store.count_rooms().await.unwrap(), 0);
            store.close().await;
        }
    }
}

/// Starts so many nodes on a new database; its columns, indexes and steps then.
async fn tables_after(postgres: &Postgres, database: &str, nodes: usize) -> Vec<String> {
    let mut connection = PgConnection::connect_with(&postgres.options()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {database}"))).execute(&mut connection).await.unwrap();
    let folders: Vec<TempDir> = (0..nodes).map(|_| tempfile::tempdir().unwrap()).collect();
    let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.path().to_owned()).collect();
    let url = postgres.url().replace("/postgres?", &format!("/{database}?"));
    let servers = start(&paths, Some(&url));
    work_together(&servers).await;
    let mut connection = PgConnection::connect_with(&postgres.options().database(database)).await.unwrap();
    let sql = "select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') \
               from information_schema.columns where table_schema = 'public' \
               union all select indexdef from pg_indexes where schemaname = 'public' \
               union all select version || ' ' || success from _sqlx_migrations order by 1";
    sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
}

/// All at the same moment.
fn start(folders: &[PathBuf], database: Option<&str>) -> Vec<Server> {
    std::thread::scope(|scope| {
        let starting: Vec<_> = folders.iter().map(|folder| scope.spawn(move || Server::start(folder, database))).collect();
        starting.into_iter().map(|starting| starting.join().unwrap()).collect()
    })
}

/// Each serves, on the same database as the others.
async fn work_together(servers: &[Server]) {
    for (n, server) in servers.iter().enumerate() {
        let name = format!("person{n}");
        server.register(&name).await;
        servers[(n + 1) % servers.len()].log_in(&name).await;
    }
}
