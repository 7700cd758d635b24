//! Why a message was refused. Every refusal has a stable code, listed in `PROTOCOL.md`; the text is for developers.

use thiserror::Error;

use super::protocol::{MAX_SEATS, MAX_TRACKS, MAX_WISHES, ServerMessage, VERSION};
use super::wire::{MAX_MID_BYTES, MAX_SDP_BYTES};
use crate::calls::{CallError, MAX_EMOJI_BYTES};
use crate::error::Error as AppError;

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    #[error("not a message of this protocol: {0}")]
    Malformed(String),
    #[error("binary frames are not used here")]
    Binary,
    #[error("too many messages: slow down")]
    TooManyMessages,
    #[error("say hello first")]
    HelloExpected,
    #[error("hello was said already")]
    AlreadyGreeted,
    #[error("this server speaks version {VERSION}")]
    VersionUnsupported,
    #[error("you have too many connections open")]
    TooManyConnections,
    #[error("you are in a call already: leave it first")]
    AlreadyInCall,
    #[error("the earlier offer is not answered yet")]
    OfferPending,
    #[error("you are no longer in the call that this was about")]
    Cancelled,
    #[error("at most {MAX_TRACKS} tracks and {MAX_SEATS} seats")]
    TooManyTracks,
    #[error("at most {MAX_WISHES} wishes")]
    TooManyWishes,
    #[error("an SDP offer may have at most {MAX_SDP_BYTES} bytes")]
    SdpTooLarge,
    #[error("a mid is 1 to {MAX_MID_BYTES} token characters, and each occurs once")]
    BadMid,
    #[error("watch the room first")]
    NotWatching,
    #[error("a reaction is one emoji of at most {MAX_EMOJI_BYTES} bytes")]
    NoEmoji,
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{text}")]
    App { code: &'static str, text: String },
}

impl Refusal {
    /// The stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Binary => "malformed_message",
            Self::TooManyMessages => "too_many_messages",
            Self::HelloExpected => "hello_expected",
            Self::AlreadyGreeted => "already_greeted",
            Self::VersionUnsupported => "version_unsupported",
            Self::TooManyConnections => "too_many_connections",
            Self::AlreadyInCall => "already_in_call",
            Self::OfferPending => "offer_pending",
            Self::Cancelled => "cancelled",
            Self::TooManyTracks => "too_many_tracks",
            Self::TooManyWishes => "too_many_wishes",
            Self::SdpTooLarge => "sdp_too_large",
            Self::BadMid => "offer_mismatch",
            Self::NotWatching => "not_watching",
            Self::NoEmoji => "invalid_emoji",
            Self::Call(error) => error.code(),
            Self::App { code, .. } => code,
        }
    }

    /// The message that tells it to the one who asked; `id` is 0 when none could be read.
    pub(super) fn answer(&self, id: u32) -> ServerMessage {
        ServerMessage::Error { id, code: self.code().to_owned(), message: self.to_string() }
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        Self::from(&error)
    }
}

impl From<&AppError> for Refusal {
    fn from(error: &AppError) -> Self {
        let shown = error.shown();
        if let AppError::Internal(cause) = shown {
            tracing::error!(%cause, "a request over a WebSocket failed");
        }
        Self::App { code: shown.code(), text: shown.to_string() }
    }
}
