//! Who comes into a room's group by a link: whoever was given it by somebody inside. Nobody else, whatever the server says.

mod browser;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use browser::{Browser, ROOM, nobody, room, two, two_in};
use serde_json::{Value, json};

const CODE: &str = "abcdefghij";
const OTHER_ROOM: &str = "00000000-0000-7000-8000-0000000000ab";

fn other_room() -> Value {
    json!({ "kind": "room", "id": OTHER_ROOM })
}

fn link(browser: &mut Browser, code: &str) -> Value {
    browser.does(json!({ "op": "link", "room": ROOM, "code": code }))["secret"].clone()
}

fn shows(browser: &mut Browser, secret: &Value) -> Value {
    browser.does(json!({ "op": "show_link", "secret": secret }))["invitation"].clone()
}

fn ask(code: &str, shows: &[(&str, &Value)]) -> Value {
    let shows: Vec<Value> = shows.iter().map(|(user, invitation)| json!({ "user": user, "invitation": invitation })).collect();
    json!({ "op": "invited", "room": ROOM, "code": code, "shows": shows })
}

fn invited(browser: &mut Browser, code: &str, user: &str, invitation: &Value) -> bool {
    let users = browser.does(ask(code, &[(user, invitation)]))["users"].clone();
    assert!(users == json!([]) || users == json!([user]));
    users != json!([])
}

/// Ann and Ben, who are in the room, and Eve, whom both know and who is not.
fn three() -> (Browser, Browser, Browser) {
    let (mut ann, mut ben) = two();
    let eve = Browser::first("00000000-0000-7000-8000-000000000003", 3);
    for browser in [&mut ann, &mut ben] {
        browser.does(json!({ "op": "learn", "user": eve.user, "records": eve.records }));
    }
    (ann, ben, eve)
}

fn removes_leaf_of_ann(ben: &mut Browser) {
    ben.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [0] }));
    ben.does(json!({ "op": "accepted", "group": room() }));
}

/// The same with one bit of one byte flipped.
fn flipped(bytes: &Value, at: usize) -> Value {
    let mut bytes = BASE64_STANDARD.decode(bytes.as_str().expect("base64")).expect("base64");
    bytes[at] ^= 1;
    BASE64_STANDARD.encode(bytes).into()
}

#[test]
fn t2_who_was_given_the_link_by_somebody_inside_is_known_to_all_inside_and_nobody_else_is() {
    let (mut ann, mut ben, mut eve) = three();
    let secret = link(&mut ann, CODE);
    let shown = shows(&mut eve, &secret);
    assert!(invited(&mut ann, CODE, eve.user, &shown), "by the device that made the link");
    assert!(invited(&mut ben, CODE, eve.user, &shown), "by everybody else inside");
    ben.reloads();
    assert!(invited(&mut ben, CODE, eve.user, &shown));

    assert!(!invited(&mut ben, "klmnopqrst", eve.user, &shown), "the code is another now");
    assert!(!invited(&mut ben, CODE, ann.user, &shown), "shown by somebody for whom it was not signed");
    ann.does(json!({ "op": "create", "group": other_room(), "stay": null, "strict": false }));
    ann.does(json!({ "op": "accepted", "group": other_room() }));
    let elsewhere = ann.does(json!({ "op": "link", "room": OTHER_ROOM, "code": CODE }))["secret"].clone();
    let elsewhere = shows(&mut eve, &elsewhere);
    assert!(!invited(&mut ben, CODE, eve.user, &elsewhere), "to another room");
    let mut mallory = Browser::first("00000000-0000-7000-8000-000000000004", 4);
    let unknown = shows(&mut mallory, &secret);
    assert!(!invited(&mut ben, CODE, mallory.user, &unknown), "of a user whose keys are not known here");
    assert!(!invited(&mut ben, CODE, eve.user, &unknown), "signed for another");
}

#[test]
fn t2_without_the_links_secret_nothing_can_be_shown_whatever_is_changed_in_it() {
    let (mut ann, mut ben, mut eve) = three();
    let secret = link(&mut ann, CODE);
    let shown = shows(&mut eve, &secret);
    let bytes = BASE64_STANDARD.decode(shown.as_str().expect("base64")).expect("base64").len();
    for at in 0..bytes {
        assert!(!invited(&mut ben, CODE, eve.user, &flipped(&shown, at)), "byte {at}");
    }
    assert!(invited(&mut ben, CODE, eve.user, &shown), "and with nothing changed it is good");
    for (at, of) in [(0, "its secret"), (16, "whose it is"), (40, "the signature")] {
        let other = shows(&mut eve, &flipped(&secret, at));
        assert!(!invited(&mut ben, CODE, eve.user, &other), "{of}");
    }
    for no_link in ["", "YQ==", &BASE64_STANDARD.encode([0; 95]), &BASE64_STANDARD.encode([0; 97])] {
        assert_eq!(eve.fails(json!({ "op": "show_link", "secret": no_link })), "malformed");
        assert!(!invited(&mut ben, CODE, eve.user, &json!(no_link)));
    }
    // What is no base64 takes nothing from the others.
    let answer = ben.does(ask(CODE, &[(ann.user, &json!("?")), (eve.user, &shown)]));
    assert_eq!(answer["users"], json!([eve.user]));
}

