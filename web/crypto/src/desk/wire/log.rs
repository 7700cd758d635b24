//! What is said about the log of everybody's keys.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Bytes, TreeHead};

/// That records are in the log of a size: the place of each, ascending, and the hashes of `trust/src/several.rs`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedAt {
    pub size: u64,
    pub leaves: Vec<u64>,
    pub path: Vec<Bytes>,
}

/// What the server gave as the way (RFC 9162 §2.1.4.1) to the head of size `to`; empty where it gave none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayTo {
    pub to: u64,
    pub path: Vec<Bytes>,
}

/// What is known of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLook {
    /// The newest head; its size is 0 where there is none yet.
    pub head: TreeHead,
    pub alarms: Vec<AlarmLook>,
}

/// `user` and `device`: whose word stands against the server's; null where the server contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmLook {
    pub why: &'static str,
    pub user: Option<Uuid>,
    pub device: Option<Bytes>,
    pub said: TreeHead,
    pub here: TreeHead,
    pub accepted: bool,
}
