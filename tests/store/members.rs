//! `store/members.rs`.

use std::time::Duration;

use webcall::id::UserId;
use webcall::role::Role;
use webcall::store::{Joined, MemberLimits, Store};

use crate::{NOW, on_both, room, user};

const LIMITS: MemberLimits = MemberLimits { in_room: 10, of_user: 10 };

on_both! {
    joining_by_link_makes_a_member_once
    a_full_room_and_a_busy_user_are_refused_and_nothing_changes
    members_are_listed_by_role_and_time
    a_role_changes_only_from_the_expected_one
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
    store.change_role(id, guests[2], Role::Member, Role::Moderator).await.unwrap();
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
    assert!(!store.change_role(id, guest, Role::Moderator, Role::Member).await.unwrap());
    assert!(store.change_role(id, guest, Role::Member, Role::Moderator).await.unwrap());
    assert_eq!(store.role_of(id, guest).await.unwrap(), Some(Role::Moderator));
    assert!(store.change_role(id, guest, Role::Moderator, Role::Owner).await.is_err(), "a room has one owner");
}

async fn a_member_is_removed_only_with_the_expected_role(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    assert!(!store.remove_member(id, guest, Role::Moderator).await.unwrap());
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().member_count, 2);
    assert!(store.remove_member(id, guest, Role::Member).await.unwrap());
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
