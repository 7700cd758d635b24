//! Whatever stands in the place of the bytes that clients send: the server refuses it by a code, or passes on what only the receiver can open, and goes
//! on; what is honest still passes. `WEBCALL_SEED` makes others than in every run.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::backups::put;
use super::groups::{accepted, body, created, group_of, path};
use super::{Person, decode, encode};
use crate::mls::Member;
use crate::seeded::{Seeded, seed};
use crate::server::TestServer;

/// So many inputs at the least, made from honest ones.
const INPUTS: usize = 10_000;
/// Among so many, so that nobody sends more than may be sent.
const PEOPLE: usize = 20;
/// What only members can check (RFC 9420 §6.2): the tag at the end of a commit. It stays as it is.
const MEMBERSHIP_TAG_BYTES: usize = 32;

/// Of a welcome what is for its reader to check begins behind this: before it stand the suite, how many it is for, and which key package the first
/// of them left (RFC 9420 §12.4.3.1).
const WELCOME_HEAD_BYTES: usize = 4 + 2 + 2 + 1 + 32;

/// A request of which some bytes are changed.
struct Target {
    path: String,
    body: Value,
    /// Where in the body they stand.
    pointer: &'static str,
    honest: Vec<u8>,
    /// Bytes at the end that stay.
    kept: usize,
    inputs: usize,
    /// Whether what the server cannot look into may pass.
    may_pass: bool,
}

impl Target {
    fn new(path: String, body: Value, pointer: &'static str, honest: &[u8], inputs: usize) -> Self {
        Self { path, body, pointer, honest: honest.to_vec(), kept: 0, inputs, may_pass: false }
    }

    async fn assail(&self, server: &TestServer, who: &Person, random: &mut Seeded) -> usize {
        let (changed, kept) = self.honest.split_at(self.honest.len() - self.kept);
        for _ in 0..self.inputs {
            let bytes = [&random.mutated(changed)[..], kept].concat();
            let mut body = self.body.clone();
            *body.pointer_mut(self.pointer).expect("the bytes stand there") = json!(encode(&bytes));
            let (status, answer) = who.ask(server, Method::POST, &self.path, Some(body)).await;
            let is_refused = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
            let is_fine = is_refused || self.may_pass && status.is_success();
            assert!(is_fine, "{} {}: {status} {answer} to {bytes:02x?}", self.path, self.pointer);
        }
        self.inputs
    }

    async fn passes(&self, server: &TestServer, who: &Person) {
        let (status, answer) = who.ask(server, Method::POST, &self.path, Some(self.body.clone())).await;
        assert!(status.is_success(), "{}: {status} {answer}", self.path);
    }
}

/// All that one person sends.
async fn assail(server: &TestServer, number: usize) -> usize {
    let mut random = Seeded::new((number as u64 + 1) ^ (seed() << 8));
    let mut person = Person::new(server, &format!("person{number}")).await;
    let (room, other) =
        (server.encrypted_room(&person.session, "one").await, server.encrypted_room(&person.session, "other").await);
    let (_, info) = Member::create(person.another_device(server).await, group_of(&other));
    let second = person.another_device(server).await;
    let (package, record) = (person.device.key_package(), person.identity.clone().device().1);
    let (user, device) = (person.session.user.clone(), person.device.id());
    let mut member = created(server, &mut person, &room).await;
    let message = member.application(b"hello");
    let outgoing = member.change(&[second.key_package()], &[], None);
    let welcome = outgoing.welcome.clone().expect("it adds somebody");

    let (messages, commits, commit) = (path(&room, "messages"), path(&room, "commits"), body(&outgoing));
    let said = json!({"message": encode(&message)});
    let left = json!({"message": encode(&message), "to": {"user": user, "device": device}});
    let packages = json!({"key_packages": [encode(&package)]});
    let first = [
        Target::new("keys/records".to_owned(), json!({"record": encode(&record)}), "/record", &record, 20),
        Target::new(format!("devices/{device}/key-packages"), packages, "/key_packages/0", &package, 45),
        Target::new("groups".to_owned(), json!({"group_info": encode(&info)}), "/group_info", &info, 40),
        Target { may_pass: true, ..Target::new(messages.clone(), said, "/message", &message, 100) },
        Target { may_pass: true, ..Target::new(messages, left, "/message", &message, 100) },
    ];
    let changes = [
        Target { kept: MEMBERSHIP_TAG_BYTES, ..Target::new(commits.clone(), commit.clone(), "/commit", &outgoing.commit, 20) },
        Target::new(commits.clone(), commit.clone(), "/group_info", &outgoing.group_info, 20),
        Target { kept: welcome.len() - WELCOME_HEAD_BYTES, ..Target::new(commits, commit, "/welcome", &welcome, 10) },
    ];
    let mut sent = 0;
    for target in first.iter().chain(&changes) {
        sent += target.assail(server, &person, &mut random).await;
    }
    sent += ask_for_nothing(server, &person, &group_of(&room).to_bytes(), &mut random).await;
    sent += ask_for_what_waits(server, &person, &group_of(&room).to_bytes(), &mut random).await;
    // What may have filled an inbox is not asked for once more.
    for target in &first[..4] {
        target.passes(server, &person).await;
    }
    accepted(server, &person, &room, &mut member, &outgoing).await;
    sent
}

