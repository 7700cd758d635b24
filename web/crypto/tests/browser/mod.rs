//! Browsers for the tests of the desk's door: JSON in and out, and what is kept is enough to go on from.

#![allow(dead_code, reason = "each file of tests uses a part")]

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use webcall_crypto::StateKey;
use webcall_crypto::desk::Desk;

pub(crate) const ROOM: &str = "00000000-0000-7000-8000-0000000000aa";

/// A browser: a desk, and what its worker keeps.
pub(crate) struct Browser {
    pub(crate) desk: Desk,
    pub(crate) kept: BTreeMap<String, Value>,
    pub(crate) user: &'static str,
    pub(crate) device: Value,
    pub(crate) records: Value,
    pub(crate) key: [u8; 32],
}

impl Browser {
    pub(crate) fn first(user: &'static str, seed: u8) -> Self {
        let key = [seed; 32];
        let desk = Desk::new(StateKey::new(key));
        let mut browser = Self { desk, kept: BTreeMap::new(), user, device: Value::Null, records: Value::Null, key };
        let answer = browser.does(json!({ "op": "first", "user": user, "now_ms": 1 }));
        (browser.device, browser.records) = (answer["device"].clone(), answer["records"].clone());
        browser
    }

    pub(crate) fn says(&mut self, request: &Value) -> Value {
        let mut outcome = self.outcome(request);
        // As the door does: what is needed is opened, and the request made again.
        while let Some(name) = outcome["needs"].as_str() {
            let open = json!({ "op": "open_state", "name": name, "sealed": self.kept.get(name) });
            assert_eq!(self.outcome(&open)["error"], Value::Null);
            outcome = self.outcome(request);
        }
        for kept in outcome["keep"].as_array().expect("a list") {
            let name = kept["name"].as_str().expect("a name").to_owned();
            match &kept["sealed"] {
                Value::Null => drop(self.kept.remove(&name)),
                sealed => drop(self.kept.insert(name, sealed.clone())),
            }
        }
        outcome
    }

    fn outcome(&mut self, request: &Value) -> Value {
        serde_json::from_str(&self.desk.handle_json(&request.to_string())).expect("JSON")
    }

    pub(crate) fn does(&mut self, request: impl Borrow<Value>) -> Value {
        let outcome = self.says(request.borrow());
        assert_eq!(outcome["error"], Value::Null);
        outcome["answer"].clone()
    }

    pub(crate) fn fails(&mut self, request: impl Borrow<Value>) -> String {
        let outcome = self.says(request.borrow());
        outcome["error"].as_str().expect("an error").to_owned()
    }

    /// Another browser with all that this one keeps.
    pub(crate) fn copy(&self) -> Self {
        let (kept, device, records) = (self.kept.clone(), self.device.clone(), self.records.clone());
        let mut copy = Self { desk: Desk::new(StateKey::new(self.key)), kept, user: self.user, device, records, key: self.key };
        copy.reads_again();
        copy
    }

    /// The page is loaded anew: memory is gone, what was kept is there.
    pub(crate) fn reloads(&mut self) {
        self.desk = Desk::new(StateKey::new(self.key));
        self.reads_again();
    }

    /// The same where there is no device yet.
    pub(crate) fn resumes(&mut self) {
        self.desk = Desk::new(StateKey::new(self.key));
        let asking = self.kept.get("asking").cloned();
        self.does(json!({ "op": "resume", "asking": asking }));
    }

    pub(crate) fn reads_again(&mut self) {
        let load = json!({
            "op": "load", "device_id": self.device, "device": self.kept["device"],
            "directory": self.kept["directory"], "identity": self.kept.get("identity"),
        });
        self.does(load);
    }
}

/// A browser in which there is no device yet.
pub(crate) fn nobody(user: &'static str, seed: u8) -> Browser {
    let key = [seed; 32];
    let desk = Desk::new(StateKey::new(key));
    Browser { desk, kept: BTreeMap::new(), user, device: Value::Null, records: Value::Null, key }
}

pub(crate) fn room() -> Value {
    json!({ "kind": "room", "id": ROOM })
}

/// A commit by the one that both take, so that a new epoch begins.
pub(crate) fn next_epoch(by: &mut Browser, other: &mut Browser) {
    let changed = by.does(json!({ "op": "change", "group": room(), "add": [], "users": [], "remove": [] }));
    by.does(json!({ "op": "accepted", "group": room() }));
    other.does(json!({ "op": "process", "group": room(), "commit": changed["outgoing"]["commit"] }));
}

/// Ann and Ben in one room.
pub(crate) fn two() -> (Browser, Browser) {
    two_in(false)
}

/// The same in a strict one.
pub(crate) fn two_in(strict: bool) -> (Browser, Browser) {
    let mut ann = Browser::first("00000000-0000-7000-8000-000000000001", 1);
    let mut ben = Browser::first("00000000-0000-7000-8000-000000000002", 2);
    let (anns, bens) = (ann.records.clone(), ben.records.clone());
    for browser in [&mut ann, &mut ben] {
        browser.does(json!({ "op": "learn", "user": "00000000-0000-7000-8000-000000000001", "records": anns }));
        browser.does(json!({ "op": "learn", "user": "00000000-0000-7000-8000-000000000002", "records": bens }));
    }
    let packages = ben.does(json!({ "op": "key_packages", "count": 2, "last_resort": true }));
    ann.does(json!({ "op": "create", "group": room(), "stay": null, "strict": strict }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    let changed =
        ann.does(json!({ "op": "change", "group": room(), "add": [packages["packages"][0]], "users": [ben.user], "remove": [] }));
    ann.does(json!({ "op": "accepted", "group": room() }));
    let joined = ben.does(json!({ "op": "join", "welcome": changed["outgoing"]["welcome"] }));
    assert_eq!(joined["epoch"], 1);
    (ann, ben)
}
