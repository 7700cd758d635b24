//! The state of the backup: the user's master key, the unlockers that open it, and which versions of the archive's segments were seen.
//!
//! With the server lies one public blob, `version u8 | unlockers | identity | removed, proof 32`: every unlocker, the identity's private key under
//! the master key, and which unlockers were taken away, so that the user's other devices neither keep them nor bring them back. Only who has the
//! master key can make the proof. A server can show an older blob; what was taken away is therefore remembered, and never taken in again on a device
//! that knows of it. Version 1 ends before `removed`.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize, VLBytes};
use webcall_trust::UserId;
use zeroize::Zeroize;

use crate::archive::Mark;
use crate::chat::RoomId;
use crate::derive::{Purpose, derive};
use crate::unlock::{MAX_UNLOCKERS, Unlocker, UnlockerId, Unlockers, affordable};
use crate::{Fault, MasterKey};

/// Of those that were taken away, the newest are remembered: more than a person takes away.
const MAX_REMOVED: usize = 256;
/// Segments whose versions are remembered. Beyond that no further one is taken in ([`Fault::Full`]).
const MAX_SEGMENTS: usize = 4_096;
const VERSION: u8 = 2;
const VERSION_WITHOUT_REMOVED: u8 = 1;

pub(super) struct Backup {
    pub master: MasterKey,
    pub unlockers: Unlockers,
    removed: Vec<UnlockerId>,
    seen: BTreeMap<(RoomId, u64), Seen>,
}

/// The newest segment of a room's block that was seen.
#[derive(Debug, Clone, Copy, TlsSize, TlsSerialize, TlsDeserialize)]
pub(super) struct Seen {
    pub mark: Mark,
    /// How many are in it.
    pub keys: u32,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    master: [u8; 32],
    unlockers: Vec<VLBytes>,
    removed: Vec<UnlockerId>,
    seen: Vec<SavedSeen>,
}

#[derive(Debug, TlsSize, TlsSerialize, TlsDeserialize)]
struct SavedSeen {
    room: [u8; 16],
    block: u64,
    seen: Seen,
}

impl Drop for Saved {
    fn drop(&mut self) {
        self.master.zeroize();
    }
}

/// What lies with the server. Nothing in it is secret without an unlocker's secret.
#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Written {
    version: u8,
    unlockers: Vec<VLBytes>,
    identity: Option<VLBytes>,
}

/// What a user took away, and that it was somebody with the master key.
#[derive(Debug, TlsSize, TlsSerialize, TlsDeserialize)]
struct Removed {
    ids: Vec<UnlockerId>,
    proof: [u8; 32],
}

pub(super) struct Blob {
    pub unlockers: Vec<Unlocker>,
    pub identity: Option<Vec<u8>>,
    removed: Option<Removed>,
}

impl Backup {
    pub(super) fn new(user: UserId, master: MasterKey) -> Self {
        Self { master, unlockers: Unlockers::new(user), removed: Vec::new(), seen: BTreeMap::new() }
    }

    pub(super) fn remove(&mut self, id: UnlockerId) -> Result<(), Fault> {
        self.unlockers.remove(id)?;
        self.remember(id);
        Ok(())
    }

    fn remember(&mut self, removed: UnlockerId) {
        if self.removed.contains(&removed) {
            return;
        }
        if self.removed.len() >= MAX_REMOVED {
            self.removed.remove(0);
        }
        self.removed.push(removed);
    }

    /// What other devices have added and taken away. What a server made up, or shows again after it was taken away, is left out.
    pub(super) fn take_in(&mut self, user: UserId, blob: Blob) -> Result<(), Fault> {
        let removed = blob.removed.filter(|removed| removed.is_of(&self.master, user));
        for id in removed.into_iter().flat_map(|removed| removed.ids) {
            // Most of them this device does not have.
            let _ = self.unlockers.remove(id);
            self.remember(id);
        }
        for unlocker in blob.unlockers {
            let is_known = self.unlockers.iter().any(|known| known.id() == unlocker.id());
            if !is_known && !self.removed.contains(&unlocker.id()) && unlocker.is_of(&self.master, user) {
                self.unlockers.add(unlocker)?;
            }
        }
        Ok(())
    }

    pub(super) fn seen(&self, room: RoomId, block: u64) -> Option<&Seen> {
        self.seen.get(&(room, block))
    }

    pub(super) fn set_seen(&mut self, room: RoomId, block: u64, seen: Seen) -> Result<(), Fault> {
        if self.seen.len() >= MAX_SEGMENTS && !self.seen.contains_key(&(room, block)) {
            return Err(Fault::Full);
        }
        self.seen.insert((room, block), seen);
        Ok(())
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let seen = self.seen.iter().map(|((room, block), seen)| SavedSeen { room: room.0, block: *block, seen: *seen });
        let saved = Saved {
            master: *self.master.as_bytes(),
            unlockers: self.unlockers.iter().map(|of| of.to_bytes().into()).collect(),
            removed: self.removed.clone(),
            seen: seen.collect(),
        };
        saved.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub(super) fn from_bytes(user: UserId, mut bytes: &[u8]) -> Result<Self, Fault> {
        let saved = Saved::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if !bytes.is_empty() {
            return Err(Fault::DamagedState);
        }
        let mut backup = Self::new(user, MasterKey::new(saved.master));
        for unlocker in &saved.unlockers {
            backup.unlockers.add(Unlocker::from_bytes(unlocker.as_slice())?)?;
        }
        backup.removed.clone_from(&saved.removed);
        backup.seen = saved.seen.iter().map(|of| ((RoomId(of.room), of.block), of.seen)).collect();
        Ok(backup)
    }
}

impl Removed {
    fn new(master: &MasterKey, user: UserId, ids: Vec<UnlockerId>) -> Self {
        let proof = Self::proof(master, user, &ids);
        Self { ids, proof }
    }

