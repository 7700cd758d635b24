//! What goes in and out of the desk, as JSON: bytes in base64, users and rooms as UUIDs. `web/e2ee/keys/interface.d.ts` says the same to
//! the page.

mod answer;
mod backup;
mod chat;
mod groups;
mod log;
mod request;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use webcall_trust::mls::{GroupId, GroupKind};
use webcall_trust::{Certificate, UserId};

pub use answer::{Answer, VerifiedLook};
pub use backup::{Block, Restore, SecretText, UnlockSecret, UnlockerLook};
pub use chat::{OpenedMessage, SealMessage, TreeHead, WaitingMessage};
pub use groups::{Changed, External, Look, MediaMember, Member, NoticeMember, Sent, Shows, Stay};
pub use log::{AlarmLook, LogLook, LoggedAt, WayTo};
pub use request::Request;

use crate::Fault;

/// Bytes, in base64 (RFC 4648 §4). `Debug` shows how many: keys and messages are among them.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

impl Bytes {
    /// Exactly so many.
    pub(in crate::desk) fn exactly<const N: usize>(&self) -> Result<[u8; N], Fault> {
        self.0.as_slice().try_into().map_err(|_| Fault::BadRequest)
    }
}

impl<T: AsRef<[u8]>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A group by what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum GroupName {
    Room(Uuid),
    Call(Uuid),
}

impl From<GroupName> for GroupId {
    fn from(name: GroupName) -> Self {
        match name {
            GroupName::Room(id) => Self::room(id.into_bytes()),
            GroupName::Call(id) => Self::call(id.into_bytes()),
        }
    }
}

impl From<GroupId> for GroupName {
    fn from(id: GroupId) -> Self {
        let uuid = Uuid::from_bytes(id.uuid);
        match id.kind {
            GroupKind::Room => Self::Room(uuid),
            GroupKind::Call => Self::Call(uuid),
        }
    }
}

/// What became of a request: the answer, and what must be kept before anything of it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub answer: Result<Answer, Fault>,
    pub keep: Vec<Kept>,
    /// With `not_open`: the state that is to be given by [`Request::OpenState`] before the request is made again.
    pub needs: Option<String>,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Outcome", 3)?;
        match &self.answer {
            Ok(answer) => object.serialize_field("answer", answer)?,
            Err(fault) => object.serialize_field("error", fault.code())?,
        }
        object.serialize_field("keep", &self.keep)?;
        object.serialize_field("needs", &self.needs)?;
        object.end()
    }
}

/// A sealed state by its name; `None`: to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub name: String,
    pub sealed: Option<Bytes>,
}

pub(in crate::desk) fn user_of(certificate: &Certificate) -> Uuid {
    Uuid::from_bytes(certificate.statement().user.0)
}

pub(in crate::desk) fn user(id: Uuid) -> UserId {
    UserId(id.into_bytes())
}
