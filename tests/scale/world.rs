//! The database that is measured: one account in 200 rooms of people who wrote much, half of them direct conversations.

use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use webcall::store::Store;

use crate::filling::{self, Words};
use crate::postgres::Postgres;

/// Rooms of the account; the first is the one with very many messages, the second half are direct conversations.
pub(crate) const ROOMS: i64 = 200;
/// Others in a room and in a direct conversation, where ten is the most.
const OTHERS: i64 = 99;
const OTHERS_IN_DIRECT: i64 = 9;
/// A usual message.
const BODY_BYTES: usize = 200;

/// Which database.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(Postgres),
}

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres(server) => server.url(),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Sqlite(file) => Store::open_sqlite(file).await.unwrap(),
            Self::Postgres(server) => Store::open_postgres(server.options()).await.unwrap(),
        }
    }
}

/// What stands in it.
pub(crate) struct World {
    /// The account.
    pub(crate) user: String,
    /// The room with very many messages; their times are their numbers.
    pub(crate) room: String,
    /// How many.
    pub(crate) messages: i64,
}

impl World {
    /// Fills the database of a running server for one of its accounts.
    pub(crate) async fn fill(database: &Database, user: &str, messages: i64) -> Self {
        let room = match database {
            Database::Sqlite(file) => {
                let options = SqliteConnectOptions::new().filename(file).foreign_keys(true);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                for statement in statements(&filling::SQLITE, &format!("X'{}'", user.replace('-', "")), messages) {
                    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                }
                sqlx::query_scalar::<_, uuid::Uuid>(FIRST).fetch_one(&mut connection).await.unwrap()
            }
            Database::Postgres(server) => {
                let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
                for statement in statements(&filling::POSTGRES, &format!("cast('{user}' as uuid)"), messages) {
                    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                }
                sqlx::query_scalar::<_, uuid::Uuid>(FIRST).fetch_one(&mut connection).await.unwrap()
            }
        };
        Self { user: user.to_owned(), room: room.to_string(), messages }
    }

    /// Of something in the room.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("rooms/{}/{rest}", self.room)
    }
}

const FIRST: &str = "select id from rooms order by id limit 1";

/// One transaction. `user` is the account's identifier as a word of SQL.
fn statements(words: &Words, user: &str, messages: i64) -> Vec<String> {
    let (each, halves, body) = (messages / ROOMS, ROOMS / 2, "m".repeat(BODY_BYTES));
    let insert = |table, rows: i64, values: &str| filling::insert(words, table, rows.try_into().unwrap(), values);
    let message = |room: &str, seq: &str, id: &str| {
        format!("[{room}], {seq}, [{id}], 'message', [i % {OTHERS_IN_DIRECT} + 1], i, cast('{body}' as BYTES), null")
    };
    let last = format!("case when i = 1 then {messages} else {each} end");
    vec![
        "begin".to_owned(),
        insert("users", OTHERS, "[i], 'other' || i, 'other' || i, 'none', i, 'skeleton' || i"),
        insert(
            "rooms",
            ROOMS,
            &format!(
                "[i], 'room ' || i, 'open', false, 'link' || i, i, 1 + case when i > {halves} then {OTHERS_IN_DIRECT} else {OTHERS} end, \
                 case when i > {halves} then 'direct' else 'room' end, case when i > {halves} then 'key' || i end, \
                 'what it is about', false, 0, null, 1, {last}"
            ),
        ),
        insert("members", ROOMS, &format!("[i], {user}, 'member', i, ({last}) / 2, false, 0, false, null")),
        insert(
            "members",
            halves * OTHERS,
            &format!("[(i - 1) / {OTHERS} + 1], [i % {OTHERS} + 1], 'member', i, 0, false, 0, false, null"),
        ),
        insert(
            "members",
            halves * OTHERS_IN_DIRECT,
            &format!(
                "[{halves} + (i - 1) / {OTHERS_IN_DIRECT} + 1], [i % {OTHERS_IN_DIRECT} + 1], 'member', i, 0, false, 0, false, null"
            ),
        ),
        insert("messages", messages, &message("1", "i", "i")),
        insert(
            "messages",
            (ROOMS - 1) * each,
            &message(&format!("(i - 1) / {each} + 2"), &format!("(i - 1) % {each} + 1"), "i + 1000000000"),
        ),
        "commit".to_owned(),
        "analyze".to_owned(),
    ]
}
