//! The signalling protocol, version 1: every message, typed once. `web/protocol.d.ts` is generated from this file.
//!
//! JSON text frames over one WebSocket (`GET /api/v1/ws`, subprotocols `webcall.v1` and `ticket.<one-time ticket>`). The client
//! speaks first with [`ClientMessage::Hello`]. Every request carries an `id` chosen by the client and is answered by exactly one
//! message with that `id`: its own answer, `ok`, or `error`. Every server message carries `seq`, rising by one for each message of
//! the connection; a client that comes back within 60 s says the last `seq` it saw and gets what it missed, keeping its participant.
//!
//! Identifiers are strings: users and rooms UUIDs, participants 16 hexadecimal digits. Feeds are numbers (RTP CSRC).

mod entry;
mod group;
mod offer;
mod room;

pub use entry::{Entry, EntryKind, Pinned, Presence, Present};
pub use group::GroupInfo;
pub use offer::{SeatOffer, TrackOffer};
pub use room::{Encryption, Role};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The version spoken here; a `hello` with another one is refused with `version_unsupported`.
pub const VERSION: u32 = 1;
/// The largest frame accepted, bytes. An offer with 48 seats and every codec is 145 kB (measured).
pub const MAX_FRAME_BYTES: usize = 256 << 10;
/// The most tracks a participant may offer.
pub const MAX_TRACKS: usize = 8;
/// The most seats a participant may offer.
pub const MAX_SEATS: usize = 48;
/// The most wishes in one message.
pub const MAX_WISHES: usize = 400;

/// A frame from the client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct ClientFrame {
    /// Chosen by the client, echoed in the answer.
    pub id: u32,
    /// The message.
    #[serde(flatten)]
    pub message: ClientMessage,
}

/// What a client can say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message, within 10 s. Answered by `welcome`.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// A connection to continue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        resume: Option<Resume>,
    },
    /// Enter the call of a room. Answered by `joined`.
    Join {
        /// The room.
        room: String,
        /// What is switched off on entering.
        #[serde(default)]
        muted: Vec<Source>,
    },
    /// Leave the call. Answered by `ok`.
    Leave {},
    /// Offer media. Answered by `answer`.
    Offer {
        /// The browser's SDP.
        sdp: String,
        /// The sending m-lines.
        tracks: Vec<TrackOffer>,
        /// The receiving pairs of m-lines, in seat order.
        seats: Vec<SeatOffer>,
    },
    /// Say that a source of one's own is switched off or on. Answered by `ok`, or `muted_by_moderator`.
    Mute {
        /// The source.
        source: Source,
        /// Off or on.
        muted: bool,
    },
    /// Say how large each feed is shown. Replaces the earlier wishes. Answered by `ok`.
    View {
        /// One for each feed of interest; others count as not visible.
        wishes: Vec<Wish>,
    },
    /// Raise one's hand, or lower it. Everybody is told by `participant_changed`. Answered by `ok`.
    Hand {
        /// Up or down.
        raised: bool,
    },
    /// Show an emoji to everybody in the call for a moment. Answered by `ok`.
    React {
        /// One emoji, at most 32 bytes.
        emoji: String,
    },
    /// A moderator's act on another participant. Answered by `ok`.
    Moderate {
        /// On whom.
        participant: String,
        /// What.
        action: ModeratorAction,
    },
    /// Send a message to a room. Answered by `posted` once it is stored for good.
    Post {
        /// The room.
        room: String,
        /// A UUID made by the client: sending the same again stores nothing more.
        message: String,
        /// Opaque, 1 to 65,536 bytes; base64url without padding.
        body: String,
        /// Complete files of one's own in this room, at most 10.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<Vec<String>>")]
        files: Vec<String>,
    },
    /// Fetch part of a room's log. Answered by `page`.
    History {
        /// The room.
        room: String,
        /// The newest with a lower number; of both, this counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "number")]
        before: Option<i64>,
        /// The oldest with a higher number. With neither, the newest of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "number")]
        after: Option<i64>,
        /// 1 to 200; 50 when missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "number")]
        limit: Option<i64>,
    },
    /// Fetch the pinned messages of a room. Answered by `pinned`.
    Pins {
        /// The room.
        room: String,
    },
    /// Delete a message: one's own, or anybody's as owner or moderator. Answered by `acted`.
    Delete {
        /// The room.
        room: String,
        /// The message.
        message: String,
    },
    /// Pin a message, as owner or moderator; in a direct conversation as anybody. Answered by `acted`.
    Pin {
        /// The room.
        room: String,
        /// The message.
        message: String,
    },
    /// Unpin a message, as who may pin. Answered by `acted`.
    Unpin {
        /// The room.
        room: String,
        /// The message.
        message: String,
    },
    /// Say how far one has read. Answered by `ok`.
    MarkRead {
        /// The room.
        room: String,
        /// The last entry read.
        #[ts(type = "number")]
        seq: i64,
    },
    /// Say which conversation is on the screen: who is there and who types is told of that one. Answered by `ok`.
    Watch {
        /// The room; `null` for none.
        room: Option<String>,
    },
    /// Say that one is typing in the watched room; again every few seconds. Answered by `ok`.
    Typing {},
    /// Say that the user looks elsewhere, or is back. Answered by `ok`.
    Away {
        /// Elsewhere.
        away: bool,
    },
    /// Measures the round trip. Answered by `ok`.
    Ping {},
}

