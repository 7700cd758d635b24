//! Many rows at once, by statements in the words of both databases.

use webcall::store::transfer::TABLES;

/// What the databases say differently.
pub(crate) struct Words {
    /// Around the number of an identifier.
    id: (&'static str, &'static str),
    /// The type of bytes.
    bytes: &'static str,
    /// A table of the numbers `i` from 1 to `ROWS`.
    numbers: &'static str,
}

/// SQLite's.
pub(crate) const SQLITE: Words = Words {
    id: ("cast(printf('%016d', ", ") as blob)"),
    bytes: "blob",
    numbers: "(with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ROWS) select i from numbers)",
};

/// PostgreSQL's.
pub(crate) const POSTGRES: Words = Words {
    id: ("cast(lpad(cast(", " as text), 32, '0') as uuid)"),
    bytes: "bytea",
    numbers: "generate_series(cast(1 as bigint), ROWS) i",
};

/// Fills a table with `rows` rows made of `values` for each number `i` from 1, in the order of the table's columns. In them, `[number]`
/// is an identifier and `BYTES` the type of bytes.
pub(crate) fn insert(words: &Words, table: &str, rows: usize, values: &str) -> String {
    let table = TABLES.iter().find(|known| known.name == table).unwrap();
    let columns = table.columns.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(", ");
    let values = values.replace('[', words.id.0).replace(']', words.id.1).replace("BYTES", words.bytes);
    let numbers = words.numbers.replace("ROWS", &rows.to_string());
    format!("insert into {} ({columns}) select {values} from {numbers}", table.name)
}
