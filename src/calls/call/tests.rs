//! Who is told what, for everything that can happen in a call.

use super::*;
use webcall_media::LeftOut;

use crate::calls::event::SourceView;
use crate::store::Encryption;

const WINDOWS: usize = 5;
const CALL: CallId = CallId::from_bytes([9; 16]);
const NOW: Timestamp = Timestamp::from_millis(1_000);

fn id(n: u64) -> ParticipantId {
    ParticipantId(n)
}

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn newcomer(n: u8, role: Role) -> Newcomer {
    Newcomer { user: user(n), username: format!("user{n}"), role, muted: SourceSet::default(), joined_at: NOW }
}

/// Participant `n` is user `n`: 1 the owner, 2 a moderator, 3 and 4 members.
fn call() -> Call {
    let mut call = Call::new(CALL, Encryption::Open.into());
    for (n, role) in [(1, Role::Owner), (2, Role::Moderator), (3, Role::Member), (4, Role::Member)] {
        call.admit(user(n), WINDOWS).unwrap();
        call.enter(id(n.into()), newcomer(n, role));
    }
    call
}

fn told(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.to.0).collect()
}

fn microphone(muted: bool, forbidden: bool) -> Vec<SourceView> {
    vec![SourceView { source: Source::Microphone, muted, forbidden }]
}

/// The sources of the participant that a change is about; fails unless everybody gets the same.
fn changed_sources(deliveries: &[Delivery]) -> Vec<SourceView> {
    let CallEvent::Changed(view) = &deliveries[0].event else { panic!("not a change: {deliveries:?}") };
    assert!(deliveries.iter().all(|delivery| delivery.event == deliveries[0].event));
    view.sources.clone()
}

#[test]
fn everybody_else_is_told_of_a_newcomer() {
    let mut call = call();
    let deliveries = call.enter(id(5), newcomer(5, Role::Member));
    assert_eq!(told(&deliveries), [1, 2, 3, 4]);
    let CallEvent::Entered(view) = &deliveries[0].event else { panic!("{deliveries:?}") };
    assert_eq!((view.participant, view.user, view.username.as_str(), view.role), (id(5), user(5), "user5", Role::Member));
    assert_eq!(view.sources, []);
}

#[test]
fn a_second_window_of_a_user_is_a_second_participant() {
    let mut call = call();
    call.admit(user(3), WINDOWS).unwrap();
    call.enter(id(33), newcomer(3, Role::Member));
    assert_eq!(call.len(), 5);
    assert_eq!(call.participants_of(user(3)).collect::<Vec<_>>(), [id(3), id(33)]);
    call.leave(id(3), LeaveReason::Left);
    assert_eq!(call.participants_of(user(3)).collect::<Vec<_>>(), [id(33)]);
}

#[test]
fn a_user_has_a_limited_number_of_windows_and_a_call_of_participants() {
    let mut call = Call::new(CALL, Encryption::Open.into());
    for n in 0..WINDOWS {
        call.admit(user(1), WINDOWS).unwrap();
        call.enter(id(n as u64), newcomer(1, Role::Member));
    }
    assert_eq!(call.admit(user(1), WINDOWS), Err(CallError::TooManyWindows));
    assert_eq!(call.admit(user(2), WINDOWS), Ok(()));
    for n in 0..MAX_PARTICIPANTS {
        call.enter(id(n as u64), newcomer(1, Role::Member));
    }
    assert_eq!(call.admit(user(2), WINDOWS), Err(CallError::Full));
}

#[test]
fn those_who_are_in_are_listed_in_the_order_of_entering() {
    let mut call = Call::new(CALL, Encryption::Open.into());
    for (n, at) in [(9, 10), (1, 20), (5, 30)] {
        call.enter(id(n), Newcomer { joined_at: Timestamp::from_millis(at), ..newcomer(1, Role::Member) });
    }
    assert_eq!(call.views().iter().map(|view| view.participant.0).collect::<Vec<_>>(), [9, 1, 5]);
}

#[test]
fn everybody_including_oneself_is_told_of_a_change_and_nobody_of_none() {
    let mut call = call();
    let offered = call.offer(id(3), [Source::Microphone].into_iter().collect()).unwrap();
    assert_eq!(told(&offered), [1, 2, 3, 4]);
    assert_eq!(changed_sources(&offered), microphone(false, false));
    assert_eq!(changed_sources(&call.mute(id(3), Source::Microphone).unwrap()), microphone(true, false));
    assert_eq!(call.mute(id(3), Source::Microphone).unwrap(), []);
    assert_eq!(changed_sources(&call.unmute(id(3), Source::Microphone).unwrap()), microphone(false, false));
}

#[test]
fn what_was_switched_off_on_entering_is_shown_so_once_it_is_offered() {
    let mut call = Call::new(CALL, Encryption::Open.into());
    let muted = [Source::Microphone].into_iter().collect();
    call.enter(id(1), Newcomer { muted, ..newcomer(1, Role::Member) });
    assert_eq!(changed_sources(&call.offer(id(1), muted).unwrap()), microphone(true, false));
}

