//! The words that the server and the media core exchange: requests, answers and events. Plain values, no behaviour.

use crate::id::{FeedId, FeedKind, ParticipantId, RoomId, Source};

/// An SDP offer and what its m-lines are for. The participant is always the offerer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The SDP as the browser made it.
    pub sdp: String,
    /// The m-lines on which the participant sends.
    pub tracks: Vec<TrackOffer>,
    /// The pairs of m-lines on which the participant receives, in seat order. Seats are never removed, only added.
    pub seats: Vec<SeatOffer>,
}

/// One sending m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackOffer {
    /// The `a=mid` of the m-line.
    pub mid: String,
    /// What it carries.
    pub source: Source,
}

/// One receiving pair of m-lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatOffer {
    /// The `a=mid` of the audio m-line.
    pub audio_mid: String,
    /// The `a=mid` of the video m-line.
    pub video_mid: String,
}

/// How large a viewer shows a feed, so that a fitting layer is sent and the right feeds are seated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose feed.
    pub participant: ParticipantId,
    /// Which of the two.
    pub kind: FeedKind,
    /// Width in device pixels of the element that shows it; 0 while it is not visible.
    pub width_px: u32,
    /// Whether the viewer pinned it.
    pub pinned: bool,
}

/// Who sits in a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seated {
    /// The index of the seat in the offer.
    pub seat: usize,
    /// Who sits there; `None` for an empty seat.
    pub feed: Option<SeatedFeed>,
}

/// A seated feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatedFeed {
    /// Whose feed.
    pub participant: ParticipantId,
    /// Which of the two.
    pub kind: FeedKind,
    /// The CSRC that its packets carry.
    pub feed: FeedId,
}

/// Whether the packets of a call's voices say how loud they are (RFC 6464), which tells the server who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Levels {
    /// They do.
    #[default]
    Told,
    /// Not in this call: the extension is not negotiated, and what comes of it all the same is not read.
    Hidden,
}

/// What a worker that cannot carry all leaves out, least missed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Nothing: all is well.
    Nothing,
    /// The upper layers of pictures, which become less sharp.
    Sharpness,
    /// Some pictures or all.
    Pictures,
    /// All pictures, and all voices but the loudest three.
    Voices,
}

/// What the media core tells the server of its own accord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// ICE and DTLS are up: media can flow.
    Connected {
        /// Who.
        participant: ParticipantId,
    },
    /// No consent check for 30 s (RFC 7675 §5.1). The participant stays joined and may restart ICE.
    Disconnected {
        /// Who.
        participant: ParticipantId,
    },
    /// The seats of a participant changed. Holds every changed seat and no other.
    Seats {
        /// The viewer.
        participant: ParticipantId,
        /// The changed seats.
        seats: Vec<Seated>,
    },
    /// Who speaks in a room now, loudest first. Sent on change only.
    Speakers {
        /// The room.
        room: RoomId,
        /// At most three participants.
        speakers: Vec<ParticipantId>,
    },
    /// The participant must make a new offer, because the codec that the room can decode changed.
    Renegotiate {
        /// Who.
        participant: ParticipantId,
    },
    /// The worker of this participant cannot carry all, or can again.
    LeftOut {
        /// Who.
        participant: ParticipantId,
        /// What they are not sent from now on.
        what: LeftOut,
    },
    /// The worker of this participant crashed and lost the participant's media. The participant must join again.
    Lost {
        /// Who.
        participant: ParticipantId,
    },
}
