//! The command itself on a database, and somebody who asks it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::Database;

const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// Who asks; the name and the password.
const ACCOUNT: (&str, &str) = ("ann", "correct horse battery");

/// A server; dropping it ends it.
pub(crate) struct Running {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Running {
    pub(crate) fn start(database: &Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n\n[turn]\nenabled = false\n")
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_webcall"))
            .current_dir(folder.path())
            .env_clear()
            .envs([("PORT", "0"), ("REGISTRATION_SECRET", SECRET), ("MESSAGES_PER_SECOND", "10000"), ("RUST_LOG", "error")])
            .env("DATABASE_URL", database.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("WebCall is ready: ").expect("it starts").to_owned();
        Self { child, url, _folder: folder }
    }

    /// Makes the account.
    pub(crate) async fn register(&self) -> Session<'_> {
        let (username, password) = ACCOUNT;
        let account = json!({"username": username, "password": password, "registration_secret": SECRET});
        let answer = self.post("register", &account).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Session { server: self, client: Client::new(), user: text(&answer["user"]["id"]), token: text(&answer["access_token"]) }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let response = Client::new().post(format!("{}/api/v1/auth/{path}", self.url)).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who is signed in.
pub(crate) struct Session<'a> {
    server: &'a Running,
    client: Client,
    /// Their identifier.
    pub(crate) user: String,
    token: String,
}

impl Session<'_> {
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.client.request(method, format!("{}/api/v1/{path}", self.server.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let bytes = response.bytes().await.unwrap();
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
    }
}
