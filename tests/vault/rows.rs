//! Every table filled with values that are easily lost on the way, and all rows of a database as values that can be compared.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, QueryBuilder, Row, Sqlite, SqliteConnection};
use uuid::Uuid;
use webcall::config::Database;
use webcall::store::transfer::{Kind, TABLES, Table};

/// Rows of each table: more than one statement's, of which the first are the awkward ones.
pub(crate) const ROWS: usize = 300;

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Id(Uuid),
    Text(String),
    Integer(i64),
    Flag(bool),
    Bytes(Vec<u8>),
}

/// All rows: the table's name, then its rows in order.
pub(crate) type Rows = Vec<(&'static str, Vec<Vec<Value>>)>;

/// Identifier number `row`. Row n of each table refers to row n of the others.
pub(crate) fn id(row: usize) -> Uuid {
    match row {
        0 => Uuid::nil(),
        1 => Uuid::max(),
        _ => Uuid::from_u128((row as u128) << 64 | 0x8000_0000_ffff_00ff),
    }
}

/// How many bytes of file number `row` were received.
pub(crate) fn received(row: usize) -> usize {
    if row.is_multiple_of(3) { 0 } else { row }
}

fn value(table: &Table, (column, kind): (&str, Kind), row: usize) -> Value {
    match kind {
        // Only files that have nothing in the folder are in a bucket.
        Kind::Id if (table.name, column) == ("file_pieces", "file_id") => Value::Id(id(row / 3 * 3)),
        Kind::Id => Value::Id(id(row)),
        Kind::Flag => Value::Flag(row.is_multiple_of(2)),
        Kind::Integer if (table.name, column) == ("files", "received_bytes") => Value::Integer(received(row) as i64),
        // Unique together, and both are numbers.
        Kind::Integer if (table.name, column) == ("e2ee_log_nodes", "place") => Value::Integer(row as i64),
        Kind::Integer => Value::Integer([i64::MAX, i64::MIN, 0, -1, 1, 1 << 53][row % 6] ^ (row as i64 / 6)),
        Kind::Text => {
            let long = "long ".repeat(2_000);
            let texts =
                ["", "ünï¢ødé 👩‍👩‍👧 \u{202e}שלום\u{feff}", "'; drop table users; --", "\t\r\n\u{1}\u{7f}$1 %_\\", &long, "NULL"];
            // Many are unique.
            Value::Text(format!("{}{row}", texts[row % texts.len()]))
        }
        Kind::Bytes => {
            let all = (0..=255).collect::<Vec<u8>>();
            let mut bytes = [vec![], vec![0], all.repeat(256), vec![0xff; 3], b"\\x00'".to_vec()][row % 5].clone();
            if column != "body" {
                bytes.extend(row.to_be_bytes());
            }
            Value::Bytes(bytes)
        }
    }
}

macro_rules! on {
    ($Db:ty, $Connection:ty, $fill:ident, $read:ident) => {
        async fn $fill(connection: &mut $Connection, table: &Table, nullable: &[String]) {
            let columns = table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            for row in 0..ROWS {
                let mut insert: QueryBuilder<$Db> = QueryBuilder::new(format!("insert into {} ({columns}) values (", table.name));
                let mut values = insert.separated(", ");
                for &(name, kind) in table.columns {
                    let is_null = row % 2 == 1 && nullable.iter().any(|nullable| nullable == name);
                    match (value(table, (name, kind), row), is_null) {
                        (Value::Id(value), _) => values.push_bind((!is_null).then_some(value)),
                        (Value::Text(value), _) => values.push_bind((!is_null).then_some(value)),
                        (Value::Integer(value), _) => values.push_bind((!is_null).then_some(value)),
                        (Value::Flag(value), _) => values.push_bind((!is_null).then_some(value)),
                        (Value::Bytes(value), _) => values.push_bind((!is_null).then_some(value)),
                        (Value::Null, _) => unreachable!("no value is null by itself"),
                    };
                }
                insert.push(")");
                insert.build().execute(&mut *connection).await.unwrap();
            }
        }

        async fn $read(connection: &mut $Connection, table: &Table) -> Vec<Vec<Value>> {
            let columns = table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let select = AssertSqlSafe(format!("select {columns} from {}", table.name));
            let found = sqlx::query::<$Db>(select).fetch_all(connection).await.unwrap();
            let value = |row: &<$Db as sqlx::Database>::Row, index: usize, kind: Kind| match kind {
                Kind::Id => row.get::<Option<Uuid>, _>(index).map(Value::Id),
                Kind::Text => row.get::<Option<String>, _>(index).map(Value::Text),
                Kind::Integer => row.get::<Option<i64>, _>(index).map(Value::Integer),
                Kind::Flag => row.get::<Option<bool>, _>(index).map(Value::Flag),
                Kind::Bytes => row.get::<Option<Vec<u8>>, _>(index).map(Value::Bytes),
            };
            let cells = |row| {
                let kinds = table.columns.iter().enumerate();
                kinds.map(|(index, (_, kind))| value(row, index, *kind).unwrap_or(Value::Null)).collect()
            };
            let mut rows: Vec<Vec<Value>> = found.iter().map(cells).collect();
            rows.sort();
            rows
        }
    };
}

on!(Sqlite, SqliteConnection, fill_sqlite, read_sqlite);
on!(Postgres, PgConnection, fill_postgres, read_postgres);

/// Fills every table of a database that has its schema.
pub(crate) async fn fill(database: &Database) {
    match database {
        Database::Sqlite(file) => {
            let mut connection = sqlite(file).await;
            sqlx::query("begin").execute(&mut connection).await.unwrap();
            for table in TABLES {
                let sql = "select name from pragma_table_info($1) where \"notnull\" = 0";
                let nullable = sqlx::query_scalar(sql).bind(table.name).fetch_all(&mut connection).await.unwrap();
                fill_sqlite(&mut connection, table, &nullable).await;
            }
            sqlx::query("commit").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres(options) => {
            let mut connection = PgConnection::connect_with(options).await.unwrap();
            sqlx::query("begin").execute(&mut connection).await.unwrap();
            for table in TABLES {
                let sql =
                    "select column_name::text from information_schema.columns where table_name = $1 and is_nullable = 'YES'";
                let nullable = sqlx::query_scalar(sql).bind(table.name).fetch_all(&mut connection).await.unwrap();
                fill_postgres(&mut connection, table, &nullable).await;
            }
            sqlx::query("commit").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

/// All rows of a database.
pub(crate) async fn all(database: &Database) -> Rows {
    let mut rows = Vec::new();
    match database {
        Database::Sqlite(file) => {
            let mut connection = sqlite(file).await;
            for table in TABLES {
                rows.push((table.name, read_sqlite(&mut connection, table).await));
            }
            connection.close().await.unwrap();
        }
        Database::Postgres(options) => {
            let mut connection = PgConnection::connect_with(options).await.unwrap();
            for table in TABLES {
                rows.push((table.name, read_postgres(&mut connection, table).await));
            }
            connection.close().await.unwrap();
        }
    }
    rows
}

/// Fails, saying where, unless both hold the same rows in every table.
pub(crate) fn assert_same(found: &Rows, expected: &Rows) {
    for ((table, found), (_, expected)) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "rows of {table}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found == expected, "{table}: {found:.300?} is not {expected:.300?}");
        }
    }
}

/// A connection to a SQLite file.
pub(crate) async fn sqlite(file: &std::path::Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}
