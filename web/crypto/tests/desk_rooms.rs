//! What a room's group is not replaced by, and who is heard in a call: welcomes, states and commits that a server shows at the wrong time.

mod browser;

use browser::{Browser, ROOM, next_epoch, nobody, room, two};
use serde_json::{Value, json};
use webcall_crypto::desk::Bytes;

const CALL: &str = "00000000-0000-7000-8000-0000000000bb";
const BEN: &str = "00000000-0000-7000-8000-000000000002";
const EVE: &str = "00000000-0000-7000-8000-000000000003";

fn call() -> Value {
    json!({ "kind": "call", "id": CALL })
}

fn last_resort(browser: &mut Browser) -> Value {
    browser.does(json!({ "op": "key_packages", "count": 0, "last_resort": true }))["last_resort"].clone()
}

fn commits(browser: &mut Browser, group: &Value, add: &Value, remove: &Value) -> Value {
    // All of these are Ben's, whichever device of his.
    let changed = browser.does(json!({ "op": "change", "group": group, "add": add, "users": [BEN], "remove": remove }));
    browser.does(json!({ "op": "accepted", "group": group }));
    changed["outgoing"].clone()
}

fn process(group: &Value, commit: &Value) -> Value {
    json!({ "op": "process", "group": group, "commit": commit })
}

fn join(welcome: &Value) -> Value {
    json!({ "op": "join", "welcome": welcome })
}

/// Takes Ben out of the room, and he hears of it.
fn put_out(ann: &mut Browser, ben: &mut Browser) {
    let sent = commits(ann, &room(), &json!([]), &json!([1]));
    ben.does(process(&room(), &sent["commit"]));
}

#[test]
fn t21_a_welcome_to_a_last_resort_that_is_shown_again_brings_no_epoch_back() {
    let (mut ann, mut ben) = two();
    put_out(&mut ann, &mut ben);
    let package = last_resort(&mut ben);
    let welcome = commits(&mut ann, &room(), &json!([package]), &json!([]))["welcome"].clone();
    assert_eq!(ben.does(join(&welcome))["epoch"], 3);
    assert_eq!(ben.fails(join(&welcome)), "known_group", "while it is in");
    ben.reloads();
    assert_eq!(ben.fails(join(&welcome)), "known_group", "and when the group is not open");
    put_out(&mut ann, &mut ben);
    assert_eq!(ben.fails(join(&welcome)), "past_epoch", "and when it is out");
    ben.reloads();
    assert_eq!(ben.fails(join(&welcome)), "past_epoch");
    let again = commits(&mut ann, &room(), &json!([package]), &json!([]))["welcome"].clone();
    assert_eq!(ben.does(join(&again))["epoch"], 5, "who is really added again comes in");
}

#[test]
fn t2_a_group_that_a_stranger_makes_for_a_room_does_not_take_the_place_of_the_one_that_is_kept() {
    let (mut ann, mut ben) = two();
    let mut eve = Browser::first(EVE, 3);
    let people = [(ann.user, ann.records.clone()), (ben.user, ben.records.clone()), (EVE, eve.records.clone())];
    for browser in [&mut ann, &mut ben, &mut eve] {
        for (user, records) in &people {
            browser.does(json!({ "op": "learn", "user": user, "records": records }));
        }
    }
    let before = ben.does(json!({ "op": "look", "group": room() }))["authenticator"].clone();
    let package = last_resort(&mut ben);
    eve.does(json!({ "op": "create", "group": room(), "stay": null }));
    eve.does(json!({ "op": "accepted", "group": room() }));
    let welcome = commits(&mut eve, &room(), &json!([package]), &json!([]))["welcome"].clone();
    assert_eq!(ben.fails(join(&welcome)), "known_group");
    let create = json!({ "op": "create", "group": room(), "stay": null });
    assert_eq!(ben.fails(&create), "known_group");
    ben.reloads();
    assert_eq!([ben.fails(join(&welcome)), ben.fails(&create)], ["known_group", "known_group"]);
    assert_eq!(ben.does(json!({ "op": "look", "group": room() }))["authenticator"], before);
    put_out(&mut ann, &mut ben);
    assert_eq!(ben.fails(&create), "known_group", "nor after it");
    let elsewhere = json!({ "kind": "room", "id": "00000000-0000-7000-8000-0000000000ac" });
    ben.does(json!({ "op": "create", "group": elsewhere, "stay": null }));
}

