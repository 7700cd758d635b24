//! What a user keeps with the server under the master key, so that a new device can read old messages: epoch keys, in segments, and the
//! identity's private key. Once in the archive, an epoch key is no longer secret to whoever gets the master key: forward secrecy ends here.
//!
//! A segment has the keys of one block of a room's epochs: `version u64 | box` (see `locked`), bound to the user, the room, the block and the
//! version; in the box `epoch u64 | key 32`, by rising epoch. A device that knows a version takes no older one, nor another of the same number;
//! a device that knows none cannot tell, which the caller has to say.

mod identity;
mod keys;
mod refusal;

use sha2::{Digest, Sha256};
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Hash, UserId};

use crate::chat::RoomId;
use crate::derive::Purpose;
use crate::locked;
use crate::{EpochKey, MasterKey};

pub use identity::{open_identity, seal_identity};
pub use keys::{EpochKeys, MAX_HISTORIES};
pub use refusal::ArchiveError;

/// Epochs of one block: 40 kB of keys, written anew with each epoch. Of fewer there would be more requests when a device is set up; another
/// number would make archives and states that are kept unreadable.
pub const BLOCK: u64 = 1_024;
/// Of one segment: three histories of a whole block, as much as the server keeps in one slot.
pub const MAX_KEYS: usize = 3 * BLOCK as usize;
/// The longest sealed segment.
pub const MAX_SEGMENT_BYTES: usize = VERSION_BYTES + locked::OVERHEAD_BYTES + MAX_KEYS * ENTRY_BYTES;
/// The year 10,000: what a broken clock says counts no more than that.
const MAX_TIME_MS: u64 = 253_402_300_800_000;
const VERSION_BYTES: usize = 8;
const ENTRY_BYTES: usize = 8 + 32;

/// Whose archive, and which block of which room's epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub user: UserId,
    pub room: RoomId,
    pub block: u64,
}

/// What a device remembers of the newest segment that it has seen. No secret; kept with the rest of the device's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Mark {
    version: u64,
    hash: Hash,
}

/// Keys of the epochs of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    block: u64,
    keys: EpochKeys,
}

/// In which block an epoch is.
pub fn block_of(epoch: u64) -> u64 {
    epoch / BLOCK
}

impl Segment {
    pub fn new(block: u64) -> Self {
        Self { block, keys: EpochKeys::default() }
    }

    /// Refuses an epoch of another block, and more keys than a segment or an epoch has room for; the same again changes nothing.
    pub fn insert(&mut self, epoch: u64, key: EpochKey) -> Result<(), ArchiveError> {
        if block_of(epoch) != self.block {
            return Err(ArchiveError::OtherBlock);
        }
        if self.len() >= MAX_KEYS && !self.of(epoch).contains(&key) {
            return Err(ArchiveError::Conflict);
        }
        self.keys.insert(epoch, key).map(drop)
    }

    pub fn of(&self, epoch: u64) -> &[EpochKey] {
        self.keys.of(epoch)
    }

    /// By epoch.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &EpochKey)> {
        self.keys.iter()
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Sealed as what follows `known`, which is the newest that this device has seen. The version rises with the clock (`now_ms`), so that
    /// a slot that was deleted and made anew, as by who left a room and came back, is newer than what anybody has seen in it.
    pub fn seal(&self, master: &MasterKey, (user, room): (UserId, RoomId), known: Option<&Mark>, now_ms: u64) -> (Vec<u8>, Mark) {
        let slot = Slot { user, room, block: self.block };
        let version = (known.map_or(0, |mark| mark.version) + 1).max(now_ms.min(MAX_TIME_MS));
        let sealed = locked::seal(master.as_bytes(), Purpose::ArchiveSegment, &context(slot, version), self.to_bytes());
        let bytes = [&version.to_be_bytes()[..], &sealed].concat();
        let hash = Sha256::digest(&bytes).into();
        (bytes, Mark { version, hash })
    }

    /// What the server gave as this slot. `known` is `None` only on a device that has never seen it.
    pub fn open(master: &MasterKey, slot: Slot, known: Option<&Mark>, bytes: &[u8]) -> Result<(Self, Mark), ArchiveError> {
        if bytes.len() > MAX_SEGMENT_BYTES {
            return Err(ArchiveError::Malformed);
        }
        let (version, sealed) = bytes.split_first_chunk::<VERSION_BYTES>().ok_or(ArchiveError::Malformed)?;
        let mark = Mark::new(u64::from_be_bytes(*version), Sha256::digest(bytes).into())?;
        let opened = locked::open(master.as_bytes(), Purpose::ArchiveSegment, &context(slot, mark.version), sealed)?;
        match known {
            Some(known) if mark.version < known.version => return Err(ArchiveError::RolledBack),
            Some(known) if mark.version == known.version && mark.hash != known.hash => return Err(ArchiveError::Forked),
            _ => {}
        }
        Ok((Self::from_bytes(slot.block, &opened)?, mark))
    }

    fn to_bytes(&self) -> Vec<u8> {
        // All of it at once: a buffer that grows would leave pieces of keys behind.
        let mut bytes = Vec::with_capacity(self.keys.len() * ENTRY_BYTES + locked::OVERHEAD_BYTES);
        for (epoch, key) in self.iter() {
            bytes.extend_from_slice(&epoch.to_be_bytes());
            bytes.extend_from_slice(key.as_bytes());
        }
        bytes
    }

    /// By rising epoch and each once, as they are written.
    fn from_bytes(block: u64, bytes: &[u8]) -> Result<Self, ArchiveError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let mut segment = Self::new(block);
        for entry in entries {
            let (epoch, key) = entry.split_first_chunk::<8>().ok_or(ArchiveError::Malformed)?;
            let epoch = u64::from_be_bytes(*epoch);
            if segment.keys.last().is_some_and(|last| last > epoch) {
                return Err(ArchiveError::Malformed);
            }
            segment.insert(epoch, EpochKey::new(key.try_into().map_err(|_| ArchiveError::Malformed)?))?;
        }
        if segment.len() != entries.len() {
            return Err(ArchiveError::Malformed);
        }
        if rest.is_empty() { Ok(segment) } else { Err(ArchiveError::Malformed) }
    }
}

impl Mark {
    /// Refuses a version that nothing could follow.
    fn new(version: u64, hash: Hash) -> Result<Self, ArchiveError> {
        if version < u64::MAX { Ok(Self { version, hash }) } else { Err(ArchiveError::Malformed) }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    /// Reads all of `bytes`.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, ArchiveError> {
        let mark = Self::tls_deserialize(&mut bytes).map_err(|_| ArchiveError::Malformed)?;
        if bytes.is_empty() { Self::new(mark.version, mark.hash) } else { Err(ArchiveError::Malformed) }
    }
}

fn context(slot: Slot, version: u64) -> Vec<u8> {
    [&slot.user.0[..], &slot.room.0, &slot.block.to_be_bytes(), &version.to_be_bytes()].concat()
}
