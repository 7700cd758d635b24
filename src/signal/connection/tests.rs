//! Every message in every state, every limit, and the rule that each request is answered exactly once.

use super::super::protocol::{self, FeedKind, MAX_SEATS, MAX_TRACKS, MAX_WISHES, ModeratorAction, SeatOffer, TrackOffer};
use super::super::wire::{MAX_MID_BYTES, MAX_SDP_BYTES};
use super::*;
use crate::calls::{GroupNow, MediaState};
use crate::id::CallId;
use crate::role::Role;
use crate::store::{Encryption, Protection};

const ROOM: &str = "0190b0a0-0000-7000-8000-000000000001";
/// What keeps the room from the server.
const STRICT: Protection = Protection { encryption: Encryption::Mls, strict: true };
const STANDING: Membership = Membership { role: Role::Member, protection: STRICT };
const ME: ParticipantId = ParticipantId(0xabc);

fn room() -> RoomId {
    ROOM.parse().unwrap()
}

fn frame(id: u32, message: ClientMessage) -> ClientFrame {
    ClientFrame { id, message }
}

fn join(room: &str) -> ClientMessage {
    ClientMessage::Join { room: room.to_owned(), muted: vec![protocol::Source::Camera, protocol::Source::Camera] }
}

fn offer() -> ClientMessage {
    offer_of(vec![TrackOffer { mid: "0".to_owned(), source: protocol::Source::Microphone }], vec![])
}

fn offer_of(tracks: Vec<TrackOffer>, seats: Vec<SeatOffer>) -> ClientMessage {
    ClientMessage::Offer { sdp: "v=0".to_owned(), tracks, seats }
}

fn mute() -> ClientMessage {
    ClientMessage::Mute { source: protocol::Source::Camera, muted: true }
}

fn view(wishes: usize, participant: &str) -> ClientMessage {
    let wish = protocol::Wish { participant: participant.to_owned(), kind: FeedKind::Person, width: 320, pinned: false };
    ClientMessage::View { wishes: vec![wish; wishes] }
}

fn moderate(participant: &str) -> ClientMessage {
    ClientMessage::Moderate { participant: participant.to_owned(), action: ModeratorAction::Remove {} }
}

fn react(emoji: &str) -> ClientMessage {
    ClientMessage::React { emoji: emoji.to_owned() }
}

fn hand(raised: bool) -> ClientMessage {
    ClientMessage::Hand { raised }
}

fn seats(n: usize) -> Vec<SeatOffer> {
    (0..n).map(|n| SeatOffer { audio_mid: format!("a{n}"), video_mid: format!("v{n}") }).collect()
}

fn tracks(n: usize) -> Vec<TrackOffer> {
    (0..n).map(|n| TrackOffer { mid: format!("t{n}"), source: protocol::Source::Camera }).collect()
}

