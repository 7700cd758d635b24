//! The server is killed in the middle of its work, again and again: what it acknowledged is there afterwards, once, in its place.
//!
//! `WEBCALL_KILLS` says how often (10; `e2e/long kills` 200). On SQLite the database dies with the server; PostgreSQL lives on.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/postgres.rs"]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const SENDERS: usize = 6;
const ROOMS: usize = 2;

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
    let kills: u64 = std::env::var("WEBCALL_KILLS").map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&folder, database.as_deref());
    let people = People::gather(&server.url).await;
    for round in 0..kills {
        // Without a pattern, and the same each time the test runs.
        let lived = Duration::from_millis(40 + (round * 7_919) % 460);
        people.write_until(&server.url.clone(), lived, || server.kill()).await;
        server = Server::start(&folder, database.as_deref());
        people.check(&server.url).await;
    }
    let acknowledged = people.ledger.lock().unwrap().messages.len();
    assert!(acknowledged as u64 > kills, "{acknowledged} messages in {kills} rounds are no load");
}

/// The command itself; killed with this value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &TempDir, database: Option<&str>) -> Self {
        std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n\n[turn]\nenabled = false\n")
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_webcall"))
            .current_dir(folder.path())
            .env_clear()
            .envs([("PORT", "0"), ("REGISTRATION_SECRET", SECRET), ("MESSAGES_PER_SECOND", "10000"), ("RUST_LOG", "error")])
            .env("DATABASE_URL", database.unwrap_or_default())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("WebCall is ready: ").expect("it starts").to_owned();
        Self { child, url }
    }

    /// SIGKILL: nothing is finished, nothing is written.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server acknowledged.
#[derive(Default)]
struct Ledger {
    /// Room and identifier: place and body.
    messages: BTreeMap<(String, String), (i64, String)>,
    /// Identifiers of messages whose deletion was acknowledged.
    deleted: BTreeSet<String>,
    /// Person and room: read up to.
    read: BTreeMap<(usize, String), i64>,
}

/// Everybody who writes.
struct People {
    tokens: Vec<String>,
    rooms: Vec<String>,
    ledger: Arc<Mutex<Ledger>>,
}

impl People {
    async fn gather(url: &str) -> Self {
        let (client, mut tokens, mut rooms, mut links) = (Client::new(), Vec::new(), Vec::new(), Vec::new());
        for n in 0..SENDERS {
            let body =
                json!({"username": format!("writer{n}"), "password": "correct horse battery", "registration_secret": SECRET});
            let grant = ask(&client, url, "", Method::POST, "auth/register", Some(body)).await.unwrap().1;
            let token = grant["access_token"].as_str().unwrap().to_owned();
            if n < ROOMS {
                let body = json!({"name": "room", "encryption": "open"});
                let room = ask(&client, url, &token, Method::POST, "rooms", Some(body)).await.unwrap().1;
                rooms.push(room["id"].as_str().unwrap().to_owned());
                links.push(room["link_code"].clone());
            }
            for link in &links {
                ask(&client, url, &token, Method::POST, "rooms/join", Some(json!({"code": link}))).await.unwrap();
            }
            tokens.push(token);
        }
        for (token, link) in tokens.iter().flat_map(|token| links.iter().map(move |link| (token, link))) {
            ask(&client, url, token, Method::POST, "rooms/join", Some(json!({"code": link}))).await.unwrap();
        }
        Self { tokens, rooms, ledger: Arc::default() }
    }

    /// All write at once until the server is killed after some time.
    async fn write_until(&self, url: &str, lived: Duration, kill: impl FnOnce()) {
        let mut writing = tokio::task::JoinSet::new();
        for person in 0..SENDERS {
            let (url, token, room) = (url.to_owned(), self.tokens[person].clone(), self.rooms[person % ROOMS].clone());
            let ledger = Arc::clone(&self.ledger);
            writing.spawn(async move {
                let client = Client::new();
                while write_once(&client, &url, &token, person, &room, &ledger).await.is_some() {}
            });
        }
        tokio::time::sleep(lived).await;
        kill();
        writing.join_all().await;
    }

