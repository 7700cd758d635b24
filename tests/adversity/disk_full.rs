//! The disk of the database is full: it lies on a file system of a few megabytes, mounted in a namespace of the test's own. Writes are
//! refused, reads and calls go on, nothing is damaged, and once there is room again it is written by itself.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::binary::{Caller, PASSWORD, SECRET, Server};
use crate::call::Call;
use crate::writers::{Writers, must_be_for_now};
use crate::{soon, until};

/// Says to the test that it runs where the small disk is mounted, and where that is.
const SMALL_DISK: &str = "WEBCALL_TEST_SMALL_DISK";
/// Mounts the disk, then runs the program that follows it. Nobody else sees the mount, and it goes with the program.
const MOUNT: &str = "mount -t tmpfs -o size=8m tmpfs \"$WEBCALL_TEST_SMALL_DISK\" && exec \"$@\"";
/// Bytes of a message. Some hundred fill the disk.
const MESSAGE: usize = 20_000;
/// Bytes that somebody else has there, and takes away. More than the write-ahead log has then, which is copied into the database
/// before anything else has room.
const OTHER: usize = 4 << 20;
/// Refusals that show that it is full.
const SOME: usize = 20;

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(on_a_small_disk(Path::new(&disk)));
    }
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "disk_full::a_full_disk_refuses_writes_and_nothing_else"])
        .env(SMALL_DISK, folder.path())
        .status()
        .expect("unshare(1) of util-linux is needed");
    assert!(status.success(), "{status}");
}

async fn on_a_small_disk(disk: &Path) {
    let (other, rest) = (disk.join("other"), disk.join("rest"));
    fill(&other, OTHER);
    let mut server = Server::start(disk, None);
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let (room, link) = ann.room().await;
    bob.join(&link).await.unwrap();
    let mut call = Call::begin(&[&ann, &bob], &room).await;
    let writers = Writers::start(&[&ann, &bob, &ann], &room, MESSAGE, &["disk_full"]);
    until("a full disk", async || writers.refused() > SOME).await;
    fill(&rest, usize::MAX);
    refuse_writes(&server, &ann, &room).await;
    call.must_answer().await;
    call.must_show_more().await;
    let acknowledged = writers.acknowledged();
    assert!(ann.log(&room).await.len() >= acknowledged, "what is there can be read");
    check(disk).await;

    // What waits is written now, by itself.
    writers.stop();
    fs::remove_file(rest).unwrap();
    fs::remove_file(other).unwrap();
    let refused = writers.refused();
    let written = soon("what waited", writers.finish()).await;
    println!("{acknowledged} messages, then {refused} refusals, in the end {} messages", written.len());
    written.must_be_there(&ann, &room).await;
    let topic = ann.ask(Method::PATCH, &format!("rooms/{room}"), Some(json!({"topic": "there is room"}))).await.unwrap();
    assert_eq!(topic.status, StatusCode::OK, "{}", topic.body);
    call.must_answer().await;
    assert!(server.lives());
    server.kill();
    check(disk).await;
    // What was written before, in between and afterwards is there for the next one.
    let server = Server::start(disk, None);
    written.must_be_there(&ann.at(&server), &room).await;
}

/// Small writes fit for a while where large ones no longer do; then none does.
async fn refuse_writes(server: &Server, ann: &Caller, room: &str) {
    let path = format!("rooms/{room}");
    let mut tried = 0;
    until("a disk without room for a topic", async || {
        tried += 1;
        let topic = json!({"topic": format!("topic {tried}").repeat(30)});
        let answer = ann.ask(Method::PATCH, &path, Some(topic)).await.unwrap();
        if answer.status != StatusCode::OK {
            must_be_for_now(&answer, &["disk_full"]);
        }
        answer.status != StatusCode::OK
    })
    .await;
    let new_room = json!({"name": "another", "encryption": "open"});
    must_be_for_now(&ann.ask(Method::POST, "rooms", Some(new_room)).await.unwrap(), &["disk_full"]);
    let account = json!({"username": "clara", "password": PASSWORD, "registration_secret": SECRET});
    must_be_for_now(&ann.ask(Method::POST, "auth/register", Some(account)).await.unwrap(), &["disk_full"]);
    let ready = reqwest::get(format!("{}/readyz", server.url)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "calls and reads go on: nobody is to be sent elsewhere");
}

/// Writes at most so many bytes, as far as they fit.
fn fill(file: &Path, bytes: usize) {
    let mut file = fs::File::create(file).unwrap();
    let piece = [1; 4_096];
    for _ in 0..bytes / piece.len() {
        if file.write_all(&piece).is_err() {
            return;
        }
    }
}

/// SQLite finds nothing wrong.
async fn check(disk: &Path) {
    let options = SqliteConnectOptions::new().filename(disk.join("data/webcall.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let found: Vec<String> = sqlx::query_scalar("pragma integrity_check").fetch_all(&mut connection).await.unwrap();
    assert_eq!(found, ["ok"]);
    connection.close().await.unwrap();
}
