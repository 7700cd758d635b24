//! The keys of a room's epochs that this device came through or found in the archive, and who was where in those that it came through: what
//! opens a message long after its epoch. Keys that are kept are the end of forward secrecy for these messages, as with every history.

use std::collections::BTreeMap;
use std::fmt;

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{DeviceId, UserId};
use zeroize::Zeroize;

use crate::archive::EpochKeys;
use crate::{EpochKey, Fault};

/// Of one block. The largest group comes in once, and some forty leaves change in each of its epochs; beyond that the oldest that have ended
/// are forgotten, and their messages are judged like those of epochs that others came through.
const MAX_STAYS: usize = 49_152;

/// One block of epochs: as many as are in a segment of the archive.
#[derive(Default)]
pub(super) struct Epochs {
    /// Of an epoch that this device came through, its key first.
    keys: EpochKeys,
    stays: Vec<Stay>,
    /// Up to this epoch it is no longer known who was there.
    forgotten: Option<u64>,
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
    forgotten: Option<u64>,
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

impl Epochs {
    /// Of an epoch: that of the one which this device came through first, if it did.
    pub(super) fn keys_of(&self, epoch: u64) -> &[EpochKey] {
        self.keys.of(epoch)
    }

    /// An epoch that begins here, with who is in it by leaf. The same again changes nothing.
    pub(super) fn begin(
        &mut self,
        epoch: u64,
        key: EpochKey,
        present: impl Iterator<Item = (u32, UserId, DeviceId)>,
    ) -> Result<(), Fault> {
        self.keys.insert_first(epoch, key)?;
        let goes_on = |stay: &Stay| stay.last == epoch || stay.last.checked_add(1) == Some(epoch);
        let stays = self.stays.iter().enumerate().filter(|(_, stay)| goes_on(stay));
        let going_on: BTreeMap<_, _> = stays.map(|(at, stay)| ((stay.leaf, stay.user, stay.device), at)).collect();
        for (leaf, user, device) in present {
            match going_on.get(&(leaf, user, device)) {
                Some(&at) => self.stays[at].last = epoch,
                None => self.stays.push(Stay { leaf, user, device, first: epoch, last: epoch }),
            }
        }
        self.forget_oldest();
        Ok(())
    }

