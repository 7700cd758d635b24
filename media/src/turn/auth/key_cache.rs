//! Keys of time-limited credentials that proved right, so that each further request costs one hash and not four.
//!
//! Two generations: what is used moves into the young one, and when that is full the old one is forgotten. Nobody who has proved
//! nothing gets in. Whether a credential has ended is not for the cache: its USERNAME says so.

use std::collections::HashMap;

use crate::turn::codec::Key;

/// Keys of one generation. Twice as many are remembered, at about 150 bytes; more users than that cost three hashes again each time.
const GENERATION: usize = 2_048;

#[derive(Default)]
pub(super) struct KeyCache {
    young: HashMap<Box<str>, Key>,
    old: HashMap<Box<str>, Key>,
}

impl KeyCache {
    pub(super) fn get(&mut self, username: &str) -> Option<Key> {
        if let Some(key) = self.young.get(username) {
            return Some(*key);
        }
        let (username, key) = self.old.remove_entry(username)?;
        self.put(username, key);
        Some(key)
    }

    pub(super) fn insert(&mut self, username: &str, key: Key) {
        self.put(username.into(), key);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    fn put(&mut self, username: Box<str>, key: Key) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(username, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = KeyCache::default();
        cache.insert("used", [1; 16]);
        for number in 0..10_000_u32 {
            cache.insert(&number.to_string(), [2; 16]);
            assert!(cache.len() <= 2 * GENERATION);
            assert_eq!(cache.get("used"), Some([1; 16]));
        }
        assert_eq!(cache.get("0"), None);
        assert_eq!(cache.get("9999"), Some([2; 16]));
    }
}