#[test]
fn who_may_moderate_whom_follows_the_roles() {
    let mut call = call();
    call.enter(id(11), newcomer(1, Role::Owner)); // a second window of the owner
    call.enter(id(22), newcomer(2, Role::Moderator)); // and one of the moderator
    call.enter(id(33), newcomer(3, Role::Member));
    for (actor, target, allowed) in [
        (1, 2, true),
        (1, 3, true),
        (1, 11, true),
        (1, 1, true),
        (2, 1, false),
        (2, 2, false),
        (2, 22, false),
        (2, 3, true),
        (3, 1, false),
        (3, 2, false),
        (3, 4, false),
        (3, 33, false),
        (3, 3, false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(CallError::NotAllowed) };
        assert_eq!(call.may_moderate(id(actor), id(target)), expected, "{actor} on {target}");
    }
    assert_eq!(call.may_moderate(id(1), id(99)), Err(CallError::UnknownParticipant));
    assert_eq!(call.may_moderate(id(99), id(1)), Err(CallError::NotInCall));
}

#[test]
fn a_moderators_mute_holds_until_allowed_and_then_waits_for_the_participant() {
    let mut call = call();
    call.offer(id(3), [Source::Microphone].into_iter().collect()).unwrap();
    assert_eq!(changed_sources(&call.forbid(id(3), Source::Microphone).unwrap()), microphone(true, true));
    assert_eq!(call.unmute(id(3), Source::Microphone), Err(CallError::MutedByModerator));
    assert_eq!(changed_sources(&call.allow(id(3), Source::Microphone).unwrap()), microphone(true, false));
    assert_eq!(changed_sources(&call.unmute(id(3), Source::Microphone).unwrap()), microphone(false, false));
}

#[test]
fn leaving_and_coming_back_does_not_lift_what_a_moderator_forbade() {
    let mut call = call();
    let offered = [Source::Microphone].into_iter().collect();
    call.forbid(id(3), Source::Microphone).unwrap();
    call.leave(id(3), LeaveReason::Left);
    call.enter(id(5), newcomer(3, Role::Member));
    assert_eq!(changed_sources(&call.offer(id(5), offered).unwrap()), microphone(true, true));
    assert!(call.switches(id(5)).unwrap().forbidden.contains(Source::Microphone));
    // Allowed now, so nothing is left to follow the user.
    call.allow(id(5), Source::Microphone).unwrap();
    call.leave(id(5), LeaveReason::Left);
    call.enter(id(6), newcomer(3, Role::Member));
    assert_eq!(changed_sources(&call.offer(id(6), offered).unwrap()), microphone(false, false));
}

#[test]
fn a_mute_of_one_window_leaves_the_other_alone() {
    let mut call = call();
    call.forbid(id(3), Source::Microphone).unwrap();
    call.enter(id(33), newcomer(3, Role::Member));
    assert_eq!(call.switches(id(33)).unwrap().forbidden, SourceSet::default());
}

#[test]
fn only_so_many_who_left_are_remembered() {
    let mut call = call();
    for n in 0..=MAX_REMEMBERED as u64 {
        call.enter(id(100 + n), newcomer(7, Role::Member));
        call.forbid(id(100 + n), Source::Camera).unwrap();
    }
    for n in 0..=MAX_REMEMBERED as u64 {
        call.leave(id(100 + n), LeaveReason::Left);
    }
    assert_eq!(call.remembered.len(), MAX_REMEMBERED);
}

#[test]
fn those_who_stay_are_told_of_a_leave_and_the_one_who_left_only_if_it_is_news() {
    use LeaveReason::{Left, MediaLost, Removed, RoomGone, SessionEnded, TimedOut};
    for (reason, expected) in [
        (Left, vec![1, 2, 4]),
        (TimedOut, vec![1, 2, 4]),
        (SessionEnded, vec![1, 2, 4]),
        (Removed, vec![1, 2, 4, 3]),
        (RoomGone, vec![1, 2, 4, 3]),
        (MediaLost, vec![1, 2, 4, 3]),
    ] {
        let deliveries = call().leave(id(3), reason);
        assert_eq!(told(&deliveries), expected, "{reason:?}");
        assert_eq!(deliveries[0].event, CallEvent::Gone { participant: id(3), reason });
        if expected.len() == 4 {
            assert_eq!(deliveries[3].event, CallEvent::Removed { reason });
        }
    }
}

#[test]
fn nothing_can_be_done_by_or_to_somebody_who_is_not_in() {
    let mut call = call();
    assert_eq!(call.leave(id(9), LeaveReason::Left), []);
    assert_eq!(call.offer(id(9), SourceSet::default()), Err(CallError::NotInCall));
    assert_eq!(call.mute(id(9), Source::Camera), Err(CallError::NotInCall));
    assert_eq!(call.unmute(id(9), Source::Camera), Err(CallError::NotInCall));
    assert_eq!(call.switches(id(9)), None);
    assert_eq!(call.media_event(MediaEvent::Connected { participant: id(9) }), None);
}