#[test]
fn t7_an_older_state_of_a_group_that_is_put_back_is_not_gone_on_with() {
    let (mut ann, mut ben) = two();
    let name = format!("room/{ROOM}");
    let say = json!({ "op": "say", "group": room(), "plaintext": "aGk=" });
    let seal = json!({
        "op": "seal_message", "room": ROOM, "id": CALL, "kind": 1, "content": "aGk=", "seen": null, "head": null, "now_ms": 5,
    });
    let old = ann.kept[&name].clone();
    next_epoch(&mut ann, &mut ben);
    let new = ann.kept.insert(name.clone(), old).expect("it was kept");
    ann.reloads();
    for request in [&say, &seal, &json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [] })] {
        assert_eq!(ann.fails(request), "old_state", "{request}");
    }
    ann.kept.insert(name, new);
    ann.reloads();
    for request in [say, seal] {
        ann.does(request);
    }
}

#[test]
fn t7_an_older_state_that_another_hand_puts_back_under_a_page_is_refused() {
    let (mut ann, mut ben) = two();
    let old = ann.kept.clone();
    ann.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }));
    let records = revokes_himself(&mut ben);
    ann.does(json!({ "op": "learn", "user": ben.user, "records": records }));
    let new = ann.kept.clone();
    let load = |ann: &Browser, device: &Value, directory: &Value| {
        json!({
            "op": "load", "device_id": ann.device, "device": device, "directory": directory, "identity": ann.kept["identity"],
        })
    };
    // What was written last counts from the next request on.
    ann.does(json!({ "op": "who" }));
    for (device, directory) in [(&old["device"], &new["directory"]), (&new["device"], &old["directory"])] {
        assert_eq!(ann.fails(load(&ann, device, directory)), "old_state");
    }
    ann.does(load(&ann, &new["device"], &new["directory"]));
    let name = format!("marks/{ROOM}");
    let open = |sealed: &Value| json!({ "op": "open_state", "name": name, "sealed": sealed });
    next_epoch(&mut ann, &mut ben);
    let newest = ann.kept[&name].clone();
    for sealed in [&new[&name], &Value::Null] {
        assert_eq!(ann.fails(open(sealed)), "old_state");
    }
    ann.does(open(&newest));
}

#[test]
fn what_could_not_be_kept_is_no_newer_state() {
    let (mut ann, _) = two();
    let before = ann.kept.clone();
    ann.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }));
    // The storage did not take it, so that the door reads everything again.
    ann.kept = before;
    ann.reads_again();
    ann.does(json!({ "op": "who" }));
    ann.reads_again();
    ann.does(json!({ "op": "key_packages", "count": 1, "last_resort": false }));
}

#[test]
fn t16_a_message_under_a_key_that_is_long_over_is_not_taken_at_the_end_of_the_log() {
    let (mut ann, mut ben) = two();
    let seal = |number: u8| {
        let id = format!("00000000-0000-7000-8000-0000000001{number:02x}");
        json!({ "op": "seal_message", "room": ROOM, "id": id, "kind": 1, "content": "aGk=", "seen": null, "head": null, "now_ms": 5 })
    };
    let open = |sealed: &Value| json!({ "op": "open_message", "room": ROOM, "envelope": sealed["envelope"] });
    let [oldest, next] = [1, 2].map(|number| {
        let sealed = ben.does(seal(number));
        next_epoch(&mut ann, &mut ben);
        sealed
    });
    for _ in 0..31 {
        next_epoch(&mut ann, &mut ben);
    }
    let newest = ann.does(seal(3));
    assert_eq!(newest["epoch"].as_u64(), oldest["epoch"].as_u64().map(|epoch| epoch + 33));
    ann.does(open(&newest));
    assert_eq!(ann.does(open(&next))["verdict"], "first", "it was on its way for long");
    assert_eq!(ann.fails(open(&oldest)), "past_epoch");
    ann.reloads();
    assert_eq!(ann.fails(open(&oldest)), "past_epoch");
    ann.does(json!({ "op": "read_message", "room": ROOM, "envelope": oldest["envelope"] }));
    // Where the log has it before, it is taken.
    assert_eq!(ben.does(open(&oldest))["verdict"], "first");
}

