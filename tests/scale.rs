//! A room with very many messages, and somebody in 200 rooms, on a server as people run it: everything that is read and written there
//! comes back right, and how long it took is printed.
//!
//! `WEBCALL_SCALE` says how many messages the room has (20,000; `e2e/long scale` 1,000,000); the other rooms have as many together.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/filling.rs"]
mod filling;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "scale/times.rs"]
mod times;
#[path = "scale/world.rs"]
mod world;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webcall::id::{MessageId, RoomId, UserId};
use webcall::store::{Appended, FileSet, NewMessage, Standing, Store, Unwelcome};
use webcall::time::Timestamp;

use binary::{Caller, Server};
use times::Times;
use world::{Database, ROOMS, World};

/// How often each thing is asked for.
const ASKED: i64 = 200;
/// Entries that the server's own sweeper removes in one transaction.
const STEP: i64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_very_many_messages_is_read_written_and_swept_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    measure(Database::Sqlite(folder.path().join("data/webcall.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_very_many_messages_is_read_written_and_swept_on_postgres() {
    measure(Database::Postgres(postgres::Postgres::start())).await;
}

async fn measure(database: Database) {
    let messages = std::env::var("WEBCALL_SCALE").map_or(20_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), Some(&database.url()));
    let ann = server.register("ann").await;
    let world = World::fill(&database, &ann.user, messages).await;
    // Filling may take longer than an access token is good.
    let ann = server.log_in("ann").await;
    let mut times = Times::of(&format!("{}, a room of {messages} messages", database.name()));
    pages(&ann, &world, &mut times).await;
    rooms(&ann, &world, &mut times).await;
    written(&ann, &world, &mut times).await;
    drop(server);
    let store = database.open().await;
    swept(&store, &world, &mut times).await;
    store.close().await;
    println!("{times}");
}

fn seqs(page: &Value) -> Vec<i64> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

/// The newest page, pages all over the room, and pages from a place onwards.
async fn pages(ann: &Caller, world: &World, times: &mut Times) {
    let (path, last) = (world.path("messages"), world.messages);
    for asked in 0..ASKED {
        let page = times.time("first page", ann.get(&path)).await;
        assert_eq!(seqs(&page), (last - 49..=last).collect::<Vec<i64>>());
        let from = 1 + asked * (last - 60) / ASKED;
        let page = times.time("a page before", ann.get(&format!("{path}?before={}", from + 50))).await;
        assert_eq!(seqs(&page), (from..from + 50).collect::<Vec<i64>>());
        let page = times.time("a page after", ann.get(&format!("{path}?after={from}"))).await;
        assert_eq!(seqs(&page), (from + 1..=from + 50).collect::<Vec<i64>>());
    }
}

/// All rooms with their unread counts and last messages.
async fn rooms(ann: &Caller, world: &World, times: &mut Times) {
    for _ in 0..ASKED {
        let listed = times.time("200 rooms", ann.get("rooms")).await;
        let listed = listed["rooms"].as_array().unwrap();
        assert_eq!(listed.len(), ROOMS as usize);
        for room in listed {
            let last = if room["id"] == world.room { world.messages } else { world.messages / ROOMS };
            assert_eq!((room["last_seq"].as_i64(), room["read_seq"].as_i64()), (Some(last), Some(last / 2)), "{room}");
            assert_eq!(room["last_entry"]["seq"], last);
        }
    }
}

/// Messages of one's own, their deletion, and how far one has read.
async fn written(ann: &Caller, world: &World, times: &mut Times) {
    for nth in 1..=ASKED {
        let (id, last) = (uuid::Uuid::now_v7(), world.messages + 2 * nth);
        let message = json!({"id": id, "body": "AAAA"});
        let entry = times.time("post", must(ann, Method::POST, &world.path("messages"), Some(message))).await;
        assert_eq!(entry["seq"], last - 1);
        let entry = times.time("delete", must(ann, Method::DELETE, &world.path(&format!("messages/{id}")), None)).await;
        assert_eq!((&entry["seq"], &entry["target"]), (&json!(last), &json!(id)));
        times.time("mark as read", must(ann, Method::PUT, &world.path("read"), Some(json!({"seq": last})))).await;
    }
    let page = ann.get(&world.path("messages")).await;
    assert_eq!(page["last_seq"], world.messages + 2 * ASKED);
}

async fn must(ann: &Caller, method: Method, path: &str, body: Option<Value>) -> Value {
    ann.must(method, path, body).await.expect("it answers")
}

fn anybody(_: &Standing, _: Timestamp) -> Result<(), Unwelcome> {
    Ok(())
}

/// A tenth of the room grows too old: one step after the other, and without the pauses that the server makes between them, while
/// somebody writes.
async fn swept(store: &Store, world: &World, times: &mut Times) {
    let room: RoomId = world.room.parse().unwrap();
    let sender: UserId = world.user.parse().unwrap();
    let tenth = world.messages / 10;
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            let mut took = Vec::new();
            loop {
                let now = Timestamp::from_millis(i64::MAX / 2);
                let message = NewMessage {
                    room,
                    sender,
                    id: MessageId::new(Timestamp::from_millis(0)),
                    body: vec![1],
                    files: FileSet::default(),
                    sent_at: now,
                };
                let began = std::time::Instant::now();
                let appended = store.append(message, anybody).unwrap().outcome().await.unwrap();
                took.push(began.elapsed());
                assert!(matches!(appended, Appended::New { .. }));
                if store.room_of(room, sender).await.unwrap().unwrap().first_seq > tenth {
                    return took;
                }
            }
        }
    });
    let mut removed = 0;
    loop {
        // A message's time is its number.
        let cutoff = Timestamp::from_millis(tenth + 1);
        let step = times.time("a step of a sweep", store.forget_entries(room, cutoff, STEP)).await.unwrap();
        if step == 0 {
            break;
        }
        removed += step;
    }
    assert_eq!(removed, tenth.unsigned_abs());
    let took: Vec<Duration> = writing.await.unwrap();
    times.add("post beside a sweep", took);
    let row = store.room_of(room, sender).await.unwrap().unwrap();
    assert_eq!(row.first_seq, tenth + 1);
}
