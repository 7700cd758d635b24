//! The backup and the comparing of keys through the door of the desk.

mod browser;

use std::collections::BTreeMap;

use browser::{Browser, ROOM, next_epoch, room, two};
use serde_json::{Value, json};
use webcall_crypto::StateKey;
use webcall_crypto::desk::{Bytes, Desk};

/// Where the header of an envelope has its epoch.
const EPOCH_AT: usize = 18;

fn nobody(user: &'static str) -> Browser {
    let key = [9; 32];
    let desk = Desk::new(StateKey::new(key));
    Browser { desk, kept: BTreeMap::new(), user, device: Value::Null, records: Value::Null, key }
}

fn recovery(code: &Value) -> Value {
    json!({ "kind": "recovery_code", "secret": code })
}

/// Ann with a master key and a recovery code: the code, its unlocker and the blob.
fn backed(ann: &mut Browser) -> (Value, Value, Value) {
    ann.does(json!({ "op": "backup_begin" }));
    let added = ann.does(json!({ "op": "add_recovery_code" }));
    let backup = ann.does(json!({ "op": "unlockers" }));
    (added["code"].clone(), added["id"].clone(), backup["blob"].clone())
}

fn restore(of: &Browser, blob: &Value, secret: &Value) -> Value {
    json!({ "op": "restore", "user": of.user, "blob": blob, "secret": secret, "records": of.records, "now_ms": 7 })
}

fn segment(op: &str) -> Value {
    json!({ "op": op, "of": { "room": ROOM, "block": 0 }, "now_ms": 0 })
}

fn take(sealed: &Value) -> Value {
    json!({ "op": "take_segment", "of": { "room": ROOM, "block": 0 }, "sealed": sealed })
}

fn message(number: u8) -> Value {
    let id = format!("00000000-0000-7000-8000-0000000001{number:02x}");
    json!({ "op": "seal_message", "room": ROOM, "id": id, "kind": 1, "content": "aGk=", "seen": null, "head": null, "now_ms": 5 })
}

#[test]
fn who_lost_every_device_comes_back_by_a_recovery_code_and_reads_what_was_said() {
    let (mut ann, mut ben) = two();
    let (code, _, blob) = backed(&mut ann);
    let said = ben.does(message(1));
    let archived = ann.does(segment("seal_segment"));
    ann.does(take(&archived["sealed"]));

    let mut laptop = nobody(ann.user);
    let restored = laptop.does(restore(&ann, &blob, &recovery(&code)));
    laptop.device = restored["device"].clone();
    assert_eq!(restored["records"].as_array().map(Vec::len), Some(1), "it vouched for itself");
    let records = json!([ann.records[0], ann.records[1], restored["records"][0]]);
    laptop.does(json!({ "op": "learn", "user": ann.user, "records": records }));
    laptop.reloads();
    let read = json!({ "op": "read_message", "room": ROOM, "envelope": said["envelope"] });
    assert_eq!(laptop.fails(&read), "unknown_epoch");
    laptop.does(take(&archived["sealed"]));
    assert_eq!(laptop.fails(&read), "unknown_sender", "nobody published this device as far as is known");
    laptop.does(json!({ "op": "learn", "user": ben.user, "records": ben.records }));
    laptop.reloads();
    let opened = laptop.does(&read);
    assert_eq!((&opened["content"], &opened["user"]), (&json!("aGk="), &json!(ben.user)));
    assert_eq!(ann.does(json!({ "op": "learn", "user": ann.user, "records": records }))["changed"], false);
}

#[test]
fn t16_what_came_in_time_opens_once_its_sender_is_known_however_long_that_takes_and_what_did_not_never_does() {
    let (mut ann, mut ben) = two();
    let (code, _, blob) = backed(&mut ann);
    let [said, withheld] = [1, 2].map(|number| ben.does(message(number)));
    for _ in 0..33 {
        next_epoch(&mut ann, &mut ben);
    }
    let newest = ann.does(message(3));
    let archived = ann.does(segment("seal_segment"));

    let mut laptop = nobody(ann.user);
    let restored = laptop.does(restore(&ann, &blob, &recovery(&code)));
    laptop.device = restored["device"].clone();
    let records = json!([ann.records[0], ann.records[1], restored["records"][0]]);
    laptop.does(json!({ "op": "learn", "user": ann.user, "records": records }));
    let open = |op: &str, sealed: &Value| json!({ "op": op, "room": ROOM, "envelope": sealed["envelope"] });
    assert_eq!(laptop.fails(open("open_message", &said)), "unknown_epoch");
    laptop.does(take(&archived["sealed"]));
    assert_eq!(laptop.fails(open("open_message", &said)), "unknown_sender");
    assert_eq!(laptop.does(open("open_message", &newest))["epoch"], 34);
    assert_eq!(laptop.fails(open("open_message", &withheld)), "past_epoch", "by then its key is over, whoever wrote it");
    let elsewhere = {
        let mut changed = bytes(&withheld["envelope"]);
        changed[EPOCH_AT..][..8].copy_from_slice(&0_u64.to_be_bytes());
        json!({ "envelope": Bytes(changed) })
    };
    assert_eq!(laptop.fails(open("open_message", &elsewhere)), "past_epoch", "also of an epoch whose key is not here yet");
    laptop.does(json!({ "op": "learn", "user": ben.user, "records": ben.records }));
    laptop.reloads();
    assert_eq!(laptop.fails(open("open_message", &said)), "past_epoch", "the control");
    assert_eq!(laptop.does(open("open_waited", &said))["verdict"], "first");
    assert_eq!(laptop.does(open("open_waited", &said))["verdict"], "repeated", "once");
}

