//! The log of keys through the door of the desk: what is learned only with a proof, what a message carries of it, and what a contradiction keeps
//! from being sent, also after a reload.

mod browser;

use std::collections::BTreeMap;

use browser::{Browser, ROOM, two};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use webcall_crypto::desk::Bytes;
use webcall_trust::{
    Hash, Node, PublicKey, Signed, TreeHead, consistency_path, inclusion_of_all, leaf_hash, nodes_of_append, root,
};

const BEN: &str = "00000000-0000-7000-8000-000000000002";
/// Who is not in the room.
const STRANGER: &str = "00000000-0000-7000-8000-000000000009";

/// A log of records, kept by whoever has the key.
struct Log {
    nodes: BTreeMap<Node, Hash>,
    size: u64,
    key: SigningKey,
}

impl Log {
    fn of(records: &[Vec<u8>], key: u8) -> Self {
        let mut log = Self { nodes: BTreeMap::new(), size: 0, key: SigningKey::from_bytes(&[key; 32]) };
        for record in records {
            let complete = nodes_of_append(log.size, leaf_hash(record), |node| log.nodes[&node]);
            log.nodes.extend(complete);
            log.size += 1;
        }
        log
    }

    fn root(&self, size: u64) -> Hash {
        root(size, &mut |node| self.nodes[&node])
    }

    fn head(&self, size: u64) -> Value {
        json!({ "size": size, "root": Bytes::from(self.root(size)) })
    }

    /// As the page asks for it, from what is kept.
    fn shown(&self, browser: &mut Browser, size: u64) -> Value {
        let from = browser.does(json!({ "op": "log" }))["head"]["size"].as_u64().expect("a size");
        let log = PublicKey(self.key.verifying_key().to_bytes());
        let head = Signed::sign(TreeHead { log, size, root: self.root(size), at_ms: 1 }, &self.key);
        let path = consistency_path(from, size, &mut |node| self.nodes[&node]).unwrap_or_default();
        let path: Vec<_> = path.iter().map(Bytes::from).collect();
        browser.does(json!({ "op": "take_head", "head": Bytes::from(head.to_bytes()), "from": from, "path": path }))
    }

    fn learn(&self, user: &str, records: &Value, leaves: &[u64], size: u64) -> Value {
        let path = inclusion_of_all(leaves, size, &mut |node| self.nodes[&node]).expect("they are in it");
        let path: Vec<_> = path.iter().map(Bytes::from).collect();
        json!({ "op": "learn", "user": user, "records": records, "proof": { "size": size, "leaves": leaves, "path": path } })
    }
}

fn bytes(records: &Value) -> Vec<Vec<u8>> {
    let all: Vec<Bytes> = serde_json::from_value(records.clone()).expect("records");
    all.into_iter().map(|record| record.0).collect()
}

fn draft(number: u8) -> Value {
    let id = format!("00000000-0000-7000-8000-0000000001{number:02x}");
    json!({ "op": "seal_message", "room": ROOM, "id": id, "kind": 1, "content": "aGk=", "seen": null, "head": null, "now_ms": 5 })
}

/// Ann and Ben in one room, and the log of what they published with some records around it.
fn with_log() -> (Browser, Browser, Log) {
    let (ann, ben) = two();
    let records =
        [vec![b"somebody".to_vec()], bytes(&ann.records), bytes(&ben.records), vec![b"somebody else".to_vec()]].concat();
    (ann, ben, Log::of(&records, 1))
}

#[test]
fn t3_once_a_head_is_known_nothing_is_learned_without_the_proof_that_it_is_in_the_log() {
    let (mut ann, ben, log) = with_log();
    let bare = json!({ "op": "learn", "user": BEN, "records": ben.records });
    ann.does(&bare);
    log.shown(&mut ann, 5);
    assert_eq!(ann.fails(&bare), "not_logged");
    assert_eq!(ann.does(log.learn(BEN, &ben.records, &[3, 4], 5))["changed"], false);
    assert_eq!(ann.fails(log.learn(BEN, &ben.records, &[1, 2], 5)), "not_logged");
    assert_eq!(ann.fails(log.learn(BEN, &ben.records, &[3, 4], 6)), "old_proof");
    log.shown(&mut ann, 6);
    ann.does(log.learn(BEN, &ben.records, &[3, 4], 6));
    ann.does(log.learn(BEN, &ben.records, &[3, 4], 5));
    ann.reloads();
    assert_eq!(ann.fails(&bare), "not_logged", "after a reload too");
}