#[test]
fn a_welcome_into_a_look_alike_of_the_group_is_refused() {
    let mut browsers = [1, 2, 3].map(|number| {
        let user = ["00000000-0000-7000-8000-000000000001", BEN, EVE][number as usize - 1];
        Browser::first(user, number)
    });
    let published: Vec<_> = browsers.iter().map(|browser| (browser.user, browser.records.clone())).collect();
    for browser in &mut browsers {
        for (user, records) in &published {
            browser.does(json!({ "op": "learn", "user": user, "records": records }));
        }
    }
    let [mut ann, mut ben, mut eve] = browsers;
    let packages = ben.does(json!({ "op": "key_packages", "count": 2, "last_resort": false }))["packages"].clone();
    let [true_one, look_alike] = [(&mut ann, 0), (&mut eve, 1)].map(|(maker, at)| {
        maker.does(json!({ "op": "create", "group": room(), "stay": null }));
        maker.does(json!({ "op": "accepted", "group": room() }));
        commits(maker, &room(), &json!([packages[at]]), &json!([]))
    });
    let join =
        |commit: &Value| json!({ "op": "join", "welcome": look_alike["welcome"], "group": room(), "epoch": 1, "commit": commit });
    for commit in [&true_one["commit"], &json!("AAAA")] {
        assert_eq!(ben.fails(join(commit)), "bad_welcome");
    }
    assert_eq!(ben.does(join(&look_alike["commit"]))["epoch"], 1, "the control: by its own commit it would be one");
    let began = |commit: &Value| json!({ "op": "began_with", "group": room(), "commit": commit });
    ben.does(began(&look_alike["commit"]));
    assert_eq!(ben.fails(began(&true_one["commit"])), "other_group");
}

fn stay(participant: u8) -> Value {
    json!({ "room": ROOM, "participant": format!("{participant:016x}") })
}

/// Ann and Ben in a call.
fn in_call() -> (Browser, Browser) {
    in_call_of(two())
}

fn in_call_of((mut ann, mut ben): (Browser, Browser)) -> (Browser, Browser) {
    let created = ann.does(json!({ "op": "create", "group": call(), "stay": stay(1) }));
    ann.does(json!({ "op": "accepted", "group": call() }));
    let info = &created["outgoing"]["group_info"];
    let external = json!({
        "op": "join_external", "group": call(), "group_info": info, "tree": null, "stay": stay(2), "at_least_epoch": 0,
    });
    let joining = ben.does(external);
    ben.does(json!({ "op": "accepted", "group": call() }));
    ann.does(process(&call(), &joining["outgoing"]["commit"]));
    (ann, ben)
}

#[test]
fn a_rehearsal_goes_through_all_of_a_call_and_leaves_nothing() {
    let (mut ann, _) = two();
    let (kept, room) = (ann.kept.clone(), ann.does(json!({ "op": "look", "group": { "kind": "room", "id": ROOM } })));
    ann.does(json!({ "op": "rehearse", "room": ROOM }));
    assert_eq!(ann.kept, kept);
    assert_eq!(ann.does(json!({ "op": "look", "group": { "kind": "room", "id": ROOM } })), room);
    assert_eq!(ann.fails(json!({ "op": "look", "group": call() })), "not_open");
    let elsewhere = "00000000-0000-7000-8000-0000000000bb";
    assert_eq!(ann.fails(json!({ "op": "rehearse", "room": elsewhere })), "not_open");
}

fn media(epoch: Option<u64>) -> Value {
    json!({ "op": "media_keys", "group": call(), "epoch": epoch })
}