    /// What came after this epoch was in another branch of the room's history: its keys stay, as of what was read there, and who was there is not known
    /// of the epochs that take their place.
    pub(super) fn go_back(&mut self, epoch: u64) {
        self.stays.retain(|stay| stay.first <= epoch);
        for stay in &mut self.stays {
            stay.last = stay.last.min(epoch);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(excess) = self.stays.len().checked_sub(MAX_STAYS).filter(|excess| *excess > 0) else { return };
        self.stays.sort_by_key(|stay| stay.last);
        self.forgotten = self.stays.drain(..excess).map(|stay| stay.last).max().max(self.forgotten);
    }

    /// Of another history of the room, perhaps. Gives whether it is new.
    pub(super) fn insert(&mut self, epoch: u64, key: EpochKey) -> Result<bool, Fault> {
        Ok(self.keys.insert(epoch, key)?)
    }

    pub(super) fn seat(&self, epoch: u64, leaf: u32) -> Seat {
        let mut then = self.stays.iter().filter(|stay| (stay.first..=stay.last).contains(&epoch)).peekable();
        if then.peek().is_none() || self.forgotten.is_some_and(|forgotten| epoch <= forgotten) {
            return Seat::Unknown;
        }
        then.find(|stay| stay.leaf == leaf).map_or(Seat::Empty, |stay| Seat::Taken(stay.user, stay.device))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &EpochKey)> {
        self.keys.iter()
    }

    /// Keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let keys = self.iter().map(|(epoch, key)| SavedKey { epoch, key: *key.as_bytes() }).collect();
        let saved = Saved { keys, stays: self.stays.clone(), forgotten: self.forgotten };
        saved.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let saved = Saved::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if !bytes.is_empty() {
            return Err(Fault::DamagedState);
        }
        let mut keys = EpochKeys::default();
        for saved in &saved.keys {
            keys.insert(saved.epoch, EpochKey::new(saved.key)).map_err(|_| Fault::DamagedState)?;
        }
        Ok(Self { keys, stays: saved.stays, forgotten: saved.forgotten })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> EpochKey {
        EpochKey::new([seed; 32])
    }

    fn who(leaf: u32, number: u32) -> (u32, UserId, DeviceId) {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        (leaf, UserId(id), DeviceId(id))
    }

    fn taken(number: u32) -> Seat {
        let (_, user, device) = who(0, number);
        Seat::Taken(user, device)
    }

    #[test]
    fn a_leaf_is_whose_it_was_in_the_epoch_in_question() {
        let mut epochs = Epochs::default();
        epochs.begin(3, key(3), [who(0, 1), who(1, 2)].into_iter()).unwrap();
        epochs.begin(4, key(4), [who(0, 1)].into_iter()).unwrap();
        epochs.begin(5, key(5), [who(0, 1), who(1, 7)].into_iter()).unwrap();
        epochs.begin(5, key(5), [who(0, 1), who(1, 7)].into_iter()).unwrap();
        assert_eq!(
            (epochs.insert(2, key(2)), epochs.insert(4, key(9)), epochs.insert(4, key(4))),
            (Ok(true), Ok(true), Ok(false))
        );
        let epochs = Epochs::from_bytes(&epochs.to_bytes()).unwrap();
        let at_one = [2, 3, 4, 5, 6].map(|epoch| epochs.seat(epoch, 1));
        assert_eq!(at_one, [Seat::Unknown, taken(2), Seat::Empty, taken(7), Seat::Unknown]);
        assert_eq!([3, 4, 5].map(|epoch| epochs.seat(epoch, 0)), [taken(1), taken(1), taken(1)]);
        assert_eq!(epochs.stays.len(), 3, "who stays is written once");
        assert_eq!((epochs.keys_of(2), epochs.keys_of(4)), (&[key(2)][..], &[key(4), key(9)][..]));
    }

    #[test]
    fn in_another_branch_of_the_history_others_sit_at_the_leaves_of_those_who_came_in_the_first() {
        let mut epochs = Epochs::default();
        epochs.begin(1, key(1), [who(0, 0)].into_iter()).unwrap();
        epochs.begin(2, key(2), [who(0, 0), who(1, 1)].into_iter()).unwrap();
        epochs.begin(3, key(3), [who(0, 0), who(1, 1), who(2, 2)].into_iter()).unwrap();
        epochs.go_back(1);
        assert_eq!((epochs.seat(1, 0), epochs.seat(2, 1)), (taken(0), Seat::Unknown));
        epochs.begin(2, key(12), [who(0, 0), who(1, 2)].into_iter()).unwrap();
        assert_eq!((epochs.seat(2, 0), epochs.seat(2, 1)), (taken(0), taken(2)));
        assert_eq!(epochs.keys_of(2), [key(12), key(2)]);
        assert_eq!((epochs.seat(3, 2), epochs.keys_of(3)), (Seat::Unknown, &[key(3)][..]));
    }

    #[test]
    fn what_is_forgotten_is_unknown_and_not_empty() {
        let mut epochs = Epochs::default();
        let crowd = 30_000;
        epochs.begin(1, key(1), (0..crowd).map(|leaf| who(leaf, leaf))).unwrap();
        epochs.begin(2, key(2), (0..crowd).map(|leaf| who(leaf, leaf + u32::from(leaf > 0)))).unwrap();
        assert_eq!(epochs.stays.len(), MAX_STAYS);
        assert_eq!((epochs.seat(1, 0), epochs.seat(1, 5)), (Seat::Unknown, Seat::Unknown));
        assert_eq!((epochs.seat(2, 0), epochs.seat(2, 5)), (taken(0), taken(6)));
    }
}
