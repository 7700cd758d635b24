//! The keys that open a message for a notice: of the newest epoch, with the devices that count in it, and nobody else.

mod browser;

use browser::{Browser, ROOM, next_epoch, room, two};
use serde_json::{Value, json};

fn keys(browser: &mut Browser) -> Value {
    browser.does(json!({ "op": "notice_keys", "room": ROOM }))
}

#[test]
fn both_have_the_same_keys_of_an_epoch_and_others_in_the_next_one() {
    let (mut ann, mut ben) = two();
    let (anns, bens) = (keys(&mut ann), keys(&mut ben));
    assert_eq!(anns, bens);
    assert_eq!((&anns["type"], anns["epoch"].as_u64()), (&json!("notice"), Some(1)));
    let members = anns["members"].as_array().expect("a list");
    let who: Vec<_> = members.iter().map(|member| (member["leaf"].as_u64(), &member["user"], &member["device"])).collect();
    assert_eq!(who, [(Some(0), &json!(ann.user), &ann.device), (Some(1), &json!(ben.user), &ben.device)]);
    assert!(members.iter().all(|member| member["device_key"].as_str().is_some_and(|key| key.len() == 44)));
    next_epoch(&mut ann, &mut ben);
    let next = keys(&mut ben);
    assert_eq!((next["epoch"].as_u64(), &next["members"]), (Some(2), &anns["members"]));
    assert_ne!(next["key"], anns["key"]);
    ben.reloads();
    assert_eq!(keys(&mut ben), next);
}

#[test]
fn t16_who_was_put_out_has_no_keys_of_what_comes_after() {
    let (mut ann, mut ben) = two();
    let before = keys(&mut ben);
    let changed = ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    ben.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
    assert_eq!(ben.fails(json!({ "op": "notice_keys", "room": ROOM })), "not_open");
    let after = keys(&mut ann);
    assert_ne!(after["key"], before["key"]);
    assert_eq!(after["members"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_group_that_the_server_has_not_taken_yet_has_none() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    ann.does(json!({ "op": "create", "group": room(), "stay": null }));
    assert_eq!(ann.fails(json!({ "op": "notice_keys", "room": ROOM })), "not_member");
}
