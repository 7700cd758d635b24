//! From the words of the protocol to those of the domain and back. What comes in is checked once, here, and has a type afterwards.
//! Pure.

use std::collections::HashSet;

use webcall_media as media;
use webcall_media::ParticipantId;
use webcall_trust::mls::GroupId;

use super::protocol as wire;
use super::protocol::ServerMessage;
use super::refusal::Refusal;
use crate::calls::{CallError, CallEvent, Emoji, GroupNow, LeaveReason, MediaState, ModeratorAct, ParticipantView, SourceView};
use crate::config::IceServer;
use crate::e2ee;
use crate::id::RoomId;
use crate::role::Role;
use crate::store::{AuditAct, Encryption};
use crate::time::Timestamp;

/// The longest SDP offer. One with 48 seats and every codec is 145 kB (measured).
pub(super) const MAX_SDP_BYTES: usize = 200_000;
/// What is told of a call's group to who enters, at most: with the tree some 600 bytes a device, so a call of a hundred.
const MAX_GROUP_BYTES: usize = 64 << 10;
/// The longest `a=mid`. Browsers count from 0; RFC 8843 asks for no more than 3 bytes where it can be had.
pub(super) const MAX_MID_BYTES: usize = 16;

/// A frame as text, or why it is none, with the request's number where that can be read.
pub(super) fn client_frame(text: &str) -> Result<wire::ClientFrame, (u32, Refusal)> {
    serde_json::from_str(text).map_err(|error| (request_id(text), Refusal::Malformed(describe(&error))))
}

/// The number of a request that may be unreadable otherwise; 0 for none.
pub(super) fn request_id(text: &str) -> u32 {
    #[derive(serde::Deserialize)]
    struct OnlyId {
        id: u32,
    }
    serde_json::from_str::<OnlyId>(text).map_or(0, |frame| frame.id)
}

/// What is wrong and where, but nothing of the contents.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "unknown type, unknown field or wrong kind of value",
        _ => "not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

pub(super) fn ice_server(server: IceServer) -> wire::IceServer {
    let IceServer { urls, username, credential } = server;
    wire::IceServer { urls, username, credential }
}

/// Where the group of a call is, unless that is more than goes into a message.
pub(super) fn group(GroupNow { epoch, group_info, tree, .. }: GroupNow) -> Option<wire::GroupInfo> {
    let bytes = group_info.len() + tree.as_ref().map_or(0, |tree| tree.len());
    (bytes <= MAX_GROUP_BYTES).then(|| wire::GroupInfo {
        epoch,
        group_info: e2ee::encode(&group_info),
        tree: tree.map(|tree| e2ee::encode(&tree)),
    })
}

pub(super) fn room_id(text: &str) -> Option<RoomId> {
    text.parse().ok()
}

/// Exactly the form that the server writes: 16 lower-case hexadecimal digits.
pub(super) fn participant_id(text: &str) -> Result<ParticipantId, Refusal> {
    let is_canonical = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match u64::from_str_radix(text, 16) {
        Ok(id) if is_canonical => Ok(ParticipantId(id)),
        _ => Err(Refusal::Call(CallError::UnknownParticipant)),
    }
}

pub(super) fn offer(sdp: String, tracks: Vec<wire::TrackOffer>, seats: Vec<wire::SeatOffer>) -> Result<media::Offer, Refusal> {
    if sdp.len() > MAX_SDP_BYTES {
        return Err(Refusal::SdpTooLarge);
    }
    if tracks.len() > wire::MAX_TRACKS || seats.len() > wire::MAX_SEATS {
        return Err(Refusal::TooManyTracks);
    }
    let seat_mids = seats.iter().flat_map(|seat| [&seat.audio_mid, &seat.video_mid]);
    let mut seen = HashSet::new();
    if !tracks.iter().map(|track| &track.mid).chain(seat_mids).all(|mid| is_mid(mid) && seen.insert(mid)) {
        return Err(Refusal::BadMid);
    }
    let track = |track: wire::TrackOffer| media::TrackOffer { mid: track.mid, source: source(track.source) };
    let seat = |seat: wire::SeatOffer| media::SeatOffer { audio_mid: seat.audio_mid, video_mid: seat.video_mid };
    Ok(media::Offer { sdp, tracks: tracks.into_iter().map(track).collect(), seats: seats.into_iter().map(seat).collect() })
}

/// RFC 8866 §9: `token-char`.
fn is_mid(mid: &str) -> bool {
    let is_token_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=MAX_MID_BYTES).contains(&mid.len()) && mid.bytes().all(is_token_char)
}

pub(super) fn wishes(wishes: Vec<wire::Wish>) -> Result<Vec<media::Wish>, Refusal> {
    if wishes.len() > wire::MAX_WISHES {
        return Err(Refusal::TooManyWishes);
    }
    let wish = |wish: wire::Wish| {
        let participant = participant_id(&wish.participant)?;
        Ok(media::Wish { participant, kind: feed_kind(wish.kind), width_px: wish.width, pinned: wish.pinned })
    };
    wishes.into_iter().map(wish).collect()
}

pub(super) fn emoji(text: &str) -> Result<Emoji, Refusal> {
    Emoji::parse(text).ok_or(Refusal::NoEmoji)
}

pub(super) fn act(action: wire::ModeratorAction) -> ModeratorAct {
    match action {
        wire::ModeratorAction::Mute { source: forbidden } => ModeratorAct::Forbid(source(forbidden)),
        wire::ModeratorAction::Allow { source: allowed } => ModeratorAct::Allow(source(allowed)),
        wire::ModeratorAction::LowerHand {} => ModeratorAct::LowerHand,
        wire::ModeratorAction::Remove {} => ModeratorAct::Remove,
    }
}