    fn is_of(&self, master: &MasterKey, user: UserId) -> bool {
        Self::proof(master, user, &self.ids).ct_eq(&self.proof).into()
    }

    fn proof(master: &MasterKey, user: UserId, ids: &[UnlockerId]) -> [u8; 32] {
        let mut hash = Sha256::new();
        ids.iter().for_each(|id| hash.update(id.0));
        *derive(Purpose::RemovedProof, &[], master.as_bytes(), &[&user.0, &hash.finalize()])
    }
}

impl Blob {
    pub(super) fn write(backup: &Backup, user: UserId, identity: Vec<u8>) -> Vec<u8> {
        let unlockers = backup.unlockers.iter().map(|of| of.to_bytes().into()).collect();
        let written = Written { version: VERSION, unlockers, identity: Some(identity.into()) };
        let removed = Removed::new(&backup.master, user, backup.removed.clone());
        let whole = [written.tls_serialize_detached(), removed.tls_serialize_detached()];
        whole.map(|part| part.expect("writing to memory, of bounded length")).concat()
    }

    /// Whether nobody without the master key has changed what is said to be taken away.
    pub(super) fn is_of(&self, master: &MasterKey, user: UserId) -> bool {
        self.removed.as_ref().is_none_or(|removed| removed.is_of(master, user))
    }

    /// Reads all of `bytes`, before any of it is tried: no more than can be afforded. An unlocker of a kind or version that is not known here is an error: a user must not be told of fewer ways in
    /// than there are.
    pub(super) fn read(mut bytes: &[u8]) -> Result<Self, Fault> {
        let written = Written::tls_deserialize(&mut bytes).map_err(|_| Fault::BadBackup)?;
        let removed = match written.version {
            VERSION_WITHOUT_REMOVED => None,
            VERSION => Some(Removed::tls_deserialize(&mut bytes).map_err(|_| Fault::BadBackup)?),
            _ => return Err(Fault::BadBackup),
        };
        let is_too_long = removed.as_ref().is_some_and(|removed| removed.ids.len() > MAX_REMOVED);
        if !bytes.is_empty() || is_too_long || written.unlockers.len() > MAX_UNLOCKERS {
            return Err(Fault::BadBackup);
        }
        let unlockers = written.unlockers.iter().map(|of| Unlocker::from_bytes(of.as_slice())).collect::<Result<Vec<_>, _>>()?;
        affordable(unlockers.iter())?;
        Ok(Self { unlockers, identity: written.identity.map(Vec::from), removed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unlock::{RecoveryCode, Secret, UnlockError, Way};

    const USER: UserId = UserId([1; 16]);

    /// An unlocker by a recovery code, with its kind changed to a passphrase's of this effort: what a server can make up.
    fn by_passphrase(memory_kib: u32, passes: u32) -> VLBytes {
        let code = RecoveryCode::new([7; 16]);
        let sound = Unlocker::new(&MasterKey::new([2; 32]), USER, Way::RecoveryCode, Secret::RecoveryCode(&code)).unwrap();
        let (head, rest) = (sound.to_bytes()[..17].to_vec(), sound.to_bytes()[18..].to_vec());
        let effort = [memory_kib, passes, 1].map(u32::to_be_bytes).concat();
        [head, vec![2], effort, vec![9; 16], rest].concat().into()
    }

    fn read(unlockers: Vec<VLBytes>) -> Result<usize, Fault> {
        let written = Written { version: VERSION_WITHOUT_REMOVED, unlockers, identity: None };
        Blob::read(&written.tls_serialize_detached().unwrap()).map(|blob| blob.unlockers.len())
    }

    #[test]
    fn t22_a_backup_that_would_take_a_browser_too_long_to_try_is_refused_before_any_of_it_is_tried() {
        let (standard, dearest) = (by_passphrase(64 << 10, 3), by_passphrase(256 << 10, 8));
        assert_eq!(read(vec![standard.clone(); 4]), Ok(4));
        assert_eq!(read(vec![dearest.clone()]), Ok(1));
        let too_dear = Err(UnlockError::EffortOutOfBounds.into());
        assert_eq!(read(vec![dearest, standard.clone()]), too_dear);
        assert_eq!(read(vec![standard; 5]), Err(UnlockError::TooMany.into()));
        assert_eq!(read(vec![by_passphrase(256 << 10, 9)]), too_dear, "one alone is bounded too");
        assert_eq!(read(vec![by_passphrase(u32::MAX, u32::MAX)]), too_dear);
    }
}
