//! Why nothing was unlocked.

/// The text of [`UnlockError::code`] is what the client's worker answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("the version of the format is not known")]
    UnknownVersion,
    #[error("no such kind of unlocker, or not the kind of this secret")]
    OtherKind,
    #[error("the secret is another one, or the unlocker belongs to another user")]
    WrongSecret,
    #[error("it was changed after it was sealed")]
    Tampered,
    #[error("the work asked for is too little to be safe, or more than a browser can do")]
    EffortOutOfBounds,
    #[error("there is not enough memory")]
    NoMemory,
    #[error("the passphrase is too short")]
    TooShort,
    #[error("it is longer than may be")]
    TooLong,
    #[error("a recovery code has no such character")]
    CodeCharacter,
    #[error("a recovery code has 28 characters")]
    CodeLength,
    #[error("the recovery code has a character wrong")]
    CodeMistyped,
    #[error("a user has no more unlockers than that")]
    TooMany,
    #[error("there is one with this id or of this passkey already")]
    AlreadyThere,
    #[error("no such unlocker")]
    NotThere,
}

impl UnlockError {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::OtherKind => "other_kind",
            Self::WrongSecret => "wrong_secret",
            Self::Tampered => "tampered",
            Self::EffortOutOfBounds => "effort_out_of_bounds",
            Self::NoMemory => "no_memory",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::CodeCharacter => "code_character",
            Self::CodeLength => "code_length",
            Self::CodeMistyped => "code_mistyped",
            Self::TooMany => "too_many",
            Self::AlreadyThere => "already_there",
            Self::NotThere => "not_there",
        }
    }
}
