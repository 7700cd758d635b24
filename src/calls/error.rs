//! Why a call refused something. The codes are stable and part of the protocol (`signal/PROTOCOL.md`).

use thiserror::Error;
use webcall_media::MediaError;

/// Why a call refused something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The participant is not (or no longer) in a call.
    #[error("you are not in a call")]
    NotInCall,
    /// The participant acted on is not in the same call.
    #[error("that participant is not in this call")]
    UnknownParticipant,
    /// The call is full.
    #[error("the call is full")]
    Full,
    /// The user is in this call with too many windows.
    #[error("you are in this call with too many windows already")]
    TooManyWindows,
    /// A moderator switched the source off and has not allowed it again.
    #[error("a moderator switched this off; it must be allowed again first")]
    MutedByModerator,
    /// The policy says no.
    #[error("your role in this room does not allow this")]
    NotAllowed,
    /// Too many reactions, or acts of a moderator, in a short time.
    #[error("too many in a short time: slow down")]
    RateLimited,
    /// The media core refused.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl CallError {
    /// The stable code that clients see.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInCall => "not_in_call",
            Self::UnknownParticipant => "unknown_participant",
            Self::Full => "call_full",
            Self::TooManyWindows => "too_many_windows",
            Self::MutedByModerator => "muted_by_moderator",
            Self::NotAllowed => "not_allowed",
            Self::RateLimited => "rate_limited",
            Self::Media(error) => error.code(),
        }
    }
}
