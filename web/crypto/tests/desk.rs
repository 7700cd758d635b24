//! The door that the page's worker uses: JSON in and out, and what is kept is enough to go on from.

mod browser;

use std::collections::BTreeMap;

use browser::{Browser, ROOM, room, two};
use serde_json::{Value, json};
use webcall_crypto::StateKey;
use webcall_crypto::desk::Desk;

const CALL: &str = "00000000-0000-7000-8000-0000000000bb";

fn call() -> Value {
    json!({ "kind": "call", "id": CALL })
}

fn stay(participant: &str) -> Value {
    json!({ "room": ROOM, "participant": participant })
}

#[test]
fn two_browsers_come_to_the_same_keys_of_room_and_call() {
    let (mut ann, mut ben) = two();
    let [anns, bens] = [&mut ann, &mut ben].map(|browser| browser.does(json!({ "op": "look", "group": room() })));
    assert_eq!(anns["authenticator"], bens["authenticator"]);
    assert_eq!(anns["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(anns["stale"], json!([]));

    let created = ann.does(json!({ "op": "create", "group": call(), "stay": stay("0000000000000001") }));
    ann.does(json!({ "op": "accepted", "group": call() }));
    let info = &created["outgoing"]["group_info"];
    let joining = ben.does(json!({
        "op": "join_external", "group": call(), "group_info": info, "tree": null, "stay": stay("fffffffffffffffe"), "at_least_epoch": 0,
    }));
    assert_eq!(ben.fails(json!({ "op": "media_keys", "group": call() })), "not_member", "before the server took it");
    ben.does(json!({ "op": "accepted", "group": call() }));
    let processed = ann.does(json!({ "op": "process", "group": call(), "commit": joining["outgoing"]["commit"] }));
    assert_eq!(processed["change"], json!({ "type": "others", "added": [], "removed": [], "joined": ben.user }));

    let [anns, bens] = [&mut ann, &mut ben].map(|browser| browser.does(json!({ "op": "media_keys", "group": call() })));
    assert_eq!(anns["members"], bens["members"], "everybody's base keys, whoever asks");
    let members = anns["members"].as_array().expect("a list");
    assert_eq!(members.iter().map(|of| &of["participant"]).collect::<Vec<_>>(), ["0000000000000001", "fffffffffffffffe"]);
    assert_ne!(members[0]["base"], members[1]["base"]);

    let said = ann.does(json!({ "op": "say", "group": room(), "plaintext": "aGk=" }));
    let heard = ben.does(json!({ "op": "hear", "group": room(), "message": said["message"] }));
    assert_eq!((&heard["plaintext"], &heard["user"]), (&json!("aGk="), &json!(ann.user)));
}

#[test]
fn what_was_kept_is_enough_to_go_on_from() {
    let (mut ann, mut ben) = two();
    ann.reloads();
    let opened = ann.does(json!({ "op": "look", "group": room() }));
    assert_eq!(opened["standing"], "member");
    let changed = ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [] }));
    // A crash after the commit was kept and sent: the server has it.
    ann.reloads();
    let opened = ann.does(json!({ "op": "look", "group": room() }));
    assert_eq!(opened["outgoing"], changed["outgoing"]);
    let commit = &changed["outgoing"]["commit"];
    assert_eq!(ann.does(json!({ "op": "process", "group": room(), "commit": commit }))["change"], json!({ "type": "ours" }));
    ben.does(json!({ "op": "process", "group": room(), "commit": commit }));
    let [anns, bens] = [&mut ann, &mut ben].map(|browser| browser.does(json!({ "op": "look", "group": room() })));
    assert_eq!(anns["authenticator"], bens["authenticator"]);
}

#[test]
fn who_is_taken_out_keeps_nothing() {
    let (mut ann, mut ben) = two();
    let changed = ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    assert!(ben.kept.contains_key(&format!("room/{ROOM}")));
    let processed = ben.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
    assert_eq!(processed["change"], json!({ "type": "out" }));
    assert!(!ben.kept.contains_key(&format!("room/{ROOM}")));
    assert_eq!(ben.fails(json!({ "op": "look", "group": room() })), "not_open");
}

#[test]
fn a_further_device_is_vouched_for_by_one_that_has_the_identity() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let key = [9; 32];
    let mut phone = Browser {
        desk: Desk::new(StateKey::new(key)),
        kept: BTreeMap::new(),
        user: ann.user,
        device: Value::Null,
        records: Value::Null,
        key,
    };
    let asking = phone.does(json!({ "op": "ask", "user": phone.user }));
    let last = webcall_trust::Record::checked(&bytes(&ann.records[1])).expect("a record").hash();
    let previous = json!(webcall_crypto::desk::Bytes::from(last));
    let record = ann.does(json!({ "op": "vouch", "request": asking["request"], "previous": previous, "now_ms": 2 }));
    let seated = phone.does(json!({ "op": "certified", "record": record["record"] }));
    assert_eq!(seated["device"], asking["device"]);
    phone.device = seated["device"].clone();
    let all = json!([ann.records[0], ann.records[1], record["record"]]);
    phone.does(json!({ "op": "learn", "user": ann.user, "records": all }));
    assert_eq!(phone.fails(json!({ "op": "revoke", "device": ann.device, "previous": previous, "now_ms": 3 })), "no_identity");
    phone.reloads();
    // Another page of the same browser wrote: what it kept is read again, and no other device's is.
    phone.reads_again();
    let others = json!({ "op": "load", "device_id": ann.device, "device": ann.kept["device"], "directory": ann.kept["directory"], "identity": null });
    assert_eq!(phone.fails(others), "other_device");
    // T3: one's own identity is not what a server says.
    let mut stranger = Browser::first("00000000-0000-7000-8000-000000000001", 3);
    let records = stranger.records.clone();
    assert_eq!(ann.fails(json!({ "op": "learn", "user": ann.user, "records": records })), "identity_changed");
    stranger.does(json!({ "op": "learn", "user": stranger.user, "records": records }));
}

#[test]
fn what_is_no_request_is_answered_with_a_code() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    for bad in [
        json!(null),
        json!({}),
        json!({ "op": "look" }),
        json!({ "op": "first", "user": "x", "now_ms": 1 }),
        json!({ "op": "ping" }),
    ] {
        assert_eq!(ann.fails(bad), "bad_request");
    }
    for bad in ["", "{", "\u{0}", "[[[[[[[["] {
        assert!(ann.desk.handle_json(bad).contains("bad_request"));
    }
    let short = json!({ "op": "accept", "user": ann.user, "identity": "AAAA" });
    assert_eq!(ann.fails(short), "bad_request");
    let extra = json!({ "op": "look", "group": room(), "more": 1 });
    assert_eq!(ann.fails(extra), "bad_request");
    assert_eq!(ann.fails(json!({ "op": "look", "group": room() })), "not_open");
    assert_eq!(ann.fails(json!({ "op": "create", "group": call(), "stay": null })), "wrong_kind");
    assert_eq!(ann.fails(json!({ "op": "join", "welcome": "AAAA" })), "malformed");
    let mut nobody = Browser { desk: Desk::new(StateKey::new([0; 32])), ..Browser::first(ann.user, 4) };
    assert_eq!(nobody.fails(json!({ "op": "key_packages", "count": 1, "last_resort": false })), "no_device");
    nobody.learns_nothing(&ann);
}

impl Browser {
    fn learns_nothing(&mut self, other: &Self) {
        let learn = json!({ "op": "learn", "user": other.user, "records": other.records });
        assert_eq!(self.fails(learn), "no_device");
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value::<webcall_crypto::desk::Bytes>(value.clone()).expect("base64").0
}
