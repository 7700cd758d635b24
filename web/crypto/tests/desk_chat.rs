//! Messages through the door of the desk: sealed, kept, sent, opened after a reload; and what a server or another member can try.

mod browser;

use browser::{Browser, ROOM, next_epoch, room, two};
use serde_json::{Value, json};

fn id(number: u8) -> String {
    format!("00000000-0000-7000-8000-0000000001{number:02x}")
}

fn text(content: &str) -> Value {
    json!(webcall_crypto::desk::Bytes::from(content))
}

fn draft(number: u8, content: &str) -> Value {
    json!({
        "op": "seal_message", "room": ROOM, "id": id(number), "kind": 1, "content": text(content),
        "seen": null, "head": null, "now_ms": 5,
    })
}

fn sent(number: u8) -> Value {
    json!({ "op": "sent", "room": ROOM, "id": id(number) })
}

/// As the page does: sealed, sent, taken by the server.
fn writes(browser: &mut Browser, number: u8, content: &str) -> Value {
    let sealed = browser.does(draft(number, content));
    browser.does(sent(number));
    sealed["envelope"].clone()
}

fn open(envelope: &Value) -> Value {
    json!({ "op": "open_message", "room": ROOM, "envelope": envelope })
}

fn read(envelope: &Value) -> Value {
    json!({ "op": "read_message", "room": ROOM, "envelope": envelope })
}

fn verdict(browser: &mut Browser, envelope: &Value) -> String {
    browser.does(open(envelope))["verdict"].as_str().expect("a verdict").to_owned()
}

fn reopens(browser: &mut Browser) {
    browser.reloads();
}

#[test]
fn a_message_opens_for_the_other_with_who_wrote_it_and_when() {
    let (mut ann, mut ben) = two();
    let mut message = draft(1, "hello");
    message["seen"] = json!(webcall_crypto::desk::Bytes::from([7; 32]));
    message["head"] = json!({ "size": 9, "root": message["seen"] });
    let sealed = ann.does(&message);
    let opened = ben.does(open(&sealed["envelope"]));
    let expected = json!({
        "type": "opened", "id": id(1), "epoch": 1, "user": ann.user, "device": ann.device, "kind": 1, "at_ms": 5,
        "seen": message["seen"], "head": message["head"], "hash": opened["hash"], "verdict": "first", "content": text("hello"),
    });
    assert_eq!(opened, expected);
    assert_eq!(sealed["epoch"], 1);
}

#[test]
fn what_was_sealed_is_kept_before_it_is_answered_and_sent_again_after_a_crash() {
    let (mut ann, mut ben) = two();
    let sealed = ann.does(draft(1, "hello"));
    reopens(&mut ann);
    let waiting = ann.does(json!({ "op": "waiting", "room": ROOM }));
    assert_eq!(waiting["messages"], json!([{ "id": id(1), "epoch": 1, "envelope": sealed["envelope"] }]));
    // One key and nonce for two texts would give both away.
    assert_eq!(ann.fails(draft(1, "hello?")), "already_sealed");
    ann.does(sent(1));
    assert_eq!(ann.fails(sent(1)), "nothing_pending");
    assert_eq!(ann.does(json!({ "op": "waiting", "room": ROOM }))["messages"], json!([]));
    reopens(&mut ann);
    let next = writes(&mut ann, 2, "and on");
    assert_eq!(verdict(&mut ben, &sealed["envelope"]), "first");
    assert_eq!(verdict(&mut ben, &next), "next", "the chain goes on over the reload");
}

#[test]
fn a_message_that_was_not_sent_may_be_sealed_again_in_a_later_epoch_or_given_up() {
    let (mut ann, mut ben) = two();
    let old = ann.does(draft(1, "hello"));
    next_epoch(&mut ben, &mut ann);
    let new = ann.does(draft(1, "hello"));
    assert_eq!((&old["epoch"], &new["epoch"]), (&json!(1), &json!(2)));
    let waiting = ann.does(json!({ "op": "waiting", "room": ROOM }));
    assert_eq!(waiting["messages"].as_array().map(Vec::len), Some(1), "one of an id");
    ann.does(json!({ "op": "unsent", "room": ROOM, "id": id(1) }));
    let next = writes(&mut ann, 2, "something else");
    assert_eq!(verdict(&mut ben, &next), "first");
}

#[test]
fn more_than_may_wait_is_not_sealed() {
    let (mut ann, _) = two();
    for number in 0..32 {
        ann.does(draft(number, "again"));
    }
    assert_eq!(ann.fails(draft(32, "again")), "full");
    ann.does(sent(0));
    ann.does(draft(32, "again"));
}

#[test]
fn messages_of_epochs_that_are_over_open_after_a_reload() {
    let (mut ann, mut ben) = two();
    let first = writes(&mut ann, 1, "in the first");
    next_epoch(&mut ann, &mut ben);
    next_epoch(&mut ben, &mut ann);
    let second = writes(&mut ann, 2, "in the third");
    reopens(&mut ben);
    assert_eq!(ben.does(open(&first))["content"], text("in the first"));
    assert_eq!(verdict(&mut ben, &second), "next");
    reopens(&mut ben);
    assert_eq!(verdict(&mut ben, &second), "repeated", "what was seen is kept");
    assert_eq!(ben.does(read(&first))["verdict"], Value::Null, "history is read without being judged");
    // Ann's own as well.
    ann.reloads();
    assert_eq!(ann.does(read(&first))["content"], text("in the first"));
}

