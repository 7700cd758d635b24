//! All that can be answered.

use serde::Serialize;
use uuid::Uuid;

use super::{Bytes, Changed, Look, MediaMember, OpenedMessage, SecretText, UnlockerLook, WaitingMessage};
use crate::safety::CALL_EMOJI;

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
    /// `qr`: to be shown to the user; `identity`: the one that was compared.
    SafetyNumber {
        digits: String,
        qr: Bytes,
        identity: Bytes,
    },
    Checked {
        identity: Bytes,
    },
    Emoji {
        emoji: [u8; CALL_EMOJI],
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
        version: u64,
        sealed: Bytes,
    },
}
