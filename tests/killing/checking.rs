//! What must be found after a restart: every acknowledged thing, once, in its place; no gap, and nothing half done.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::binary::Caller;
use crate::keeping::standing_key;
use crate::ledger::Ledger;

/// A log as clients fold it.
#[derive(Default)]
struct Folded {
    /// The last text of each edited message, by its writer.
    edits: BTreeMap<String, String>,
    /// By message and person.
    reactions: BTreeMap<(String, String), bool>,
    pins: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Folds a log. What a message refers to came before it.
fn fold(log: &[Value]) -> Folded {
    let (mut folded, mut senders) = (Folded::default(), BTreeMap::new());
    for entry in log {
        let (id, sender) = (text(&entry["id"]), text(&entry["sender"]));
        match (entry["kind"].as_str().unwrap(), entry["target"].as_str()) {
            ("pin", Some(target)) => _ = folded.pins.insert(target.to_owned()),
            ("unpin", Some(target)) => assert!(folded.pins.remove(target), "unpinned, but never pinned"),
            ("deletion", Some(target)) => {
                folded.pins.remove(target);
                assert!(folded.deleted.insert(target.to_owned()), "deleted twice");
            }
            ("message", None) => fold_message(&mut folded, &senders, entry),
            other => panic!("{other:?}"),
        }
        senders.insert(id, sender);
    }
    folded
}

fn fold_message(folded: &mut Folded, senders: &BTreeMap<String, String>, entry: &Value) {
    let Some(body) = entry["body"].as_str() else { return };
    let body: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    let sender = text(&entry["sender"]);
    match body["type"].as_str().unwrap() {
        "edit" => {
            let of = text(&body["of"]);
            assert_eq!(senders.get(&of), Some(&sender), "an edit before its message, or of another's");
            folded.edits.insert(of, text(&body["text"]));
        }
        "reaction" => {
            let to = text(&body["to"]);
            assert!(senders.contains_key(&to), "a reaction before its message");
            folded.reactions.insert((to, sender), body["on"].as_bool().unwrap());
        }
        _ => {}
    }
}

/// The log of a room, a direct conversation or not, as one of its members sees it.
pub(crate) async fn check_log(reader: &Caller, room: &str, ledger: &std::sync::Mutex<Ledger>) {
    let log = reader.log(room).await;
    let pins = reader.get(&format!("rooms/{room}/pins")).await;
    let pins: BTreeSet<String> = pins["pins"].as_array().unwrap().iter().map(|pin| text(&pin["message"]["id"])).collect();
    let folded = fold(&log);
    assert_eq!(pins, folded.pins, "pins and their entries in the log");
    let found: BTreeMap<String, &Value> = log.iter().map(|entry| (text(&entry["id"]), entry)).collect();

    let mut ledger = ledger.lock().unwrap();
    for ((_, id), stored) in ledger.entries.iter().filter(|((of, _), _)| of == room) {
        let entry = found.get(id).unwrap_or_else(|| panic!("an acknowledged {} is lost", stored.kind));
        assert_eq!((&entry["seq"], &entry["kind"]), (&stored.seq.into(), &stored.kind.as_str().into()));
        let is_deleted = folded.deleted.contains(id);
        assert_eq!(entry["body"], if is_deleted { Value::Null } else { stored.body.clone().into() }, "{id}");
    }
    for id in found.iter().filter(|(_, entry)| entry["kind"] == "message").map(|(id, _)| id) {
        assert!(ledger.entries.contains_key(&(room.to_owned(), id.clone())), "a message that nobody wrote");
        let deleted = if folded.deleted.contains(id) { "deleted" } else { "" };
        ledger.settle(&format!("deleted {id}"), deleted);
        let edited = folded.edits.get(id).map_or("", String::as_str);
        ledger.settle(&format!("edit {id}"), edited);
        for key in ledger.keys(&format!("reaction {id} ")) {
            let person = key.rsplit_once(' ').unwrap().1.to_owned();
            let on = folded.reactions.get(&(id.clone(), person)).map_or(String::new(), bool::to_string);
            ledger.settle(&key, &on);
        }
    }
}

/// The rooms of a person: their read markers, and each conversation once, with everybody in it. Gives the conversations.
pub(crate) async fn check_rooms(person: usize, caller: &Caller, rooms: usize, ledger: &std::sync::Mutex<Ledger>) -> Vec<String> {
    let listed = caller.get("rooms").await;
    let (direct, others): (Vec<&Value>, Vec<&Value>) =
        listed["rooms"].as_array().unwrap().iter().partition(|room| room["kind"] == "direct");
    assert_eq!(others.len(), rooms, "a membership is lost");
    let mut ledger = ledger.lock().unwrap();
    for room in others {
        let key = format!("read {} {person}", room["id"].as_str().unwrap());
        let read = room["read_seq"].as_i64().unwrap();
        ledger.settle(&key, &if read == 0 { String::new() } else { read.to_string() });
    }
    let mut keys = BTreeSet::new();
    for room in &direct {
        let mut people: Vec<String> = room["people"].as_array().unwrap().iter().map(|person| text(&person["username"])).collect();
        assert_eq!(room["member_count"], people.len());
        people.sort_unstable();
        let key = format!("direct {}", people.join(","));
        ledger.settle(&key, room["id"].as_str().unwrap());
        assert!(keys.insert(key), "the same people in two conversations");
    }
    for key in ledger.keys("direct ").into_iter().filter(|key| key[7..].split(',').any(|name| name == caller.name)) {
        assert!(keys.contains(&key) || ledger.value(&key).is_empty(), "{key} is lost");
    }
    direct.iter().map(|room| text(&room["id"])).collect()
}

/// Who comes and goes: the standing is what was acknowledged, and what the audit log says of it happened with it or not at all.
pub(crate) async fn check_standing(owner: &Caller, visitor: &Caller, room: &str, ledger: &std::sync::Mutex<Ledger>) {
    let seen = owner.get(&format!("rooms/{room}")).await;
    let members = seen["members"].as_array().unwrap();
    assert_eq!(seen["member_count"], members.len());
    let role = members.iter().find(|member| member["user"] == visitor.user).map(|member| text(&member["role"]));
    let bans = owner.get(&format!("rooms/{room}/bans")).await;
    let is_banned = bans["bans"].as_array().unwrap().iter().any(|ban| ban["user"] == visitor.user);
    assert!(!(is_banned && role.is_some()), "banned and a member");
    let standing = if is_banned { "banned".to_owned() } else { role.unwrap_or_default() };
    let audit = owner.get(&format!("rooms/{room}/audit?limit=100")).await;
    let act = audit["acts"].as_array().unwrap().iter().find(|act| act["subject"] == visitor.user);
    let act = act.map_or(String::new(), |act| format!("{} {}", text(&act["act"]), text(&act["detail"])).trim().to_owned());
    let found = format!("{standing}|{act}");
    ledger.lock().unwrap().settle(&standing_key(room, &visitor.user), if found == "|" { "" } else { &found });
}