/// Names of groups that are none, and places in the log that may be none.
async fn ask_for_nothing(server: &TestServer, who: &Person, group: &[u8], random: &mut Seeded) -> usize {
    for _ in 0..150 {
        let path = format!("groups/{}/info", encode(&random.mutated(group)));
        let (status, answer) = who.ask(server, Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    for _ in 0..50 {
        let (from, to) = (random.below(1 << 30) << random.below(32), random.below(1 << 30) << random.below(32));
        for path in [format!("log/consistency?from={from}&to={to}"), format!("log/inclusion?leaf={from}")] {
            let (status, answer) = who.ask(server, Method::GET, &path, None).await;
            assert!(!status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS, "{path}: {status} {answer}");
        }
    }
    250
}

/// In what a device fetches, claims and keeps for itself: names of devices, users, groups and slots that are none, and bytes of any kind, which the
/// server keeps as they are.
async fn ask_for_what_waits(server: &TestServer, who: &Person, group: &[u8], random: &mut Seeded) -> usize {
    let (user, device) = (&who.session.user, who.device.id());
    for _ in 0..30 {
        let [item, slot] = [user.as_bytes(), b"archive.1"].map(|honest| escaped(&random.mutated(honest)));
        let (inbox, group) = (escaped(&random.mutated(device.as_bytes())), encode(&random.mutated(group)));
        let claimed = String::from_utf8_lossy(&random.mutated(user.as_bytes())).into_owned();
        for (method, path, body) in [
            (Method::GET, format!("inbox?device={inbox}"), None),
            (Method::GET, format!("inbox?device={device}&into={group}"), None),
            (Method::DELETE, format!("inbox/{item}"), None),
            (Method::POST, "key-packages/claim".to_owned(), Some(json!({"users": [claimed]}))),
            (Method::GET, format!("backups/{slot}"), None),
        ] {
            let (status, answer) = who.ask(server, method, &path, body).await;
            // A name may be one that could be somebody's: nothing waits there.
            assert!(!status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS, "{path}: {status} {answer}");
        }
        let sealed = random.mutated(&[7; 64]);
        let (status, answer) = put(server, &who.session, &slot, "\"0\"", &sealed).await;
        assert!(
            status.is_success() || status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS,
            "{slot}: {status} {answer}"
        );
        if status.is_success() {
            let (_, stored) = who.ask(server, Method::GET, &format!("backups/{slot}"), None).await;
            assert_eq!(decode(&stored["body"]), sealed, "{slot}");
        }
    }
    180
}

/// As it may stand in an address, whatever it is.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test]
async fn t22_ten_thousand_hostile_inputs_break_nothing_and_what_is_honest_still_passes() {
    let server = TestServer::start().await;
    let sent: usize = join_all((0..PEOPLE).map(|number| assail(&server, number))).await.into_iter().sum();
    assert!(sent >= INPUTS, "{sent}");
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
}