    /// Every acknowledged thing is there, and the logs have no gaps.
    async fn check(&self, url: &str) {
        let client = Client::new();
        for room in &self.rooms {
            let (mut after, mut ids, mut found) = (0, BTreeSet::new(), BTreeMap::new());
            loop {
                let path = format!("rooms/{room}/messages?limit=200&after={after}");
                let page = ask(&client, url, &self.tokens[0], Method::GET, &path, None).await.unwrap().1;
                let entries = page["entries"].as_array().unwrap().clone();
                for entry in &entries {
                    after += 1;
                    assert_eq!(entry["seq"], after, "a gap");
                    assert!(ids.insert(entry["id"].as_str().unwrap().to_owned()), "doubled");
                    found.insert(entry["id"].as_str().unwrap().to_owned(), entry.clone());
                }
                if entries.is_empty() {
                    break assert_eq!(page["last_seq"], after, "the room counts what is there");
                }
            }
            let ledger = self.ledger.lock().unwrap();
            for ((_, id), (seq, body)) in ledger.messages.iter().filter(|((of, _), _)| of == room) {
                let entry = found.get(id).unwrap_or_else(|| panic!("an acknowledged message is lost"));
                assert_eq!(entry["seq"], *seq);
                if ledger.deleted.contains(id) {
                    assert_eq!(entry["body"], Value::Null, "an acknowledged deletion is lost");
                } else if !entry["body"].is_null() {
                    assert_eq!(entry["body"], *body);
                }
            }
        }
        for (person, token) in self.tokens.iter().enumerate() {
            let rooms = ask(&client, url, token, Method::GET, "rooms", None).await.unwrap().1;
            let rooms = rooms["rooms"].as_array().unwrap();
            assert_eq!(rooms.len(), ROOMS, "a membership is lost");
            for room in rooms {
                let key = (person, room["id"].as_str().unwrap().to_owned());
                let read = self.ledger.lock().unwrap().read.get(&key).copied().unwrap_or(0);
                assert!(room["read_seq"].as_i64().unwrap() >= read, "an acknowledged read marker is lost");
            }
        }
    }
}

/// Sends a message twice, reads, and deletes now and then. `None` once the server does not answer.
async fn write_once(client: &Client, url: &str, token: &str, person: usize, room: &str, ledger: &Mutex<Ledger>) -> Option<()> {
    let id = uuid::Uuid::now_v7().to_string();
    let body = URL_SAFE_NO_PAD.encode(&id);
    let path = format!("rooms/{room}/messages");
    for _ in 0..2 {
        let message = json!({"id": id, "body": body});
        let (status, entry) = ask(client, url, token, Method::POST, &path, Some(message)).await?;
        assert_eq!(status, StatusCode::CREATED, "{entry}");
        let seq = entry["seq"].as_i64().unwrap();
        let before = ledger.lock().unwrap().messages.insert((room.to_owned(), id.clone()), (seq, body.clone()));
        assert!(before.is_none_or(|(before, _)| before == seq), "sent twice, stored twice");
    }
    let seq = ledger.lock().unwrap().messages[&(room.to_owned(), id.clone())].0;
    ask(client, url, token, Method::PUT, &format!("rooms/{room}/read"), Some(json!({"seq": seq}))).await?;
    ledger.lock().unwrap().read.insert((person, room.to_owned()), seq);
    if seq % 5 == 0 {
        ask(client, url, token, Method::DELETE, &format!("rooms/{room}/messages/{id}"), None).await?;
        ledger.lock().unwrap().deleted.insert(id);
    }
    Some(())
}

/// The answer, or nothing when the server is gone.
async fn ask(
    client: &Client,
    url: &str,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Option<(StatusCode, Value)> {
    let mut request = client.request(method, format!("{url}/api/v1/{path}")).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.ok()?;
    let status = response.status();
    let bytes = response.bytes().await.ok()?;
    let answer: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).ok()? };
    assert!(status.is_success(), "{path}: {answer}");
    Some((status, answer))
}
