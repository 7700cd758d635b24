//! What the protocol says of the groups that the keys of calls come from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What coming into a group needs, as `GET /api/v1/e2ee/groups/{id}/info` tells it. Bytes are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct GroupInfo {
    /// In which the group is.
    #[ts(type = "number")]
    pub epoch: u64,
    /// An MLS message, signed by who made the last commit.
    pub group_info: String,
    /// The ratchet tree; null where it is in the GroupInfo.
    pub tree: Option<String>,
}
