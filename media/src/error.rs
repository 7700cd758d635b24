//! Errors that the media core gives to its caller. Bad packets are not errors: they are counted (`counters.rs`).

use thiserror::Error;

use crate::id::{ParticipantId, RoomId};

/// Why the media core could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A worker's UDP port could not be bound.
    #[error("UDP port {port} for media cannot be opened: {source}")]
    Bind {
        /// The port of the worker.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The TURN port could not be bound.
    #[error("UDP port {port} for TURN cannot be opened: {source}")]
    TurnPort {
        /// Which.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings of TURN do not fit together.
    #[error("the settings of TURN cannot be used: {0}")]
    Turn(String),
    /// No address to advertise was found.
    #[error("no network address to advertise for media: set `media.advertised` in turn.toml")]
    NoAddress,
    /// The certificate for DTLS could not be made.
    #[error("the DTLS certificate could not be made: {0}")]
    Certificate(String),
    /// A thread could not be started.
    #[error("a media thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// Why a request to the media core was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The participant is not (or no longer) in a call.
    #[error("participant {0} is not in a call")]
    UnknownParticipant(ParticipantId),
    /// The participant joined twice.
    #[error("participant {0} is already in a call")]
    AlreadyJoined(ParticipantId),
    /// The call is full.
    #[error("the call of room {0:?} is full")]
    RoomFull(RoomId),
    /// The offer is not SDP, or lacks what every browser sends.
    #[error("the SDP offer cannot be used: {0}")]
    BadOffer(&'static str),
    /// The offer and the list of tracks and seats that came with it do not agree.
    #[error("the offer and its list of tracks and seats do not agree: {0}")]
    OfferMismatch(&'static str),
    /// The offer has more tracks or seats than allowed.
    #[error("the offer has too many tracks or seats")]
    TooManyTracks,
    /// There is no worker of this number.
    #[error("there is no media worker {0}")]
    UnknownWorker(usize),
    /// The worker's queue is full or its thread is restarting.
    #[error("the media worker is busy; try again")]
    Busy,
}

impl MediaError {
    /// The stable code that clients see, the same over HTTP and WebSocket.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownParticipant(_) => "not_in_call",
            Self::AlreadyJoined(_) => "already_in_call",
            Self::RoomFull(_) => "call_full",
            Self::BadOffer(_) => "bad_offer",
            Self::OfferMismatch(_) => "offer_mismatch",
            Self::TooManyTracks => "too_many_tracks",
            Self::UnknownWorker(_) => "unknown_worker",
            Self::Busy => "media_busy",
        }
    }
}