#[test]
fn a_backup_counts_when_there_are_two_ways_to_it_and_one_may_be_a_passkey() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    assert_eq!(ann.fails(json!({ "op": "add_recovery_code" })), "no_master_key");
    let (_, id, _) = backed(&mut ann);
    assert_eq!(ann.fails(json!({ "op": "backup_begin" })), "already_there");
    let output = json!(Bytes::from([3; 32]));
    assert_eq!(ann.fails(json!({ "op": "add_passkey", "output": output })), "not_there", "it has no salt yet");
    let salt = ann.does(json!({ "op": "begin_passkey", "credential": "Y3JlZA==" }))["salt"].clone();
    assert_eq!(ann.does(json!({ "op": "unlockers" }))["backed_up"], false);
    ann.does(json!({ "op": "add_passkey", "output": output }));
    ann.reloads();
    let backup = ann.does(json!({ "op": "unlockers" }));
    assert_eq!(backup["backed_up"], true);
    let mut phone = nobody(ann.user);
    let ways = phone.does(json!({ "op": "ways", "blob": backup["blob"] }));
    assert_eq!(ways["unlockers"], backup["unlockers"]);
    assert_eq!((&ways["unlockers"][1]["kind"], &ways["unlockers"][1]["salt"]), (&json!("passkey"), &salt));
    let wrong = json!({ "kind": "passkey", "secret": Bytes::from([4; 32]) });
    assert_eq!(phone.fails(restore(&ann, &backup["blob"], &wrong)), "wrong_secret");
    phone.does(restore(&ann, &backup["blob"], &json!({ "kind": "passkey", "secret": output })));
    ann.does(json!({ "op": "remove_unlocker", "unlocker": id }));
    assert_eq!(ann.does(json!({ "op": "unlockers" }))["backed_up"], false);
}

#[test]
fn a_passphrase_opens_the_backup_and_a_short_one_is_none() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    ann.does(json!({ "op": "backup_begin" }));
    assert_eq!(ann.fails(json!({ "op": "add_passphrase", "passphrase": "short" })), "too_short");
    ann.does(json!({ "op": "add_passphrase", "passphrase": "correct horse battery" }));
    let blob = ann.does(json!({ "op": "unlockers" }))["blob"].clone();
    let mut phone = nobody(ann.user);
    let secret = json!({ "kind": "passphrase", "secret": "correct horse battery" });
    phone.does(restore(&ann, &blob, &secret));
}

#[test]
fn a_device_that_another_vouched_for_gets_the_master_key_by_an_unlocker() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let (code, _, blob) = backed(&mut ann);
    let mut phone = nobody(ann.user);
    let asking = phone.does(json!({ "op": "ask", "user": phone.user }));
    let last = webcall_trust::Record::checked(&bytes(&ann.records[1])).expect("a record").hash();
    let vouch = json!({ "op": "vouch", "request": asking["request"], "previous": Bytes::from(last), "now_ms": 2 });
    let record = ann.does(vouch)["record"].clone();
    phone.device = phone.does(json!({ "op": "certified", "record": record }))["device"].clone();
    assert_eq!(phone.fails(json!({ "op": "unlockers" })), "no_master_key");
    phone.does(json!({ "op": "unlock", "blob": blob, "secret": recovery(&code) }));
    phone.reloads();
    phone.does(json!({ "op": "add_recovery_code" }));
    let newer = phone.does(json!({ "op": "unlockers" }));
    assert_eq!(newer["backed_up"], true);
    let taken = ann.does(json!({ "op": "take_unlockers", "blob": newer["blob"] }));
    assert_eq!(taken["unlockers"], newer["unlockers"]);
}

