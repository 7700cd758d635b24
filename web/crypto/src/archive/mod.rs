//! What a user keeps with the server under the master key, so that a new device can read old messages: epoch keys, in segments, and the
//! identity's private key. Once in the archive, an epoch key is no longer secret to whoever gets the master key: forward secrecy ends here.
//!
//! `version u64 | box` (see `locked`), bound to the user, the segment and the version. A device that knows a version takes no older one,
//! nor another of the same number; a device that knows none cannot tell, which the caller has to say.

mod identity;
mod refusal;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Hash, UserId};

use crate::chat::RoomId;
use crate::derive::Purpose;
use crate::locked;
use crate::{EpochKey, MasterKey};

pub use identity::{open_identity, seal_identity};
pub use refusal::ArchiveError;

/// Of one segment: 230 kB, written anew with each key. Of fewer there would be more requests when a device is set up.
pub const MAX_KEYS: usize = 4_096;
/// The longest sealed segment.
pub const MAX_SEGMENT_BYTES: usize = VERSION_BYTES + locked::OVERHEAD_BYTES + MAX_KEYS * ENTRY_BYTES;
const VERSION_BYTES: usize = 8;
const ENTRY_BYTES: usize = 16 + 8 + 32;

/// Whose archive, and which part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub user: UserId,
    pub segment: u32,
}

/// What a device remembers of the newest segment that it has seen. No secret; kept with the rest of the device's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Mark {
    version: u64,
    hash: Hash,
}

/// Epoch keys by room and epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    keys: BTreeMap<(RoomId, u64), EpochKey>,
}

impl Segment {
    /// Refuses a second, other key; the same again changes nothing.
    pub fn insert(&mut self, room: RoomId, epoch: u64, key: EpochKey) -> Result<(), ArchiveError> {
        match self.key(room, epoch) {
            Some(known) if *known == key => return Ok(()),
            Some(_) => return Err(ArchiveError::Conflict),
            None if self.keys.len() >= MAX_KEYS => return Err(ArchiveError::Full),
            None => {}
        }
        self.keys.insert((room, epoch), key);
        Ok(())
    }

    pub fn key(&self, room: RoomId, epoch: u64) -> Option<&EpochKey> {
        self.keys.get(&(room, epoch))
    }

    /// All keys of one room, by epoch.
    pub fn of_room(&self, room: RoomId) -> impl Iterator<Item = (u64, &EpochKey)> {
        self.keys.range((room, 0)..=(room, u64::MAX)).map(|((_, epoch), key)| (*epoch, key))
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes over what another device wrote. What is refused changes nothing.
    pub fn merge(&mut self, other: &Self) -> Result<(), ArchiveError> {
        let mut merged = self.clone();
        for ((room, epoch), key) in &other.keys {
            merged.insert(*room, *epoch, key.clone())?;
        }
        *self = merged;
        Ok(())
    }

    /// Sealed as what follows `known`, which is the newest that this device has seen.
    pub fn seal(&self, master: &MasterKey, slot: Slot, known: Option<&Mark>) -> (Vec<u8>, Mark) {
        let version = known.map_or(0, |mark| mark.version) + 1;
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
        Ok((Self::from_bytes(&opened)?, mark))
    }

    fn to_bytes(&self) -> Vec<u8> {
        // All of it at once: a buffer that grows would leave pieces of keys behind.
        let mut bytes = Vec::with_capacity(self.keys.len() * ENTRY_BYTES + locked::OVERHEAD_BYTES);
        for ((room, epoch), key) in &self.keys {
            bytes.extend_from_slice(&room.0);
            bytes.extend_from_slice(&epoch.to_be_bytes());
            bytes.extend_from_slice(key.as_bytes());
        }
        bytes
    }

    /// In rising order and each once, as they are written.
    fn from_bytes(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let mut keys = BTreeMap::new();
        for entry in entries {
            let (room, rest) = entry.split_first_chunk::<16>().ok_or(ArchiveError::Malformed)?;
            let (epoch, key) = rest.split_first_chunk::<8>().ok_or(ArchiveError::Malformed)?;
            let name = (RoomId(*room), u64::from_be_bytes(*epoch));
            let key = EpochKey::new(key.try_into().map_err(|_| ArchiveError::Malformed)?);
            if keys.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(ArchiveError::Malformed);
            }
            keys.insert(name, key);
        }
        if rest.is_empty() { Ok(Self { keys }) } else { Err(ArchiveError::Malformed) }
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
    [&slot.user.0[..], &slot.segment.to_be_bytes(), &version.to_be_bytes()].concat()
}
