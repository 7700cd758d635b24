//! Whom the person at the desk knows: verified, and told of.

mod browser;

use browser::{Browser, ROOM, room, two, two_in};
use serde_json::{Value, json};

fn known(ann: &mut Browser, ben: &Browser) -> Value {
    ann.does(json!({ "op": "learn", "user": ben.user, "records": ben.records }))
}

#[test]
fn who_was_compared_with_is_verified_and_stays_so_over_a_reload() {
    let (mut ann, mut ben) = two();
    let before = known(&mut ann, &ben);
    assert_eq!((&before["verified"], &before["name"]), (&json!("no"), &Value::Null));
    let compared = ann.does(json!({ "op": "safety_number", "user": ben.user }));
    let others = ben.does(json!({ "op": "safety_number", "user": ann.user }));
    let verify = |identity: &Value, name: &str| json!({ "op": "verify", "user": ben.user, "identity": identity, "name": name });
    assert_eq!(ann.fails(verify(&others["identity"], "ben")), "identity_changed", "an identity that is not his");
    assert_eq!(ann.fails(verify(&compared["identity"], &"b".repeat(129))), "bad_request");
    ann.does(verify(&compared["identity"], "ben"));
    ann.reloads();
    let after = known(&mut ann, &ben);
    assert_eq!((&after["verified"], &after["name"], &after["changed"]), (&json!("yes"), &json!("ben"), &json!(false)));
}

#[test]
fn t2_whom_somebody_else_brought_into_a_room_the_person_is_told_until_they_have_seen_it() {
    let (mut ann, mut ben) = two();
    let newcomers = json!({ "op": "newcomers", "room": ROOM });
    assert_eq!(ben.does(newcomers.clone())["users"], json!([]), "who was there when he came is no news");
    let mut eve = Browser::first("00000000-0000-7000-8000-000000000003", 3);
    for browser in [&mut ann, &mut ben] {
        browser.does(json!({ "op": "learn", "user": eve.user, "records": eve.records }));
    }
    let packages = eve.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    let add = |user: &str| json!({ "op": "change", "group": room(), "add": packages, "users": [user], "remove": [] });
    assert_eq!(ann.fails(add(ben.user)), "other_user", "handed out as the key package of somebody else");
    let changed = ann.does(add(eve.user));
    ann.does(json!({ "op": "accepted", "group": room() }));
    ben.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
    assert_eq!(ben.does(newcomers.clone())["users"], json!([eve.user]));
    ben.reloads();
    assert_eq!(ben.does(newcomers.clone())["users"], json!([eve.user]), "asking is not seeing");
    ben.does(json!({ "op": "greeted", "room": ROOM, "users": [ann.user] }));
    assert_eq!(ben.does(newcomers.clone())["users"], json!([eve.user]), "told of another");
    ben.does(json!({ "op": "greeted", "room": ROOM, "users": [eve.user] }));
    assert_eq!(ben.does(newcomers.clone())["users"], json!([]));
    ben.reloads();
    assert_eq!(ben.does(newcomers.clone())["users"], json!([]));
    assert_eq!(eve.fails(newcomers), "not_open", "of a room in whose group one is not, nothing is said");
}

fn message(number: u32) -> Value {
    let id = format!("00000000-0000-7000-8000-0000000010{number:02}");
    json!({ "op": "seal_message", "room": ROOM, "id": id, "kind": 1, "content": "YQ==", "seen": null, "head": null, "now_ms": 1 })
}

