//! What goes in and out of the desk, as JSON: bytes in base64, users and rooms as UUIDs. `web/e2ee/keys/interface.d.ts` says the same to
//! the page.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use webcall_trust::mls::{Change, GroupId, GroupKind};
use webcall_trust::{Certificate, UserId};

use crate::{Fault, Group, Outgoing, Standing};

/// Bytes, in base64 (RFC 4648 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Exactly so many.
    pub(super) fn exactly<const N: usize>(&self) -> Result<[u8; N], Fault> {
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
}

/// What an external commit needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    pub group: GroupName,
    pub group_info: Bytes,
    /// Unless it is in the group info.
    pub tree: Option<Bytes>,
    pub stay: Option<Stay>,
    /// The newest epoch that the server ever said the group had.
    pub at_least_epoch: u64,
}

/// This device's stay in a call: the participant that the server calls it, and the room whose members belong in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    pub room: Uuid,
    #[serde(with = "participant")]
    pub participant: u64,
}

/// What became of a request: the answer, and what must be kept before anything of it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub answer: Result<Answer, Fault>,
    pub keep: Vec<Kept>,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Outcome", 2)?;
        match &self.answer {
            Ok(answer) => object.serialize_field("answer", answer)?,
            Err(fault) => object.serialize_field("error", fault.code())?,
        }
        object.serialize_field("keep", &self.keep)?;
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
}

/// A leaf's keys: RFC 9605's base key; `session` names the nonce that it was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaMember {
    pub leaf: u32,
    pub user: Uuid,
    #[serde(with = "participant")]
    pub participant: u64,
    pub session: Bytes,
    pub base: Bytes,
}

/// How a group stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Look {
    pub group: GroupName,
    pub epoch: u64,
    pub leaf: u32,
    pub standing: &'static str,
    pub members: Vec<Member>,
    /// Leaves that no longer count and are to be removed.
    pub stale: Vec<u32>,
    /// What the server has not answered yet.
    pub outgoing: Option<Sent>,
    /// Equal for all who are in the same epoch (RFC 9420 §8.7).
    pub authenticator: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    pub leaf: u32,
    pub user: Uuid,
    pub device: Bytes,
    pub identity: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    pub epoch: u64,
    pub commit: Option<Bytes>,
    pub welcome: Option<Bytes>,
    pub group_info: Bytes,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Changed {
    Ours,
    Others {
        added: Vec<Uuid>,
        removed: Vec<u32>,
        joined: Option<Uuid>,
    },
    /// This device is out.
    Out,
}

impl Changed {
    pub(super) fn of(change: &Change) -> Self {
        Self::Others {
            added: change.added.iter().map(user_of).collect(),
            removed: change.removed.iter().map(|(leaf, _)| *leaf).collect(),
            joined: change.joined.as_ref().map(|joined| user_of(&joined.certificate)),
        }
    }
}

impl Look {
    pub(super) fn of(group: &Group, stale: Vec<u32>) -> Self {
        let member = |(leaf, certificate): (u32, &Certificate)| Member {
            leaf,
            user: user_of(certificate),
            device: certificate.statement().device.0.into(),
            identity: certificate.statement().identity.0.into(),
        };
        Self {
            group: group.id().into(),
            epoch: group.epoch(),
            leaf: group.leaf(),
            standing: match group.standing() {
                Standing::Creating => "creating",
                Standing::Joining => "joining",
                Standing::Member => "member",
                Standing::Removed => "removed",
            },
            members: group.roster().iter().map(member).collect(),
            stale,
            outgoing: group.outgoing().map(Sent::of),
            authenticator: group.epoch_authenticator().ok().map(Bytes::from),
        }
    }
}

impl Sent {
    fn of(outgoing: &Outgoing) -> Self {
        Self {
            epoch: outgoing.epoch,
            commit: outgoing.commit.as_ref().map(|bytes| bytes.as_slice().into()),
            welcome: outgoing.welcome.as_ref().map(|bytes| bytes.as_slice().into()),
            group_info: outgoing.group_info.as_slice().into(),
        }
    }
}

pub(super) fn user_of(certificate: &Certificate) -> Uuid {
    Uuid::from_bytes(certificate.statement().user.0)
}

pub(super) fn user(id: Uuid) -> UserId {
    UserId(id.into_bytes())
}

/// As the server writes participants: 16 hexadecimal digits.
mod participant {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(participant: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{participant:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.len() {
            16 if text.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                u64::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
            }
            _ => Err(serde::de::Error::custom("not 16 digits")),
        }
    }
}
