//! What is said about messages.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bytes;

/// A message to be sealed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealMessage {
    pub room: Uuid,
    /// New for each message; the same only to seal one again in a later epoch.
    pub id: Uuid,
    pub kind: u8,
    pub content: Bytes,
    /// The hash of the newest envelope of the room that the page knows.
    pub seen: Option<Bytes>,
    /// Without one: the newest head of the log of keys that this device verified.
    pub head: Option<TreeHead>,
    pub now_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeHead {
    pub size: u64,
    pub root: Bytes,
}

/// Sealed, and to be sent until the server takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingMessage {
    pub id: Uuid,
    pub epoch: u64,
    pub envelope: Bytes,
}

/// A message that its sender's device signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenedMessage {
    pub id: Uuid,
    pub epoch: u64,
    pub user: Uuid,
    pub device: Bytes,
    pub kind: u8,
    /// By the sender's clock.
    pub at_ms: u64,
    pub seen: Bytes,
    pub head: TreeHead,
    /// What later messages call this one by.
    pub hash: Bytes,
    /// Of `chat::Thread`; null for what was only read.
    pub verdict: Option<&'static str>,
    /// Null where the verdict is that it must not be shown.
    pub content: Option<Bytes>,
}
