//! SQLite's plans (`explain query plan`), as they are before it knows what stands in the tables and as they are afterwards.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use webcall::store::Store;
use webcall::store::transfer::TABLES;

use crate::exceptions::may_read_all;
use crate::filled;
use crate::filling::SQLITE;

/// Its plans do not depend on sizes but on statistics, in which this is many.
const UNIT: usize = 1_000;

/// Statements that read all of a table and may not, each with its plan.
pub(crate) async fn full_scans(statements: &BTreeSet<String>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("webcall.db");
    Store::open_sqlite(&file).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
    let mut faults = faults(&mut connection, statements).await;
    for statement in filled::statements(UNIT, &SQLITE) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    sqlx::query("analyze").execute(&mut connection).await.unwrap();
    faults.extend(self::faults(&mut connection, statements).await);
    faults
}

async fn faults(connection: &mut SqliteConnection, statements: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for statement in statements {
        let explain = AssertSqlSafe(format!("explain query plan {statement}"));
        let steps = sqlx::query(explain).fetch_all(&mut *connection).await.unwrap();
        for step in steps {
            let step: String = step.get("detail");
            if scanned(&step, statement).is_some_and(|table| !may_read_all(statement, &table)) {
                faults.push(format!("SQLite: {step}: {statement}"));
            }
        }
    }
    faults
}

/// The table that a step of a plan reads as a whole: `SCAN name …`, or a search that skips along an index (`ANY(column)`).
fn scanned(step: &str, statement: &str) -> Option<String> {
    let (kind, rest) = step.split_once(' ')?;
    let name = rest.split(' ').next()?;
    let reads_all = kind == "SCAN" || (kind == "SEARCH" && step.contains("ANY("));
    reads_all.then(|| names(statement).get(name).cloned()).flatten()
}

/// Tables of a statement by the names that it gives them. A name that is not here is that of a subquery.
fn names(statement: &str) -> BTreeMap<String, String> {
    let words: Vec<&str> =
        statement.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let mut names = BTreeMap::new();
    for pair in words.windows(2).chain(std::iter::once(&[words[words.len() - 1], ""][..])) {
        let [word, next] = pair else { unreachable!() };
        if TABLES.iter().any(|table| table.name == *word) {
            // A word behind a table that is no other name of it does no harm: no step has it.
            names.insert((*next).to_owned(), (*word).to_owned());
            names.insert((*word).to_owned(), (*word).to_owned());
        }
    }
    names
}
