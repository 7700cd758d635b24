//! A strict room stays one, and whoever was out of its group is told who is in it before anything of theirs goes out.

mod browser;

use browser::{Browser, ROOM, room, two_in};
use serde_json::{Value, json};

const ANN: &str = "00000000-0000-7000-8000-000000000001";
const BEN: &str = "00000000-0000-7000-8000-000000000002";

fn call() -> Value {
    json!({ "kind": "call", "id": "00000000-0000-7000-8000-0000000000cc" })
}

fn greets(who: &mut Browser, user: &str) {
    who.does(json!({ "op": "greeted", "room": ROOM, "users": [user] }));
}

fn enters(who: &mut Browser, sent: &Value, strict: bool) -> Value {
    let enter = json!({
        "op": "join_external", "group": room(), "group_info": sent["group_info"], "tree": null, "stay": null,
        "at_least_epoch": 0, "strict": strict,
    });
    let answer = who.says(&enter);
    if answer["error"].is_null() {
        who.does(json!({ "op": "accepted", "group": room() }));
    }
    answer["error"].clone()
}

/// A third person, whom the others know, and a key package of hers.
fn eve(others: [&mut Browser; 2]) -> (Browser, Value) {
    let mut eve = Browser::first("00000000-0000-7000-8000-000000000003", 3);
    let own = [(eve.user, eve.records.clone())];
    for browser in others {
        eve.does(json!({ "op": "learn", "user": browser.user, "records": browser.records }));
        browser.does(json!({ "op": "learn", "user": own[0].0, "records": own[0].1 }));
    }
    eve.does(json!({ "op": "learn", "user": own[0].0, "records": own[0].1 }));
    let package = eve.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"][0].clone();
    (eve, package)
}

#[test]
fn t2_a_group_that_does_not_say_so_is_not_taken_for_that_of_a_strict_room() {
    for strict in [false, true] {
        let (mut ann, mut ben) = two_in(true);
        // Eve makes another group of the room, with Ann in it.
        let (mut eve, _) = eve([&mut ann, &mut ben]);
        let package = ann.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
        eve.does(json!({ "op": "create", "group": room(), "stay": null, "strict": strict }));
        eve.does(json!({ "op": "accepted", "group": room() }));
        let added = json!({ "op": "change", "group": room(), "add": package, "users": [ANN], "remove": [] });
        let sent = eve.does(added)["outgoing"].clone();
        let expected = if strict { Value::Null } else { json!("not_strict") };
        ann.does(json!({ "op": "forget", "group": room() }));
        assert_eq!(enters(&mut ann, &sent, false), expected, "by what it was");
        // Who was never there knows it otherwise.
        let mut dora = Browser::first("00000000-0000-7000-8000-000000000004", 4);
        for (user, records) in [(ANN, &ann.records), (eve.user, &eve.records), (dora.user, &dora.records.clone())] {
            dora.does(json!({ "op": "learn", "user": user, "records": records }));
        }
        assert_eq!(enters(&mut dora, &sent, true), expected, "by what is known");
        if !strict {
            assert_eq!(enters(&mut dora, &sent, false), Value::Null);
        }
    }
}

#[test]
fn t2_in_a_call_whoever_was_out_of_the_rooms_group_seals_nothing_before_they_have_seen_who_is_in_it() {
    for is_moved in [false, true] {
        let (mut ann, mut ben) = two_in(true);
        greets(&mut ann, BEN);
        let stay = json!({ "room": ROOM, "participant": "0000000000000001" });
        ann.does(json!({ "op": "create", "group": call(), "stay": stay }));
        ann.does(json!({ "op": "accepted", "group": call() }));
        let keys = json!({ "op": "media_keys", "group": call(), "epoch": null });
        ann.does(&keys);

        let (eve, package) = eve([&mut ann, &mut ben]);
        let added = json!({ "op": "change", "group": room(), "add": [package], "users": [eve.user], "remove": [] });
        let sent = ben.does(added)["outgoing"].clone();
        if is_moved {
            ann.does(json!({ "op": "forget", "group": room() }));
            assert_eq!(enters(&mut ann, &sent, false), Value::Null);
        } else {
            ann.does(json!({ "op": "process", "group": room(), "commit": sent["commit"] }));
        }
        assert_eq!(ann.does(json!({ "op": "newcomers", "room": ROOM }))["users"], json!([eve.user]), "told either way");
        if is_moved {
            assert_eq!(ann.fails(&keys), "newcomers");
            greets(&mut ann, eve.user);
        }
        ann.does(&keys);
    }
}

