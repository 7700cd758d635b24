//! The command with a bucket, as whoever runs it sees it: its log, its memory, its backups.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::{Method, StatusCode};

use crate::bucket::{Fault, SECRET, TestBucket};
use crate::files::bytes;
use crate::files_killed::{Server, received};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_the_secret_nor_a_signature_is_logged_at_the_most_talkative_level() {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), TestBucket::start().await);
    let log = folder.path().join("log");
    let server = Server::start_logging(folder.path(), &bucket, "trace", Stdio::from(File::create(&log).unwrap()));
    let someone = server.someone().await;
    let file = server.announced(&someone, 3).await;
    for (fault, requests) in [(Fault::Away, 3), (Fault::Answer(403, "SignatureDoesNotMatch"), 1)] {
        bucket.fail(Method::PUT, fault, requests);
        let refused = server.send(&file, &someone.token, 0, b"abc").send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(server.send(&file, &someone.token, 0, b"abc").send().await.unwrap().status(), StatusCode::OK);
    let read = server.request(Method::GET, &file, &someone.token).send().await.unwrap();
    assert_eq!(read.bytes().await.unwrap(), b"abc"[..]);
    drop(server);
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("the store refuses: 403 SignatureDoesNotMatch"), "this is the log");
    for hidden in [SECRET, "X-Amz-"] {
        assert!(!log.contains(hidden), "{hidden}");
    }
}

/// The most that a process ever had in memory.
#[cfg(target_os = "linux")]
fn peak_kb(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_takes_the_memory_of_some_pieces_however_large_it_is() {
    const LARGE: usize = 128 << 20;
    /// Less than the file. Four pieces of the largest size are in use, but the allocator keeps what it had, for each thread and the longer the
    /// busier the machine: 48 to 84 MB were seen.
    const MAY_GROW_KB: usize = 112 << 10;
    let (folder, bucket) = (tempfile::tempdir().unwrap(), TestBucket::start().await);
    let server = Server::start_logging(folder.path(), &bucket, "error", Stdio::inherit());
    let someone = server.someone().await;
    let whole = bytes(LARGE);
    let before = peak_kb(&server);
    let file = server.announced(&someone, whole.len()).await;
    assert_eq!(server.send(&file, &someone.token, 0, &whole).send().await.unwrap().status(), StatusCode::OK);
    // A slow reader: the store is faster, and must wait.
    let mut response = server.request(Method::GET, &file, &someone.token).send().await.unwrap();
    let mut at = 0;
    while let Some(part) = response.chunk().await.unwrap() {
        assert!(part == whole[at..at + part.len()]);
        at += part.len();
    }
    assert_eq!(at, whole.len());
    let grown = peak_kb(&server) - before;
    assert!(grown < MAY_GROW_KB, "{grown} kB for a file of {} kB", LARGE >> 10);
}

fn webcall(folder: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_webcall")).current_dir(folder).env_clear().args(words).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_installation_reads_and_finishes_its_files_in_the_bucket() {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), TestBucket::start().await);
    let server = Server::start_logging(folder.path(), &bucket, "error", Stdio::inherit());
    let someone = server.someone().await;
    let (there, begun) = (server.announced(&someone, 3).await, server.announced(&someone, 6).await);
    assert_eq!(server.send(&there, &someone.token, 0, b"abc").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(server.send(&begun, &someone.token, 0, b"abcd").send().await.unwrap().status(), StatusCode::OK);
    let said = webcall(folder.path(), &["backup", "today"]);
    assert!(said.contains("\n2 shared files are not in it: they stay in the bucket"), "{said}");
    drop(server);

    let other = tempfile::tempdir().unwrap();
    webcall(other.path(), &["restore", folder.path().join("today").to_str().unwrap()]);
    let server = Server::start_logging(other.path(), &bucket, "error", Stdio::inherit());
    assert_eq!(received(&server, &begun, &someone.token).await, 4);
    assert_eq!(server.send(&begun, &someone.token, 4, b"ef").send().await.unwrap().status(), StatusCode::OK);
    for (file, whole) in [(&there, &b"abc"[..]), (&begun, b"abcdef")] {
        let read = server.request(Method::GET, file, &someone.token).send().await.unwrap();
        assert_eq!(read.bytes().await.unwrap(), *whole);
    }
}
