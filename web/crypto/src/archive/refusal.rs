//! Why nothing was taken out of the archive, or put into it.

use crate::locked::Refused;

/// The text of [`ArchiveError::code`] is what the client's worker answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("sealed with another key, for another user, or of another room or block")]
    WrongKey,
    #[error("it was changed after it was sealed")]
    Tampered,
    #[error("it is older than what is known")]
    RolledBack,
    #[error("it has the version of what is known, and is something else")]
    Forked,
    #[error("there are more keys for one epoch of a room than it can have had")]
    Conflict,
    #[error("the epoch is not of the segment's block")]
    OtherBlock,
    #[error("it is the key of another identity")]
    OtherIdentity,
}

impl ArchiveError {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongKey => "wrong_key",
            Self::Tampered => "tampered",
            Self::RolledBack => "rolled_back",
            Self::Forked => "forked",
            Self::Conflict => "conflict",
            Self::OtherBlock => "other_block",
            Self::OtherIdentity => "other_identity",
        }
    }
}

impl From<Refused> for ArchiveError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed => Self::Malformed,
            Refused::WrongKey => Self::WrongKey,
            Refused::Tampered => Self::Tampered,
        }
    }
}
