use super::*;

const ROOM: RoomId = RoomId::from_bytes([1; 16]);
const ANNA: UserId = UserId::from_bytes([2; 16]);
const BORIS: UserId = UserId::from_bytes([3; 16]);
const HERE: Activity = Activity { away: false, in_call: false };
const AWAY: Activity = Activity { away: true, in_call: false };
const IN_CALL: Activity = Activity { away: true, in_call: true };

fn told(state: Presence) -> Vec<Told> {
    vec![Told { room: ROOM, to: vec![1], state }]
}

/// Watches with members that were read just now.
fn watch(presences: &mut Presences, connection: u64, user: UserId, room: RoomId, members: &[UserId]) -> Vec<(UserId, Presence)> {
    let as_of = presences.memberships();
    presences.watch(connection, user, room, members, as_of).unwrap()
}

fn is_idle(presences: &Presences) -> bool {
    presences.watched.is_empty() && presences.watched_of.is_empty() && presences.watching.is_empty()
}

#[test]
fn the_best_of_all_windows_counts_and_only_changes_are_told() {
    let mut presences = Presences::default();
    presences.set(ANNA, 1, HERE);
    assert_eq!(watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]), [(ANNA, Presence::Online)]);
    assert_eq!(presences.set(BORIS, 2, AWAY), told(Presence::Away));
    assert_eq!(presences.set(BORIS, 3, HERE), told(Presence::Online));
    assert_eq!(presences.set(BORIS, 2, HERE), []);
    assert_eq!(presences.set(BORIS, 2, IN_CALL), told(Presence::InCall));
    assert_eq!(presences.remove(BORIS, 3), []);
    assert_eq!(presences.remove(BORIS, 2), told(Presence::Offline));
}

#[test]
fn nobody_is_told_of_who_is_no_member_and_who_left_watches_no_more() {
    let mut presences = Presences::default();
    presences.set(ANNA, 1, HERE);
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA]);
    assert_eq!(presences.set(BORIS, 2, HERE), []);
    assert_eq!(presences.member_added(ROOM, BORIS), told(Presence::Online));
    assert_eq!(presences.set(BORIS, 2, AWAY), told(Presence::Away));
    presences.member_gone(ROOM, BORIS);
    assert_eq!(presences.set(BORIS, 2, HERE), []);
    presences.member_gone(ROOM, ANNA);
    assert_eq!(presences.others_watching(1), None);
    assert!(is_idle(&presences));
}

#[test]
fn who_types_is_told_to_those_who_watch_the_same() {
    let mut presences = Presences::default();
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]);
    watch(&mut presences, 2, BORIS, ROOM, &[ANNA, BORIS]);
    assert_eq!(presences.others_watching(1), Some((ROOM, vec![2])));
    watch(&mut presences, 2, BORIS, RoomId::from_bytes([9; 16]), &[BORIS]);
    assert_eq!(presences.others_watching(1), Some((ROOM, Vec::new())));
    presences.remove(ANNA, 1);
    presences.remove(BORIS, 2);
    assert!(is_idle(&presences));
}

#[test]
fn members_that_were_read_before_a_membership_changed_are_not_watched() {
    let mut presences = Presences::default();
    let as_of = presences.memberships();
    presences.member_gone(ROOM, ANNA);
    assert_eq!(presences.watch(1, ANNA, ROOM, &[ANNA, BORIS], as_of), None);
    let as_of = presences.memberships();
    presences.forget_watched();
    assert_eq!(presences.watch(1, ANNA, ROOM, &[ANNA, BORIS], as_of), None);
    assert!(is_idle(&presences));
}

#[test]
fn a_deleted_room_and_lost_hints_leave_nothing_watched() {
    let mut presences = Presences::default();
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]);
    watch(&mut presences, 2, BORIS, ROOM, &[ANNA, BORIS]);
    presences.room_gone(ROOM);
    assert!(is_idle(&presences));
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]);
    presences.forget_watched();
    assert!(is_idle(&presences));
    assert_eq!(presences.set(BORIS, 2, HERE), []);
}

#[test]
fn a_later_list_of_members_replaces_the_earlier_one() {
    let mut presences = Presences::default();
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]);
    watch(&mut presences, 2, ANNA, ROOM, &[ANNA]);
    assert_eq!(presences.set(BORIS, 3, HERE), []);
    assert_eq!(presences.set(ANNA, 1, HERE), [Told { room: ROOM, to: vec![1, 2], state: Presence::Online }]);
}

/// A change looks at the conversations in `watched_of` of its user and at no others, so their number is the work.
#[test]
fn what_a_change_costs_does_not_grow_with_what_others_watch() {
    let mut presences = Presences::default();
    watch(&mut presences, 1, ANNA, ROOM, &[ANNA, BORIS]);
    for n in 0..2_000_u128 {
        let (other, room) = (UserId::from_bytes((1_000 + n).to_be_bytes()), RoomId::from_bytes((1_000 + n).to_be_bytes()));
        watch(&mut presences, 1_000 + n as u64, other, room, &[other]);
    }
    assert_eq!(presences.watched.len(), 2_001);
    assert_eq!(presences.watched_of[&BORIS].len(), 1);
    assert_eq!(presences.set(BORIS, 2, HERE), told(Presence::Online));
}
