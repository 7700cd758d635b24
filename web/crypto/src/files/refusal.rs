//! Why a file was not sealed or opened.

/// The text of [`FileError::code`] is what the client's worker answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("the version of the format is not known")]
    UnknownVersion,
    #[error("the file, its name or its type is longer than may be")]
    TooLong,
    #[error("the file has no such chunk")]
    NoSuchChunk,
    #[error("the chunk is longer or shorter than it should be")]
    WrongLength,
    #[error("another key, another place in the file, or bytes were changed")]
    Tampered,
    #[error("its padding is not the one that there is")]
    BadPadding,
    #[error("chunks are missing")]
    Incomplete,
    #[error("it is not the file that was sent")]
    OtherFile,
}

impl FileError {
    /// Stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::TooLong => "too_long",
            Self::NoSuchChunk => "no_such_chunk",
            Self::WrongLength => "wrong_length",
            Self::Tampered => "tampered",
            Self::BadPadding => "bad_padding",
            Self::Incomplete => "incomplete",
            Self::OtherFile => "other_file",
        }
    }
}