#[test]
fn t2_whoever_is_not_inside_invites_nobody() {
    let (mut ann, mut ben, mut eve) = three();
    let secret = link(&mut ann, CODE);
    let shown = shows(&mut eve, &secret);
    removes_leaf_of_ann(&mut ben);
    assert!(!invited(&mut ben, CODE, eve.user, &shown), "who invited was taken out");
    let mut mallory = Browser::first("00000000-0000-7000-8000-000000000004", 4);
    let link = json!({ "op": "link", "room": ROOM, "code": CODE });
    assert_eq!(mallory.fails(&link), "not_open", "who is not inside makes no link");
    let shown = shows(&mut eve, &self::link(&mut ben, CODE));
    assert!(invited(&mut ben, CODE, eve.user, &shown), "who is inside invites");
    assert_eq!(eve.fails(ask(CODE, &[(eve.user, &shown)])), "not_open", "and outside nobody is judged");
}

#[test]
fn t2_a_device_that_was_revoked_invites_nobody() {
    let (mut ann, mut ben, mut eve) = three();
    let shown = shows(&mut eve, &link(&mut ann, CODE));
    assert!(invited(&mut ben, CODE, eve.user, &shown));
    let revoked = ann.does(json!({ "op": "revoke", "device": ann.device, "previous": null, "now_ms": 2 }));
    let mut records = ann.records.as_array().expect("a list").clone();
    records.push(revoked["record"].clone());
    ben.does(json!({ "op": "learn", "user": ann.user, "records": records }));
    assert!(!invited(&mut ben, CODE, eve.user, &shown));
}

#[test]
fn the_link_of_a_device_is_the_same_each_time_and_another_for_each_code_and_device() {
    let (mut ann, mut ben, _) = three();
    let first = link(&mut ann, CODE);
    ann.reloads();
    assert_eq!(link(&mut ann, CODE), first);
    assert_ne!(link(&mut ann, "klmnopqrst"), first);
    assert_ne!(link(&mut ben, CODE), first);
    for code in ["", &"a".repeat(65)] {
        assert_eq!(ann.fails(json!({ "op": "link", "room": ROOM, "code": code })), "bad_request");
    }
    let shown = json!(BASE64_STANDARD.encode([0; 176]));
    let (fits, many) = (vec![(ben.user, &shown); 1_024], vec![(ben.user, &shown); 1_025]);
    assert_eq!(ann.does(ask(CODE, &fits))["users"], json!([]));
    assert_eq!(ann.fails(ask(CODE, &many)), "full");
}

#[test]
fn t2_into_a_strict_room_no_link_leads() {
    let (mut ann, mut ben) = two_in(true);
    let mut eve = Browser::first("00000000-0000-7000-8000-000000000003", 3);
    assert_eq!(ann.fails(json!({ "op": "link", "room": ROOM, "code": CODE })), "wrong_kind");
    let (mut others, _) = two();
    let shown = shows(&mut eve, &link(&mut others, CODE));
    ben.does(json!({ "op": "learn", "user": eve.user, "records": eve.records }));
    assert!(!invited(&mut ben, CODE, eve.user, &shown), "nor one that the same device made for another group");
}

#[test]
fn t2_what_was_shown_under_one_identity_is_nothing_under_the_next() {
    let (mut ann, mut ben, mut eve) = three();
    let secret = link(&mut ann, CODE);
    let shown = shows(&mut eve, &secret);
    let mut anew = nobody(eve.user, 5);
    let answer = anew.does(json!({ "op": "begin_anew", "user": eve.user, "records": eve.records, "now_ms": 2 }));
    let records = [eve.records.as_array().expect("a list").as_slice(), answer["records"].as_array().expect("a list")].concat();
    assert_eq!(ben.does(json!({ "op": "learn", "user": eve.user, "records": records }))["changed"], true);
    assert!(!invited(&mut ben, CODE, eve.user, &shown), "before the person has accepted it");
    ben.does(json!({ "op": "accept", "user": eve.user, "identity": answer["identity"] }));
    assert!(!invited(&mut ben, CODE, eve.user, &shown), "nor afterwards");
    let again = shows(&mut anew, &secret);
    assert!(invited(&mut ben, CODE, eve.user, &again), "who has the link still shows it anew");
}

#[test]
fn t2_who_was_inside_and_went_is_not_brought_in_again_by_what_they_showed() {
    let (mut ann, mut ben, mut eve) = three();
    let shown = shows(&mut eve, &link(&mut ann, CODE));
    let package = eve.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    let commit = |by: &mut Browser, other: &mut Browser, add: &Value, users: &Value, remove: &Value| {
        let changed = by.does(json!({ "op": "change", "group": room(), "add": add, "users": users, "remove": remove }));
        by.does(json!({ "op": "accepted", "group": room() }));
        other.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
    };
    assert!(invited(&mut ben, CODE, eve.user, &shown));
    commit(&mut ann, &mut ben, &package, &json!([eve.user]), &json!([]));
    commit(&mut ben, &mut ann, &json!([]), &json!([]), &json!([2]));
    for browser in [&mut ann, &mut ben] {
        assert!(!invited(browser, CODE, eve.user, &shown));
        browser.reloads();
        assert!(!invited(browser, CODE, eve.user, &shown), "over a reload, too");
    }
    let again = shows(&mut eve, &link(&mut ben, "klmnopqrst"));
    assert!(!invited(&mut ann, "klmnopqrst", eve.user, &again), "nor by another link: a person says so");
}
