//! What goes in and out of the desk, as JSON: bytes in base64, users and rooms as UUIDs. `web/e2ee/keys/interface.d.ts` says the same to
//! the page.

mod chat;
mod groups;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use webcall_trust::mls::{GroupId, GroupKind};
use webcall_trust::{Certificate, UserId};

pub use chat::{OpenedMessage, SealMessage, TreeHead, WaitingMessage};
pub use groups::{Changed, External, Look, MediaMember, Member, Sent, Stay};

use crate::Fault;

/// Bytes, in base64 (RFC 4648 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

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

/// One thing to do. Times are milliseconds since 1970.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The first device of a user, with a new identity.
    First {
        user: Uuid,
        now_ms: u64,
    },
    /// A further device, for which another is to vouch.
    Ask {
        user: Uuid,
    },
    /// The record by which it did.
    Certified {
        record: Bytes,
    },
    /// What was kept, after a reload. `identity` only where this device has it.
    Load {
        device_id: Bytes,
        device: Bytes,
        directory: Bytes,
        identity: Option<Bytes>,
    },
    /// Vouch for the device that asks. `previous`: the newest record's hash.
    Vouch {
        request: Bytes,
        previous: Bytes,
        now_ms: u64,
    },
    Revoke {
        device: Bytes,
        previous: Bytes,
        now_ms: u64,
    },
    /// All records that a user published.
    Learn {
        user: Uuid,
        records: Vec<Bytes>,
    },
    /// The person says that this is the user's identity.
    Accept {
        user: Uuid,
        identity: Bytes,
    },
    KeyPackages {
        count: usize,
        last_resort: bool,
    },
    /// A group that was kept, after a reload.
    Open {
        group: GroupName,
        sealed: Bytes,
    },
    Create {
        group: GroupName,
        stay: Option<Stay>,
    },
    Join {
        welcome: Bytes,
    },
    JoinExternal(External),
    Change {
        group: GroupName,
        add: Vec<Bytes>,
        remove: Vec<u32>,
    },
    /// The server took what was sent.
    Accepted {
        group: GroupName,
    },
    /// Another was faster.
    Lost {
        group: GroupName,
    },
    Process {
        group: GroupName,
        commit: Bytes,
    },
    /// Leaves it, or throws away what cannot go on.
    Forget {
        group: GroupName,
    },
    Look {
        group: GroupName,
    },
    Say {
        group: GroupName,
        plaintext: Bytes,
    },
    Hear {
        group: GroupName,
        message: Bytes,
    },
    /// The keys of a call's media in the newest epoch.
    MediaKeys {
        group: GroupName,
    },
    /// A state that an outcome said it needs; `sealed` is null where nothing is kept under this name.
    OpenState {
        name: String,
        sealed: Option<Bytes>,
    },
    /// Seals a message in the newest epoch of the room's group.
    SealMessage(SealMessage),
    /// The server took it.
    Sent {
        room: Uuid,
        id: Uuid,
    },
    /// It will never be sent.
    Unsent {
        room: Uuid,
        id: Uuid,
    },
    /// What was sealed and neither sent nor given up.
    Waiting {
        room: Uuid,
    },
    /// The next message of the room's log.
    OpenMessage {
        room: Uuid,
        envelope: Bytes,
    },
    /// A message that lies further back: opened, and not judged by its place in the log.
    ReadMessage {
        room: Uuid,
        envelope: Bytes,
    },
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    Done,
    Device {
        device: Bytes,
        identity: Bytes,
        records: Vec<Bytes>,
    },
    Asking {
        device: Bytes,
        request: Bytes,
        code: String,
    },
    Record {
        record: Bytes,
    },
    /// `changed`: the identity is another than the accepted one.
    User {
        identity: Bytes,
        changed: bool,
    },
    KeyPackages {
        packages: Vec<Bytes>,
        last_resort: Option<Bytes>,
    },
    Group(Look),
    Processed {
        change: Changed,
        group: Look,
    },
    Message {
        message: Bytes,
    },
    Heard {
        epoch: u64,
        leaf: u32,
        user: Uuid,
        plaintext: Bytes,
    },
    Media {
        epoch: u64,
        leaf: u32,
        members: Vec<MediaMember>,
    },
    Sealed {
        epoch: u64,
        envelope: Bytes,
    },
    Waiting {
        messages: Vec<WaitingMessage>,
    },
    Opened(OpenedMessage),
}

pub(in crate::desk) fn user_of(certificate: &Certificate) -> Uuid {
    Uuid::from_bytes(certificate.statement().user.0)
}

pub(in crate::desk) fn user(id: Uuid) -> UserId {
    UserId(id.into_bytes())
}