/// Which connection to continue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The secret from `welcome`.
    pub connection: String,
    /// The last `seq` that arrived.
    #[ts(type = "number")]
    pub last_seq: u64,
}

/// What a track shows or plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, TS, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
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

/// Which of a participant's two feeds takes a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FeedKind {
    /// Microphone and camera.
    Person,
    /// Shared screen and its sound.
    Screen,
}

/// How large a feed is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Whose feed.
    pub participant: String,
    /// Which of the two.
    pub kind: FeedKind,
    /// Width in device pixels; 0 while not visible.
    pub width: u32,
    /// Pinned by the viewer.
    #[serde(default)]
    pub pinned: bool,
}

/// What a moderator can do to a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ModeratorAction {
    /// Stop forwarding a source until allowed again.
    Mute {
        /// The source.
        source: Source,
    },
    /// Allow a source again; the participant switches it on themselves.
    Allow {
        /// The source.
        source: Source,
    },
    /// Lower their hand.
    LowerHand {},
    /// Remove from the call.
    Remove {},
}

/// A frame from the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct ServerFrame {
    /// Rises by one with every message of the connection, from 1.
    #[ts(type = "number")]
    pub seq: u64,
    /// The message.
    #[serde(flatten)]
    pub message: ServerMessage,
}

/// What the server can say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answers `hello`.
    Welcome {
        /// The request.
        id: u32,
        /// The secret to resume with.
        connection: String,
        /// Whether the earlier connection was continued; `false` means start afresh: join again.
        resumed: bool,
        /// For how long the server keeps the connection after it broke, seconds.
        resume_window_s: u32,
        /// The server pings this often, seconds; silence of twice that means broken.
        ping_interval_s: u32,
        /// For the connections of media.
        ice_servers: Vec<IceServer>,
    },
    /// Done.
    Ok {
        /// The request.
        id: u32,
    },
    /// Refused.
    Error {
        /// The request; 0 when none could be read.
        id: u32,
        /// Stable, for programs.
        code: String,
        /// English, for developers; the client shows its own text by code.
        message: String,
    },
    /// Answers `join`.
    Joined {
        /// The request.
        id: u32,
        /// The room.
        room: String,
        /// The call: the same for everybody in it, and another one once all have left.
        call: String,
        /// How the room is encrypted. The server lets in whoever is a member: a client that cannot do as the room does stays out by itself.
        encryption: Encryption,
        /// Whether the call hides from the server who speaks: packets say no levels, sound has a constant bitrate, there are no `speakers`.
        strict: bool,
        /// Oneself.
        participant: String,
        /// Everybody in the call, oneself included.
        participants: Vec<Participant>,
        /// What coming into the call's group needs, so that it need not be asked for; null where the call has none, and where it is large:
        /// `GET /api/v1/e2ee/groups/{id}/info` tells then.
        group: Option<GroupInfo>,
    },
    /// Answers `offer`.
    Answer {
        /// The request.
        id: u32,
        /// The server's SDP.
        sdp: String,
    },
    /// Somebody entered.
    ParticipantJoined {
        /// Who.
        participant: Participant,
    },
    /// Somebody's state changed.
    ParticipantChanged {
        /// The whole new state.
        participant: Participant,
    },
    /// Somebody is gone.
    ParticipantLeft {
        /// Who.
        participant: String,
        /// Why.
        reason: LeaveReason,
    },
    /// Seats changed: the changed ones and no others.
    Seats {
        /// The changed seats.
        seats: Vec<Seat>,
    },
    /// Who speaks now, loudest first, at most three.
    Speakers {
        /// Participants.
        participants: Vec<String>,
    },
    /// Somebody reacts, maybe oneself. May be left out for who does not keep up.
    Reaction {
        /// Who.
        participant: String,
        /// How.
        emoji: String,
    },
    /// ICE and DTLS of this client are up, or consent was lost.
    Media {
        /// Which.
        state: MediaState,
    },
    /// New credentials, some time before the old ones expire: connections of media that go through a relay look for their path again.
    IceServers {
        /// For the connections of media.
        ice_servers: Vec<IceServer>,
    },
    /// Make a new offer: the codecs that the call can decode changed.
    Renegotiate {},
    /// The server cannot carry all, or can again: what it does not send this client from now on.
    LeftOut {
        /// What.
        what: LeftOut,
    },
    /// This client is no longer in the call; the connection stays.
    Removed {
        /// Why.
        reason: LeaveReason,
    },
    /// The room's name or one's role in it changed; fetch it again.
    RoomChanged {
        /// The room.
        room: String,
    },
    /// Answers `post`.
    Posted {
        /// The request.
        id: u32,
        /// The message as it is stored.
        entry: Entry,
    },
    /// Answers `history`: part of a log, ascending. Large bodies make it shorter than asked for.
    Page {
        /// The request.
        id: u32,
        /// The entries.
        entries: Vec<Entry>,
        /// The first entry that is still there; above `last_seq` when none is.
        #[ts(type = "number")]
        first_seq: i64,
        /// The last entry; 0 when there was none ever.
        #[ts(type = "number")]
        last_seq: i64,
    },
    /// Answers `pins`: the latest pin first.
    Pinned {
        /// The request.
        id: u32,
        /// The messages; without a body where all would be too large for one answer: fetch it by `history`.
        pins: Vec<Pinned>,
    },
    /// Answers `delete`, `pin` and `unpin`.
    Acted {
        /// The request.
        id: u32,
        /// What it added to the log; `null` when the message was pinned before.
        entry: Option<Entry>,
    },
    /// Something new in a room's log.
    Entry {
        /// The room.
        room: String,
        /// What.
        entry: Entry,
    },
    /// One's read marker moved, in this window or another.
    Read {
        /// The room.
        room: String,
        /// To this entry.
        #[ts(type = "number")]
        read_seq: i64,
    },
    /// Somebody types in the watched room.
    Typing {
        /// The room.
        room: String,
        /// Who.
        user: String,
    },
    /// What members of the watched room are doing: everybody who is not offline at first, then who changed.
    Presence {
        /// The room.
        room: String,
        /// Who does what.
        users: Vec<Present>,
    },
    /// Somebody with whom one shares a room, or oneself, published something about their keys: fetch it when it is needed.
    E2eeKeys {
        /// Who.
        user: String,
    },
    /// A group of a room of one's own, or of the call that one is in, was made or is in another epoch: fetch the commits that one lacks.
    E2eeCommit {
        /// The group; base64url without padding.
        group: String,
        /// In which it is now.
        #[ts(type = "number")]
        epoch: i64,
    },
    /// Somebody came into an encrypted room of one's own, or is no longer in it: its group is to follow.
    E2eeMembers {
        /// The room.
        room: String,
    },
    /// Something waits for a device of one's own: fetch it, if it is this one.
    E2eeInbox {
        /// Which.
        device: String,
    },
    /// A message of a group, of the moment. One's own come, too.
    E2eeMessage {
        /// The group; base64url without padding.
        group: String,
        /// Who sent it, by the server's word: the message itself says which member.
        user: String,
        /// A PrivateMessage of MLS; base64url without padding.
        message: String,
    },
    /// Something could not be told: look at the rooms again, fetch what is missing, and say again what is watched.
    Resync {},
    /// The server stops or restarts; come back after this long.
    Drain {
        /// Milliseconds.
        retry_ms: u32,
    },
}

