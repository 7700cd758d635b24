//! An entry of a room's log as it is sent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::id::{MessageId, UserId};
use crate::store::{EntryKind, EntryRow};
use crate::time::Timestamp;

/// An entry of a room's log.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Entry {
    id: MessageId,
    /// Its place in the room, from 1 without gaps.
    seq: i64,
    /// `message`; or `deletion`, `pin`, `unpin` of the message `target`.
    kind: EntryKind,
    /// Who wrote, deleted or pinned.
    sender: UserId,
    /// Unix milliseconds.
    sent_at: Timestamp,
    /// Of a message, base64url without padding; `null` once deleted.
    body: Option<String>,
    /// What a deletion or a pin is about.
    target: Option<MessageId>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            seq: row.seq,
            kind: row.kind,
            sender: row.sender,
            sent_at: row.sent_at,
            body: row.body.map(|body| URL_SAFE_NO_PAD.encode(body)),
            target: row.target,
        }
    }
}
