//! The command itself is killed while it receives a file into a bucket, again and again: what it acknowledged is there afterwards.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::binary::serving;
use crate::bucket::TestBucket;
use crate::files::bytes;

const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// What the two requests around each kill bring, and what the second one asks of the store before it is over: after a short piece, that
/// this is read and then written anew.
const KILLS: [(usize, usize); 6] = [(700_000, 1), (100_000, 2), (700_000, 1), (100_000, 2), (700_000, 1), (100_000, 2)];

/// The command; killed with this value.
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path, bucket: &TestBucket) -> Self {
        Self::start_logging(folder, bucket, "error", Stdio::inherit())
    }

    /// Says so much to somebody.
    pub(crate) fn start_logging(folder: &Path, bucket: &TestBucket, level: &str, log: Stdio) -> Self {
        std::fs::write(folder.join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n\n[turn]\nenabled = false\n").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
        command
            .current_dir(folder)
            .env_clear()
            .envs([("PORT", "0"), ("REGISTRATION_SECRET", SECRET), ("RUST_LOG", level)])
            .envs(bucket.variables())
            .stderr(log);
        let (child, url) = serving(&mut command);
        Self { child, url }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.url)).bearer_auth(token)
    }

    pub(crate) fn send(&self, file: &str, token: &str, offset: usize, part: &[u8]) -> RequestBuilder {
        let request = self.request(Method::PATCH, &format!("{file}?offset={offset}"), token);
        request.header("content-type", "application/octet-stream").body(part.to_vec())
    }

    /// Somebody with a room.
    pub(crate) async fn someone(&self) -> Someone {
        let person = json!({"username": "ann", "password": "correct horse battery", "registration_secret": SECRET});
        let grant = asked(self.request(Method::POST, "/api/v1/auth/register", "").json(&person)).await;
        let token = grant["access_token"].as_str().unwrap().to_owned();
        let room = json!({"name": "room", "encryption": "open"});
        let room = asked(self.request(Method::POST, "/api/v1/rooms", &token).json(&room)).await;
        Someone { token, room: room["id"].as_str().unwrap().to_owned() }
    }

    /// A new file of this size.
    pub(crate) async fn announced(&self, by: &Someone, size: usize) -> String {
        let path = format!("/api/v1/rooms/{}/files", by.room);
        let file = asked(self.request(Method::POST, &path, &by.token).json(&json!({"size": size}))).await;
        format!("/api/v1/files/{}", file["id"].as_str().unwrap())
    }
}

/// Who sends files.
pub(crate) struct Someone {
    pub(crate) token: String,
    room: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing is finished, nothing is written.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn asked(request: RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

pub(crate) async fn received(server: &Server, file: &str, token: &str) -> usize {
    let state = asked(server.request(Method::GET, &format!("{file}/state"), token)).await;
    usize::try_from(state["received"].as_u64().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_byte_of_a_file_in_a_bucket_is_lost_by_a_kill() {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), TestBucket::start().await);
    let mut server = Server::start(folder.path(), &bucket);
    let someone = server.someone().await;
    let token = &someone.token;
    let whole = bytes(1 + KILLS.iter().map(|(size, _)| 2 * size).sum::<usize>());
    let file = server.announced(&someone, whole.len()).await;

    let mut at = 0;
    for (size, requests) in KILLS {
        let response = server.send(&file, token, at, &whole[at..at + size]).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let acknowledged = at + size;
        // The next piece has reached the store when the server dies: it is there or not, and does not count or does.
        let before = bucket.requests();
        let unanswered = tokio::spawn(server.send(&file, token, acknowledged, &whole[acknowledged..][..size]).send());
        while bucket.requests() < before + requests {
            tokio::task::yield_now().await;
        }
        drop(server);
        // It may have been answered in the last moment.
        let _ = unanswered.await.unwrap();
        server = Server::start(folder.path(), &bucket);
        at = received(&server, &file, token).await;
        assert!(at == acknowledged || at == acknowledged + size, "{at} of {acknowledged}");
    }
    assert_eq!(server.send(&file, token, at, &whole[at..]).send().await.unwrap().status(), StatusCode::OK);
    let read = server.request(Method::GET, &file, token).send().await.unwrap().bytes().await.unwrap();
    assert!(read == whole, "the bytes are the same");
}
