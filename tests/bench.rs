//! `webcall bench` from outside: a small load of each shape goes through whole, and what is wrong is said.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::process::{Command, Output};

use serde_json::Value;

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
fn a_server_that_is_not_there_and_a_wrong_word_are_said() {
    let output = bench("fanout --target http://127.0.0.1:9 --user nobody");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("signing in"), "{output:?}");
    let output = bench("turn --target 127.0.0.1:9 --user nobody");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the TURN server does not answer to `allocate`"), "{output:?}");
    let output = bench("fanout --subscribers many");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--subscribers takes a number from 1 to 1500"), "{output:?}");
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
