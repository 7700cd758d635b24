//! An entry of a room's log, a pin and a user's presence, the same over HTTP and WebSocket.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::store::{self, EntryRow, PinRow};

/// An entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS, utoipa::ToSchema)]
pub struct Entry {
    /// Its identifier; of a message, made by its sender.
    #[schema(value_type = uuid::Uuid)]
    pub id: String,
    /// Its place in the room, from 1 without gaps.
    #[ts(type = "number")]
    pub seq: i64,
    /// What it is.
    pub kind: EntryKind,
    /// Who wrote, deleted or pinned.
    #[schema(value_type = uuid::Uuid)]
    pub sender: String,
    /// Unix milliseconds.
    #[ts(type = "number")]
    pub sent_at: i64,
    /// Of a message: opaque, base64url without padding; `null` once deleted.
    pub body: Option<String>,
    /// The message that a deletion or a pin is about.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub target: Option<String>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody wrote it.
    Message,
    /// Its target was deleted.
    Deletion,
    /// Its target was pinned.
    Pin,
    /// Its target is no longer pinned.
    Unpin,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id.to_string(),
            seq: row.seq,
            kind: match row.kind {
                store::EntryKind::Message => EntryKind::Message,
                store::EntryKind::Deletion => EntryKind::Deletion,
                store::EntryKind::Pin => EntryKind::Pin,
                store::EntryKind::Unpin => EntryKind::Unpin,
            },
            sender: row.sender.to_string(),
            sent_at: row.sent_at.as_millis(),
            body: row.body.map(|body| URL_SAFE_NO_PAD.encode(body)),
            target: row.target.map(|target| target.to_string()),
        }
    }
}

/// A pinned message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS, utoipa::ToSchema)]
pub struct Pinned {
    /// The message.
    pub message: Entry,
    /// By whom.
    #[schema(value_type = uuid::Uuid)]
    pub pinned_by: String,
    /// Unix milliseconds.
    #[ts(type = "number")]
    pub pinned_at: i64,
}

impl From<PinRow> for Pinned {
    fn from(PinRow { entry, pinned_by, pinned_at }: PinRow) -> Self {
        Self { message: entry.into(), pinned_by: pinned_by.to_string(), pinned_at: pinned_at.as_millis() }
    }
}

/// A user and what they are doing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct Present {
    /// Who.
    pub user: String,
    /// What.
    pub state: Presence,
}

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// In a call.
    InCall,
    /// Here.
    Online,
    /// Connected and not looking.
    Away,
    /// Not connected.
    Offline,
}
