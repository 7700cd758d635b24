//! A member's standing in a room. Ordered: a later role may do all that an earlier one may.

use serde::{Deserialize, Serialize};

/// A user's standing in a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Takes part.
    Member,
    /// Keeps order.
    Moderator,
    /// Owns the room; one for each room.
    Owner,
}

impl Role {
    /// All roles, lowest first.
    pub const ALL: [Self; 3] = [Self::Member, Self::Moderator, Self::Owner];

    /// As it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}
