//! What people do in rooms and in direct conversations: messages sent twice, edits, reactions, read markers, deletions.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::binary::Caller;
use crate::ledger::{ANYTHING, Entry, Ledger, Message};

/// One who writes.
pub(crate) struct Writer<'a> {
    pub(crate) person: usize,
    pub(crate) caller: &'a Caller,
    pub(crate) room: &'a str,
    /// Whom they talk to directly.
    pub(crate) friends: &'a [String],
    pub(crate) ledger: &'a Mutex<Ledger>,
}

impl Writer<'_> {
    /// Writes a message and does something else. `None` once the server does not answer.
    pub(crate) async fn write(&self, nth: usize) -> Option<()> {
        let (id, seq) = self.post(self.room, &json!({"v": 1, "type": "text", "text": format!("message {nth}")}), None).await?;
        match nth % 5 {
            0 => self.edit(&id, nth).await,
            1 => self.react(nth.is_multiple_of(2)).await,
            2 => self.mark_read(seq).await,
            3 => self.delete(&id).await,
            _ => self.talk(nth).await,
        }
    }

    async fn edit(&self, of: &str, nth: usize) -> Option<()> {
        for text in [format!("better {nth}"), format!("best {nth}")] {
            let body = json!({"v": 1, "type": "edit", "of": of, "text": text});
            self.post(self.room, &body, Some((format!("edit {of}"), text))).await?;
        }
        Some(())
    }

    /// To the newest message, whose ever it is; and takes it back, perhaps.
    async fn react(&self, is_taken_back: bool) -> Option<()> {
        let newest = self.ledger.lock().unwrap().newest[self.room].clone();
        self.say(&newest, true).await?;
        if is_taken_back {
            self.say(&newest, false).await?;
        }
        Some(())
    }

    async fn say(&self, to: &str, on: bool) -> Option<()> {
        let body = json!({"v": 1, "type": "reaction", "to": to, "emoji": "👍", "on": on});
        let fact = (format!("reaction {to} {}", self.caller.user), on.to_string());
        self.post(self.room, &body, Some(fact)).await.map(|_| ())
    }

    /// The conversation with one or two others, found or made, and a message in it.
    async fn talk(&self, nth: usize) -> Option<()> {
        let at = |n: usize| self.friends[n % self.friends.len()].clone();
        let mut names = vec![at(nth / 4), at(nth / 8 + 1)];
        names.dedup();
        let mut people: Vec<&str> = names.iter().map(String::as_str).chain([self.caller.name.as_str()]).collect();
        people.sort_unstable();
        let key = format!("direct {}", people.join(","));
        self.ledger.lock().unwrap().asked(&key, ANYTHING);
        let room = self.caller.must(Method::POST, "direct", Some(json!({"usernames": names, "encryption": "open"}))).await?;
        let room = room["id"].as_str().unwrap();
        {
            let mut ledger = self.ledger.lock().unwrap();
            let before = ledger.value(&key).to_owned();
            assert!(before.is_empty() || before == room, "{key}: made twice");
            ledger.acknowledged(&key, room);
        }
        self.post(room, &json!({"v": 1, "type": "text", "text": format!("direct {nth}")}), None).await.map(|_| ())
    }

    async fn mark_read(&self, seq: i64) -> Option<()> {
        let (key, value) = (format!("read {} {}", self.room, self.person), seq.to_string());
        self.ledger.lock().unwrap().asked(&key, &value);
        self.caller.must(Method::PUT, &format!("rooms/{}/read", self.room), Some(json!({"seq": seq}))).await?;
        self.ledger.lock().unwrap().acknowledged(&key, &value);
        Some(())
    }

    async fn delete(&self, id: &str) -> Option<()> {
        let key = format!("deleted {id}");
        self.ledger.lock().unwrap().asked(&key, "deleted");
        let entry = self.caller.must(Method::DELETE, &format!("rooms/{}/messages/{id}", self.room), None).await?;
        let mut ledger = self.ledger.lock().unwrap();
        ledger.acknowledged(&key, "deleted");
        remember(&mut ledger, self.room, &entry);
        Some(())
    }

    /// Posts a message, and once more as if the first answer had been lost.
    async fn post(&self, room: &str, body: &Value, fact: Option<(String, String)>) -> Option<(String, i64)> {
        let id = Uuid::now_v7().to_string();
        let body = URL_SAFE_NO_PAD.encode(body.to_string());
        let message = Message { person: self.person, room: room.to_owned(), id: id.clone(), body, fact };
        {
            let mut ledger = self.ledger.lock().unwrap();
            if let Some((key, value)) = &message.fact {
                ledger.asked(key, value);
            }
            ledger.unanswered.insert(id.clone(), message.clone());
        }
        send(self.caller, &message, self.ledger).await?;
        Some((id, send(self.caller, &message, self.ledger).await?))
    }
}

/// Sends a message and notes that it was acknowledged; its number.
pub(crate) async fn send(caller: &Caller, message: &Message, ledger: &Mutex<Ledger>) -> Option<i64> {
    let Message { room, id, body, fact, .. } = message;
    let sent = json!({"id": id, "body": body});
    let entry = caller.must(Method::POST, &format!("rooms/{room}/messages"), Some(sent)).await?;
    let seq = entry["seq"].as_i64().unwrap();
    let mut ledger = ledger.lock().unwrap();
    ledger.stored(room, id, &Entry { seq, kind: "message".to_owned(), body: Some(body.clone()) });
    ledger.unanswered.remove(id);
    match fact {
        Some((key, value)) => ledger.acknowledged(key, value),
        None => _ = ledger.newest.insert(room.clone(), id.clone()),
    }
    Some(seq)
}

/// Notes an acknowledged entry that is no message.
pub(crate) fn remember(ledger: &mut Ledger, room: &str, entry: &Value) {
    let text = |name: &str| entry[name].as_str().unwrap().to_owned();
    ledger.stored(room, &text("id"), &Entry { seq: entry["seq"].as_i64().unwrap(), kind: text("kind"), body: None });
}
