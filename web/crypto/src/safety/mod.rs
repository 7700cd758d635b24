//! What people compare to be sure that nobody stands between them: a number of 60 digits, a code to scan, or emoji to read out. Here are
//! numbers and indices only; the 64 emoji and their names belong to the client's catalogue.

mod drawn;
mod emoji;
mod fingerprint;
mod qr;

pub use drawn::{MAX_QR_TEXT_BYTES, Squares, squares};
pub use emoji::{CALL_EMOJI, EMOJI, call_emoji};
pub use fingerprint::{Party, SAFETY_DIGITS, SAFETY_WORDS, safety_number, safety_words};
pub use qr::{QR_BYTES, QrCode};

/// The text of [`SafetyError::code`] is what the client's worker answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SafetyError {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("the version of the format is not known")]
    UnknownVersion,
    #[error("it is about other people")]
    OtherPeople,
    #[error("the other side sees another key: somebody stands between, or a key is new")]
    OtherKeys,
}

impl SafetyError {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::OtherPeople => "other_people",
            Self::OtherKeys => "other_keys",
        }
    }
}
