//! The command itself, as whoever runs it sees it: two lines on stdout, JSON on stderr, an end on SIGTERM.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running `webcall` in a folder of its own, on ports that the system chose.
struct Running {
    child: Child,
    lines: Vec<String>,
    _folder: TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_webcall"))
            .current_dir(folder.path())
            .env_clear()
            .envs([("PORT", "0"), ("RUST_LOG", "debug")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines = stdout.lines().take(2).map(|line| line.unwrap()).collect();
        Self { child, lines, _folder: folder }
    }

    fn url(&self) -> &str {
        self.lines[0].strip_prefix("WebCall is ready: ").unwrap()
    }

    fn secret(&self) -> &str {
        self.lines[1].strip_prefix("Registration secret: ").unwrap()
    }

    /// Asks it to stop; gives whether it ended well, and what it logged.
    fn stop(mut self) -> (bool, String) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().success(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended, or a test that failed: either way nothing may stay behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_command_serves_until_it_is_told_to_stop_and_logs_no_secret() {
    let running = Running::start();
    let (url, secret) = (running.url().to_owned(), running.secret().to_owned());
    let client = reqwest::Client::new();
    let body = json!({"username": "ann.lee", "password": "correct horse", "registration_secret": secret});
    let response = client.post(format!("{url}/api/v1/auth/register")).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let session: Value = response.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let ticket = client.post(format!("{url}/api/v1/ws-ticket")).bearer_auth(&token).send().await.unwrap();
    let ticket: Value = ticket.json().await.unwrap();
    client.get(format!("{url}/join/secret-code?x=secret-query")).send().await.unwrap();
    client.post(format!("{url}/api/v1/auth/refresh")).header("cookie", "webcall_refresh=stolen-cookie").send().await.unwrap();

    let (ended_well, log) = running.stop();
    assert!(ended_well, "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    for line in ["\"path\":\"/api/v1/auth/register\"", "\"path\":\"/join/{code}\"", "\"latency_ms\":", "\"id\":", "stopping"] {
        assert!(log.contains(line), "{line}\n{log}");
    }
    let ticket = ticket["ticket"].as_str().unwrap();
    for hidden in [
        secret.as_str(),
        "correct horse",
        &token,
        &cookie,
        ticket,
        "stolen-cookie",
        "secret-code",
        "secret-query",
        "127.0.0.1",
        "ann.lee",
    ] {
        assert!(!log.contains(hidden), "{hidden}\n{log}");
    }
}

#[tokio::test]
async fn a_second_start_in_the_same_folder_keeps_accounts_and_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let args = webcall::config::Args { data_dir: folder.path().join("data"), turn_config: None };
    let open = async || {
        let config = webcall::config::Config::load(&args, |_| None).unwrap();
        let webcall::config::Database::Sqlite(file) = &config.database else { panic!("SQLite is the default") };
        (webcall::store::Store::open_sqlite(file).await.unwrap(), config.secrets.registration.expose().to_owned())
    };
    let (store, secret) = open().await;
    store.close().await;
    let (store, same) = open().await;
    assert_eq!(secret, same);
    store.ping().await.unwrap();
    store.close().await;
}