#[test]
fn t7_an_unlocker_that_was_taken_away_or_that_a_server_made_up_is_not_taken_in() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let (_, id, older) = backed(&mut ann);
    ann.does(json!({ "op": "remove_unlocker", "unlocker": id }));
    let taken = ann.does(json!({ "op": "take_unlockers", "blob": older }));
    assert_eq!(taken["unlockers"], json!([]));
    let mut mallory = Browser::first(ann.user, 3);
    let (_, _, foreign) = backed(&mut mallory);
    assert_eq!(ann.does(json!({ "op": "take_unlockers", "blob": foreign }))["unlockers"], json!([]));
    assert_eq!(mallory.does(json!({ "op": "take_unlockers", "blob": foreign }))["unlockers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_was_taken_away_on_one_device_is_gone_on_the_others_and_a_server_takes_nothing_away() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let (code, id, first) = backed(&mut ann);
    let mut phone = nobody(ann.user);
    phone.does(restore(&ann, &first, &recovery(&code)));
    ann.does(json!({ "op": "add_recovery_code" }));
    ann.does(json!({ "op": "remove_unlocker", "unlocker": id }));
    let without = ann.does(json!({ "op": "unlockers" }))["blob"].clone();
    let mut changed = bytes(&without);
    *changed.last_mut().expect("bytes") ^= 1;
    let kept = phone.does(json!({ "op": "take_unlockers", "blob": Bytes(changed) }));
    assert_eq!(kept["unlockers"].as_array().map(Vec::len), Some(2), "without the proof nothing is taken away");
    let taken = phone.does(json!({ "op": "take_unlockers", "blob": without }));
    assert_eq!(taken["unlockers"].as_array().map(Vec::len), Some(1));
    assert_ne!(taken["unlockers"][0]["id"], id);
    let again = phone.does(json!({ "op": "take_unlockers", "blob": first }));
    assert_eq!(again["unlockers"], taken["unlockers"], "an older list brings nothing back");
    assert_eq!(ann.does(json!({ "op": "take_unlockers", "blob": again["blob"] }))["unlockers"], taken["unlockers"]);
}

#[test]
fn t7_a_backup_that_was_changed_or_is_anothers_restores_nothing() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let (code, _, blob) = backed(&mut ann);
    let whole = bytes(&blob);
    let secret = recovery(&code);
    for at in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        nobody(ann.user).fails(restore(&ann, &json!(Bytes(changed)), &secret));
    }
    // T3: a server that shows another identity as the user's cannot have the new device vouched for under it.
    let mallory = Browser::first(ann.user, 3);
    assert_eq!(nobody(ann.user).fails(restore(&mallory, &blob, &secret)), "other_identity");
    let mistyped = code.as_str().expect("a code").replacen(|_: char| true, "U", 1);
    assert_eq!(nobody(ann.user).fails(restore(&ann, &blob, &recovery(&json!(mistyped)))), "code_character");
    nobody(ann.user).does(restore(&ann, &blob, &secret));
}

/// An epoch of the room's group in which nobody comes or goes: something new for the archive.
fn renews(who: &mut Browser) {
    who.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [] }));
    who.does(json!({ "op": "accepted", "group": room() }));
}

#[test]
fn t7_a_segment_that_was_changed_or_is_older_than_what_was_seen_is_refused() {
    let (mut ann, _) = two();
    backed(&mut ann);
    let first = ann.does(segment("seal_segment"));
    let rival = ann.does(segment("seal_segment"));
    ann.does(take(&first["sealed"]));
    renews(&mut ann);
    let second = ann.does(segment("seal_segment"));
    assert_eq!(ann.fails(take(&rival["sealed"])), "forked", "another of the same version");
    let whole = bytes(&second["sealed"]);
    for at in [0, 7, 8, 9, 50, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let code = ann.fails(take(&json!(Bytes(changed))));
        assert!(["malformed", "wrong_key", "tampered"].contains(&code.as_str()), "{at}: {code}");
    }
    ann.does(take(&second["sealed"]));
    ann.reloads();
    assert_eq!(ann.fails(take(&first["sealed"])), "rolled_back");
    assert_eq!(ann.does(take(&second["sealed"]))["fresh"], 0, "the newest, again");
}

#[test]
fn t7_a_segment_of_another_room_block_or_user_is_refused() {
    let (mut ann, mut ben) = two();
    backed(&mut ann);
    backed(&mut ben);
    let [anns, bens] = [&mut ann, &mut ben].map(|who| who.does(segment("seal_segment"))["sealed"].clone());
    for elsewhere in [json!({ "room": ROOM, "block": 1 }), json!({ "room": ann.user, "block": 0 })] {
        assert_eq!(ann.fails(json!({ "op": "take_segment", "of": elsewhere, "sealed": anns })), "wrong_key");
    }
    assert_eq!(ann.fails(take(&bens)), "wrong_key");
    ann.does(take(&anns));
    ben.does(take(&bens));
}

