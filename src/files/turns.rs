//! Whose turn it is to write a file: one request at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::id::FileId;

/// The files that are being written. Bounded by the connections of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<HashSet<FileId>>>);

/// The right to write one file; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    id: FileId,
}

impl Turns {
    /// Nothing while another has it.
    pub(super) fn take(&self, id: FileId) -> Option<Turn> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        is_free.then(|| Turn { turns: self.clone(), id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_writes_a_file() {
        let turns = Turns::default();
        let (one, other) = (FileId::from_bytes([1; 16]), FileId::from_bytes([2; 16]));
        let turn = turns.take(one).unwrap();
        assert!(turns.take(one).is_none());
        assert!(turns.take(other).is_some());
        drop(turn);
        assert!(turns.take(one).is_some());
    }
}