#[test]
fn the_middle_of_two_quick_epochs_has_its_media_keys() {
    let (mut ann, mut ben) = in_call();
    let first = ben.does(media(Some(1)));
    let sent = [(); 2].map(|()| commits(&mut ann, &call(), &json!([]), &json!([]))["commit"].clone());
    for commit in &sent {
        ben.does(process(&call(), commit));
    }
    let [anns, bens] = [&mut ann, &mut ben].map(|browser| [1, 2, 3].map(|epoch| browser.does(media(Some(epoch)))));
    for (number, (one, other)) in anns.iter().zip(&bens).enumerate() {
        assert_eq!((&one["members"], one["epoch"].as_u64()), (&other["members"], Some(number as u64 + 1)));
        assert_eq!(one["members"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!(bens[0], first);
    assert_ne!(bens[1]["members"], bens[2]["members"]);
    assert_eq!(ben.does(media(None)), bens[2]);
    assert_eq!(ben.fails(media(Some(4))), "unknown_epoch", "it has not come");
    assert_eq!(ben.fails(media(Some(0))), "unknown_epoch", "he was not there");
    for _ in 0..16 {
        let commit = commits(&mut ann, &call(), &json!([]), &json!([]))["commit"].clone();
        ben.does(process(&call(), &commit));
    }
    assert_eq!(ben.fails(media(Some(3))), "unknown_epoch", "it is long over");
    ben.does(media(Some(4)));
}

#[test]
fn t12_whoever_comes_into_a_call_anew_seals_under_a_nonce_and_a_key_that_were_never_used() {
    let (mut ann, mut ben) = two();
    let created = ann.does(json!({ "op": "create", "group": call(), "stay": stay(1) }));
    // The same description of the call each time, so that nothing but the device makes a difference.
    let join = json!({
        "op": "join_external", "group": call(), "group_info": created["outgoing"]["group_info"], "tree": null,
        "stay": stay(2), "at_least_epoch": 0,
    });
    let mut seen = std::collections::BTreeSet::new();
    let mut is_new = |media: &Value| {
        let own = media["members"].as_array().expect("a list").iter().find(|of| of["leaf"] == media["leaf"]).expect("a stay");
        ["session", "base"].map(|what| seen.insert(own[what].as_str().expect("base64").to_owned()))
    };
    for _ in 0..4 {
        ben.does(&join);
        ben.does(json!({ "op": "accepted", "group": call() }));
        assert_eq!(is_new(&ben.does(media(None))), [true; 2]);
        assert_eq!(is_new(&ben.does(media(None))), [false; 2], "of one stay they are the same, as this test sees");
        ben.reloads();
    }
}

/// Ben's phone is lost: his records with its revocation.
fn revokes_himself(ben: &mut Browser) -> Value {
    let records = ben.records.clone();
    let revoked = ben.does(json!({ "op": "revoke", "device": ben.device, "previous": null, "now_ms": 3 }));
    json!([records[0], records[1], revoked["record"]])
}

#[test]
fn t16_no_keys_are_given_out_and_nothing_is_said_while_a_revoked_device_is_there() {
    let (mut ann, mut ben) = in_call();
    let records = revokes_himself(&mut ben);
    let say = |group: Value| json!({ "op": "say", "group": group, "plaintext": "aGk=" });
    for request in [media(None), say(call()), say(room())] {
        ann.does(request);
    }
    ann.does(json!({ "op": "learn", "user": ben.user, "records": records }));
    for request in [media(None), media(Some(1)), say(call()), say(room())] {
        assert_eq!(ann.fails(request), "stale_members");
    }
    for group in [call(), room()] {
        commits(&mut ann, &group, &json!([]), &json!([1]));
        ann.does(say(group));
    }
    assert_eq!(ann.does(media(None))["members"].as_array().map(Vec::len), Some(1));
    let before = ann.does(media(Some(1)));
    assert_eq!(before["members"].as_array().map(Vec::len), Some(1), "of what is over, only who still counts");
}

#[test]
fn t2_who_is_put_out_of_a_room_gets_no_keys_of_its_call_and_is_to_go() {
    let (mut ann, mut ben) = in_call();
    assert_eq!(ann.does(json!({ "op": "look", "group": call() }))["stale"], json!([]));
    put_out(&mut ann, &mut ben);
    assert_eq!(ann.does(json!({ "op": "look", "group": call() }))["stale"], json!([1]));
    assert_eq!(ann.fails(media(None)), "stale_members");
    assert_eq!(ben.fails(media(None)), "not_open", "and he himself has no room to be in a call of");
    commits(&mut ann, &call(), &json!([]), &json!([1]));
    ann.does(media(None));
}

#[test]
fn t2_a_call_whose_maker_is_not_in_the_room_is_not_joined() {
    let (mut ann, mut ben) = two();
    let created = ann.does(json!({ "op": "create", "group": call(), "stay": stay(1) }));
    let join = |info: &Value| json!({ "op": "join_external", "group": call(), "group_info": info, "tree": null, "stay": stay(2), "at_least_epoch": 0 });
    // The same group info, before and after the maker was taken out.
    ben.does(join(&created["outgoing"]["group_info"]));
    let changed = ben.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [0] }));
    ben.does(json!({ "op": "accepted", "group": room() }));
    assert_eq!(ben.fails(join(&created["outgoing"]["group_info"])), "uninvited");
    ann.does(process(&room(), &changed["outgoing"]["commit"]));
    assert_eq!(ann.fails(json!({ "op": "create", "group": call(), "stay": stay(1) })), "not_open", "nor made without its room");
}

