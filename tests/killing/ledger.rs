//! What the server acknowledged, what it was asked for when it was killed, and what must therefore be found afterwards.

use std::collections::BTreeMap;

/// A message on its way: sent again after the restart when nobody knows whether it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Whose, by number.
    pub(crate) person: usize,
    pub(crate) room: String,
    pub(crate) id: String,
    pub(crate) body: String,
    /// What it changes for those who read.
    pub(crate) fact: Option<(String, String)>,
}

/// An acknowledged entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    /// Of messages.
    pub(crate) body: Option<String>,
}

/// Something that changes: as acknowledged last, and as it may be when the last request was not answered.
#[derive(Debug, Default)]
struct Fact {
    acknowledged: String,
    asked: Option<String>,
}

/// For what the server chooses itself.
pub(crate) const ANYTHING: &str = "*";

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// By room and identifier.
    pub(crate) entries: BTreeMap<(String, String), Entry>,
    /// The newest message of each room.
    pub(crate) newest: BTreeMap<String, String>,
    /// By identifier.
    pub(crate) unanswered: BTreeMap<String, Message>,
    facts: BTreeMap<String, Fact>,
}

impl Ledger {
    /// A request was sent that makes `key` be `value`.
    pub(crate) fn asked(&mut self, key: &str, value: &str) {
        self.facts.entry(key.to_owned()).or_default().asked = Some(value.to_owned());
    }

    /// It is so.
    pub(crate) fn acknowledged(&mut self, key: &str, value: &str) {
        *self.facts.entry(key.to_owned()).or_default() = Fact { acknowledged: value.to_owned(), asked: None };
    }

    /// As acknowledged last; empty for never.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.facts.get(key).map_or("", |fact| &fact.acknowledged)
    }

    /// The facts whose key begins with this.
    pub(crate) fn keys(&self, beginning: &str) -> Vec<String> {
        let after = self.facts.range(beginning.to_owned()..).map(|(key, _)| key);
        after.take_while(|key| key.starts_with(beginning)).cloned().collect()
    }

    /// After a restart: what is found is what was acknowledged, or what was asked for and not answered. From now on it is so.
    pub(crate) fn settle(&mut self, key: &str, found: &str) {
        let fact = self.facts.entry(key.to_owned()).or_default();
        let is_asked = fact.asked.as_deref().is_some_and(|asked| asked == found || asked == ANYTHING);
        assert!(fact.acknowledged == found || is_asked, "{key}: `{found}` is there, after {fact:?}");
        *fact = Fact { acknowledged: found.to_owned(), asked: None };
    }

    /// An entry was acknowledged, perhaps once more.
    pub(crate) fn stored(&mut self, room: &str, id: &str, entry: &Entry) {
        let before = self.entries.insert((room.to_owned(), id.to_owned()), entry.clone());
        assert!(before.is_none_or(|before| before == *entry), "acknowledged twice, differently: {entry:?}");
    }
}
