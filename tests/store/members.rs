//! `store/members.rs`.

use std::time::Duration;

use webcall::id::UserId;
use webcall::role::Role;
use webcall::store::{AuditAct, Encryption, Joined, MemberLimits, MemberUpdate, RoomKind, StandingRow, Store};

use crate::{NOW, act, on_both, room, room_of, user};

const LIMITS: MemberLimits = MemberLimits { in_room: 10, of_user: 10 };

fn role(role: Role) -> MemberUpdate {
    MemberUpdate { role: Some(role), chat_muted: None }
}

on_both! {
    who_is_a_member_is_known_by_identifier
    joining_by_link_makes_a_member_once
    a_full_room_and_a_busy_user_are_refused_and_nothing_changes
    members_are_listed_by_role_and_time
    a_role_changes_only_from_the_expected_one
    a_member_is_muted_in_chat_and_sees_it
    an_invitation_is_its_members_and_goes_with_the_membership
    a_room_is_handed_over_whole_or_not_at_all
    of_two_who_hand_over_at_the_same_moment_one_does
    a_member_is_removed_only_with_the_expected_role
    users_who_join_at_the_same_moment_are_all_counted
}

async fn joining_by_link_makes_a_member_once(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    assert_eq!(store.join_room("link", guest, NOW, LIMITS).await.unwrap(), Joined::Joined(id));
    assert_eq!(store.join_room("link", guest, NOW, LIMITS).await.unwrap(), Joined::AlreadyMember(id));
    assert_eq!(store.join_room("link", owner, NOW, LIMITS).await.unwrap(), Joined::AlreadyMember(id));
    assert_eq!(store.join_room("nowhere", guest, NOW, LIMITS).await.unwrap(), Joined::NoSuchLink);
    assert_eq!(store.role_of(id, guest).await.unwrap(), Some(Role::Member));
    assert_eq!(store.room_of(id, guest).await.unwrap().unwrap().member_count, 2);
}

async fn a_full_room_and_a_busy_user_are_refused_and_nothing_changes(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    room(store, guest, "elsewhere").await;
    let full = MemberLimits { in_room: 1, of_user: 10 };
    assert_eq!(store.join_room("link", guest, NOW, full).await.unwrap(), Joined::RoomFull);
    let busy = MemberLimits { in_room: 10, of_user: 1 };
    assert_eq!(store.join_room("link", guest, NOW, busy).await.unwrap(), Joined::TooManyRooms);
    assert_eq!(store.role_of(id, guest).await.unwrap(), None);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 1);
}

async fn members_are_listed_by_role_and_time(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let mut guests = Vec::new();
    for second in 1..=3 {
        let (guest, _) = user(store).await;
        store.join_room("link", guest, NOW.plus(Duration::from_secs(second)), LIMITS).await.unwrap();
        guests.push(guest);
    }
    store.change_member(id, guests[2], Role::Member, role(Role::Moderator), &[]).await.unwrap();
    let listed = store.members_of(id).await.unwrap();
    let order: Vec<(UserId, Role)> = listed.iter().map(|row| (row.user_id, row.role)).collect();
    let expected = [(owner, Role::Owner), (guests[2], Role::Moderator), (guests[0], Role::Member), (guests[1], Role::Member)];
    assert_eq!(order, expected);
    assert_eq!(listed[2].joined_at, NOW.plus(Duration::from_secs(1)));
    assert_eq!(listed[0].username, store.user(owner).await.unwrap().unwrap().username);
}

async fn a_role_changes_only_from_the_expected_one(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let promotion = [act(id, owner, AuditAct::Role, Some(guest), "moderator")];
    assert!(!store.change_member(id, guest, Role::Moderator, role(Role::Member), &promotion).await.unwrap());
    assert_eq!(store.acts_of(id, None, 10).await.unwrap(), []);
    assert!(store.change_member(id, guest, Role::Member, role(Role::Moderator), &promotion).await.unwrap());
    assert_eq!(store.role_of(id, guest).await.unwrap(), Some(Role::Moderator));
    assert_eq!(store.acts_of(id, None, 10).await.unwrap().len(), 1);
    let second_owner = store.change_member(id, guest, Role::Moderator, role(Role::Owner), &promotion).await;
    assert!(second_owner.is_err(), "a room has one owner");
    assert_eq!(store.acts_of(id, None, 10).await.unwrap().len(), 1, "what is not done is not recorded");
}

async fn a_member_is_muted_in_chat_and_sees_it(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let standing = StandingRow { kind: RoomKind::Room, role: Role::Member, chat_muted: false };
    assert_eq!(store.standing_of(id, guest).await.unwrap(), Some(standing));
    for muted in [true, false] {
        let update = MemberUpdate { role: None, chat_muted: Some(muted) };
        let mute = [act(id, owner, AuditAct::MuteInChat, Some(guest), "")];
        assert!(store.change_member(id, guest, Role::Member, update, &mute).await.unwrap());
        assert_eq!(store.standing_of(id, guest).await.unwrap(), Some(StandingRow { chat_muted: muted, ..standing }));
        assert_eq!(store.room_of(id, guest).await.unwrap().unwrap().chat_muted, muted);
        assert!(!store.room_of(id, owner).await.unwrap().unwrap().chat_muted);
        assert_eq!(store.members_of(id).await.unwrap()[1].chat_muted, muted);
    }
    let (stranger, _) = user(store).await;
    assert_eq!(store.standing_of(id, stranger).await.unwrap(), None);
}