#[test]
fn t2_who_was_greeted_in_a_group_that_is_not_strict_is_news_in_one_that_is() {
    let (mut ann, mut ben) = two_in(false);
    greets(&mut ann, BEN);
    let (mut eve, _) = eve([&mut ann, &mut ben]);
    let package = ann.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    eve.does(json!({ "op": "create", "group": room(), "stay": null, "strict": true }));
    eve.does(json!({ "op": "accepted", "group": room() }));
    let added = json!({ "op": "change", "group": room(), "add": package, "users": [ANN], "remove": [] });
    let sent = eve.does(added)["outgoing"].clone();
    ann.does(json!({ "op": "forget", "group": room() }));
    assert_eq!(enters(&mut ann, &sent, false), Value::Null);
    assert_eq!(ann.does(json!({ "op": "newcomers", "room": ROOM }))["users"], json!([eve.user]));
}

#[test]
fn t2_who_was_put_out_while_nobody_looked_is_news_to_who_comes_in_anew() {
    let (mut ann, mut ben) = two_in(true);
    greets(&mut ann, BEN);
    let package = ben.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    for (add, remove) in [(json!([]), json!([1])), (package, json!([]))] {
        let users = if add.as_array().is_some_and(Vec::is_empty) { json!([]) } else { json!([BEN]) };
        ann.does(json!({ "op": "change", "group": room(), "add": add, "users": users, "remove": remove }));
        ann.does(json!({ "op": "accepted", "group": room() }));
    }
    assert_eq!(ann.does(json!({ "op": "newcomers", "room": ROOM }))["users"], json!([BEN]));
}

#[test]
fn a_device_that_came_in_anew_among_those_whom_it_knows_is_not_stopped_later_by_who_comes() {
    let (mut ann, mut ben) = two_in(true);
    let package = ben.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }))["packages"].clone();
    ann.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [1] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    let added = json!({ "op": "change", "group": room(), "add": package, "users": [BEN], "remove": [] });
    let sent = ann.does(added)["outgoing"].clone();
    ann.does(json!({ "op": "accepted", "group": room() }));
    greets(&mut ann, BEN);
    ben.does(json!({ "op": "forget", "group": room() }));
    ben.does(json!({ "op": "join", "welcome": sent["welcome"] }));

    ann.does(json!({ "op": "forget", "group": room() }));
    let enter = json!({
        "op": "join_external", "group": room(), "group_info": sent["group_info"], "tree": null, "stay": null,
        "at_least_epoch": 0,
    });
    let entering = ann.does(enter)["outgoing"].clone();
    ann.does(json!({ "op": "accepted", "group": room() }));
    ben.does(json!({ "op": "process", "group": room(), "commit": entering["commit"] }));
    let stay = json!({ "room": ROOM, "participant": "0000000000000001" });
    ann.does(json!({ "op": "create", "group": call(), "stay": stay }));
    ann.does(json!({ "op": "accepted", "group": call() }));

    let (eve, package) = eve([&mut ann, &mut ben]);
    let added = json!({ "op": "change", "group": room(), "add": [package], "users": [eve.user], "remove": [] });
    let sent = ben.does(added)["outgoing"].clone();
    ann.does(json!({ "op": "process", "group": room(), "commit": sent["commit"] }));
    ann.does(json!({ "op": "media_keys", "group": call(), "epoch": null }));
}