#[test]
fn who_was_taken_out_is_still_the_one_who_wrote_and_reads_nothing_that_follows() {
    let (mut ann, mut ben) = two();
    let bens = writes(&mut ben, 1, "by Ben");
    let changed = ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    ben.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
    assert_eq!(ann.does(open(&bens))["user"], ben.user);
    let anns = writes(&mut ann, 2, "about Ben");
    assert_eq!(ben.fails(open(&anns)), "unknown_epoch");
    assert_eq!(ann.does(read(&anns))["content"], text("about Ben"));
    assert_eq!(ben.fails(draft(3, "still here")), "not_open");
}

#[test]
fn t23_what_the_server_repeats_leaves_out_or_swaps_is_seen_across_reloads() {
    let (mut ann, mut ben) = two();
    let sealed: Vec<Value> = (0..5).map(|number| writes(&mut ann, number, "x")).collect();
    let verdicts: Vec<String> = [0, 1, 1, 3, 2, 4]
        .into_iter()
        .map(|at| {
            reopens(&mut ben);
            verdict(&mut ben, &sealed[at])
        })
        .collect();
    assert_eq!(verdicts, ["first", "next", "repeated", "gap", "late", "next"]);
}

#[test]
fn t23_an_id_is_shown_once_whatever_comes_under_it() {
    let (mut ann, mut ben) = two();
    let first = ann.does(draft(1, "pay 10"));
    assert_eq!(ben.does(open(&first["envelope"]))["content"], text("pay 10"));
    next_epoch(&mut ann, &mut ben);
    let other = ann.does(draft(1, "pay 1000"));
    let opened = ben.does(open(&other["envelope"]));
    assert_eq!((&opened["verdict"], &opened["content"]), (&json!("id_reused"), &Value::Null));
}

#[test]
fn t23_a_message_does_not_pass_in_another_room() {
    let (mut ann, mut ben) = two();
    let sealed = writes(&mut ann, 1, "here");
    let elsewhere = json!({ "op": "open_message", "room": id(9), "envelope": sealed });
    assert_eq!(ben.fails(elsewhere), "other_room");
    assert_eq!(verdict(&mut ben, &sealed), "first", "in its own it does");
}

/// Where the header of an envelope has the leaf and the device.
const LEAF: std::ops::Range<usize> = 26..30;
const DEVICE: std::ops::Range<usize> = 30..46;

#[test]
fn t24_a_member_cannot_write_at_the_leaf_or_as_the_device_of_another() {
    let (mut ann, mut ben) = two();
    let sealed = bytes(&writes(&mut ben, 1, "by Ben"));
    let named = |leaf: Option<u8>, device: Option<&Value>| {
        let mut forged = sealed.clone();
        if let Some(leaf) = leaf {
            forged[LEAF].copy_from_slice(&[0, 0, 0, leaf]);
        }
        if let Some(device) = device {
            forged[DEVICE].copy_from_slice(&bytes(device));
        }
        json!(webcall_crypto::desk::Bytes(forged))
    };
    let anns = ann.device.clone();
    assert_eq!(ann.fails(open(&named(Some(0), None))), "other_sender", "her leaf");
    assert_eq!(ann.fails(open(&named(None, Some(&anns)))), "other_sender", "her device");
    assert_eq!(ann.fails(open(&named(Some(0), Some(&anns)))), "wrong_key", "both: the key is of Ben's device");
    assert_eq!(ann.fails(open(&named(Some(7), None))), "unknown_sender", "nobody's leaf");
    assert_eq!(ann.does(open(&named(None, None)))["user"], ben.user, "as himself he can");
}

#[test]
fn nothing_is_said_while_somebody_who_no_longer_counts_can_read_it() {
    let (mut ann, mut ben) = two();
    ann.does(draft(1, "among us"));
    let last = webcall_trust::Record::checked(&bytes(&ben.records[1])).expect("a record").hash();
    let previous = json!(webcall_crypto::desk::Bytes::from(last));
    let revoked = ben.does(json!({ "op": "revoke", "device": ben.device, "previous": previous, "now_ms": 3 }));
    let records = json!([ben.records[0], ben.records[1], revoked["record"]]);
    let earlier = writes(&mut ben, 2, "before it was lost");
    ann.does(json!({ "op": "learn", "user": ben.user, "records": records }));
    assert_eq!(ann.fails(draft(3, "to whoever has Ben's phone")), "stale_members");
    ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    ann.does(draft(3, "among ourselves"));
    assert_eq!(ann.does(open(&earlier))["user"], ben.user, "what a revoked device wrote stays");
}

#[test]
fn what_is_no_message_is_refused_with_a_code() {
    let (mut ann, _) = two();
    assert_eq!(ann.fails(open(&text("no envelope"))), "malformed");
    assert_eq!(ann.fails(draft(1, &"x".repeat(16_001))), "too_long");
    let mut short = draft(1, "x");
    short["seen"] = text("short");
    assert_eq!(ann.fails(short), "bad_request");
    for name in ["", "room/x", "epochs/x/0", "sent/../..", "thread/a", "device"] {
        assert_eq!(ann.fails(json!({ "op": "open_state", "name": name, "sealed": null })), "bad_request");
    }
    // A state opens under its own name only.
    ann.does(draft(1, "x"));
    let sealed = ann.kept[&format!("sent/{ROOM}")].clone();
    let as_other = json!({ "op": "open_state", "name": format!("epochs/{ROOM}/0"), "sealed": sealed });
    assert_eq!(ann.fails(as_other), "damaged_state");
    ann.does(json!({ "op": "open_state", "name": format!("sent/{ROOM}"), "sealed": sealed }));
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value::<webcall_crypto::desk::Bytes>(value.clone()).expect("base64").0
}
