//! What a device keeps of what it sends to one room: the hash of the last envelope that the server took, and which ids it sealed.
//!
//! An id sealed twice in an epoch would be one key and nonce for two plaintexts, which gives both away; it is refused. So the caller
//! keeps this, and the envelope, before it sends, and sends those same bytes until they are accepted.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{DeviceId, Hash};

use super::body::{Body, Content, Head};
use super::envelope::{self, MessageId, Place, RoomId};
use super::{ChatError, Envelope};
use crate::EpochKey;

/// A device commits after 500 messages of the room anyway; more here would only make the state that is kept longer (16 bytes each).
pub const MAX_SEALED_PER_EPOCH: usize = 1_024;

/// A message before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: u8,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Of the newest envelope of the room that is known here; zeros for none.
    pub seen: Hash,
    pub head: Head,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnThread {
    room: RoomId,
    device: DeviceId,
    last: Hash,
    epoch: u64,
    sealed: BTreeSet<MessageId>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Kept {
    version: u8,
    room: RoomId,
    device: DeviceId,
    last: Hash,
    epoch: u64,
    sealed: Vec<MessageId>,
}

const VERSION: u8 = 1;

impl OwnThread {
    pub fn new(room: RoomId, device: DeviceId) -> Self {
        Self { room, device, last: [0; 32], epoch: 0, sealed: BTreeSet::new() }
    }

    /// Seals for the epoch of `key`, in which this device has `leaf`. The message follows the last one that was accepted.
    pub fn seal(&mut self, at: Writer<'_>, message: MessageId, draft: Draft) -> Result<Vec<u8>, ChatError> {
        if at.epoch < self.epoch {
            return Err(ChatError::EpochPassed);
        }
        if at.epoch == self.epoch {
            self.room_for(message)?;
        }
        let place = Place { room: self.room, epoch: at.epoch, leaf: at.leaf, device: self.device, message };
        let Draft { kind, at_ms, seen, head, content } = draft;
        let body = Body { kind, at_ms, previous: self.last, seen, head, content };
        let envelope = envelope::seal(at.key, at.device_key, place, &body)?;
        if at.epoch > self.epoch {
            self.sealed.clear();
            self.epoch = at.epoch;
        }
        self.sealed.insert(message);
        Ok(envelope)
    }

    fn room_for(&self, message: MessageId) -> Result<(), ChatError> {
        if self.sealed.contains(&message) {
            return Err(ChatError::AlreadySealed);
        }
        if self.sealed.len() >= MAX_SEALED_PER_EPOCH { Err(ChatError::EpochExhausted) } else { Ok(()) }
    }

    /// The server took this envelope: the next message follows it.
    pub fn accepted(&mut self, envelope: &Envelope<'_>) {
        self.last = envelope.hash();
    }

    /// To be kept sealed: it shows when this device wrote.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { room, device, last, epoch, ref sealed } = *self;
        let kept = Kept { version: VERSION, room, device, last, epoch, sealed: sealed.iter().copied().collect() };
        kept.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, ChatError> {
        let kept = Kept::tls_deserialize(&mut bytes).map_err(|_| ChatError::Malformed)?;
        if kept.version != VERSION {
            return Err(ChatError::UnknownVersion);
        }
        if !bytes.is_empty() || kept.sealed.len() > MAX_SEALED_PER_EPOCH {
            return Err(ChatError::Malformed);
        }
        let Kept { room, device, last, epoch, sealed, .. } = kept;
        Ok(Self { room, device, last, epoch, sealed: sealed.into_iter().collect() })
    }
}

/// As whom a device writes: its place in an epoch, and the keys of both.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub epoch: u64,
    pub leaf: u32,
    pub key: &'a EpochKey,
    pub device_key: &'a SigningKey,
}