/// How the audit log says it; nothing for what is not recorded.
pub(super) fn audited(act: ModeratorAct) -> Option<(AuditAct, &'static str)> {
    match act {
        ModeratorAct::Forbid(source) => Some((AuditAct::Forbid, source_word(source))),
        ModeratorAct::Allow(source) => Some((AuditAct::Allow, source_word(source))),
        ModeratorAct::Remove => Some((AuditAct::RemoveFromCall, "")),
        ModeratorAct::LowerHand => None,
    }
}

fn source_word(source: media::Source) -> &'static str {
    match source {
        media::Source::Microphone => "microphone",
        media::Source::Camera => "camera",
        media::Source::Screen => "screen",
        media::Source::ScreenAudio => "screen_audio",
    }
}

pub(super) fn source(source: wire::Source) -> media::Source {
    match source {
        wire::Source::Microphone => media::Source::Microphone,
        wire::Source::Camera => media::Source::Camera,
        wire::Source::Screen => media::Source::Screen,
        wire::Source::ScreenAudio => media::Source::ScreenAudio,
    }
}

fn feed_kind(kind: wire::FeedKind) -> media::FeedKind {
    match kind {
        wire::FeedKind::Person => media::FeedKind::Person,
        wire::FeedKind::Screen => media::FeedKind::Screen,
    }
}

fn left_out(what: media::LeftOut) -> wire::LeftOut {
    match what {
        media::LeftOut::Nothing => wire::LeftOut::Nothing,
        media::LeftOut::Sharpness => wire::LeftOut::Sharpness,
        media::LeftOut::Pictures => wire::LeftOut::Pictures,
        media::LeftOut::Voices => wire::LeftOut::Voices,
    }
}

/// How a room is encrypted.
pub(super) fn encryption(encryption: Encryption) -> wire::Encryption {
    match encryption {
        Encryption::Open => wire::Encryption::Open,
        Encryption::Mls => wire::Encryption::Mls,
    }
}

/// What a connection says of an event.
pub(super) fn event(event: CallEvent) -> ServerMessage {
    match event {
        CallEvent::Entered(view) => ServerMessage::ParticipantJoined { participant: participant(&view) },
        CallEvent::Changed(view) => ServerMessage::ParticipantChanged { participant: participant(&view) },
        CallEvent::Gone { participant, reason } => {
            ServerMessage::ParticipantLeft { participant: participant.to_string(), reason: leave_reason(reason) }
        }
        CallEvent::Removed { reason } => ServerMessage::Removed { reason: leave_reason(reason) },
        CallEvent::Seats(seats) => ServerMessage::Seats { seats: seats.into_iter().map(seat).collect() },
        CallEvent::Speakers(speakers) => {
            ServerMessage::Speakers { participants: speakers.iter().map(ParticipantId::to_string).collect() }
        }
        CallEvent::Media(MediaState::Connected) => ServerMessage::Media { state: wire::MediaState::Connected },
        CallEvent::Media(MediaState::Disconnected) => ServerMessage::Media { state: wire::MediaState::Disconnected },
        CallEvent::Committed { call, epoch } => ServerMessage::E2eeCommit {
            group: e2ee::encode(&GroupId::call(*call.as_bytes()).to_bytes()),
            epoch: epoch.cast_signed(),
        },
        CallEvent::Renegotiate => ServerMessage::Renegotiate {},
        CallEvent::LeftOut(what) => ServerMessage::LeftOut { what: left_out(what) },
        CallEvent::Reaction { participant, emoji } => {
            ServerMessage::Reaction { participant: participant.to_string(), emoji: emoji.as_str().to_owned() }
        }
    }
}

pub(super) fn participant(view: &ParticipantView) -> wire::Participant {
    wire::Participant {
        participant: view.participant.to_string(),
        user: view.user.to_string(),
        username: view.username.clone(),
        role: role(view.role),
        sources: view.sources.iter().map(source_state).collect(),
        joined_at: view.joined_at.as_millis(),
        hand_raised_at: view.hand_raised_at.map(Timestamp::as_millis),
    }
}

fn source_state(view: &SourceView) -> wire::SourceState {
    let source = match view.source {
        media::Source::Microphone => wire::Source::Microphone,
        media::Source::Camera => wire::Source::Camera,
        media::Source::Screen => wire::Source::Screen,
        media::Source::ScreenAudio => wire::Source::ScreenAudio,
    };
    wire::SourceState { source, muted: view.muted, forbidden: view.forbidden }
}

fn role(role: Role) -> wire::Role {
    match role {
        Role::Member => wire::Role::Member,
        Role::Moderator => wire::Role::Moderator,
        Role::Owner => wire::Role::Owner,
    }
}

fn leave_reason(reason: LeaveReason) -> wire::LeaveReason {
    match reason {
        LeaveReason::Left => wire::LeaveReason::Left,
        LeaveReason::TimedOut => wire::LeaveReason::TimedOut,
        LeaveReason::Removed => wire::LeaveReason::Removed,
        LeaveReason::RoomGone => wire::LeaveReason::RoomGone,
        LeaveReason::SessionEnded => wire::LeaveReason::SessionEnded,
        LeaveReason::MediaLost => wire::LeaveReason::MediaLost,
    }
}

fn seat(seated: media::Seated) -> wire::Seat {
    let feed = seated.feed.map(|feed| wire::SeatFeed {
        participant: feed.participant.to_string(),
        kind: match feed.kind {
            media::FeedKind::Person => wire::FeedKind::Person,
            media::FeedKind::Screen => wire::FeedKind::Screen,
        },
        csrc: feed.feed.0,
    });
    wire::Seat { seat: u32::try_from(seated.seat).expect("seats are counted to MAX_SEATS"), feed }
}
