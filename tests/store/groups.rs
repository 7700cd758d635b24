//! `store/e2ee`: groups, commits, inboxes.

use std::time::Duration;

use webcall::id::{DeviceId, InboxId, RoomId, UserId};
use webcall::role::Role;
use webcall::store::{
    AddedCommit, AddedGroup, AddedToInbox, Counting, DeviceChange, InboxRow, MemberLimits, NewCommit, NewGroup, NewInboxMessage,
    NewRecord, Store,
};
use webcall::time::Timestamp;

use crate::{NOW, on_both, room, user};

on_both! {
    a_group_is_made_once_by_a_device_that_counts_and_seen_by_members
    one_commit_wins_an_epoch
    one_of_many_commits_at_once_wins
    who_does_not_count_changes_no_group_and_is_not_added
    a_welcome_waits_for_each_whom_a_commit_adds_until_it_is_fetched
    a_message_waits_unless_too_many_do_and_only_for_who_counts
    a_deleted_room_takes_its_group_along
    old_commits_and_what_was_never_fetched_are_forgotten
}

const GROUP: [u8; 17] = [1; 17];
const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);
const CERTIFICATE: &[u8] = b"certificate";

fn of(user: UserId) -> Counting<'static> {
    Counting { user, device: DEVICE, certificate: CERTIFICATE }
}

async fn person(store: &Store) -> UserId {
    let (user, _) = user(store).await;
    let change = DeviceChange::Add { device: DEVICE, certificate: CERTIFICATE };
    store.append_record(&NewRecord { user, number: 0, record: b"record", change }).await.unwrap();
    user
}

/// Ann's room with a group, in which Ben is a member, too.
async fn stage(store: &Store) -> (UserId, UserId, RoomId) {
    let (ann, ben) = (person(store).await, person(store).await);
    let id = room(store, ann, "Wednesday").await;
    store.join_room("Wednesday", ben, NOW, MemberLimits { in_room: 10, of_user: 10 }).await.unwrap();
    assert_eq!(create(store, id, of(ann)).await, AddedGroup::Added);
    (ann, ben, id)
}

async fn create(store: &Store, room: RoomId, by: Counting<'_>) -> AddedGroup {
    let new = NewGroup { id: &GROUP, room, by, group_info: b"info 0", state: b"state 0", created_at: NOW };
    store.add_group(&new).await.unwrap()
}

