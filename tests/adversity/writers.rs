//! People who write without pause, and send again what was refused for now, as clients do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::PAUSE;
use crate::binary::{Answer, Caller};

/// What came of it so far.
#[derive(Debug, Default)]
struct Outcome {
    /// By identifier: number and body.
    acknowledged: Mutex<BTreeMap<String, (i64, String)>>,
    refused: AtomicUsize,
    stop: AtomicBool,
}

/// Writers of one room at work.
pub(crate) struct Writers {
    outcome: Arc<Outcome>,
    working: JoinSet<()>,
}

impl Writers {
    /// Each writes message after message of `bytes`, which a server that cannot take them refuses with one of `codes`.
    pub(crate) fn start(writers: &[&Caller], room: &str, bytes: usize, codes: &'static [&'static str]) -> Self {
        let outcome = Arc::new(Outcome::default());
        let mut working = JoinSet::new();
        for caller in writers {
            let (caller, room, outcome) = ((*caller).clone(), room.to_owned(), Arc::clone(&outcome));
            working.spawn(async move {
                while !outcome.stop.load(Ordering::Relaxed) {
                    write(&caller, &room, bytes, codes, &outcome).await;
                }
            });
        }
        Self { outcome, working }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.outcome.acknowledged.lock().unwrap().len()
    }

    pub(crate) fn refused(&self) -> usize {
        self.outcome.refused.load(Ordering::Relaxed)
    }

    /// Nobody begins another message.
    pub(crate) fn stop(&self) {
        self.outcome.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the work; every message written so far is acknowledged by then.
    pub(crate) async fn finish(mut self) -> Written {
        self.stop();
        while let Some(worked) = self.working.join_next().await {
            worked.unwrap();
        }
        Written(std::mem::take(&mut *self.outcome.acknowledged.lock().unwrap()))
    }
}

/// What was acknowledged.
pub(crate) struct Written(BTreeMap<String, (i64, String)>);

impl Written {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of it is in the log, as it was acknowledged, and nothing else.
    pub(crate) async fn must_be_there(&self, reader: &Caller, room: &str) {
        let log = reader.log(room).await;
        assert_eq!(log.len(), self.0.len(), "entries, and what was acknowledged");
        for entry in log {
            let (seq, body) = &self.0[entry["id"].as_str().unwrap()];
            assert_eq!((&entry["seq"], &entry["body"]), (&json!(seq), &json!(body)));
        }
    }
}

async fn write(caller: &Caller, room: &str, bytes: usize, codes: &[&str], outcome: &Outcome) {
    let id = uuid::Uuid::now_v7().to_string();
    let body = URL_SAFE_NO_PAD.encode(id.repeat(bytes.div_ceil(id.len())));
    let path = format!("rooms/{room}/messages");
    loop {
        let message: Value = json!({"id": id, "body": body});
        let answer = caller.ask(Method::POST, &path, Some(message)).await.expect("the server must live");
        if answer.status == StatusCode::CREATED {
            let seq = answer.body["seq"].as_i64().unwrap();
            outcome.acknowledged.lock().unwrap().insert(id, (seq, body));
            return;
        }
        must_be_for_now(&answer, codes);
        outcome.refused.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}

/// A refusal that says to come again, and why.
pub(crate) fn must_be_for_now(answer: &Answer, codes: &[&str]) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(codes.iter().any(|code| answer.body["code"] == *code), "{}", answer.body);
    assert!(answer.retry_after.as_ref().is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "no Retry-After");
}
