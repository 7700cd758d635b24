//! PostgreSQL's plans. Tables are filled and analysed, because for small ones it rightly reads the whole; and it is asked for the plan
//! that holds for any values (`force_generic_plan`), because that is what a server comes to use for a statement that it runs often.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use webcall::store::Store;

use crate::exceptions::may_read_all;
use crate::filling::POSTGRES;
use crate::{filled, parameters, postgres};

/// 100,000 users and rooms, 300,000 messages: a statement for 256 rooms at once must find an index cheaper than the whole.
const UNIT: usize = 10_000;
/// As `store/open.rs` sets them. What cannot find its rows by an index reads the whole table all the same, as the positive control shows.
const SETTINGS: [&str; 3] = ["set enable_seqscan = off", "set enable_hashjoin = off", "set enable_mergejoin = off"];
/// Statements whose parameters nothing in the text gives a type, which the driver does: how they begin, and the types, over and over.
const TYPES: [(&str, &[&str]); 6] = [
    ("with added (room_id, entries) as", &["uuid", "bigint"]),
    ("with wanted (room_id) as", &["uuid"]),
    ("with wanted (room_id, user_id) as", &["uuid", "uuid"]),
    ("with wanted (room_id, message_id) as", &["uuid", "uuid"]),
    ("with wanted (level, place) as", &["bigint", "bigint"]),
    ("with marks (room_id, user_id, seq) as", &["uuid", "uuid", "bigint"]),
];

/// Statements that read all of a table and may not, each with its plan.
pub(crate) async fn full_scans(statements: &BTreeSet<String>) -> Vec<String> {
    let server = postgres::Postgres::start();
    Store::open_postgres(server.options()).await.unwrap().close().await;
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    // Whether each row's parents are there matters to no plan, and looking for them takes a third of the time.
    run(&mut connection, "set session_replication_role = replica").await;
    for statement in filled::statements(UNIT, &POSTGRES) {
        run(&mut connection, &statement).await;
    }
    run(&mut connection, "vacuum analyze").await;
    run(&mut connection, "set plan_cache_mode = force_generic_plan").await;
    for setting in SETTINGS {
        run(&mut connection, setting).await;
    }
    let indices = Indices::read(&mut connection).await;
    let mut faults = Vec::new();
    for statement in statements {
        let plan = plan(&mut connection, statement).await;
        let mut scanned = Vec::new();
        indices.scanned(&plan[0]["Plan"], &mut scanned);
        scanned.retain(|table| !may_read_all(statement, table));
        if !scanned.is_empty() {
            faults.push(format!("PostgreSQL: the whole of {}: {statement}", scanned.join(", ")));
        }
    }
    faults
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

async fn plan(connection: &mut PgConnection, statement: &str) -> Value {
    let count = parameters(statement);
    let known = TYPES.iter().find(|(beginning, _)| statement.starts_with(beginning)).map_or(&["unknown"][..], |(_, types)| types);
    let list = |of: &[&str]| match count {
        0 => String::new(),
        _ => format!("({})", (0..count).map(|at| of[at % of.len()]).collect::<Vec<_>>().join(", ")),
    };
    run(connection, &format!("prepare asked {} as {statement}", list(known))).await;
    let explain = format!("explain (format json) execute asked {}", list(&["null"]));
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    run(connection, "deallocate asked").await;
    serde_json::from_str(rows[0].try_get_unchecked(0).unwrap()).unwrap()
}

/// The table and the first column of each index.
struct Indices(BTreeMap<String, (String, String)>);

impl Indices {
    async fn read(connection: &mut PgConnection) -> Self {
        let sql = "select c.relname::text, t.relname::text, a.attname::text from pg_index i join pg_class c on c.oid = i.indexrelid \
                   join pg_class t on t.oid = i.indrelid join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]";
        let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(connection).await.unwrap();
        Self(rows.into_iter().map(|(index, table, column)| (index, (table, column))).collect())
    }

    /// Adds the tables that a node of a plan and those below it read as a whole, or along the whole of an index.
    fn scanned(&self, node: &Value, found: &mut Vec<String>) {
        let text = |key: &str| node[key].as_str().unwrap_or_default();
        match text("Node Type") {
            "Seq Scan" | "Sample Scan" | "Tid Scan" => found.push(text("Relation Name").to_owned()),
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
                let (table, first) = &self.0[text("Index Name")];
                // Without its first column, an index is gone through from one end to the other.
                let condition = text("Index Cond").split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                if !condition.into_iter().any(|word| word == first) {
                    found.push(table.clone());
                }
            }
            _ => {}
        }
        for below in node["Plans"].as_array().into_iter().flatten() {
            self.scanned(below, found);
        }
    }
}
