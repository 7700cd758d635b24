//! What the protocol says of a room and of those in it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a room is encrypted: fixed when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Not end-to-end: the server could read and listen.
    Open,
    /// By the keys of an MLS group.
    Mls,
}

/// A user's standing in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes part.
    Member,
    /// Keeps order.
    Moderator,
    /// Owns the room; one for each room.
    Owner,
}