#[test]
fn a_new_role_shows_on_every_window_of_the_user_and_counts_at_once() {
    let mut call = call();
    call.enter(id(33), newcomer(3, Role::Member));
    let deliveries = call.set_role(user(3), Role::Moderator);
    assert_eq!(deliveries.len(), 2 * call.len());
    assert_eq!(call.set_role(user(3), Role::Moderator), []);
    assert_eq!(call.may_moderate(id(33), id(4)), Ok(()));
    call.set_role(user(2), Role::Member);
    assert_eq!(call.may_moderate(id(2), id(4)), Err(CallError::NotAllowed));
}

#[test]
fn the_media_core_speaks_to_one_participant_or_about_speakers_to_all() {
    let mut call = call();
    for (event, expected) in [
        (MediaEvent::Connected { participant: id(1) }, CallEvent::Media(MediaState::Connected)),
        (MediaEvent::Disconnected { participant: id(1) }, CallEvent::Media(MediaState::Disconnected)),
        (MediaEvent::Seats { participant: id(1), seats: vec![] }, CallEvent::Seats(vec![])),
        (MediaEvent::Renegotiate { participant: id(1) }, CallEvent::Renegotiate),
        (MediaEvent::LeftOut { participant: id(1), what: LeftOut::Pictures }, CallEvent::LeftOut(LeftOut::Pictures)),
    ] {
        assert_eq!(call.media_event(event), Some(Delivery { to: id(1), event: expected }));
    }
    let deliveries = call.set_speakers(vec![id(2), id(9)]);
    assert_eq!(told(&deliveries), [1, 2, 3, 4]);
    assert_eq!(deliveries[0].event, CallEvent::Speakers(vec![id(2)]), "somebody who is gone does not speak");
    assert_eq!(call.set_speakers(vec![id(2)]), [], "nothing changed");
}

#[test]
fn a_newcomer_learns_who_speaks() {
    let mut call = call();
    call.set_speakers(vec![id(2)]);
    let deliveries = call.enter(id(5), newcomer(5, Role::Member));
    assert_eq!(deliveries.last().unwrap(), &Delivery { to: id(5), event: CallEvent::Speakers(vec![id(2)]) });
}

#[test]
fn a_hand_stays_up_since_it_was_first_raised_until_it_is_lowered() {
    let mut call = call();
    let hand = |deliveries: &[Delivery]| match &deliveries[0].event {
        CallEvent::Changed(view) => (view.participant, view.hand_raised_at),
        other => panic!("not a change: {other:?}"),
    };
    let raised = call.raise_hand(id(3), NOW).unwrap();
    assert_eq!((told(&raised), hand(&raised)), (vec![1, 2, 3, 4], (id(3), Some(NOW))));
    assert_eq!(call.raise_hand(id(3), Timestamp::from_millis(9_000)).unwrap(), []);
    assert_eq!(call.views()[2].hand_raised_at, Some(NOW));
    assert_eq!(hand(&call.lower_hand(id(3)).unwrap()), (id(3), None));
    assert_eq!(call.lower_hand(id(3)).unwrap(), []);
    assert_eq!(call.raise_hand(id(9), NOW), Err(CallError::NotInCall));
    assert_eq!(call.lower_hand(id(9)), Err(CallError::NotInCall));
}

#[test]
fn a_hand_does_not_outlast_a_leave() {
    let mut call = call();
    call.raise_hand(id(3), NOW).unwrap();
    call.leave(id(3), LeaveReason::Left);
    call.enter(id(3), newcomer(3, Role::Member));
    assert!(call.views().iter().all(|view| view.hand_raised_at.is_none()));
}

#[test]
fn everybody_sees_a_reaction_and_nobody_reacts_without_end() {
    let mut call = call();
    let thumb = Emoji::parse("👍").unwrap();
    let seen = call.react(id(3), &thumb, NOW).unwrap();
    assert_eq!(told(&seen), [1, 2, 3, 4]);
    assert_eq!(seen[0].event, CallEvent::Reaction { participant: id(3), emoji: thumb.clone() });
    for _ in 1..REACTIONS_OF_ONE.burst {
        call.react(id(3), &thumb, NOW).unwrap();
    }
    assert_eq!(call.react(id(3), &thumb, NOW), Err(CallError::RateLimited));
    assert!(call.react(id(4), &thumb, NOW).is_ok(), "others have a pace of their own");
    assert!(call.react(id(3), &thumb, NOW.plus(std::time::Duration::from_secs(1))).is_ok());
    assert_eq!(call.react(id(9), &thumb, NOW), Err(CallError::NotInCall));
}

#[test]
fn a_whole_call_reacts_only_so_fast() {
    let mut call = Call::new(CALL, Encryption::Open.into());
    let thumb = Emoji::parse("👍").unwrap();
    let reacting = REACTIONS_OF_ALL.burst / REACTIONS_OF_ONE.burst;
    for n in 0..=u64::from(reacting) {
        call.enter(id(n), newcomer(1, Role::Member));
    }
    for n in 0..REACTIONS_OF_ALL.burst {
        call.react(id(u64::from(n % reacting)), &thumb, NOW).unwrap();
    }
    assert_eq!(call.react(id(u64::from(reacting)), &thumb, NOW), Err(CallError::RateLimited));
}
