//! `store/e2ee`: groups, commits, inboxes.

use std::collections::BTreeSet;
use std::time::Duration;

use webcall::id::{DeviceId, HistoryId, InboxId, RoomId, SessionId, UserId};
use webcall::role::Role;
use webcall::store::{
    AddedCommit, AddedGroup, AddedToInbox, AppendedRecord, CommitLimits, Counting, DeviceChange, DirectLimits, Encryption,
    GroupPlace, InboxLimits, InboxOf, InboxRow, MemberLimits, NewCommit, NewDirect, NewGroup, NewInboxMessage, NewRecord, Store,
};
use webcall::time::Timestamp;

use crate::{NOW, on_both, room, user};

on_both! {
    a_group_is_made_once_by_a_device_that_counts_and_seen_by_members
    one_commit_wins_an_epoch
    who_was_in_a_group_is_known_to_the_members_of_its_room_when_they_have_left
    one_of_many_commits_at_once_wins
    who_does_not_count_changes_no_group_and_is_not_added
    a_welcome_waits_for_each_whom_a_commit_adds_until_it_is_fetched
    a_message_waits_unless_too_many_do_and_only_for_who_counts
    welcomes_into_one_group_are_found_among_all_that_waits
    a_deleted_room_takes_its_group_along
    old_commits_and_what_was_never_fetched_are_forgotten
    a_group_is_replaced_when_nobody_in_it_counts_and_not_before
    no_more_is_kept_of_a_group_than_allowed_and_the_oldest_goes
    a_welcome_goes_once_all_have_fetched_it_or_when_it_is_old
    strangers_push_out_no_welcome_and_fill_half_an_inbox
    one_sender_does_not_fill_an_inbox
    a_revocation_beside_a_commit_comes_before_or_after_it
    commits_the_sweep_and_who_fetches_welcomes_never_wait_for_one_another_in_a_circle
}

const GROUP: [u8; 17] = [1; 17];
const HISTORY: HistoryId = HistoryId::from_bytes([3; 16]);
const LIMITS: CommitLimits = CommitLimits { welcomes: 2, kept_bytes: 1_000 };
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
    let new = NewGroup { id: &GROUP, room, history: HISTORY, by, group_info: b"info 0", state: b"state 0", created_at: NOW };
    store.add_group(&new).await.unwrap()
}

