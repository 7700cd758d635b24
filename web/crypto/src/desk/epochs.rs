//! The keys of a room's epochs that this device came through or found in the archive, and who was where in those that it came through: what
//! opens a message long after its epoch. Keys that are kept are the end of forward secrecy for these messages, as with every history.

use std::collections::BTreeMap;
use std::fmt;

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::mls::Roster;
use webcall_trust::{DeviceId, UserId};
use zeroize::Zeroize;

use crate::archive::ArchiveError;
use crate::{EpochKey, Fault};

/// Epochs in one state: 40 kB of keys, written anew with each epoch. Another number would make states that are kept unreadable.
const BLOCK: u64 = 1_024;
/// Of one block. The largest group comes in once, and some forty leaves change in each of its epochs; beyond that the oldest that have ended
/// are forgotten, and their messages are judged like those of epochs that others came through.
const MAX_STAYS: usize = 49_152;

/// One block of epochs.
#[derive(Default)]
pub(super) struct Epochs {
    keys: BTreeMap<u64, EpochKey>,
    stays: Vec<Stay>,
}

/// A device at a leaf, from one epoch to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
struct Stay {
    leaf: u32,
    user: UserId,
    device: DeviceId,
    first: u64,
    last: u64,
}

/// What is known of who was at a leaf.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Taken(UserId, DeviceId),
    Empty,
    /// This device was not there.
    Unknown,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    keys: Vec<SavedKey>,
    stays: Vec<Stay>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct SavedKey {
    epoch: u64,
    key: [u8; 32],
}

impl fmt::Debug for SavedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedKey").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Drop for SavedKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// In which block an epoch is.
pub(super) fn block_of(epoch: u64) -> u64 {
    epoch / BLOCK
}

impl Epochs {
    pub(super) fn key(&self, epoch: u64) -> Option<&EpochKey> {
        self.keys.get(&epoch)
    }

    /// An epoch that begins here, with who is in it. The same again changes nothing; another key for it is refused.
    pub(super) fn begin(&mut self, epoch: u64, key: EpochKey, roster: &Roster) -> Result<(), Fault> {
        self.insert(epoch, key)?;
        for (leaf, certificate) in roster.iter() {
            let of = certificate.statement();
            let goes_on = |stay: &&mut Stay| {
                (stay.leaf, stay.user, stay.device) == (leaf, of.user, of.device)
                    && (stay.last + 1 == epoch || stay.last == epoch)
            };
            match self.stays.iter_mut().find(goes_on) {
                Some(stay) => stay.last = epoch,
                None => self.stays.push(Stay { leaf, user: of.user, device: of.device, first: epoch, last: epoch }),
            }
        }
        if self.stays.len() > MAX_STAYS {
            self.stays.sort_by_key(|stay| stay.last);
            self.stays.drain(..self.stays.len() - MAX_STAYS);
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, epoch: u64, key: EpochKey) -> Result<(), Fault> {
        match self.keys.get(&epoch) {
            Some(known) if *known != key => return Err(ArchiveError::Conflict.into()),
            Some(_) => {}
            None => drop(self.keys.insert(epoch, key)),
        }
        Ok(())
    }

    pub(super) fn seat(&self, epoch: u64, leaf: u32) -> Seat {
        let mut then = self.stays.iter().filter(|stay| (stay.first..=stay.last).contains(&epoch)).peekable();
        if then.peek().is_none() {
            return Seat::Unknown;
        }
        then.find(|stay| stay.leaf == leaf).map_or(Seat::Empty, |stay| Seat::Taken(stay.user, stay.device))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &EpochKey)> {
        self.keys.iter().map(|(epoch, key)| (*epoch, key))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let keys = self.iter().map(|(epoch, key)| SavedKey { epoch, key: *key.as_bytes() }).collect();
        let saved = Saved { keys, stays: self.stays.clone() };
        saved.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let saved = Saved::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if !bytes.is_empty() {
            return Err(Fault::DamagedState);
        }
        let keys = saved.keys.iter().map(|saved| (saved.epoch, EpochKey::new(saved.key))).collect();
        Ok(Self { keys, stays: saved.stays })
    }
}
