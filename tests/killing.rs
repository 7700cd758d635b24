//! The server is killed in the middle of its work, again and again: what it acknowledged is there afterwards, once, in its place.
//!
//! Messages, edits, reactions, deletions, pins, read markers, direct conversations, and who is a member, a moderator or banned.
//! `WEBCALL_KILLS` says how often (5; `e2e/long kills` 200). On SQLite the database dies with the server; PostgreSQL lives on.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/binary.rs"]
mod binary;
#[path = "killing/checking.rs"]
mod checking;
#[path = "killing/keeping.rs"]
mod keeping;
#[path = "killing/ledger.rs"]
mod ledger;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "killing/writing.rs"]
mod writing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use binary::{Caller, Server};
use keeping::Keeper;
use ledger::Ledger;
use writing::{Writer, send};

const WRITERS: usize = 6;
/// The first so many writers own one each.
const ROOMS: usize = 2;
/// Half of what an access token lives.
const SIGN_IN_AGAIN: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_a_kill_on_sqlite() {
    survive(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_a_kill_on_postgres() {
    let server = postgres::Postgres::start();
    survive(Some(server.url())).await;
}

async fn survive(database: Option<String>) {
    let kills: u64 = std::env::var("WEBCALL_KILLS").map_or(5, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), database.as_deref());
    let mut people = People::gather(&server).await;
    for round in 0..kills {
        // Without a pattern, and the same each time the test runs.
        let lived = Duration::from_millis(100 + (round * 7_919) % 1_100);
        people.work_until(lived, || server.kill()).await;
        server = Server::start(folder.path(), database.as_deref());
        people.follow(&server).await;
        people.send_again().await;
        people.check().await;
    }
    people.tell(kills);
}

/// Everybody who does something.
struct People {
    writers: Vec<Caller>,
    visitors: Vec<Caller>,
    /// Identifiers and links.
    rooms: Vec<(String, String)>,
    ledger: Arc<Mutex<Ledger>>,
    signed_in: Instant,
    worked: usize,
}

impl People {
    async fn gather(server: &Server) -> Self {
        let (mut writers, mut visitors, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..WRITERS {
            writers.push(server.register(&format!("writer{n}")).await);
        }
        for n in 0..ROOMS {
            visitors.push(server.register(&format!("visitor{n}")).await);
            rooms.push(writers[n].room().await);
            for writer in &writers {
                writer.join(&rooms[n].1).await.unwrap();
            }
        }
        Self { writers, visitors, rooms, ledger: Arc::default(), signed_in: Instant::now(), worked: 0 }
    }

    /// All do something at once until the server is killed after some time.
    async fn work_until(&mut self, lived: Duration, kill: impl FnOnce()) {
        self.worked += 1_003;
        let mut working = tokio::task::JoinSet::new();
        for person in 0..WRITERS {
            let (caller, room, ledger) =
                (self.writers[person].clone(), self.rooms[person % ROOMS].0.clone(), self.ledger.clone());
            let others = self.writers.iter().map(|writer| writer.name.clone());
            let (friends, from): (Vec<String>, usize) =
                (others.filter(|name| *name != caller.name).collect(), self.worked + person);
            working.spawn(async move {
                let writer = Writer { person, caller: &caller, room: &room, friends: &friends, ledger: &ledger };
                for nth in from.. {
                    if writer.write(nth).await.is_none() {
                        return;
                    }
                }
            });
        }
        for (n, (room, link)) in self.rooms.clone().into_iter().enumerate() {
            let (owner, visitor, ledger) = (self.writers[n].clone(), self.visitors[n].clone(), self.ledger.clone());
            let from = self.worked;
            working.spawn(async move {
                let keeper = Keeper { owner: &owner, visitor: &visitor, room: &room, link: &link, ledger: &ledger };
                let Some(mut pinned) = keeper.pinned().await else { return };
                for nth in from.. {
                    if keeper.keep(nth, &mut pinned).await.is_none() {
                        return;
                    }
                }
            });
        }
        tokio::time::sleep(lived).await;
        kill();
        working.join_all().await;
    }

    /// Goes on with the server that was started again.
    async fn follow(&mut self, server: &Server) {
        let is_time = self.signed_in.elapsed() > SIGN_IN_AGAIN;
        if is_time {
            self.signed_in = Instant::now();
        }
        for caller in self.writers.iter_mut().chain(&mut self.visitors) {
            *caller = if is_time { server.log_in(&caller.name).await } else { caller.at(server) };
        }
    }

    /// What was not answered is sent again, as clients do.
    async fn send_again(&self) {
        let unanswered: Vec<_> = self.ledger.lock().unwrap().unanswered.values().cloned().collect();
        for message in unanswered {
            send(&self.writers[message.person], &message, &self.ledger).await.expect("it answers");
        }
    }

    async fn check(&self) {
        let mut readers = BTreeMap::new();
        for (n, (room, _)) in self.rooms.iter().enumerate() {
            readers.insert(room.clone(), &self.writers[0]);
            checking::check_standing(&self.writers[n], &self.visitors[n], room, &self.ledger).await;
        }
        for (person, writer) in self.writers.iter().enumerate() {
            for room in checking::check_rooms(person, writer, ROOMS, &self.ledger).await {
                readers.insert(room, writer);
            }
        }
        for (room, reader) in readers {
            checking::check_log(reader, &room, &self.ledger).await;
        }
    }

    /// Says how much was tried, which must be some load.
    fn tell(&self, kills: u64) {
        let ledger = self.ledger.lock().unwrap();
        let entries = ledger.entries.len() as u64;
        let counted = |beginning: &str| ledger.keys(beginning).into_iter().filter(|key| !ledger.value(key).is_empty()).count();
        let [edits, reactions, deleted, direct] = ["edit ", "reaction ", "deleted ", "direct "].map(counted);
        println!(
            "{kills} kills: {entries} entries, {edits} edits, {reactions} reactions, {deleted} deleted, {direct} conversations"
        );
        assert!(entries > kills && edits > 0 && reactions > 0, "no load");
    }
}