#[test]
fn t16_a_commit_of_a_revoked_device_is_taken_from_the_log_of_before_and_not_as_it_comes() {
    let (mut ann, mut ben) = two();
    let records = revokes_himself(&mut ben);
    let [first, second] = [(); 2].map(|()| commits(&mut ben, &room(), &json!([]), &json!([]))["commit"].clone());
    ann.does(json!({ "op": "learn", "user": ben.user, "records": records }));
    assert_eq!(ann.fails(process(&room(), &first)), "revoked_device");
    let in_log =
        |commit: &Value, log_epoch: u64| json!({ "op": "process", "group": room(), "commit": commit, "log_epoch": log_epoch });
    assert_eq!(ann.fails(in_log(&first, 1)), "revoked_device", "the log ended before it");
    ann.does(in_log(&first, 2));
    assert_eq!(ann.fails(in_log(&second, 2)), "revoked_device");
    let nobody_knows = nobody(EVE, 9).fails(in_log(&second, 2));
    assert_eq!(nobody_knows, "no_device");
}

#[test]
fn a_further_device_is_asked_for_what_it_lacks_before_a_welcome_is_taken() {
    let (mut ann, mut ben) = two();
    put_out(&mut ann, &mut ben);
    let package = last_resort(&mut ben);
    let welcome = commits(&mut ann, &room(), &json!([package]), &json!([]))["welcome"].clone();
    ben.reloads();
    let asked = |ben: &mut Browser| ben.desk.handle_json(&join(&welcome).to_string());
    let outcome: Value = serde_json::from_str(&asked(&mut ben)).expect("JSON");
    assert_eq!((&outcome["error"], &outcome["needs"]), (&json!("not_open"), &json!(format!("room/{ROOM}"))));
    let changed = json!({ "op": "open_state", "name": format!("room/{ROOM}"), "sealed": Bytes(vec![1; 99]) });
    assert_eq!(ben.fails(changed), "damaged_state");
    ben.does(join(&welcome));
}

#[test]
fn who_was_away_learns_from_a_commit_whose_devices_it_brings_and_follows_when_they_have_left_again() {
    let (mut ann, mut ben) = two();
    let mut eve = Browser::first(EVE, 3);
    ann.does(json!({ "op": "learn", "user": EVE, "records": eve.records }));
    let package = last_resort(&mut eve);
    let change = json!({ "op": "change", "group": room(), "add": [package], "users": [EVE], "remove": [] });
    let coming = ann.does(change)["outgoing"].clone();
    let look = ann.does(json!({ "op": "accepted", "group": room() }));
    let leaf = look["members"].as_array().unwrap().iter().find(|member| member["user"] == EVE).unwrap()["leaf"].clone();
    let going = commits(&mut ann, &room(), &json!([]), &json!([leaf]));
    let strangers = |ben: &mut Browser| ben.does(json!({ "op": "strangers", "group": room() }))["users"].clone();
    assert_eq!(strangers(&mut ben), json!([]));
    assert_eq!(ben.fails(process(&room(), &coming["commit"])), "not_vouched");
    assert_eq!(strangers(&mut ben), json!([EVE]));
    ben.does(json!({ "op": "learn", "user": EVE, "records": eve.records }));
    ben.does(process(&room(), &coming["commit"]));
    ben.does(process(&room(), &going["commit"]));
    let authenticators =
        [&mut ann, &mut ben].map(|browser| browser.does(json!({ "op": "look", "group": room() }))["authenticator"].clone());
    assert_eq!(authenticators[0], authenticators[1]);
    assert_eq!(ben.does(json!({ "op": "newcomers", "room": ROOM }))["users"], json!([]), "nobody is there who is new");
}

