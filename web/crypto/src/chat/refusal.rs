//! Why a message was not sealed, opened or taken.

/// The text of [`ChatError::code`] is what the client's worker answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("the version of the format is not known")]
    UnknownVersion,
    #[error("the suite of algorithms is not known")]
    UnknownSuite,
    #[error("there is more in it than a message holds")]
    TooLong,
    #[error("it was written for another room")]
    OtherRoom,
    #[error("it names another device or leaf than it should come from")]
    OtherSender,
    #[error("it was sealed with another key")]
    WrongKey,
    #[error("it was changed after it was sealed")]
    Tampered,
    #[error("its padding is not the one that there is")]
    BadPadding,
    #[error("the device that it names did not sign it")]
    BadSignature,
    #[error("a message with this id was sealed in this epoch: send those bytes again, or take another id")]
    AlreadySealed,
    #[error("a later epoch was sealed in before")]
    EpochPassed,
    #[error("this device sealed as much in this epoch as it may: commit first")]
    EpochExhausted,
}

impl ChatError {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownSuite => "unknown_suite",
            Self::TooLong => "too_long",
            Self::OtherRoom => "other_room",
            Self::OtherSender => "other_sender",
            Self::WrongKey => "wrong_key",
            Self::Tampered => "tampered",
            Self::BadPadding => "bad_padding",
            Self::BadSignature => "bad_signature",
            Self::AlreadySealed => "already_sealed",
            Self::EpochPassed => "epoch_passed",
            Self::EpochExhausted => "epoch_exhausted",
        }
    }
}
