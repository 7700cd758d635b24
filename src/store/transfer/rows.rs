//! Rows on their way from one database to the other. A table is read as one stream and written in batches, so that its size does not
//! matter to the memory that this takes.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, QueryBuilder, Row, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::tables::{Kind, Table};
use crate::store::{Result, StoreError};

/// Rows of one statement. Its parameters stay far below what both databases take (65,535 and 32,766); more saves little.
const MAX_BATCH_ROWS: usize = 250;
/// Bytes of one statement, beyond which it is sent with fewer rows: what this takes of memory, with one row more.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// What a row counts for beside its texts and bytes.
const ROW_BYTES: usize = 64;

/// A value, or none.
enum Cell {
    Id(Option<Uuid>),
    Text(Option<String>),
    Integer(Option<i64>),
    Flag(Option<bool>),
    Bytes(Option<Vec<u8>>),
}

impl Cell {
    fn size_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
            Self::Id(_) | Self::Integer(_) | Self::Flag(_) => 0,
        }
    }
}

/// Rows that are not written yet.
#[derive(Default)]
struct Batch {
    rows: Vec<Vec<Cell>>,
    size_bytes: usize,
}

impl Batch {
    fn push(&mut self, row: Vec<Cell>) {
        self.size_bytes += ROW_BYTES + row.iter().map(Cell::size_bytes).sum::<usize>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= MAX_BATCH_ROWS || self.size_bytes >= MAX_BATCH_BYTES
    }
}

/// The same code between the two databases, whose types share no trait that would fit.
macro_rules! copying {
    ($(#[$doc:meta])* $name:ident, $From:ty, $Source:ty => $To:ty, $Target:ty) => {
        $(#[$doc])*
        pub(super) async fn $name(source: &mut $Source, target: &mut $Target, table: &Table) -> Result<u64> {
            async fn write(target: &mut $Target, table: &Table, batch: Batch) -> Result<()> {
                let mut insert: QueryBuilder<$To> =
                    QueryBuilder::new(format!("insert into {} ({}) ", table.name, table.column_list()));
                // Of all the statements only that with the full number of rows comes again.
                let is_frequent = batch.rows.len() == MAX_BATCH_ROWS;
                insert.push_values(batch.rows, |mut row, cells| {
                    for cell in cells {
                        match cell {
                            Cell::Id(value) => row.push_bind(value),
                            Cell::Text(value) => row.push_bind(value),
                            Cell::Integer(value) => row.push_bind(value),
                            Cell::Flag(value) => row.push_bind(value),
                            Cell::Bytes(value) => row.push_bind(value),
                        };
                    }
                });
                insert.build().persistent(is_frequent).execute(target).await?;
                Ok(())
            }

            let select = AssertSqlSafe(format!("select {} from {}", table.column_list(), table.name));
            let mut rows = sqlx::query::<$From>(select).fetch(source);
            let (mut batch, mut count) = (Batch::default(), 0);
            while let Some(row) = rows.try_next().await? {
                let cell = |(index, (_, kind)): (usize, &(&str, Kind))| {
                    Ok(match kind {
                        Kind::Id => Cell::Id(row.try_get(index)?),
                        Kind::Text => Cell::Text(row.try_get(index)?),
                        Kind::Integer => Cell::Integer(row.try_get(index)?),
                        Kind::Flag => Cell::Flag(row.try_get(index)?),
                        Kind::Bytes => Cell::Bytes(row.try_get(index)?),
                    })
                };
                batch.push(table.columns.iter().enumerate().map(cell).collect::<Result<_>>()?);
                count += 1;
                if batch.is_full() {
                    write(target, table, std::mem::take(&mut batch)).await?;
                }
            }
            if !batch.rows.is_empty() {
                write(target, table, batch).await?;
            }
            let written: (i64,) =
                sqlx::query_as::<$To, _>(AssertSqlSafe(format!("select count(*) from {}", table.name))).fetch_one(target).await?;
            if u64::try_from(written.0) != Ok(count) {
                return Err(StoreError::RowsDiffer { table: table.name, read: count, written: written.0 });
            }
            Ok(count)
        }
    };
}

copying! {
    /// Copies the rows of a table, and compares how many there are then; how many.
    to_postgres, Sqlite, SqliteConnection => Postgres, PgConnection
}
copying! {
    /// Copies the rows of a table, and compares how many there are then; how many.
    to_sqlite, Postgres, PgConnection => Sqlite, SqliteConnection
}
