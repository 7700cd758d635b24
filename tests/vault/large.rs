//! More rows than memory should hold. The commands run as processes of their own, to which the system gives no more than it should take.

use std::path::Path;
use std::process::{Command, Output};

use sqlx::{Connection, PgConnection};
use webcall::config::Database;

use crate::command::url;
use crate::postgres::Postgres;
use crate::{on_sqlite, rows, set_up};

const MESSAGES: i64 = 100_000;
/// All bodies together are three times what a command may take.
const BODY_BYTES: i64 = 2_000;
/// A process that asks for more ends. Half of it is taken without any row.
const MAX_MEMORY_KB: u32 = 60_000;

/// Runs `webcall` with bounded memory.
fn webcall(folder: &Path, database_url: Option<&str>, words: &[&str]) -> Output {
    let mut command = Command::new("sh");
    let line = format!("ulimit -d {MAX_MEMORY_KB} && exec {} \"$@\"", env!("CARGO_BIN_EXE_webcall"));
    command.current_dir(folder).env_clear().args(["-c", &line, "webcall"]).args(words);
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_messages_go_there_and_back_in_bounded_memory() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("data"));
    set_up(&source).await;
    let Database::Sqlite(file) = &source.database else { unreachable!() };
    let mut connection = rows::sqlite(file).await;
    let sql = "with recursive n (seq) as (select 1 union all select seq + 1 from n where seq < $1) \
               insert into messages (room_id, seq, id, kind, sender, sent_at, body) \
               select zeroblob(16), seq, unhex(printf('%032x', seq)), 'message', zeroblob(16), seq, randomblob($2) from n";
    sqlx::query(sql).bind(MESSAGES).bind(BODY_BYTES).execute(&mut connection).await.unwrap();

    let url = url(&server);
    for (database_url, words) in [
        (None, &["backup", "of-sqlite"][..]),
        (None, &["migrate-to", &url]),
        (Some(url.as_str()), &["backup", "of-postgresql"]),
        (None, &["restore", "of-postgresql", "--data", "restored"]),
    ] {
        let output = webcall(folder.path(), database_url, words);
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
    let sql = "select count(*), coalesce(sum(length(body)), 0) from messages";
    let expected = (MESSAGES, MESSAGES * BODY_BYTES);
    let restored = on_sqlite(&folder.path().join("restored"));
    let Database::Sqlite(file) = &restored.database else { unreachable!() };
    let mut restored = rows::sqlite(file).await;
    assert_eq!(sqlx::query_as::<_, (i64, i64)>(sql).fetch_one(&mut restored).await.unwrap(), expected);
    let sql = "select count(*), coalesce(sum(length(body)), 0)::bigint from messages";
    let mut migrated = PgConnection::connect_with(&server.options()).await.unwrap();
    assert_eq!(sqlx::query_as::<_, (i64, i64)>(sql).fetch_one(&mut migrated).await.unwrap(), expected);
    // Byte for byte, by SQLite itself.
    let sql = "select count(*) from messages m join other.messages o using (room_id, seq, id, kind, sender, sent_at) where m.body = o.body";
    sqlx::query("attach $1 as other").bind(file.to_str().unwrap()).execute(&mut connection).await.unwrap();
    let same: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    assert_eq!(same, MESSAGES);
}