/// A connection that waits for the look-up of its membership.
fn entering() -> (Connection, Attempt) {
    let mut connection = Connection::new();
    let effects = connection.handle(frame(1, join(ROOM)));
    let [Effect::Admit { attempt, room: asked }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(asked, room());
    (connection, attempt)
}

fn entered() -> Entered {
    Entered { call: CallId::from_bytes([9; 16]), protection: STRICT, participant: ME, participants: vec![], group: None }
}

fn inside() -> Connection {
    let (mut connection, attempt) = entering();
    let effects = connection.admitted(attempt, Ok(STANDING));
    assert_eq!(effects, [Effect::Enter { room: room(), standing: STANDING, muted: vec![Source::Camera] }]);
    let effects = connection.entered(Ok(entered()));
    let [
        Effect::Send(ServerMessage::Joined {
            id: 1, call, encryption: protocol::Encryption::Mls, strict: true, participant, ..
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((call.as_str(), participant.as_str()), ("09090909-0909-0909-0909-090909090909", "0000000000000abc"));
    connection
}

/// The code and number of the only effect, an error.
fn error(effects: &[Effect]) -> (u32, &str) {
    match effects {
        [Effect::Send(ServerMessage::Error { id, code, message })] => {
            assert!(!message.is_empty());
            (*id, code)
        }
        other => panic!("not an error: {other:?}"),
    }
}

#[test]
fn hello_is_said_once() {
    let hello = || frame(5, ClientMessage::Hello { version: 1, resume: None });
    assert_eq!(error(&Connection::new().handle(hello())), (5, "already_greeted"));
    assert_eq!(error(&inside().handle(hello())), (5, "already_greeted"));
}

#[test]
fn outside_a_call_there_is_nothing_to_leave_offer_mute_view_or_moderate() {
    let person = "0000000000000001";
    for message in [ClientMessage::Leave {}, offer(), mute(), view(1, person), moderate(person), hand(true), react("👍")] {
        assert_eq!(error(&Connection::new().handle(frame(7, message))), (7, "not_in_call"));
    }
}

#[test]
fn while_entering_one_can_only_leave() {
    let person = "0000000000000001";
    for message in [offer(), mute(), view(1, person), moderate(person), hand(false), react("👍")] {
        assert_eq!(error(&entering().0.handle(frame(7, message))), (7, "not_in_call"));
    }
    assert_eq!(error(&entering().0.handle(frame(7, join(ROOM)))), (7, "already_in_call"));
}

#[test]
fn inside_a_call_one_cannot_join_another() {
    assert_eq!(error(&inside().handle(frame(7, join(ROOM)))), (7, "already_in_call"));
}

#[test]
fn a_room_that_is_none_is_not_found() {
    for bad in ["", "room", "0190b0a0-0000-7000-8000-00000000000", &"x".repeat(10_000)] {
        assert_eq!(error(&Connection::new().handle(frame(7, join(bad)))), (7, "room_not_found"));
    }
}

#[test]
fn a_refused_membership_leaves_the_connection_outside_and_able_to_try_again() {
    let (mut connection, attempt) = entering();
    let refusal = Refusal::from(&Error::RoomNotFound);
    assert_eq!(error(&connection.admitted(attempt, Err(refusal))), (1, "room_not_found"));
    assert!(matches!(connection.handle(frame(2, join(ROOM)))[..], [Effect::Admit { .. }]));
}

#[test]
fn a_large_group_is_not_told_to_who_enters_but_to_be_asked_for() {
    for (bytes, told) in [(65_536, true), (65_537, false)] {
        let (mut connection, attempt) = entering();
        connection.admitted(attempt, Ok(STANDING));
        let tree = Some(vec![0; bytes - 10].into());
        let now = GroupNow { epoch: 7, group_info: [0; 10].as_slice().into(), tree, state: [0; 5].as_slice().into() };
        let effects = connection.entered(Ok(Entered { group: Some(now), ..entered() }));
        let [Effect::Send(ServerMessage::Joined { group, .. })] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(group.as_ref().map(|group| group.epoch), told.then_some(7));
    }
}

#[test]
fn a_refused_entry_leaves_the_connection_outside_and_able_to_try_again() {
    let (mut connection, attempt) = entering();
    connection.admitted(attempt, Ok(STANDING));
    assert_eq!(error(&connection.entered(Err(CallError::Full))), (1, "call_full"));
    assert!(matches!(connection.handle(frame(2, join(ROOM)))[..], [Effect::Admit { .. }]));
}

#[test]
fn leaving_while_entering_cancels_the_join_and_its_late_outcome_is_ignored() {
    let (mut connection, first) = entering();
    let effects = connection.handle(frame(2, ClientMessage::Leave {}));
    assert_eq!(effects, [refused(1, &Refusal::Cancelled), ok(2)]);
    assert_eq!(connection.admitted(first, Ok(STANDING)), []);
    // Nor does it let in a later attempt whose own membership is not known yet.
    connection.handle(frame(1, join(ROOM)));
    assert_eq!(connection.admitted(first, Ok(Membership { role: Role::Owner, ..STANDING })), []);
}

#[test]
fn an_offer_is_negotiated_and_answered_once() {
    let mut connection = inside();
    let effects = connection.handle(frame(3, offer()));
    let [Effect::Negotiate { participant: ME, offer: negotiated }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(negotiated.tracks[0].source, Source::Microphone);
    assert_eq!(error(&connection.handle(frame(4, offer()))), (4, "offer_pending"));
    let answer = || Ok("answer".to_owned());
    let expected = Effect::Send(ServerMessage::Answer { id: 3, sdp: "answer".to_owned() });
    assert_eq!(connection.answered(ME, answer()), [expected]);
    assert_eq!(connection.answered(ME, answer()), []);
    assert!(matches!(connection.handle(frame(5, offer()))[..], [Effect::Negotiate { .. }]));
}

#[test]
fn a_refused_offer_can_be_made_again() {
    let mut connection = inside();
    connection.handle(frame(3, offer()));
    let refusal = webcall_media::MediaError::BadOffer("no fingerprint");
    assert_eq!(error(&connection.answered(ME, Err(refusal.into()))), (3, "bad_offer"));
    assert!(matches!(connection.handle(frame(5, offer()))[..], [Effect::Negotiate { .. }]));
}

#[test]
fn leaving_cancels_the_pending_offer_and_its_late_answer_is_dropped() {
    let mut connection = inside();
    connection.handle(frame(3, offer()));
    let leave = Effect::Leave { participant: ME, reason: LeaveReason::Left };
    assert_eq!(connection.handle(frame(4, ClientMessage::Leave {})), [refused(3, &Refusal::Cancelled), leave, ok(4)]);
    assert_eq!(connection.answered(ME, Ok("late".to_owned())), []);
    assert_eq!(error(&connection.handle(frame(5, ClientMessage::Leave {}))), (5, "not_in_call"));
}

#[test]
fn being_removed_cancels_the_pending_offer_and_leaves_the_connection_able_to_join_again() {
    let mut connection = inside();
    connection.handle(frame(3, offer()));
    let event = CallEvent::Removed { reason: LeaveReason::MediaLost };
    let removed = Effect::Send(ServerMessage::Removed { reason: protocol::LeaveReason::MediaLost });
    assert_eq!(connection.event(Delivery { to: ME, event }), [refused(3, &Refusal::Cancelled), removed]);
    assert_eq!(connection.participant(), None);
    assert!(matches!(connection.handle(frame(5, join(ROOM)))[..], [Effect::Admit { .. }]));
}

#[test]
fn an_event_for_an_earlier_participant_of_the_connection_is_dropped() {
    let mut connection = inside();
    let removed = CallEvent::Removed { reason: LeaveReason::Removed };
    assert_eq!(connection.event(Delivery { to: ParticipantId(1), event: removed }), []);
    assert_eq!(connection.participant(), Some(ME));
    let up = CallEvent::Media(MediaState::Connected);
    let expected = Effect::Send(ServerMessage::Media { state: protocol::MediaState::Connected });
    assert_eq!(connection.event(Delivery { to: ME, event: up }), [expected]);
    connection.handle(frame(4, ClientMessage::Leave {}));
    assert_eq!(connection.event(Delivery { to: ME, event: CallEvent::Renegotiate }), []);
}

#[test]
fn what_is_asked_of_the_calls_carries_the_asker_and_the_number() {
    let mut connection = inside();
    let target = ParticipantId(1);
    let wish = Wish { participant: target, kind: webcall_media::FeedKind::Person, width_px: 320, pinned: false };
    for (message, ask) in [
        (mute(), Ask::Mute(Source::Camera)),
        (ClientMessage::Mute { source: protocol::Source::ScreenAudio, muted: false }, Ask::Unmute(Source::ScreenAudio)),
        (view(1, "0000000000000001"), Ask::View(vec![wish])),
        (hand(true), Ask::RaiseHand),
        (hand(false), Ask::LowerHand),
        (react("👍"), Ask::React(Emoji::parse("👍").unwrap())),
        (moderate("0000000000000001"), Ask::Moderate { target, act: ModeratorAct::Remove }),
    ] {
        assert_eq!(connection.handle(frame(9, message)), [Effect::Ask { id: 9, participant: ME, ask }]);
    }
    assert_eq!(Connection::done(9, Ok(())), ok(9));
    assert_eq!(error(&[Connection::done(9, Err(CallError::MutedByModerator))]), (9, "muted_by_moderator"));
}

#[test]
fn a_reaction_that_is_no_emoji_is_refused() {
    for bad in ["", "a", "123", "👍👍👍👍👍👍👍👍👍", "\u{202e}👍", "👍\n"] {
        assert_eq!(error(&inside().handle(frame(3, react(bad)))), (3, "invalid_emoji"), "{bad:?}");
    }
}

#[test]
fn a_reaction_is_sent_only_to_who_keeps_up() {
    let event = CallEvent::Reaction { participant: ParticipantId(1), emoji: Emoji::parse("👍").unwrap() };
    let message = ServerMessage::Reaction { participant: "0000000000000001".to_owned(), emoji: "👍".to_owned() };
    assert_eq!(inside().event(Delivery { to: ME, event }), [Effect::SendIfKeepingUp(message)]);
}

#[test]
fn ping_is_answered_everywhere() {
    for mut connection in [Connection::new(), entering().0, inside()] {
        assert_eq!(connection.handle(frame(6, ClientMessage::Ping {})), [ok(6)]);
    }
}

#[test]
fn the_end_of_a_connection_takes_its_participant_out_of_the_call() {
    let leave = Effect::Leave { participant: ME, reason: LeaveReason::TimedOut };
    let mut connection = inside();
    assert_eq!(connection.end(LeaveReason::TimedOut), Some(leave));
    assert_eq!(connection.end(LeaveReason::TimedOut), None);
    assert_eq!(entering().0.end(LeaveReason::TimedOut), None);
    assert_eq!(Connection::new().end(LeaveReason::TimedOut), None);
}

#[test]
fn an_offer_has_limits() {
    let sized = |bytes| ClientMessage::Offer { sdp: "x".repeat(bytes), tracks: vec![], seats: vec![] };
    let track = |mid: String| offer_of(vec![TrackOffer { mid, source: protocol::Source::Camera }], vec![]);
    for (message, code) in [
        (sized(MAX_SDP_BYTES + 1), "sdp_too_large"),
        (offer_of(tracks(MAX_TRACKS + 1), vec![]), "too_many_tracks"),
        (offer_of(vec![], seats(MAX_SEATS + 1)), "too_many_tracks"),
        (track(String::new()), "offer_mismatch"),
        (track("1".repeat(MAX_MID_BYTES + 1)), "offer_mismatch"),
        (track("a b".to_owned()), "offer_mismatch"),
        (track("ä".to_owned()), "offer_mismatch"),
        (track("1\r\na=x".to_owned()), "offer_mismatch"),
        (offer_of([tracks(1), tracks(1)].concat(), vec![]), "offer_mismatch"),
        (offer_of(vec![], vec![SeatOffer { audio_mid: "1".to_owned(), video_mid: "1".to_owned() }]), "offer_mismatch"),
    ] {
        assert_eq!(error(&inside().handle(frame(3, message))), (3, code));
    }
    for message in [sized(MAX_SDP_BYTES), offer_of(tracks(MAX_TRACKS), seats(MAX_SEATS)), track("1".repeat(MAX_MID_BYTES))] {
        assert!(matches!(inside().handle(frame(3, message))[..], [Effect::Negotiate { .. }]));
    }
}

#[test]
fn a_refused_offer_leaves_no_offer_pending() {
    let mut connection = inside();
    connection.handle(frame(3, offer_of(tracks(MAX_TRACKS + 1), vec![])));
    assert!(matches!(connection.handle(frame(4, offer()))[..], [Effect::Negotiate { .. }]));
}

#[test]
fn wishes_have_a_limit() {
    let mut connection = inside();
    let full = connection.handle(frame(3, view(MAX_WISHES, "0000000000000001")));
    assert!(matches!(full[..], [Effect::Ask { .. }]));
    let over = connection.handle(frame(3, view(MAX_WISHES + 1, "0000000000000001")));
    assert_eq!(error(&over), (3, "too_many_wishes"));
}

#[test]
fn a_participant_is_named_by_16_lower_case_hexadecimal_digits_only() {
    for bad in ["", "1", "000000000000000G", "000000000000000A", "+000000000000001", "00000000000000001", "0x00000000000001"] {
        assert_eq!(error(&inside().handle(frame(3, moderate(bad)))), (3, "unknown_participant"), "{bad}");
        assert_eq!(error(&inside().handle(frame(3, view(1, bad)))), (3, "unknown_participant"), "{bad}");
    }
}
