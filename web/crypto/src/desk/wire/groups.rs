//! What is said about groups.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use webcall_trust::Certificate;
use webcall_trust::mls::Change;

use super::{Bytes, GroupName, user_of};
use crate::{Group, Outgoing, Standing};

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
    /// Of a room: it is known to be strict.
    #[serde(default)]
    pub strict: bool,
}

/// This device's stay in a call: the participant that the server calls it, and the room whose members belong in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    pub room: Uuid,
    #[serde(with = "participant")]
    pub participant: u64,
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

/// A device in a room's group, and the key that it signs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeMember {
    pub leaf: u32,
    pub user: Uuid,
    pub device: Bytes,
    pub device_key: Bytes,
}

/// What a user who is to come into a room's group shows for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shows {
    pub user: Uuid,
    /// In base64; what is none keeps nobody else out.
    pub invitation: String,
}

/// How a group stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Look {
    pub group: GroupName,
    pub epoch: u64,
    pub leaf: u32,
    pub standing: &'static str,
    /// Of the group of a strict room.
    pub strict: bool,
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
    /// Of a call: whom the leaf says to be.
    #[serde(serialize_with = "participant::maybe")]
    pub participant: Option<u64>,
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

impl NoticeMember {
    pub(in crate::desk) fn of(leaf: u32, certificate: &Certificate) -> Self {
        let of = certificate.statement();
        Self { leaf, user: user_of(certificate), device: of.device.0.into(), device_key: of.device_key.0.into() }
    }
}

impl Changed {
    pub(in crate::desk) fn of(change: &Change) -> Self {
        Self::Others {
            added: change.added.iter().map(user_of).collect(),
            removed: change.removed.iter().map(|(leaf, _)| *leaf).collect(),
            joined: change.joined.as_ref().map(|joined| user_of(&joined.certificate)),
        }
    }
}

impl Look {
    pub(in crate::desk) fn of(group: &Group, stale: Vec<u32>) -> Self {
        let member = |(leaf, certificate): (u32, &Certificate)| Member {
            leaf,
            participant: group.roster().session(leaf).map(|session| u64::from_be_bytes(session.participant)),
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
            strict: group.is_strict(),
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

/// As the server writes participants: 16 hexadecimal digits.
mod participant {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(participant: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{participant:016x}"))
    }

    pub(super) fn maybe<S: Serializer>(participant: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match participant {
            Some(participant) => serialize(participant, serializer),
            None => serializer.serialize_none(),
        }
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
