//! One SQL text on two databases: an expression is compiled once for each of them and the store's own decides at run time which runs.

/// Runs one reading expression on either database. In it, `Db` is the database's type and `$pool` the pool to run on.
macro_rules! on_reader {
    ($store:expr, $pool:ident => $body:expr) => {
        match $store.databases() {
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
        match $store.databases() {
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
        match $store.databases() {
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

pub(super) use {in_transaction, on_reader, on_writer};
