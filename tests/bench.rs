//! `webcall bench` from outside: a small load of each shape goes through whole, and what is wrong is said.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/authority.rs"]
mod authority;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use authority::Authority;

fn bench(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
    command.arg("bench").args(arguments.split(' ')).output().unwrap()
}

/// One after the other: each keeps a processor busy.
#[test]
fn a_small_load_of_each_shape_goes_through_whole() {
    for (shape, receives_per_second) in [
        ("fanout --subscribers 3 --kbps 300", 3 * (50 + 30)),
        ("fanout --subscribers 2 --kbps 300 --codec av1 --rooms 2", 2 * 2 * (50 + 30)),
        ("meeting --subscribers 3", 3 * 2 * (50 + 30)),
        ("audio --subscribers 12", 12 * 3 * 50),
        ("turn --allocations 5 --payload 172 --pps 50", 5 * 2 * 50),
        // As many as come back, of which a few are enough here.
        ("turn --allocations 20", 200),
        ("turn --allocations 3 --payload 500 --burst 3 --direction down --workers 2", 200),
    ] {
        let output = bench(&format!("{shape} --seconds 2 --warmup 1 --json"));
        let failure = || String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{shape}: {}", failure());
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&found["lost"], &found["undecodable"]), (&0.into(), &0.into()), "{shape}: {found}");
        // A frame is a packet at least; a machine that is busy otherwise sends fewer frames, never half of them.
        let forwarded = found["forwarded_packets"].as_f64().unwrap() / found["seconds"].as_f64().unwrap();
        assert!(forwarded > 0.5 * f64::from(receives_per_second), "{shape}: {found}");
        assert!(found["floor_forwarded_packets"].as_u64().unwrap() > 0, "{shape}: {found}");
    }
}

#[test]
fn messages_are_stored_delivered_and_set_beside_the_database_alone() {
    let output = bench("chat --senders 4 --rooms 2 --members 3 --idle 5 --bytes 100 --seconds 1 --warmup 1 --json");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({"scenario": "chat", "database": "sqlite", "senders": 4, "rooms": 2, "bytes": 100, "members": 3});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{found}");
    }
    // Nothing is lost: a message that is not acknowledged, or does not reach every member, fails the run.
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&found["messages"]) > 0.0, "{found}");
    for name in ["messages_per_second", "floor_commits_per_second", "ratio_to_floor", "server_cpu_seconds"] {
        assert!(number(&found[name]) > 0.0, "{name}: {found}");
    }
    assert_eq!(found["beside_idle"]["connections"], 5, "{found}");
    for found in [&found, &found["beside_idle"]] {
        for times in ["acknowledged_ms", "delivered_ms"] {
            let [p50, p99, max] = ["p50", "p99", "max"].map(|part| number(&found[times][part]));
            assert!(0.0 < p50 && p50 <= p99 && p99 <= max, "{times}: {found}");
        }
    }
}

#[test]
fn a_server_that_is_not_there_and_a_wrong_word_are_said() {
    let output = bench("fanout --target http://127.0.0.1:9 --user nobody");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("signing in"), "{output:?}");
    let output = bench("turn --target 127.0.0.1:9 --user nobody");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the TURN server does not answer to `allocate`"), "{output:?}");
    let output = bench("chat --senders 2 --rooms 3");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--rooms are at most as many as --senders"), "{output:?}");
    let output = bench("fanout --subscribers many");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--subscribers takes a number from 1 to 1500"), "{output:?}");
}

/// A running server in a folder; dropping it ends it.
struct Running {
    child: Child,
    url: String,
    secret: String,
}

impl Running {
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let settings = "[media]\nworkers = 1\nudp_port = 0\nadvertised = [\"127.0.0.1\"]\n\n[turn]\nenabled = false\n";
        std::fs::write(folder.join("turn.toml"), settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
        command.current_dir(folder).env_clear().envs(variables.iter().copied());
        let mut child = command.env("PORT", "0").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = |what: &str| lines.next().unwrap().strip_prefix(what).unwrap().to_owned();
        let (url, secret) = (said("WebCall is ready: "), said("Registration secret: "));
        Self { child, url, secret }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_with_a_certificate_is_measured_by_whoever_trusts_its_authority_and_by_nobody_else() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (roots, others) = (folder.path().join("roots.pem"), folder.path().join("others.pem"));
    std::fs::write(&roots, authority.root_pem()).unwrap();
    std::fs::write(&others, Authority::new().root_pem()).unwrap();
    let (cert, key) = authority.issue(&["localhost"], 2060).write(folder.path());

    // The account is made while the server has no certificate yet.
    let plain = Running::start(folder.path(), &[]);
    let account = json!({"username": "ann", "password": "correct horse", "registration_secret": plain.secret});
    let registering = reqwest::Client::new().post(format!("{}/api/v1/auth/register", plain.url)).json(&account);
    assert_eq!(registering.send().await.unwrap().status(), 201);
    drop(plain);

    let files = [("TLS_CERT", cert.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap()), ("WINDOWS_PER_USER", "10")];
    let server = Running::start(folder.path(), &files);
    assert!(server.url.starts_with("https://localhost:"), "{}", server.url);
    let measure = |url: &str, more: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
        command.args("bench fanout --subscribers 2 --kbps 300 --seconds 1 --warmup 1 --json --user ann --target".split(' '));
        command.arg(url).args(more).env("WEBCALL_BENCH_PASSWORD", "correct horse").output().unwrap()
    };
    let option = Path::new("--ca-file");
    let output = measure(&server.url, &[option, &roots]);
    assert!(output.status.success(), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["lost"], &found["undecodable"]), (&0.into(), &0.into()), "{found}");
    assert!(found["forwarded_packets"].as_u64().unwrap() > 0, "{found}");

    let by_number = server.url.replace("localhost", "127.0.0.1");
    for (url, more) in [(&server.url, &[][..]), (&server.url, &[option, &others]), (&by_number, &[option, &roots])] {
        let output = measure(url, more);
        assert!(!output.status.success(), "{url} {more:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("signing in: ") && said.contains("certificate"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn too_few_open_files_for_so_many_allocations_are_said_before_anything_starts() {
    let line = format!("ulimit -n 64 && exec {} bench turn --allocations 50", env!("CARGO_BIN_EXE_webcall"));
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("50 allocations take 200 open files, and the system allows 64"), "{said}");
}