fn commit<'a>(room: RoomId, epoch: i64, by: UserId, added: &'a [Counting<'a>]) -> NewCommit<'a> {
    NewCommit {
        room,
        history: HISTORY,
        epoch,
        commit: b"commit",
        welcome: if added.is_empty() { None } else { Some(b"welcome") },
        group_info: b"info",
        state: b"state",
        by: of(by),
        added,
        limits: LIMITS,
        at: NOW,
    }
}

fn all_of(user: UserId, device: DeviceId) -> InboxOf {
    InboxOf { user, device, into: None }
}

async fn inbox(store: &Store, user: UserId) -> Vec<InboxRow> {
    store.inbox(&all_of(user, DEVICE), 100, 1_000).await.unwrap().0
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
    let place = GroupPlace { room_id: id, history_id: HISTORY, epoch: 0 };
    assert_eq!(store.group_place(&GROUP, ann).await.unwrap(), Some(place));
    assert_eq!((store.group(&GROUP, eve).await.unwrap(), store.group_place(&GROUP, eve).await.unwrap()), (None, None));
    assert_eq!(store.counting_certificates(id).await.unwrap(), [CERTIFICATE]);
}

async fn who_was_in_a_group_is_known_to_the_members_of_its_room_when_they_have_left(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let known = async |reader, user| store.was_in_a_room_of(reader, user).await.unwrap();
    assert!(known(ben, ann).await && !known(ann, ben).await, "a member who is not in the group yet");
    assert_eq!(store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap(), AddedCommit::Added);
    assert!(known(ann, ben).await);
    assert!(store.remove_member(id, ben, Role::Member, None).await.unwrap());
    assert_eq!((known(ann, ben).await, known(ben, ann).await), (true, false), "who has left sees nobody any more");
    assert_eq!(store.add_commit(&commit(id, 1, ann, &[])).await.unwrap(), AddedCommit::Added, "the same again");
    assert!(store.delete_room(id).await.unwrap().is_some());
    assert!(!known(ann, ben).await);
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
        let rows = store.commits(HISTORY, from, limit, max_bytes).await.unwrap();
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
    assert_eq!((won, store.commits(HISTORY, 0, 100, 1_000).await.unwrap().len()), (1, 1));
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
    let (roomy, added) = (CommitLimits { welcomes: 10, ..LIMITS }, [of(ben)]);
    for epoch in 0..6_i64 {
        let at = NOW.plus(Duration::from_secs(epoch.unsigned_abs()));
        let new = NewCommit { limits: roomy, at, ..commit(id, epoch, ann, &added) };
        assert_eq!(store.add_commit(&new).await.unwrap(), AddedCommit::Added);
    }
    let waiting = inbox(store, ben).await;
    let seen: Vec<_> = waiting.iter().map(|row| (row.group_id.as_slice(), row.body.as_deref(), row.epoch)).collect();
    let last_four = [2, 3, 4, 5].map(|epoch| (&GROUP[..], Some(&b"welcome"[..]), Some(epoch)));
    assert_eq!(seen, last_four, "whoever was put out and brought in again was there in between");
    assert_eq!(waiting[0].commit_bytes.as_deref(), Some(&b"commit"[..]), "what it leads where");
    assert_eq!(inbox(store, ann).await, []);
    assert!(!store.remove_from_inbox(waiting[0].id, ann).await.unwrap(), "it is not hers");
    assert!(store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert!(!store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert_eq!(inbox(store, ben).await.len(), 3);
}

async fn leave(store: &Store, id: RoomId, sender: UserId, (user, device): (UserId, DeviceId), at: Timestamp) -> AddedToInbox {
    let new = NewInboxMessage { id: InboxId::new(at), history: HISTORY, sender, room: id, user, device, body: b"message", at };
    store.add_to_inbox(&new, InboxLimits { messages: 2, unasked: 1, of_sender: 2 }).await.unwrap()
}

async fn a_message_waits_unless_too_many_do_and_only_for_who_counts(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let eve = person(store).await;
    let elsewhere = DeviceId::from_bytes([2; 16]);
    assert_eq!(leave(store, id, ann, (eve, DEVICE), NOW).await, AddedToInbox::NotCounting);
    assert_eq!(leave(store, id, ann, (ben, elsewhere), NOW).await, AddedToInbox::NotCounting);
    for _ in 0..2 {
        assert_eq!(leave(store, id, ann, (ben, DEVICE), NOW).await, AddedToInbox::Added);
    }
    assert_eq!(leave(store, id, ann, (ben, DEVICE), NOW).await, AddedToInbox::Full);
    let waiting = inbox(store, ben).await;
    assert_eq!((waiting.len(), waiting[0].epoch, waiting[0].body.as_deref()), (2, None, Some(&b"message"[..])));
    assert_eq!(store.inbox(&all_of(ben, DEVICE), 1, 1_000).await.unwrap(), (waiting[..1].to_vec(), true));
    assert_eq!(store.inbox(&all_of(ben, DEVICE), 2, 8).await.unwrap(), (waiting[..1].to_vec(), true), "bytes for one");
    assert_eq!(store.inbox(&all_of(ben, DEVICE), 2, 14).await.unwrap(), (waiting.clone(), false));
    assert_eq!(store.inbox(&all_of(ben, elsewhere), 1, 1_000).await.unwrap(), (vec![], false));
    assert!(store.remove_from_inbox(waiting[0].id, ben).await.unwrap());
    assert_eq!(leave(store, id, ann, (ben, DEVICE), NOW).await, AddedToInbox::Added);
}

async fn welcomes_into_one_group_are_found_among_all_that_waits(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    assert_eq!(leave(store, id, ann, (ben, DEVICE), NOW).await, AddedToInbox::Added);
    assert_eq!(store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap(), AddedCommit::Added);
    let into = async |group| store.inbox(&InboxOf { into: Some(group), ..all_of(ben, DEVICE) }, 10, 1_000).await.unwrap();
    let (found, more) = into(GROUP).await;
    assert_eq!((found.len(), found[0].epoch, more), (1, Some(0), false));
    assert_eq!(into([2; 17]).await, (vec![], false));
    assert_eq!(inbox(store, ben).await.len(), 2);
}

async fn a_deleted_room_takes_its_group_along(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    for epoch in 0..3 {
        store.add_commit(&commit(id, epoch, ann, &[of(ben)])).await.unwrap();
    }
    assert!(store.delete_room(id).await.unwrap().is_some());
    assert_eq!((store.group(&GROUP, ann).await.unwrap(), inbox(store, ben).await), (None, vec![]));
    assert_eq!(store.commits(HISTORY, 0, 10, 100).await.unwrap().len(), 3, "they go little by little");
    assert_eq!(store.removed_histories(10).await.unwrap(), [HISTORY]);
    assert!(!store.purge_history(HISTORY, 2).await.unwrap());
    assert_eq!(store.commits(HISTORY, 0, 10, 100).await.unwrap().len(), 1);
    assert!(store.purge_history(HISTORY, 2).await.unwrap());
    assert_eq!((store.commits(HISTORY, 0, 10, 100).await.unwrap(), store.removed_histories(10).await.unwrap()), (vec![], vec![]));
    let another = room(store, ann, "Thursday").await;
    assert_eq!(create(store, another, of(ann)).await, AddedGroup::Added, "nothing of it is left");
}

async fn a_group_is_replaced_when_nobody_in_it_counts_and_not_before(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap();
    let next = HistoryId::from_bytes([4; 16]);
    let new = NewGroup { id: &GROUP, room: id, history: next, by: of(ben), group_info: b"info", state: b"new", created_at: NOW };
    let old = GroupPlace { room_id: id, history_id: HISTORY, epoch: 1 };
    let leaves = |bytes: &[u8]| BTreeSet::from([b"long gone".to_vec(), bytes.to_vec()]);
    let replace = async |old, leaves| store.replace_group(&new, old, &leaves).await.unwrap();
    assert_eq!(replace(old, leaves(CERTIFICATE)).await, AddedGroup::Exists, "one counts");
    assert_eq!(replace(GroupPlace { epoch: 0, ..old }, leaves(b"other")).await, AddedGroup::Exists, "it went on");
    let of_eve = NewGroup { by: of(person(store).await), ..new };
    assert_eq!(store.replace_group(&of_eve, old, &leaves(b"other")).await.unwrap(), AddedGroup::NotCounting);
    assert_eq!(replace(old, leaves(b"other")).await, AddedGroup::Added);
    let group = store.group(&GROUP, ann).await.unwrap().unwrap();
    assert_eq!((group.history_id, group.epoch, &group.state[..]), (next, 0, &b"new"[..]));
    assert_eq!(inbox(store, ben).await, [], "welcomes into the old one are of no use");
    assert_eq!(
        (store.commits(next, 0, 10, 100).await.unwrap(), store.removed_histories(10).await.unwrap()),
        (vec![], vec![HISTORY])
    );
    assert_eq!(replace(old, leaves(b"other")).await, AddedGroup::Exists, "once");
}

async fn no_more_is_kept_of_a_group_than_allowed_and_the_oldest_goes(store: &Store) {
    let (ann, _, id) = stage(store).await;
    let bytes = [7; 40];
    for epoch in 0..60 {
        let new = NewCommit { commit: &bytes, ..commit(id, epoch, ann, &[]) };
        assert_eq!(store.add_commit(&new).await.unwrap(), AddedCommit::Added);
        let kept = store.commits(HISTORY, 0, 100, usize::MAX).await.unwrap();
        assert!(kept.len() <= 25 && kept.last().unwrap().epoch == epoch, "{} after {epoch}", kept.len());
    }
    let large = NewCommit { commit: &[1; 2_000], ..commit(id, 60, ann, &[]) };
    assert_eq!(store.add_commit(&large).await.unwrap(), AddedCommit::Added, "no size keeps a group from going on");
    assert_eq!(store.commits(HISTORY, 0, 100, usize::MAX).await.unwrap().iter().map(|row| row.epoch).collect::<Vec<_>>(), [60]);
    assert_eq!(store.add_commit(&commit(id, 61, ann, &[])).await.unwrap(), AddedCommit::Added);
    assert_eq!(store.commits(HISTORY, 0, 100, usize::MAX).await.unwrap().iter().map(|row| row.epoch).collect::<Vec<_>>(), [61]);
}

async fn a_welcome_goes_once_all_have_fetched_it_or_when_it_is_old(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let carla = person(store).await;
    store.join_room("Wednesday", carla, NOW, MemberLimits { in_room: 10, of_user: 10 }).await.unwrap();
    // Kept in full as long as it is, one byte more would push it out.
    let tight = CommitLimits { kept_bytes: 26, ..LIMITS };
    store.add_commit(&NewCommit { limits: tight, ..commit(id, 0, ann, &[of(ben), of(carla)]) }).await.unwrap();
    let (bens, carlas) = (inbox(store, ben).await, inbox(store, carla).await);
    store.remove_from_inbox(bens[0].id, ben).await.unwrap();
    assert_eq!(inbox(store, carla).await[0].body.as_deref(), Some(&b"welcome"[..]), "she has not fetched it");
    store.remove_from_inbox(carlas[0].id, carla).await.unwrap();
    for epoch in 1..=3 {
        store.add_commit(&NewCommit { limits: tight, ..commit(id, epoch, ann, &[]) }).await.unwrap();
    }
    assert_eq!(store.commits(HISTORY, 0, 10, 100).await.unwrap().len(), 4, "its place was free");

    store.add_commit(&commit(id, 4, ann, &[of(ben)])).await.unwrap();
    let later = NOW.plus(Duration::from_secs(1));
    assert_eq!((store.forget_commits(NOW, 10).await.unwrap(), store.forget_commits(later, 10).await.unwrap()), (0, 5));
    assert_eq!(inbox(store, ben).await[0].body, None);
}

/// A group in a conversation that somebody opens with others.
async fn unasked(store: &Store, by: UserId, with: UserId, number: u8) -> (RoomId, HistoryId) {
    let (id, key) = (RoomId::from_bytes([100 + number; 16]), format!("direct{number}"));
    let members = [by, with];
    let new =
        NewDirect { id, key: &key, members: &members, by, link_code: &key, protection: Encryption::Mls.into(), created_at: NOW };
    store.open_direct(&new, DirectLimits { asked: 100, unasked: 100 }).await.unwrap().unwrap();
    let history = HistoryId::from_bytes([100 + number; 16]);
    let group = [100 + number; 17];
    let new = NewGroup { id: &group, room: id, history, by: of(by), group_info: b"info", state: b"state", created_at: NOW };
    assert_eq!(store.add_group(&new).await.unwrap(), AddedGroup::Added);
    (id, history)
}

async fn strangers_push_out_no_welcome_and_fill_half_an_inbox(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let eve = person(store).await;
    store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap();
    for number in 0..4 {
        let (room, history) = unasked(store, eve, ben, number).await;
        let added = [of(ben)];
        let later = NOW.plus(Duration::from_secs(1 + u64::from(number)));
        let new = NewCommit { room, history, at: later, ..commit(room, 0, eve, &added) };
        assert_eq!(store.add_commit(&new).await.unwrap(), AddedCommit::Added);
    }
    let groups: Vec<_> = inbox(store, ben).await.into_iter().map(|row| row.group_id).collect();
    assert_eq!(groups, [GROUP.to_vec(), vec![103; 17]], "two wait at the most, and the room's is one of them");

    let (room, history) = (RoomId::from_bytes([100; 16]), HistoryId::from_bytes([100; 16]));
    let message = |id| NewInboxMessage { id, history, sender: eve, room, user: ben, device: DEVICE, body: b"message", at: NOW };
    let limits = InboxLimits { messages: 2, unasked: 1, of_sender: 2 };
    assert_eq!(store.add_to_inbox(&message(InboxId::new(NOW)), limits).await.unwrap(), AddedToInbox::Added);
    assert_eq!(store.add_to_inbox(&message(InboxId::new(NOW)), limits).await.unwrap(), AddedToInbox::Full);
    assert_eq!(leave(store, id, ann, (ben, DEVICE), NOW).await, AddedToInbox::Added, "the other half is for rooms of his own");
}

async fn one_sender_does_not_fill_an_inbox(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let carla = person(store).await;
    store.join_room("Wednesday", carla, NOW, MemberLimits { in_room: 10, of_user: 10 }).await.unwrap();
    let limits = InboxLimits { messages: 3, unasked: 3, of_sender: 1 };
    let leave = async |sender| {
        let id = NewInboxMessage {
            id: InboxId::new(NOW),
            history: HISTORY,
            sender,
            room: id,
            user: ben,
            device: DEVICE,
            body: b"x",
            at: NOW,
        };
        store.add_to_inbox(&id, limits).await.unwrap()
    };
    assert_eq!(
        (leave(ann).await, leave(ann).await, leave(carla).await),
        (AddedToInbox::Added, AddedToInbox::Full, AddedToInbox::Added)
    );
}

/// Whichever comes first, no commit stands by a device that was revoked before it: of those that were accepted the last was committed first.
async fn a_revocation_beside_a_commit_comes_before_or_after_it(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let committing = async {
        let mut accepted = 0;
        while store.add_commit(&commit(id, accepted, ann, &[of(ben)])).await.unwrap() == AddedCommit::Added {
            accepted += 1;
            // Until the revocation is there; it takes a moment.
            assert!(accepted < 100_000, "a revoked device is added again and again");
        }
        accepted
    };
    let change = DeviceChange::Remove { device: DEVICE, by: SessionId::new(NOW) };
    let revoking = async {
        let record = NewRecord { user: ben, number: 1, record: b"revoked", change };
        assert!(matches!(store.append_record(&record).await.unwrap(), AppendedRecord::Appended { .. }));
        store.group(&GROUP, ann).await.unwrap().unwrap().epoch
    };
    let (accepted, when_revoked) = tokio::join!(committing, revoking);
    assert_eq!(accepted, when_revoked, "none after it");
    assert_eq!(inbox(store, ben).await, []);
    assert_eq!(store.add_commit(&commit(id, accepted, ann, &[])).await.unwrap(), AddedCommit::Added, "without him it goes on");
}

/// A database that sees a circle breaks it: one of them would fail.
async fn commits_the_sweep_and_who_fetches_welcomes_never_wait_for_one_another_in_a_circle(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let (later, added) = (NOW.plus(Duration::from_secs(1)), [of(ben)]);
    let tight = CommitLimits { kept_bytes: 60, ..LIMITS };
    let committing = async {
        for epoch in 0..60 {
            let new = NewCommit { limits: tight, ..commit(id, epoch, ann, &added) };
            assert_eq!(store.add_commit(&new).await.unwrap(), AddedCommit::Added);
        }
    };
    let sweeping = async {
        for _ in 0..60 {
            store.forget_commits(later, 3).await.unwrap();
        }
    };
    let fetching = async {
        for _ in 0..60 {
            for item in inbox(store, ben).await {
                store.remove_from_inbox(item.id, ben).await.unwrap();
            }
        }
    };
    tokio::join!(committing, sweeping, fetching);
    assert_eq!(store.group(&GROUP, ann).await.unwrap().unwrap().epoch, 60);
}

async fn old_commits_and_what_was_never_fetched_are_forgotten(store: &Store) {
    let (ann, ben, id) = stage(store).await;
    let later = NOW.plus(Duration::from_secs(10));
    store.add_commit(&commit(id, 0, ann, &[of(ben)])).await.unwrap();
    store.add_commit(&NewCommit { at: later, ..commit(id, 1, ann, &[]) }).await.unwrap();
    leave(store, id, ann, (ben, DEVICE), later).await;
    assert_eq!(store.forget_commits(NOW, 10).await.unwrap(), 0);
    assert_eq!(store.forget_commits(later, 10).await.unwrap(), 1);
    assert_eq!(store.commits(HISTORY, 0, 10, 100).await.unwrap().iter().map(|row| row.epoch).collect::<Vec<_>>(), [1]);
    assert_eq!(inbox(store, ben).await[0].body, None, "the welcome went with its commit");
    assert_eq!(store.forget_inbox(later, 10).await.unwrap(), 1);
    assert_eq!(inbox(store, ben).await.len(), 1);
}