async fn an_invitation_is_its_members_and_goes_with_the_membership(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let (id, other) =
        (room_of(store, owner, "link", Encryption::Mls).await, room_of(store, owner, "other", Encryption::Mls).await);
    let open = room(store, owner, "open").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let shown = async |room| store.invitations_in(room).await.unwrap();
    assert_eq!(shown(id).await, []);
    for (invitation, is_another) in [(b"\0one".as_slice(), true), (b"\0one", false), (b"two", true)] {
        assert_eq!(store.show_invitation(id, guest, invitation).await.unwrap(), is_another);
        assert_eq!(shown(id).await, [(guest, invitation.to_vec())]);
    }
    assert!(store.show_invitation(id, owner, b"two").await.unwrap());
    assert!(!store.show_invitation(open, owner, b"two").await.unwrap(), "of an open room");
    for room in [other, open] {
        assert_eq!(shown(room).await, []);
    }
    assert!(store.remove_member(id, guest, Role::Member, None).await.unwrap());
    assert!(!store.show_invitation(id, guest, b"three").await.unwrap(), "of no member");
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    assert_eq!(shown(id).await, [(owner, b"two".to_vec())]);
}

async fn a_room_is_handed_over_whole_or_not_at_all(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let (stranger, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let muted = MemberUpdate { role: None, chat_muted: Some(true) };
    store.change_member(id, guest, Role::Member, muted, &[]).await.unwrap();
    let handed = act(id, owner, AuditAct::HandOver, Some(guest), "");
    for (from, to, expected) in [(owner, stranger, Role::Member), (owner, guest, Role::Moderator), (guest, owner, Role::Owner)] {
        assert!(!store.hand_over(id, from, to, expected, &handed).await.unwrap());
        let roles = (store.role_of(id, owner).await.unwrap(), store.role_of(id, guest).await.unwrap());
        assert_eq!(roles, (Some(Role::Owner), Some(Role::Member)));
    }
    assert_eq!(store.acts_of(id, None, 10).await.unwrap(), []);
    assert!(store.hand_over(id, owner, guest, Role::Member, &handed).await.unwrap());
    let standing = StandingRow { kind: RoomKind::Room, role: Role::Owner, chat_muted: false };
    assert_eq!(store.standing_of(id, guest).await.unwrap(), Some(standing), "an owner can write");
    assert_eq!(store.role_of(id, owner).await.unwrap(), Some(Role::Moderator));
    assert_eq!(store.acts_of(id, None, 10).await.unwrap()[0].act, AuditAct::HandOver);
}

async fn of_two_who_hand_over_at_the_same_moment_one_does(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let mut handing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (guest, _) = user(store).await;
        store.join_room("link", guest, NOW, LIMITS).await.unwrap();
        let (store, handed) = (store.clone(), act(id, owner, AuditAct::HandOver, Some(guest), ""));
        handing.spawn(async move { store.hand_over(id, owner, guest, Role::Member, &handed).await.unwrap() });
    }
    assert_eq!(handing.join_all().await.into_iter().filter(|done| *done).count(), 1);
    let owners = store.members_of(id).await.unwrap().into_iter().filter(|member| member.role == Role::Owner).count();
    assert_eq!((owners, store.acts_of(id, None, 10).await.unwrap().len()), (1, 1));
}

async fn a_member_is_removed_only_with_the_expected_role(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let removal = act(id, owner, AuditAct::Remove, Some(guest), "");
    assert!(!store.remove_member(id, guest, Role::Moderator, Some(&removal)).await.unwrap());
    assert_eq!(store.acts_of(id, None, 10).await.unwrap(), []);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 2);
    assert!(store.remove_member(id, guest, Role::Member, Some(&removal)).await.unwrap());
    assert_eq!(store.acts_of(id, None, 10).await.unwrap()[0].subject, Some(guest));
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 1);
    assert_eq!(store.role_of(id, guest).await.unwrap(), None);
}

async fn users_who_join_at_the_same_moment_are_all_counted(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let mut joins = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (guest, _) = user(store).await;
        // Twice each: the second must find the first.
        for _ in 0..2 {
            let store = store.clone();
            joins.spawn(async move { store.join_room("link", guest, NOW, LIMITS).await.unwrap() });
        }
    }
    let outcomes = joins.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Joined::Joined(id)).count(), 8);
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 9);
}

async fn who_is_a_member_is_known_by_identifier(store: &Store) {
    let ((owner, _), (guest, _)) = (user(store).await, user(store).await);
    let id = room(store, owner, "link").await;
    assert_eq!(store.member_ids(id).await.unwrap(), [owner]);
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let mut members = store.member_ids(id).await.unwrap();
    members.sort_unstable();
    let mut expected = [owner, guest];
    expected.sort_unstable();
    assert_eq!(members, expected);
}
