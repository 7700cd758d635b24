//! More rows than memory should hold. The commands run as processes of their own, whose memory is watched.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use webcall::config::Database;

use crate::command::url;
use crate::postgres::Postgres;
use crate::{on_sqlite, rows, set_up};

const MESSAGES: i64 = 100_000;
/// All bodies together are three times what a command may take.
const BODY_BYTES: i64 = 2_000;
/// Of a command's own. A third of it is taken without any row.
const MAX_MEMORY_KB: u64 = 60_000;
/// How often it is looked at. All rows at once would be there for a hundred times as long.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Runs `webcall`; the most memory of its own that it was seen with.
fn webcall(folder: &Path, database_url: Option<&str>, words: &[&str]) -> (Output, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
    command.current_dir(folder).env_clear().args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    let mut child = command.spawn().unwrap();
    let mut most_kb = 0;
    while child.try_wait().unwrap().is_none() {
        most_kb = most_kb.max(memory_kb(&child).unwrap_or(0));
        std::thread::sleep(LOOK_EVERY);
    }
    (child.wait_with_output().unwrap(), most_kb)
}

/// Without what is mapped from files, of which a debug build has much. Nothing once the process is gone.
fn memory_kb(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?.trim().strip_suffix(" kB")?.parse().ok()
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
        let (output, most_kb) = webcall(folder.path(), database_url, words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert!((1..MAX_MEMORY_KB).contains(&most_kb), "{words:?} took {most_kb} kB");
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
