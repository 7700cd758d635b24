//! Statements over many rows: as many at once as possible, because each statement costs a round trip, and in chunks of a few fixed lengths,
//! so that a connection prepares each of them once.

use std::ops::Range;

/// Rows of a statement, longest first.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// The lengths of the statements that take so many rows.
pub(super) fn chunks(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let chunk = CHUNKS.into_iter().find(|chunk| from + chunk <= len)?;
        from += chunk;
        Some(from - chunk..from)
    })
}

/// Gathers what a statement returns. It is made of the text before the rows, the binding of one row, and the text after them.
macro_rules! fetch_chunks {
    ($tx:ident, $db:ty, $rows:expr => $row:ty, $before:expr, $bind:expr, $after:expr) => {{
        let rows = $rows;
        let mut returned: Vec<$row> = Vec::new();
        for chunk in $crate::store::chunks::chunks(rows.len()) {
            let mut query = sqlx::QueryBuilder::<$db>::new($before);
            query.push_values(&rows[chunk], $bind).push($after);
            returned.extend(query.build_query_as::<$row>().fetch_all(&mut *$tx).await?);
        }
        returned
    }};
}

/// Runs a statement that ends with its rows and returns none.
macro_rules! execute_chunks {
    ($tx:ident, $db:ty, $rows:expr, $before:expr, $bind:expr) => {{
        let rows = $rows;
        for chunk in $crate::store::chunks::chunks(rows.len()) {
            let mut query = sqlx::QueryBuilder::<$db>::new($before);
            query.push_values(&rows[chunk], $bind);
            query.build().execute(&mut *$tx).await?;
        }
    }};
}

pub(super) use {execute_chunks, fetch_chunks};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_into_as_few_statements_of_known_lengths_as_possible() {
        let lengths = |len| chunks(len).map(|chunk| chunk.len()).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(3), [1, 1, 1]);
        assert_eq!(lengths(86), [64, 16, 4, 1, 1]);
        assert_eq!(chunks(512).last(), Some(256..512));
    }
}
