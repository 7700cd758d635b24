//! What owners do: somebody comes, is made a moderator, leaves, is removed, banned and let in again, over and over; messages are pinned.

use std::sync::Mutex;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::binary::Caller;
use crate::ledger::Ledger;
use crate::writing::remember;

/// Messages that stay pinned.
const PINS: usize = 3;

/// The owner of a room, and who comes and goes there.
pub(crate) struct Keeper<'a> {
    pub(crate) owner: &'a Caller,
    pub(crate) visitor: &'a Caller,
    pub(crate) room: &'a str,
    pub(crate) link: &'a str,
    pub(crate) ledger: &'a Mutex<Ledger>,
}

/// A step of the visitor's story: by whom, how, and what is so afterwards: the standing, and the last act in the audit log.
struct Step<'a> {
    by: &'a Caller,
    method: Method,
    path: String,
    body: Option<serde_json::Value>,
    standing: &'static str,
    /// `None`: not recorded.
    act: Option<&'static str>,
}

impl Keeper<'_> {
    /// One step with the visitor and one with the pins. `None` once the server does not answer.
    pub(crate) async fn keep(&self, nth: usize, pinned: &mut Vec<String>) -> Option<()> {
        let key = standing_key(self.room, &self.visitor.user);
        let before = self.ledger.lock().unwrap().value(&key).to_owned();
        let (standing, last_act) = before.split_once('|').unwrap_or(("", ""));
        let step = self.step(standing, nth);
        let after = format!("{}|{}", step.standing, step.act.unwrap_or(last_act));
        self.ledger.lock().unwrap().asked(&key, &after);
        step.by.must(step.method, &step.path, step.body).await?;
        self.ledger.lock().unwrap().acknowledged(&key, &after);
        self.pin(pinned).await
    }

    fn step(&self, standing: &str, nth: usize) -> Step<'_> {
        let member = format!("rooms/{}/members/{}", self.room, self.visitor.user);
        let ban = format!("rooms/{}/bans/{}", self.room, self.visitor.user);
        let role = |role: &str| Some(json!({"role": role}));
        let (by, method, path, body, standing, act) = match (standing, nth % 3) {
            ("", _) => (self.visitor, Method::POST, "rooms/join".to_owned(), Some(json!({"code": self.link})), "member", None),
            ("member", 0) => (self.owner, Method::PATCH, member, role("moderator"), "moderator", Some("role moderator")),
            ("member", 1) => (self.owner, Method::DELETE, member, None, "", Some("remove")),
            ("member", _) => (self.owner, Method::PUT, ban, None, "banned", Some("ban")),
            ("moderator", 0) => (self.visitor, Method::DELETE, member, None, "", None),
            ("moderator", _) => (self.owner, Method::PATCH, member, role("member"), "member", Some("role member")),
            _ => (self.owner, Method::DELETE, ban, None, "", Some("unban")),
        };
        Step { by, method, path, body, standing, act }
    }

    /// What is pinned already.
    pub(crate) async fn pinned(&self) -> Option<Vec<String>> {
        let pins = self.owner.must(Method::GET, &format!("rooms/{}/pins", self.room), None).await?;
        Some(pins["pins"].as_array().unwrap().iter().map(|pin| pin["message"]["id"].as_str().unwrap().to_owned()).collect())
    }

    /// Pins the newest message, and unpins the oldest of several.
    async fn pin(&self, pinned: &mut Vec<String>) -> Option<()> {
        let Some(newest) = self.ledger.lock().unwrap().newest.get(self.room).cloned() else { return Some(()) };
        self.turn(Method::PUT, &newest).await?;
        pinned.push(newest);
        while pinned.len() > PINS {
            self.turn(Method::DELETE, &pinned.remove(0)).await?;
        }
        Some(())
    }

    async fn turn(&self, method: Method, message: &str) -> Option<()> {
        let answer = self.owner.ask(method, &format!("rooms/{}/pins/{message}", self.room), None).await?;
        match answer.status {
            StatusCode::OK if !answer.body.is_null() => remember(&mut self.ledger.lock().unwrap(), self.room, &answer.body),
            // Pinned before; or its writer deleted it meanwhile.
            StatusCode::OK | StatusCode::NOT_FOUND => {}
            other => panic!("{other}: {}", answer.body),
        }
        Some(())
    }
}

pub(crate) fn standing_key(room: &str, user: &str) -> String {
    format!("standing {room} {user}")
}
