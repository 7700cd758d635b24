//! The name of a group says which room or call it is of, so that no group passes for another's.

use crate::Refusal;

/// What a group is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupKind {
    /// Lives as long as its room; its epochs give the keys of messages.
    Room,
    /// Lives as long as its call; its epochs give the keys of media.
    Call,
}

/// The kind and the bytes of the UUID of the room or call: 17 bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId {
    pub kind: GroupKind,
    pub uuid: [u8; 16],
}

impl GroupId {
    pub fn room(uuid: [u8; 16]) -> Self {
        Self { kind: GroupKind::Room, uuid }
    }

    pub fn call(uuid: [u8; 16]) -> Self {
        Self { kind: GroupKind::Call, uuid }
    }

    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[0] = match self.kind {
            GroupKind::Room => 1,
            GroupKind::Call => 2,
        };
        bytes[1..].copy_from_slice(&self.uuid);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let (kind, uuid) = bytes.split_first().ok_or(Refusal::Malformed)?;
        let kind = match kind {
            1 => GroupKind::Room,
            2 => GroupKind::Call,
            _ => return Err(Refusal::Malformed),
        };
        Ok(Self { kind, uuid: uuid.try_into().map_err(|_| Refusal::Malformed)? })
    }

    /// As openmls names it.
    pub fn to_mls(self) -> openmls::group::GroupId {
        openmls::group::GroupId::from_slice(&self.to_bytes())
    }
}
