//! The command itself, in a folder of the test's own, and somebody who asks it over HTTP. Killed with its value.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Media on loopback alone, no TURN.
const SETTINGS: &str = "[media]\nworkers = 1\nudp_port = 0\nadvertised = [\"127.0.0.1\"]\n\n[turn]\nenabled = false\n";

/// Starts the command; it and its address, once it serves.
pub(crate) fn serving(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let url = first.trim().strip_prefix("WebCall is ready: ").expect("it starts").to_owned();
    (child, url)
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

#[allow(dead_code)] // Each test uses a part of it.
impl Server {
    /// Starts in a folder, on its SQLite database or another, and returns once it serves.
    pub(crate) fn start(folder: &Path, database: Option<&str>) -> Self {
        // Whole or not at all: several may start in one folder at once.
        let mut settings = tempfile::NamedTempFile::new_in(folder).unwrap();
        settings.write_all(SETTINGS.as_bytes()).unwrap();
        settings.persist(folder.join("turn.toml")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
        command
            .current_dir(folder)
            .env_clear()
            .envs([("PORT", "0"), ("MESSAGES_PER_SECOND", "10000"), ("RUST_LOG", "error")])
            // The same at every node, so that one takes the passwords that another stored.
            .envs([("REGISTRATION_SECRET", SECRET), ("PASSWORD_PEPPER", SECRET)])
            .env("DATABASE_URL", database.unwrap_or_default());
        let (child, url) = serving(&mut command);
        Self { child, url }
    }

    /// SIGKILL: nothing is finished, nothing is written.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) async fn register(&self, name: &str) -> Caller {
        Caller::signed_in(&self.url, "register", json!({"username": name, "password": PASSWORD, "registration_secret": SECRET}))
            .await
    }

    pub(crate) async fn log_in(&self, name: &str) -> Caller {
        Caller::signed_in(&self.url, "login", json!({"username": name, "password": PASSWORD})).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a request was answered with.
#[derive(Debug)]
#[allow(dead_code)] // Each test looks at a part of it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    /// `null` without a body.
    pub(crate) body: Value,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
#[allow(dead_code)] // Each test looks at a part of it.
pub(crate) struct Caller {
    client: Client,
    pub(crate) url: String,
    token: String,
    pub(crate) user: String,
    pub(crate) name: String,
}

#[allow(dead_code)] // Each test uses a part of it.
impl Caller {
    async fn signed_in(url: &str, how: &str, body: Value) -> Self {
        let [token, user] = [String::new(), String::new()];
        let name = body["username"].as_str().unwrap().to_owned();
        let nobody = Self { client: Client::new(), url: url.to_owned(), token, user, name };
        let grant = nobody.must(Method::POST, &format!("auth/{how}"), Some(body)).await.expect("it answers");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { token: text(&grant["access_token"]), user: text(&grant["user"]["id"]), ..nobody }
    }

    /// The same at a server that was started again.
    pub(crate) fn at(&self, server: &Server) -> Self {
        Self { client: Client::new(), url: server.url.clone(), ..self.clone() }
    }

    /// The answer, or nothing when the server is gone.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Option<Answer> {
        let mut request = self.client.request(method, format!("{}/api/v1/{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.ok()?;
        let status = response.status();
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.bytes().await.ok()?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).ok()? };
        Some(Answer { status, retry_after, body })
    }

    /// The body of an answer that must be a good one, or nothing when the server is gone.
    pub(crate) async fn must(&self, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let answer = self.ask(method, path, body).await?;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        Some(answer.body)
    }

    /// What a `GET` gives; the server must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.must(Method::GET, path, None).await.expect("it answers")
    }

    /// Makes a room: its identifier and the code of its link.
    pub(crate) async fn room(&self) -> (String, String) {
        let body = json!({"name": "room", "encryption": "open"});
        let room = self.must(Method::POST, "rooms", Some(body)).await.expect("it answers");
        (room["id"].as_str().unwrap().to_owned(), room["link_code"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn join(&self, link: &str) -> Option<Value> {
        self.must(Method::POST, "rooms/join", Some(json!({"code": link}))).await
    }

    /// The whole log of a room. Numbers have no gap, and no entry is there twice.
    pub(crate) async fn log(&self, room: &str) -> Vec<Value> {
        let (mut log, mut ids) = (Vec::new(), std::collections::BTreeSet::new());
        loop {
            let page = self.get(&format!("rooms/{room}/messages?limit=200&after={}", log.len())).await;
            let entries = page["entries"].as_array().unwrap();
            for entry in entries {
                log.push(entry.clone());
                assert_eq!(entry["seq"], log.len(), "a gap");
                assert!(ids.insert(entry["id"].as_str().unwrap().to_owned()), "doubled: {entry}");
            }
            if entries.is_empty() {
                assert_eq!(page["last_seq"], log.len(), "the room counts what is there");
                return log;
            }
        }
    }
}
