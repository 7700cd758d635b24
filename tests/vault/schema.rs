//! The list of tables beside the schema that the migrations make.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};
use webcall::config::Database;
use webcall::store::transfer::{Kind, TABLES};

use crate::postgres::Postgres;
use crate::{on_postgres, on_sqlite, rows, set_up};

/// Table, column and type.
type Columns = BTreeSet<(String, String, String)>;

fn listed(name_of: impl Fn(Kind) -> &'static str) -> Columns {
    let columns = TABLES.iter().flat_map(|table| {
        table.columns.iter().map(|&(column, kind)| (table.name.to_owned(), column.to_owned(), name_of(kind).to_owned()))
    });
    columns.collect()
}

#[tokio::test]
async fn no_table_and_no_column_of_sqlite_is_forgotten_and_none_comes_before_what_it_refers_to() {
    let folder = tempfile::tempdir().unwrap();
    let installation = on_sqlite(folder.path());
    set_up(&installation).await;
    let Database::Sqlite(file) = &installation.database else { unreachable!() };
    let mut connection = rows::sqlite(file).await;
    let sql = "select t.name, c.name, lower(c.type) from sqlite_schema t, pragma_table_info(t.name) c \
               where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' and t.name <> '_sqlx_migrations'";
    let found: Columns = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap().into_iter().collect();
    let expected = listed(|kind| match kind {
        Kind::Id | Kind::Bytes => "blob",
        Kind::Text => "text",
        Kind::Integer | Kind::Flag => "integer",
    });
    assert_eq!(found, expected, "src/store/transfer/tables.rs must list what the migrations make");
    for (position, table) in TABLES.iter().enumerate() {
        let sql = "select \"table\" from pragma_foreign_key_list($1)";
        let parents: Vec<String> = sqlx::query_scalar(sql).bind(table.name).fetch_all(&mut connection).await.unwrap();
        for parent in parents {
            assert!(TABLES[..position].iter().any(|before| before.name == parent), "{parent} must come before {}", table.name);
        }
    }
}

#[tokio::test]
async fn no_table_no_column_and_no_counter_of_postgresql_is_forgotten() {
    let (server, folder) = (Postgres::start(), tempfile::tempdir().unwrap());
    set_up(&on_postgres(server.options(), folder.path())).await;
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    let sql = "select table_name::text, column_name::text, data_type::text from information_schema.columns \
               where table_schema = current_schema() and table_name <> '_sqlx_migrations'";
    let found: Columns = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap().into_iter().collect();
    let expected = listed(|kind| match kind {
        Kind::Id => "uuid",
        Kind::Text => "text",
        Kind::Integer => "bigint",
        Kind::Flag => "boolean",
        Kind::Bytes => "bytea",
    });
    assert_eq!(found, expected, "src/store/transfer/tables.rs must list what the migrations make");
    let counters: i64 =
        sqlx::query_scalar("select count(*) from information_schema.sequences").fetch_one(&mut connection).await.unwrap();
    assert_eq!(counters, 0, "a sequence has a state that is not copied");
}