fn commit<'a>(room: RoomId, epoch: i64, by: UserId, added: &'a [Counting<'a>]) -> NewCommit<'a> {
    NewCommit {
        group: &GROUP,
        room,
        epoch,
        commit: b"commit",
        welcome: if added.is_empty() { None } else { Some(b"welcome") },
        group_info: b"info",
        state: b"state",
        by: of(by),
        added,
        max_welcomes: 2,
        at: NOW,
    }
}

async fn inbox(store: &Store, user: UserId) -> Vec<InboxRow> {
    store.inbox(user, DEVICE, 100).await.unwrap()
}

async fn a_group_is_made_once_by_a_device_that_counts_and_seen_by_members(store: &Store) {
    let (ann, eve) = (person(store).await, person(store).await);
    let id = room(store, ann, "Wednesday").await;
    for by in
        [of(eve), Counting { certificate: b"other", ..of(ann) }, Counting { device: DeviceId::from_bytes([2; 16]), ..of(ann) }]
    {
        assert_eq!(create(store, id, by).await, AddedGroup::NotCounting);
    }
    assert_eq!(create(store, id, of(ann)).await, AddedGroup::Added);
    assert_eq!(create(store, id, of(ann)).await, AddedGroup::Exists);
    let group = store.group(&GROUP, ann).await.unwrap().unwrap();
    assert_eq!((group.room_id, group.epoch, &group.group_info[..], &group.state[..]), (id, 0, &b"info 0"[..], &b"state 0"[..]));
    assert_eq!(store.group(&GROUP, eve).await.unwrap(), None);
    assert_eq!(store.counting_certificates(id).await.unwrap(), [CERTIFICATE]);
}

async fn one_commit_wins_an_epoch(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    assert_eq!(store.add_commit(&commit(id, 1, ann, &[])).await.unwrap(), AddedCommit::OtherEpoch);
    assert_eq!(store.add_commit(&commit(id, 0, ann, &[])).await.unwrap(), AddedCommit::Added);
    let late = NewCommit { commit: b"late", ..commit(id, 0, ben, &[]) };
    assert_eq!(store.add_commit(&late).await.unwrap(), AddedCommit::OtherEpoch);
    assert_eq!(store.add_commit(&NewCommit { epoch: 1, ..late }).await.unwrap(), AddedCommit::Added);
    let group = store.group(&GROUP, ann).await.unwrap().unwrap();
    assert_eq!((group.epoch, &group.group_info[..], &group.state[..]), (2, &b"info"[..], &b"state"[..]));
    let commits = async |from, limit, max_bytes| {
        let rows = store.commits(&GROUP, from, limit, max_bytes).await.unwrap();
        rows.into_iter().map(|row| (row.epoch, row.commit_bytes)).collect::<Vec<_>>()
    };
    let (first, second) = ((0, b"commit".to_vec()), (1, b"late".to_vec()));
    assert_eq!(commits(0, 10, 100).await, [first.clone(), second.clone()]);
    assert_eq!(commits(1, 10, 100).await, [second]);
    assert_eq!(commits(0, 1, 100).await, std::slice::from_ref(&first));
    assert_eq!(commits(0, 10, 7).await, [first]);
    assert_eq!(commits(2, 10, 100).await, []);
}

async fn one_of_many_commits_at_once_wins(store: &Store) {
    let (ann, _, id) = stage(store).await;
    let tasks: Vec<_> = (0..20u8)
        .map(|nth| {
            let store = store.clone();
            tokio::spawn(async move { store.add_commit(&NewCommit { commit: &[nth], ..commit(id, 0, ann, &[]) }).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap() == AddedCommit::Added);
    }
    assert_eq!((won, store.commits(&GROUP, 0, 100, 1_000).await.unwrap().len()), (1, 1));
}

async fn who_does_not_count_changes_no_group_and_is_not_added(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let eve = person(store).await;
    assert_eq!(store.add_commit(&commit(id, 0, eve, &[])).await.unwrap(), AddedCommit::NotCounting);
    let (with_eve, with_other) = ([of(ben), of(eve)], [Counting { certificate: b"other", ..of(ben) }]);
    for added in [&with_eve[..], &with_other[..]] {
        assert_eq!(store.add_commit(&commit(id, 0, ann, added)).await.unwrap(), AddedCommit::NotCounting);
    }
    assert!(store.remove_member(id, ben, Role::Member, None).await.unwrap());
    assert_eq!(store.add_commit(&commit(id, 0, ben, &[])).await.unwrap(), AddedCommit::NotCounting);
    assert_eq!((store.group(&GROUP, ann).await.unwrap().unwrap().epoch, inbox(store, ben).await.len()), (0, 0));
    assert_eq!(store.add_commit(&commit(id, 0, ann, &[])).await.unwrap(), AddedCommit::Added);
}

async fn a_welcome_waits_for_each_whom_a_commit_adds_until_it_is_fetched(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    for epoch in 0..3 {
        assert_eq!(store.add_commit(&commit(id, epoch, ann, &[of(ben)])).await.unwrap(), AddedCommit::Added);
    }
    let waiting = inbox(store, ben).await;
    let seen: Vec<_> = waiting.iter().map(|row| (row.group_id.as_slice(), row.body.as_deref())).collect();
    assert_eq!(seen, [(&GROUP[..], Some(&b"welcome"[..])); 2], "two wait at the most");
    assert_eq!(inbox(store, ann).await, []);
    assert!(!store.remove_from_inbox(waiting[0].id, ann).await.unwrap(), "it is not hers");
    assert!(store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert!(!store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert_eq!(inbox(store, ben).await, waiting[1..]);
}

async fn leave(store: &Store, id: RoomId, user: UserId, device: DeviceId, at: Timestamp) -> AddedToInbox {
    let new = NewInboxMessage { id: InboxId::new(at), group: &GROUP, room: id, user, device, body: b"message", at };
    store.add_to_inbox(&new, 2).await.unwrap()
}

async fn a_message_waits_unless_too_many_do_and_only_for_who_counts(store: &Store) {
    let (_, ben, id) = stage(store).await;
    let eve = person(store).await;
    let elsewhere = DeviceId::from_bytes([2; 16]);
    assert_eq!(leave(store, id, eve, DEVICE, NOW).await, AddedToInbox::NotCounting);
    assert_eq!(leave(store, id, ben, elsewhere, NOW).await, AddedToInbox::NotCounting);
    for _ in 0..2 {
        assert_eq!(leave(store, id, ben, DEVICE, NOW).await, AddedToInbox::Added);
    }
    assert_eq!(leave(store, id, ben, DEVICE, NOW).await, AddedToInbox::Full);
    let waiting = inbox(store, ben).await;
    assert_eq!((waiting.len(), waiting[0].epoch, waiting[0].body.as_deref()), (2, None, Some(&b"message"[..])));
    assert_eq!(store.inbox(ben, DEVICE, 1).await.unwrap(), waiting[..1]);
    assert_eq!(store.inbox(ben, elsewhere, 1).await.unwrap(), []);
    assert!(store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert_eq!(leave(store, id, ben, DEVICE, NOW).await, AddedToInbox::Added);
}

async fn a_deleted_room_takes_its_group_along(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap();
    assert!(store.delete_room(id).await.unwrap().is_some());
    assert_eq!(store.commits(&GROUP, 0, 10, 100).await.unwrap(), []);
    assert_eq!(inbox(store, ben).await, []);
    let another = room(store, ann, "Thursday").await;
    assert_eq!(create(store, another, of(ann)).await, AddedGroup::Added, "nothing of it is left");
}

async fn old_commits_and_what_was_never_fetched_are_forgotten(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let later = NOW.plus(Duration::from_secs(10));
    store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap();
    store.add_commit(&NewCommit { at: later, ..commit(id, 1, ann, &[]) }).await.unwrap();
    leave(store, id, ben, DEVICE, later).await;
    assert_eq!(store.forget_commits(NOW, 10).await.unwrap(), 0);
    assert_eq!(store.forget_commits(later, 10).await.unwrap(), 1);
    assert_eq!(store.commits(&GROUP, 0, 10, 100).await.unwrap().iter().map(|row| row.epoch).collect::<Vec<_>>(), [1]);
    assert_eq!(inbox(store, ben).await[0].body, None, "the welcome went with its commit");
    assert_eq!(store.forget_inbox(later, 10).await.unwrap(), 1);
    assert_eq!(inbox(store, ben).await.len(), 1);
}