#[test]
fn a_message_carries_the_head_that_its_device_verified_and_the_other_finds_it_in_its_own_log() {
    let (mut ann, mut ben, log) = with_log();
    log.shown(&mut ann, 6);
    let sealed = ann.does(draft(1));
    log.shown(&mut ben, 5);
    let opened = ben.does(json!({ "op": "open_message", "room": ROOM, "envelope": sealed["envelope"] }));
    assert_eq!(opened["head"], log.head(6));
    let mut hear =
        json!({ "op": "hear_head", "user": opened["user"], "device": opened["device"], "head": opened["head"], "way": null });
    assert_eq!(ben.does(&hear)["heard"], "ahead");
    log.shown(&mut ben, 6);
    assert_eq!(ben.does(&hear)["heard"], "known");
    hear["head"] = log.head(4);
    assert_eq!(ben.does(&hear)["heard"], "unknown");
    let path = consistency_path(4, 6, &mut |node| log.nodes[&node]).expect("it grew");
    hear["way"] = json!({ "to": 6, "path": path.iter().map(Bytes::from).collect::<Vec<_>>() });
    assert_eq!(ben.does(&hear)["heard"], "known");
    assert_eq!(ben.does(json!({ "op": "log" }))["alarms"], json!([]));
}

#[test]
fn t4_after_a_contradiction_nothing_is_sealed_until_the_person_goes_on() {
    let (mut ann, mut ben, log) = with_log();
    log.shown(&mut ben, 5);
    ben.does(draft(1));
    let other = Log::of(&[b"another".to_vec(), b"log".to_vec()], 1);
    let head = other.head(2);
    let hear = |user: &str| json!({ "op": "hear_head", "user": user, "device": ann.device, "head": head, "way": { "to": 5, "path": [] } });
    assert_eq!(ben.does(hear(STRANGER))["heard"], "split");
    ben.does(draft(3));
    assert_eq!(ben.does(hear(ann.user))["heard"], "split", "of her, who is in the room, it stops what is written there");
    ben.reloads();
    assert_eq!(ben.fails(draft(2)), "split_view");
    let look = ben.does(json!({ "op": "log" }));
    let alarm = json!({
        "why": "split_view", "user": ann.user, "device": ann.device, "said": head, "here": log.head(5), "accepted": false,
    });
    assert_eq!(look["alarms"][1], alarm);
    assert_eq!(ben.does(json!({ "op": "accept_log" }))["alarms"][1]["accepted"], true);
    ben.reloads();
    ben.does(draft(2));

    other.shown(&mut ann, 2);
    ann.does(draft(1));
    assert_eq!(log.shown(&mut ann, 5)["alarms"][0]["why"], "not_consistent");
    assert_eq!(ann.fails(draft(2)), "split_view");
    ann.does(json!({ "op": "accept_log" }));
    assert_eq!(log.shown(&mut ann, 5)["head"], log.head(5), "she begins with what the server has now");
    ann.does(draft(2));
}

#[test]
fn t4_after_a_contradiction_by_somebody_in_the_room_its_calls_get_no_keys_either() {
    let (ann, mut ben, log) = with_log();
    let call = json!({ "kind": "call", "id": "00000000-0000-7000-8000-0000000000bb" });
    ben.does(json!({ "op": "create", "group": call, "stay": { "room": ROOM, "participant": "0000000000000001" } }));
    ben.does(json!({ "op": "accepted", "group": call }));
    log.shown(&mut ben, 5);
    let keys = json!({ "op": "media_keys", "group": call, "epoch": null });
    let head = Log::of(&[b"another".to_vec(), b"log".to_vec()], 1).head(2);
    for (user, expected) in [(STRANGER, None), (ann.user, Some("split_view"))] {
        let way = json!({ "to": 5, "path": [] });
        ben.does(json!({ "op": "hear_head", "user": user, "device": ann.device, "head": head, "way": way }));
        match expected {
            None => drop(ben.does(&keys)),
            Some(code) => assert_eq!(ben.fails(&keys), code),
        }
    }
    ben.does(json!({ "op": "accept_log" }));
    ben.does(&keys);
}

#[test]
fn t4_what_is_no_signed_head_is_refused_and_contradicts_nothing() {
    let (mut ann, _, log) = with_log();
    log.shown(&mut ann, 5);
    let public = PublicKey(log.key.verifying_key().to_bytes());
    let mut forged =
        Signed::sign(TreeHead { log: public, size: 6, root: log.root(6), at_ms: 1 }, &SigningKey::from_bytes(&[9; 32]))
            .to_bytes();
    for head in [forged.clone(), forged.split_off(1), Vec::new()] {
        assert_eq!(ann.fails(json!({ "op": "take_head", "head": Bytes::from(head), "from": 5, "path": [] })), "bad_head");
    }
    assert_eq!(ann.does(json!({ "op": "log" }))["alarms"], json!([]));
    ann.does(draft(1));
}
