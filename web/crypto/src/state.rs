//! What must survive a reload, as bytes that only the holder of the key can read or make: AES-256-GCM, with its name, its version and a
//! counter as authenticated data. One blob a device, one for whom it knows, and one a group, so that a message costs the sealing of its
//! own group alone.
//!
//! A blob is verified before anything in it is read: openmls trusts what it once wrote.
//! The key comes from outside; in a browser one that cannot be exported wraps it. Whoever knows the highest counter of a blob gives it back at
//! opening: an older blob is refused, for it would use keys a second time. What can be known of that, and where, `desk/counters.rs` says.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use tls_codec::{Deserialize, Serialize};
use webcall_trust::{DeviceId, UserId, mls};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::chat::RoomId;
use crate::{Fault, random};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
/// Version and counter stand before the nonce, readable.
const HEAD_BYTES: usize = 1 + 8 + NONCE_BYTES;
/// A group of [`mls::MAX_LEAVES`] has about 20 MB in openmls's own form.
pub const MAX_STATE_BYTES: usize = 64 * 1024 * 1024;

/// Under which states are sealed: 32 bytes that nobody else has.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct StateKey([u8; 32]);

impl StateKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub fn generate() -> Self {
        Self(random::bytes())
    }
}

/// Whose state it is; no blob opens under another's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateName {
    Device(DeviceId),
    /// A device that nobody vouches for yet: the one of its place.
    Asking,
    /// Of this device in this group.
    Group(DeviceId, mls::GroupId),
    /// Whom this device knows.
    Directory(DeviceId),
    /// The identity's key, on devices that have it.
    Identity(DeviceId),
    /// The keys of a room's epochs, by block.
    Epochs(DeviceId, RoomId, u64),
    /// How far this device has come in a room.
    Marks(DeviceId, RoomId),
    /// What this device writes to a room.
    Sent(DeviceId, RoomId),
    /// What another device of this user wrote to a room.
    Thread(DeviceId, RoomId, UserId, DeviceId),
    /// The master key.
    Backup(DeviceId),
    /// Of whom in a room the person was told.
    Greeted(DeviceId, RoomId),
    /// Who was in a room's group at any time.
    Ever(DeviceId, RoomId),
    /// What is known of the log of everybody's keys.
    Log(DeviceId),
    /// Of which of the user's devices the person was told.
    Devices(DeviceId),
}

impl StateName {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Device(device) => [b"device".as_slice(), &device.0].concat(),
            Self::Asking => b"asking".to_vec(),
            Self::Directory(device) => [b"directory".as_slice(), &device.0].concat(),
            Self::Identity(device) => [b"identity".as_slice(), &device.0].concat(),
            Self::Epochs(device, room, block) => [b"epochs".as_slice(), &device.0, &room.0, &block.to_be_bytes()].concat(),
            Self::Marks(device, room) => [b"marks".as_slice(), &device.0, &room.0].concat(),
            Self::Greeted(device, room) => [b"greeted".as_slice(), &device.0, &room.0].concat(),
            Self::Ever(device, room) => [b"ever".as_slice(), &device.0, &room.0].concat(),
            Self::Backup(device) => [b"backup".as_slice(), &device.0].concat(),
            Self::Log(device) => [b"log".as_slice(), &device.0].concat(),
            Self::Devices(device) => [b"devices".as_slice(), &device.0].concat(),
            Self::Sent(device, room) => [b"sent".as_slice(), &device.0, &room.0].concat(),
            Self::Thread(device, room, user, other) => [b"thread".as_slice(), &device.0, &room.0, &user.0, &other.0].concat(),
            Self::Group(device, group) => [b"group".as_slice(), &device.0, &group.to_bytes()].concat(),
        }
    }
}

/// The counter of a sealed state, as it says itself.
pub fn counter(sealed: &[u8]) -> Result<u64, Fault> {
    if sealed.len() < HEAD_BYTES {
        return Err(Fault::DamagedState);
    }
    if sealed[0] != VERSION {
        return Err(Fault::UnknownVersion);
    }
    sealed[1..9].try_into().map(u64::from_be_bytes).map_err(|_| Fault::DamagedState)
}

/// Of the state that follows.
pub(crate) fn next(counter: u64) -> Result<u64, Fault> {
    counter.checked_add(1).ok_or(Fault::Full)
}

pub(crate) fn seal(key: &StateKey, name: StateName, counter: u64, state: &impl Serialize) -> Result<Vec<u8>, Fault> {
    let plain = Zeroizing::new(state.tls_serialize_detached().map_err(|_| Fault::Library)?);
    if plain.len() > MAX_STATE_BYTES {
        return Err(Fault::Full);
    }
    let nonce = random::bytes::<NONCE_BYTES>();
    let payload = Payload { msg: plain.as_slice(), aad: &associated(name, counter) };
    let sealed = cipher(key).encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| Fault::Library)?;
    Ok([[VERSION].as_slice(), &counter.to_be_bytes(), &nonce, &sealed].concat())
}

/// `at_least`: the highest counter that was seen of this name.
pub(crate) fn open<T: Deserialize>(key: &StateKey, name: StateName, sealed: &[u8], at_least: u64) -> Result<(u64, T), Fault> {
    let counter = counter(sealed)?;
    if sealed.len() > MAX_STATE_BYTES + 1_024 {
        return Err(Fault::DamagedState);
    }
    let (head, ciphertext) = sealed.split_at(HEAD_BYTES);
    let payload = Payload { msg: ciphertext, aad: &associated(name, counter) };
    let nonce = Nonce::from_slice(&head[HEAD_BYTES - NONCE_BYTES..]);
    let plain = Zeroizing::new(cipher(key).decrypt(nonce, payload).map_err(|_| Fault::DamagedState)?);
    if counter < at_least {
        return Err(Fault::OldState);
    }
    let mut rest = plain.as_slice();
    let state = T::tls_deserialize(&mut rest).map_err(|_| Fault::DamagedState)?;
    if rest.is_empty() { Ok((counter, state)) } else { Err(Fault::DamagedState) }
}

fn cipher(key: &StateKey) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&key.0))
}

fn associated(name: StateName, counter: u64) -> Vec<u8> {
    [b"WebCall 1 state\0".as_slice(), &[VERSION], &counter.to_be_bytes(), &name.to_bytes()].concat()
}
