//! Whose turn it is to write a file: one request at a time, the newest. Who comes back after its connection broke is not kept waiting by
//! the request that hangs on the old one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::id::FileId;

/// How long the older request may take to make safe what came of it. Longer holds who comes back; it is told to try again then.
const HANDING_OVER: Duration = Duration::from_secs(5);

/// The files that are being written. Bounded by the connections of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<FileId, Holder>>>);

/// Who writes a file.
#[derive(Clone, Debug, Default)]
struct Holder {
    /// A newer request wants to write it.
    wanted: CancellationToken,
    /// It writes no more.
    gone: CancellationToken,
}

/// The right to write one file; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    id: FileId,
    holder: Holder,
}

impl Turns {
    /// Asks who has it to end, and waits for that. Nothing when that takes too long.
    pub(super) async fn take(&self, id: FileId) -> Option<Turn> {
        let taking = async {
            loop {
                match self.try_take(id) {
                    Ok(turn) => return turn,
                    Err(gone) => gone.cancelled().await,
                }
            }
        };
        tokio::time::timeout(HANDING_OVER, taking).await.ok()
    }

    /// Or the end of who has it, who is asked for it.
    fn try_take(&self, id: FileId) -> Result<Turn, CancellationToken> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = held.get(&id) {
            holder.wanted.cancel();
            return Err(holder.gone.clone());
        }
        let holder = Holder::default();
        held.insert(id, holder.clone());
        Ok(Turn { turns: self.clone(), id, holder })
    }
}

impl Turn {
    /// Waits until a newer request wants the file.
    pub(super) async fn wanted(&self) {
        self.holder.wanted.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.holder.gone.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: FileId = FileId::from_bytes([1; 16]);

    #[tokio::test]
    async fn one_at_a_time_writes_a_file() {
        let turns = Turns::default();
        let turn = turns.take(ONE).await.unwrap();
        assert!(turns.try_take(ONE).is_err());
        assert!(turns.take(FileId::from_bytes([2; 16])).await.is_some());
        drop(turn);
        assert!(turns.take(ONE).await.is_some());
        assert!(turns.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_newest_gets_it_once_the_older_ends() {
        let turns = Turns::default();
        let older = turns.take(ONE).await.unwrap();
        let newer = tokio::spawn(async move { turns.take(ONE).await });
        older.wanted().await;
        assert!(!newer.is_finished());
        drop(older);
        assert!(newer.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_end_keeps_it() {
        let turns = Turns::default();
        let _older = turns.take(ONE).await.unwrap();
        assert!(turns.take(ONE).await.is_none());
    }
}
