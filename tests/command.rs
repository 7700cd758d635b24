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
    folder: TempDir,
}

impl Running {
    fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    fn start_in(folder: TempDir) -> Self {
        std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n\n[turn]\nenabled = false\n")
            .unwrap();
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
        Self { child, lines, folder }
    }

    fn url(&self) -> &str {
        self.lines[0].strip_prefix("WebCall is ready: ").unwrap()
    }

    fn secret(&self) -> &str {
        self.lines[1].strip_prefix("Registration secret: ").unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        reqwest::Client::new().post(format!("{}/api/v1/{path}", self.url())).json(body).send().await.unwrap()
    }

    /// Stops it and starts it again in the same folder.
    fn again(mut self) -> Self {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let (ended_well, log) = self.stop();
        assert!(ended_well, "{log}");
        Self::start_in(folder)
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

#[test]
fn whoever_has_read_that_it_is_ready_may_stop_it_at_once() {
    let running = Running::start();
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    for (signal, name) in [(1, "SIGHUP"), (2, "SIGINT"), (15, "SIGTERM")] {
        assert_ne!(caught & (1 << (signal - 1)), 0, "{name} ends the process");
    }
    let (ended_well, log) = running.stop();
    assert!(ended_well, "{log}");
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
    let running = Running::start();
    let secret = running.secret().to_owned();
    let account = json!({"username": "ann.lee", "password": "correct horse", "registration_secret": secret});
    let registered = running.post("auth/register", &account).await;
    assert_eq!(registered.status(), 201);
    let registered: Value = registered.json().await.unwrap();

    let running = running.again();
    assert_eq!(running.secret(), secret);
    let login = running.post("auth/login", &json!({"username": "ann.lee", "password": "correct horse"})).await;
    assert_eq!(login.status(), 200);
    let login: Value = login.json().await.unwrap();
    assert_eq!(login["user"], registered["user"]);

    // The key that signs tokens is the same too: the one of the first run is still good.
    let me = reqwest::Client::new().get(format!("{}/api/v1/me", running.url()));
    let me = me.bearer_auth(registered["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(me.status(), 200);
}
