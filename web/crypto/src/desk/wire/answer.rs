//! All that can be answered.

use serde::Serialize;
use uuid::Uuid;

use super::{Bytes, Changed, LogLook, Look, MediaMember, NoticeMember, OpenedMessage, SecretText, UnlockerLook, WaitingMessage};
use crate::Verified;
use crate::safety::{CALL_EMOJI, SAFETY_WORDS};

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
    /// `changed`: the identity is another than the accepted one. `name`: under which the user is verified, or was before.
    User {
        identity: Bytes,
        changed: bool,
        verified: VerifiedLook,
        name: Option<String>,
    },
    NewDevices {
        devices: Vec<Bytes>,
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
    /// `user`: whose device made the commit that cannot be followed, where that is certain.
    Culprit {
        user: Option<Uuid>,
    },
    /// Users with a device in it that is not known here.
    Strangers {
        users: Vec<Uuid>,
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
    /// `key`: that of the epoch's messages.
    Notice {
        epoch: u64,
        key: Bytes,
        members: Vec<NoticeMember>,
    },
    Sealed {
        epoch: u64,
        envelope: Bytes,
    },
    Waiting {
        messages: Vec<WaitingMessage>,
    },
    Opened(OpenedMessage),
    Log(LogLook),
    HeadHeard {
        heard: &'static str,
    },
    /// `words`: indices of emoji, for the same in words; `qr`: to be shown to the user; `identity`: the one that was compared.
    SafetyNumber {
        digits: String,
        words: [u8; SAFETY_WORDS],
        qr: Bytes,
        identity: Bytes,
    },
    Checked {
        identity: Bytes,
    },
    Emoji {
        emoji: [u8; CALL_EMOJI],
    },
    /// As [`crate::safety::Squares`].
    Qr {
        rows: Vec<String>,
    },
    Newcomers {
        users: Vec<Uuid>,
    },
    /// What stands in a room's link where no server sees it.
    Link {
        secret: Bytes,
    },
    /// What a newcomer shows to those inside.
    Shown {
        invitation: Bytes,
    },
    Ever {
        users: Vec<Uuid>,
    },
    Invited {
        users: Vec<Uuid>,
    },
    /// `code`: the new recovery code, to be shown once.
    Unlocker {
        id: Bytes,
        code: Option<SecretText>,
    },
    Salt {
        salt: Bytes,
    },
    Backup {
        blob: Bytes,
        /// Whether there are unlockers enough to rely on.
        backed_up: bool,
        unlockers: Vec<UnlockerLook>,
    },
    Ways {
        unlockers: Vec<UnlockerLook>,
    },
    Handover {
        handover: Bytes,
    },
    Segment {
        sealed: Option<Bytes>,
    },
    Taken {
        fresh: usize,
    },
}

/// Whether the person compared keys with a user; `Lost`: with an identity that is not the user's any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifiedLook {
    No,
    Yes,
    Lost,
}

impl VerifiedLook {
    /// With the name.
    pub(in crate::desk) fn of(verified: Verified<'_>) -> (Self, Option<String>) {
        match verified {
            Verified::No => (Self::No, None),
            Verified::As(name) => (Self::Yes, Some(name.to_owned())),
            Verified::Lost(name) => (Self::Lost, Some(name.to_owned())),
        }
    }
}
