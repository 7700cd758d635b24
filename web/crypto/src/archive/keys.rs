//! The keys of a room's epochs, by number. Of nearly every epoch there is one. But a room's group is made anew where nobody counts any more of
//! those who are in it, and begins at its first epoch again: then a number has another key in each of these histories. An envelope does not
//! name its history, and need not: it commits to its key.

use std::collections::BTreeMap;

use super::ArchiveError;
use crate::EpochKey;

/// Keys of one epoch: the group of a room is made anew as often, while somebody remembers.
pub const MAX_HISTORIES: usize = 4;

/// Keys by epoch; of one epoch in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochKeys {
    by_epoch: BTreeMap<u64, Vec<EpochKey>>,
    count: usize,
}

impl EpochKeys {
    /// Gives whether it is new. [`ArchiveError::Conflict`] beyond [`MAX_HISTORIES`].
    pub fn insert(&mut self, epoch: u64, key: EpochKey) -> Result<bool, ArchiveError> {
        let keys = self.by_epoch.entry(epoch).or_default();
        if keys.contains(&key) {
            return Ok(false);
        }
        if keys.len() >= MAX_HISTORIES {
            return Err(ArchiveError::Conflict);
        }
        keys.push(key);
        self.count += 1;
        Ok(true)
    }

    /// As [`EpochKeys::insert`], before all others of its epoch.
    pub fn insert_first(&mut self, epoch: u64, key: EpochKey) -> Result<(), ArchiveError> {
        let keys = self.by_epoch.entry(epoch).or_default();
        if let Some(at) = keys.iter().position(|known| *known == key) {
            keys[..=at].rotate_right(1);
            return Ok(());
        }
        if keys.len() >= MAX_HISTORIES {
            return Err(ArchiveError::Conflict);
        }
        keys.insert(0, key);
        self.count += 1;
        Ok(())
    }

    pub fn of(&self, epoch: u64) -> &[EpochKey] {
        self.by_epoch.get(&epoch).map_or(&[], Vec::as_slice)
    }

    /// By epoch.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &EpochKey)> {
        self.by_epoch.iter().flat_map(|(epoch, keys)| keys.iter().map(|key| (*epoch, key)))
    }

    /// Of the newest epoch.
    pub fn last(&self) -> Option<u64> {
        self.by_epoch.last_key_value().map(|(epoch, _)| *epoch)
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