/// A server for the browser's `RTCConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub username: Option<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub credential: Option<String>,
}

/// Why somebody is no longer in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
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
    /// The server lost their media; join again.
    MediaLost,
}

/// Whether media can flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// ICE and DTLS are up.
    Connected,
    /// No consent check for 30 s: restart ICE.
    Disconnected,
}

/// What a server that cannot carry all leaves out, least missed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Nothing: all is well.
    Nothing,
    /// Pictures are less sharp.
    Sharpness,
    /// Some pictures are not sent, or none.
    Pictures,
    /// Nor are voices but the loudest three.
    Voices,
}

/// One participant as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct Participant {
    /// The participant.
    pub participant: String,
    /// Whose window it is.
    pub user: String,
    /// The user's name.
    pub username: String,
    /// The user's standing in the room.
    pub role: Role,
    /// The sources offered, whether switched on or off.
    pub sources: Vec<SourceState>,
    /// Unix milliseconds.
    #[ts(type = "number")]
    pub joined_at: i64,
    /// Since when the hand is raised, Unix milliseconds; `null` when it is not.
    #[ts(type = "number | null")]
    pub hand_raised_at: Option<i64>,
}

/// The state of one offered source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct SourceState {
    /// The source.
    pub source: Source,
    /// Switched off, by whoever.
    pub muted: bool,
    /// Switched off by a moderator and not allowed again yet.
    pub forbidden: bool,
}

/// Who sits in a seat.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct Seat {
    /// The index of the seat in the offer.
    pub seat: u32,
    /// `null` for an empty seat.
    pub feed: Option<SeatFeed>,
}

/// A seated feed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct SeatFeed {
    /// Whose.
    pub participant: String,
    /// Which of the two.
    pub kind: FeedKind,
    /// The CSRC of its packets.
    pub csrc: u32,
}
