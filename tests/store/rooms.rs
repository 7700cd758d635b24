//! `store/rooms.rs`.

use std::time::Duration;

use webcall::id::RoomId;
use webcall::role::Role;
use webcall::store::{AddedRoom, AuditAct, Encryption, NewRoom, RoomKind, RoomUpdate, Store};

use crate::{NOW, act, on_both, room, user};

on_both! {
    a_room_is_seen_by_its_members_only
    rooms_are_listed_newest_first
    a_user_who_is_in_too_many_rooms_adds_none
    a_room_is_renamed_and_relinked_independently
    every_setting_of_a_room_changes_alone
    a_room_that_is_gone_is_neither_changed_nor_recorded
    a_deleted_room_takes_its_memberships_along
    rooms_are_counted
}

async fn a_room_is_seen_by_its_members_only(store: &Store) {
    let (owner, _) = user(store).await;
    let (stranger, _) = user(store).await;
    let id = room(store, owner, "Wednesday").await;
    let row = store.room_of(id, owner).await.unwrap().unwrap();
    assert_eq!(
        (row.id, row.name.as_str(), row.encryption, row.link_code.as_str()),
        (id, "Wednesday", Encryption::Open, "Wednesday")
    );
    assert_eq!((row.created_at, row.member_count, row.role), (NOW, 1, Role::Owner));
    assert_eq!(store.room_of(id, stranger).await.unwrap(), None);
    assert_eq!(store.room_of(RoomId::new(NOW), owner).await.unwrap(), None);
    assert_eq!(store.rooms_of(stranger).await.unwrap(), []);
}

async fn rooms_are_listed_newest_first(store: &Store) {
    let (owner, _) = user(store).await;
    let old = room(store, owner, "old").await;
    let new = NewRoom {
        id: RoomId::new(NOW),
        name: "new",
        protection: Encryption::Open.into(),
        link_code: "new",
        created_at: NOW.plus(Duration::from_secs(1)),
    };
    store.add_room(&new, owner, 10).await.unwrap();
    let listed: Vec<_> = store.rooms_of(owner).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, [new.id, old]);
}

async fn a_user_who_is_in_too_many_rooms_adds_none(store: &Store) {
    let (owner, _) = user(store).await;
    room(store, owner, "first").await;
    let second = NewRoom {
        id: RoomId::new(NOW),
        name: "second",
        protection: Encryption::Open.into(),
        link_code: "second",
        created_at: NOW,
    };
    assert_eq!(store.add_room(&second, owner, 1).await.unwrap(), AddedRoom::TooManyRooms);
    assert_eq!(store.room_by_link("second").await.unwrap(), None);
    assert_eq!(store.add_room(&second, owner, 2).await.unwrap(), AddedRoom::Added);
}

async fn a_room_is_renamed_and_relinked_independently(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "before").await;
    assert!(store.update_room(id, &RoomUpdate { name: Some("after"), ..RoomUpdate::default() }, &[]).await.unwrap());
    assert_eq!(store.room_by_link("before").await.unwrap().unwrap().name, "after");
    assert!(store.update_room(id, &RoomUpdate { link_code: Some("other"), ..RoomUpdate::default() }, &[]).await.unwrap());
    assert_eq!(store.room_by_link("before").await.unwrap(), None);
    let found = store.room_by_link("other").await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str()), (id, "after"));
}

async fn every_setting_of_a_room_changes_alone(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "room").await;
    let nothing = RoomUpdate::default();
    let mut expected = store.room_of(id, owner).await.unwrap().unwrap();
    assert_eq!((expected.kind, expected.topic.as_str(), expected.locked), (RoomKind::Room, "", false));
    assert_eq!((expected.slow_mode_s, expected.retention_days, expected.chat_muted), (0, None, false));
    let updates = [
        RoomUpdate { topic: Some("guitars"), ..nothing },
        RoomUpdate { locked: Some(true), ..nothing },
        RoomUpdate { slow_mode_s: Some(30), ..nothing },
        RoomUpdate { retention_days: Some(Some(90)), ..nothing },
        RoomUpdate { retention_days: Some(None), locked: Some(false), ..nothing },
        nothing,
    ];
    for update in updates {
        assert!(store.update_room(id, &update, &[]).await.unwrap());
        expected.topic = update.topic.map_or(expected.topic, str::to_owned);
        expected.locked = update.locked.unwrap_or(expected.locked);
        expected.slow_mode_s = update.slow_mode_s.unwrap_or(expected.slow_mode_s);
        expected.retention_days = update.retention_days.unwrap_or(expected.retention_days);
        assert_eq!(store.room_of(id, owner).await.unwrap().unwrap(), expected);
    }
}

async fn a_room_that_is_gone_is_neither_changed_nor_recorded(store: &Store) {
    let (owner, _) = user(store).await;
    let id = RoomId::new(NOW);
    let renamed = [act(id, owner, AuditAct::Rename, None, "x")];
    assert!(!store.update_room(id, &RoomUpdate { name: Some("x"), ..RoomUpdate::default() }, &renamed).await.unwrap());
    assert_eq!(store.acts_of(id, None, 10).await.unwrap(), []);
}

async fn a_deleted_room_takes_its_memberships_along(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "gone").await;
    assert_eq!(store.delete_room(id).await.unwrap(), Some(vec![owner]), "who is to be told");
    assert_eq!(store.delete_room(id).await.unwrap(), None);
    assert_eq!(store.role_of(id, owner).await.unwrap(), None);
    assert_eq!(store.members_of(id).await.unwrap(), []);
    assert_eq!(store.rooms_of(owner).await.unwrap(), []);
}

async fn rooms_are_counted(store: &Store) {
    let (owner, _) = user(store).await;
    assert_eq!(store.count_rooms().await.unwrap(), 0);
    room(store, owner, "one").await;
    assert_eq!(store.count_rooms().await.unwrap(), 1);
}
