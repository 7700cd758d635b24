//! Identifiers that cross the boundary between the server and the media core.
//!
//! The server mints [`RoomId`] and [`ParticipantId`]; the media core mints [`FeedId`]. All are opaque numbers here: names,
//! users and roles live in the server.

use std::fmt;

/// A room, by the 128 bits of its UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RoomId(pub u128);

/// One presence in a room's call. A second window of the same user is a second participant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u64);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A TCP or TLS connection that carries media or TURN. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TcpId(pub u64);

/// What takes a seat: a participant's person feed (microphone and camera) or screen feed (screen and its sound).
///
/// The number travels in band as the RTP CSRC of every forwarded packet, so that a name is never shown for the wrong person.
/// It is unique within a room for the life of the worker and never reused while somebody could still see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FeedId(pub u32);

/// Which of a participant's two feeds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FeedKind {
    /// Microphone and camera.
    Person,
    /// Shared screen and the sound that goes with it.
    Screen,
}

/// What a track shows or plays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Source {
    /// The voice.
    Microphone,
    /// The face.
    Camera,
    /// The picture of a shared screen.
    Screen,
    /// The sound of a shared screen.
    ScreenAudio,
}

impl Source {
    /// All sources, in the order used for arrays indexed by source.
    pub const ALL: [Self; 4] = [Self::Microphone, Self::Camera, Self::Screen, Self::ScreenAudio];

    /// The feed that this source belongs to.
    pub fn feed(self) -> FeedKind {
        match self {
            Self::Microphone | Self::Camera => FeedKind::Person,
            Self::Screen | Self::ScreenAudio => FeedKind::Screen,
        }
    }

    /// Whether the source is sound.
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Microphone | Self::ScreenAudio)
    }
}