#[test]
fn t2_in_a_strict_room_nothing_is_said_before_the_person_has_seen_who_came() {
    for strict in [false, true] {
        let (mut ann, mut ben) = two_in(strict);
        let newcomers = json!({ "op": "newcomers", "room": ROOM });
        assert_eq!(
            ben.does(newcomers)["users"],
            if strict { json!([ann.user]) } else { json!([]) },
            "who is there is told to who comes"
        );
        for (who, other) in [(&mut ann, ben.user), (&mut ben, "00000000-0000-7000-8000-000000000001")] {
            who.does(json!({ "op": "greeted", "room": ROOM, "users": [other] }));
        }
        let mut eve = Browser::first("00000000-0000-7000-8000-000000000003", 3);
        for browser in [&mut ann, &mut ben] {
            browser.does(json!({ "op": "learn", "user": eve.user, "records": eve.records }));
        }
        let package = eve.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
        let changed = ann.does(json!({ "op": "change", "group": room(), "add": package, "users": [eve.user], "remove": [] }));
        assert_eq!(ann.does(json!({ "op": "accepted", "group": room() }))["strict"], strict);
        ben.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
        ann.does(json!({ "op": "greeted", "room": ROOM, "users": [eve.user] }));
        ann.does(message(1));

        let call = json!({ "op": "create", "group": { "kind": "call", "id": "00000000-0000-7000-8000-000000000002" },
            "stay": { "room": ROOM, "participant": "0000000000000001" } });
        let said = |ben: &mut Browser| (ben.says(&message(2))["error"].clone(), ben.says(&call)["error"].clone());
        let refused = if strict { json!("newcomers") } else { Value::Null };
        assert_eq!(said(&mut ben), (refused.clone(), refused.clone()), "strict: {strict}");
        if !strict {
            continue;
        }
        ben.reloads();
        assert_eq!(said(&mut ben), (refused.clone(), refused), "a reload is no answer");
        ben.does(json!({ "op": "greeted", "room": ROOM, "users": [eve.user] }));
        assert_eq!(said(&mut ben), (Value::Null, Value::Null));
    }
}

#[test]
fn t2_whoever_comes_as_a_group_is_made_and_whoever_is_not_shown_as_a_device_comes_in_is_news() {
    let eve = "00000000-0000-7000-8000-000000000003";
    let newcomers = json!({ "op": "newcomers", "room": ROOM });
    let meets = |users: Value| json!({ "op": "meets", "room": ROOM, "users": users });
    let (mut ann, ben) = two();
    assert_eq!(ann.does(newcomers.clone())["users"], json!([ben.user]), "she made the group, and the server named him");
    ann.does(meets(json!([ben.user])));
    assert_eq!(ann.does(newcomers.clone())["users"], json!([ben.user]), "of a room in which it was nothing is greeted by that");
    // Each in a conversation of its own: what Ann is shown before she makes it, and what Ben is before he comes in.
    for (shown, told) in [(json!([]), true), (json!([ann.user, ben.user, eve]), false)] {
        let [mut ann, mut ben] = [(&ann, 1), (&ben, 2)].map(|(of, seed)| Browser::first(of.user, seed + 10));
        let [anns, bens] = [ann.records.clone(), ben.records.clone()];
        for browser in [&mut ann, &mut ben] {
            for (user, records) in
                [("00000000-0000-7000-8000-000000000001", &anns), ("00000000-0000-7000-8000-000000000002", &bens)]
            {
                browser.does(json!({ "op": "learn", "user": user, "records": records }));
            }
            browser.does(meets(shown.clone()));
            browser.reloads();
        }
        let package = ben.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
        ann.does(json!({ "op": "create", "group": room(), "stay": null }));
        ann.does(json!({ "op": "accepted", "group": room() }));
        assert_eq!(ann.does(newcomers.clone())["users"], json!([]), "alone");
        ann.reloads();
        let added = ann.does(json!({ "op": "change", "group": room(), "add": package, "users": [ben.user], "remove": [] }));
        ann.does(json!({ "op": "accepted", "group": room() }));
        ben.does(json!({ "op": "join", "welcome": added["outgoing"]["welcome"] }));
        let expected = |other: &str| if told { json!([other]) } else { json!([]) };
        assert_eq!(ann.does(newcomers.clone())["users"], expected(ben.user));
        assert_eq!(ben.does(newcomers.clone())["users"], expected(ann.user));
    }
    assert_eq!(ann.fails(json!({ "op": "meets", "room": eve, "users": vec![eve; 17] })), "full");
}

#[test]
fn t2_who_left_a_room_and_comes_again_is_news() {
    let (mut ann, mut ben) = two();
    let newcomers = json!({ "op": "newcomers", "room": ROOM });
    ann.does(json!({ "op": "greeted", "room": ROOM, "users": [ben.user] }));
    assert_eq!(ann.does(newcomers.clone())["users"], json!([]));
    ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    assert_eq!(ann.does(newcomers.clone())["users"], json!([]));
    let package = ben.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    ann.does(json!({ "op": "change", "group": room(), "add": package, "users": [ben.user], "remove": [] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    assert_eq!(ann.does(newcomers)["users"], json!([ben.user]));
}

#[test]
fn a_text_is_drawn_unless_it_is_too_long_to_be_read() {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let rows = ann.does(json!({ "op": "qr", "text": "webcall" }))["rows"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(21));
    assert_eq!(ann.fails(json!({ "op": "qr", "text": "x".repeat(513) })), "malformed");
}