#[test]
fn a_welcome_says_whom_this_device_is_to_learn_of_before_it_can_be_taken_in() {
    let (mut ann, mut ben) = two();
    put_out(&mut ann, &mut ben);
    let mut eve = Browser::first(EVE, 3);
    ann.does(json!({ "op": "learn", "user": EVE, "records": eve.records }));
    let packages = [last_resort(&mut ben), last_resort(&mut eve)];
    let change = json!({ "op": "change", "group": room(), "add": packages, "users": [BEN, EVE], "remove": [] });
    let welcome = ann.does(change)["outgoing"]["welcome"].clone();
    ann.does(json!({ "op": "accepted", "group": room() }));
    assert_eq!(ben.fails(join(&welcome)), "not_vouched");
    let strangers = json!({ "op": "strangers", "group": room(), "welcome": welcome });
    assert_eq!(ben.does(&strangers)["users"], json!([EVE]));
    ben.does(json!({ "op": "learn", "user": EVE, "records": eve.records }));
    assert_eq!(ben.does(strangers)["users"], json!([]));
    ben.does(join(&welcome));
}

#[test]
fn a_welcome_into_another_group_or_epoch_than_the_servers_is_refused() {
    let (mut ann, mut ben) = two();
    put_out(&mut ann, &mut ben);
    let package = last_resort(&mut ben);
    let welcome = commits(&mut ann, &room(), &json!([package]), &json!([]))["welcome"].clone();
    let into = |group: Value, epoch: u64| json!({ "op": "join", "welcome": welcome, "group": group, "epoch": epoch });
    let elsewhere = json!({ "kind": "room", "id": "00000000-0000-7000-8000-0000000000ac" });
    for refused in [into(room(), 2), into(room(), 4), into(elsewhere, 3)] {
        assert_eq!(ben.fails(refused), "bad_welcome");
    }
    assert_eq!(ben.does(into(room(), 3))["epoch"], 3);
}

#[test]
fn whoever_goes_back_to_what_the_server_has_comes_in_anew_and_writes_and_reads_there() {
    let (mut ann, mut ben) = two();
    let message = |number: u8| {
        let id = format!("00000000-0000-7000-8000-0000000001{number:02x}");
        json!({ "op": "seal_message", "room": ROOM, "id": id, "kind": 1, "content": "aGk=", "seen": null, "head": null, "now_ms": 5 })
    };
    let open = |sealed: &Value| json!({ "op": "open_message", "room": ROOM, "envelope": sealed["envelope"] });
    // The server's backup is of before all that.
    let kept = ann.kept.clone();
    for _ in 0..40 {
        next_epoch(&mut ben, &mut ann);
    }
    let sealed = ben.does(message(1));
    ann.does(open(&sealed));
    let go_back = |epoch: u64| json!({ "op": "go_back", "room": ROOM, "epoch": epoch });
    assert_eq!(ben.fails(go_back(41)), "past_epoch", "it is not before the one here");
    let (mut old, by) = (Browser::first(EVE, 9), &mut ann);
    // Ann is as she was then: another browser would do the same.
    (old.user, old.device, old.records, old.key, old.kept) = (by.user, by.device.clone(), by.records.clone(), by.key, kept);
    old.reloads();
    let package = last_resort(&mut ben);
    commits(&mut old, &room(), &json!([]), &json!([1]));
    let welcome = commits(&mut old, &room(), &json!([package]), &json!([]))["welcome"].clone();
    assert_eq!(ben.fails(join(&welcome)), "known_group", "the control");
    let began = |commit: &Value| json!({ "op": "began_with", "group": room(), "commit": commit });
    assert_eq!(ben.fails(began(&json!("AAAA"))), "other_group");
    ben.does(go_back(2));
    assert_eq!(ben.fails(json!({ "op": "look", "group": room() })), "not_open");
    ben.does(join(&welcome));
    let again = ben.does(message(1));
    assert_eq!(
        (&again["epoch"], &old.does(open(&again))["content"]),
        (&json!(3), &json!("aGk=")),
        "the same id, under another key"
    );
    let answer = old.does(message(2));
    assert_eq!(ben.does(open(&answer))["content"], "aGk=");
    ben.reloads();
    assert_eq!(ben.does(json!({ "op": "look", "group": room() }))["epoch"], 3);
}