#[test]
fn what_the_archive_has_is_not_sealed_again_and_what_it_lacks_is() {
    let (mut ann, _) = two();
    assert_eq!(ann.fails(segment("seal_segment")), "no_master_key");
    assert_eq!(ann.fails(take(&json!("AAAA"))), "no_master_key");
    let (code, _, blob) = backed(&mut ann);
    let sealed = ann.does(segment("seal_segment"))["sealed"].clone();
    assert_ne!(ann.does(segment("seal_segment"))["sealed"], Value::Null, "it was not taken");
    ann.does(take(&sealed));
    ann.reloads();
    assert_eq!(ann.does(segment("seal_segment"))["sealed"], Value::Null);
    let empty = json!({ "op": "seal_segment", "of": { "room": ROOM, "block": 7 }, "now_ms": 0 });
    assert_eq!(ann.does(empty)["sealed"], Value::Null, "no key of that block is here");
    let mut laptop = nobody(ann.user);
    laptop.device = laptop.does(restore(&ann, &blob, &recovery(&code)))["device"].clone();
    assert_ne!(laptop.does(take(&sealed))["fresh"], 0);
    assert_eq!(laptop.does(take(&sealed))["fresh"], 0);
    assert_eq!(laptop.does(segment("seal_segment"))["sealed"], Value::Null, "another of the user's devices wrote it");
    renews(&mut ann);
    let more = ann.does(segment("seal_segment"))["sealed"].clone();
    assert_eq!(laptop.does(take(&more))["fresh"], 1);
}

#[test]
fn two_people_see_one_number_and_scan_each_other_and_a_replaced_key_shows() {
    let (mut ann, mut ben) = two();
    let anns = ann.does(json!({ "op": "safety_number", "user": ben.user }));
    let bens = ben.does(json!({ "op": "safety_number", "user": ann.user }));
    assert_eq!(anns["digits"], bens["digits"]);
    assert_eq!(anns["digits"].as_str().map(str::len), Some(60));
    assert_eq!((anns["words"].as_array().map(Vec::len), &anns["words"]), (Some(20), &bens["words"]));
    let checked = ann.does(json!({ "op": "check_qr", "user": ben.user, "bytes": bens["qr"] }));
    assert_eq!(checked["identity"], anns["identity"]);
    assert_eq!(ann.fails(json!({ "op": "check_qr", "user": ben.user, "bytes": anns["qr"] })), "other_people", "her own");
    assert_eq!(ann.fails(json!({ "op": "safety_number", "user": ROOM })), "unknown_user");
    // The server showed Carl somebody else as Ben.
    let mut carl = Browser::first("00000000-0000-7000-8000-000000000003", 3);
    let false_ben = Browser::first(ben.user, 4);
    carl.does(json!({ "op": "learn", "user": ben.user, "records": false_ben.records }));
    ben.does(json!({ "op": "learn", "user": carl.user, "records": carl.records }));
    let carls = carl.does(json!({ "op": "safety_number", "user": ben.user }));
    let bens = ben.does(json!({ "op": "safety_number", "user": carl.user }));
    assert_ne!(carls["digits"], bens["digits"]);
    assert_eq!(carl.fails(json!({ "op": "check_qr", "user": ben.user, "bytes": bens["qr"] })), "other_keys");
}

#[test]
fn all_in_one_epoch_see_the_same_emoji_and_in_the_next_others() {
    let (mut ann, mut ben) = two();
    let emoji = json!({ "op": "call_emoji", "group": room() });
    let before = ann.does(&emoji);
    assert_eq!(before, ben.does(&emoji));
    assert_eq!(before["emoji"].as_array().map(Vec::len), Some(6));
    ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    assert_ne!(ann.does(&emoji), before);
}

#[test]
fn t25_a_secret_is_not_in_what_debug_shows() {
    let request = r#"{ "op": "add_passphrase", "passphrase": "correct horse battery" }"#;
    let request: webcall_crypto::desk::Request = serde_json::from_str(request).expect("a request");
    assert!(!format!("{request:?}").contains("horse"));
    let said =
        r#"{ "op": "say", "group": { "kind": "room", "id": "00000000-0000-7000-8000-0000000000aa" }, "plaintext": "aGk=" }"#;
    let said: webcall_crypto::desk::Request = serde_json::from_str(said).expect("a request");
    assert!(format!("{said:?}").contains("Bytes(2)"));
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value::<Bytes>(value.clone()).expect("base64").0
}
