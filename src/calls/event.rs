//! What a call tells its participants: plain values in the words of the domain. The signalling layer turns them into messages; this
//! module must not know how those look on the wire.

use std::sync::Arc;

use webcall_media::{LeftOut, ParticipantId, Seated, Source};

use super::emoji::Emoji;
use crate::id::{CallId, UserId};
use crate::role::Role;
use crate::time::Timestamp;

/// An event and the participant it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// For whom.
    pub to: ParticipantId,
    /// What.
    pub event: CallEvent,
}

/// Something that a participant is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// Somebody else entered.
    Entered(Arc<ParticipantView>),
    /// Somebody's state changed, one's own included.
    Changed(Arc<ParticipantView>),
    /// Somebody else is gone.
    Gone {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// One is no longer in the call oneself, without having asked for it.
    Removed {
        /// Why.
        reason: LeaveReason,
    },
    /// The changed seats of one's own.
    Seats(Vec<Seated>),
    /// Who speaks now, loudest first.
    Speakers(Vec<ParticipantId>),
    /// Whether one's media can flow.
    Media(MediaState),
    /// The group of this call was begun, or is in another epoch.
    Committed {
        /// Which call's.
        call: CallId,
        /// In which it is now.
        epoch: u64,
    },
    /// A new offer is needed.
    Renegotiate,
    /// What the server leaves out from now on because it cannot carry all.
    LeftOut(LeftOut),
    /// Somebody reacts, maybe oneself. Of the moment: dropped for who does not keep up.
    Reaction {
        /// Who.
        participant: ParticipantId,
        /// How.
        emoji: Emoji,
    },
}

impl CallEvent {
    /// Whether it may be left out for who does not keep up: it says nothing about what is afterwards.
    pub fn is_of_the_moment(&self) -> bool {
        matches!(self, Self::Reaction { .. })
    }
}

/// Why a participant is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    /// By themselves.
    Left,
    /// The connection broke and did not come back in time.
    TimedOut,
    /// A moderator removed them.
    Removed,
    /// The room was deleted, or they are no longer a member.
    RoomGone,
    /// Their session was ended.
    SessionEnded,
    /// The media core lost their media.
    MediaLost,
}

/// Whether media can flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaState {
    /// ICE and DTLS are up.
    Connected,
    /// No consent check for 30 s.
    Disconnected,
}

/// A participant as everybody in the call sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantView {
    /// The participant.
    pub participant: ParticipantId,
    /// Whose window it is.
    pub user: UserId,
    /// The user's name.
    pub username: String,
    /// The user's standing in the room.
    pub role: Role,
    /// The sources offered.
    pub sources: Vec<SourceView>,
    /// When they entered.
    pub joined_at: Timestamp,
    /// Since when their hand is raised.
    pub hand_raised_at: Option<Timestamp>,
}

/// The state of one offered source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceView {
    /// The source.
    pub source: Source,
    /// Switched off, by whoever.
    pub muted: bool,
    /// Switched off by a moderator and not allowed again yet.
    pub forbidden: bool,
}
