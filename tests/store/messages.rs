//! `store/append`, `store/messages.rs`, `store/direct.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use webcall::id::{FileId, MessageId, RoomId, UserId};
use webcall::store::{
    Act, AddedRoom, Appended, Deletion, DirectLimits, Encryption, EntryKind, EntryRow, FileSet, Joined, MemberLimits, NewDirect,
    NewMessage, NewRoom, Page, Pin, Range, RoomUpdate, Standing, Store, Unwelcome,
};
use webcall::time::Timestamp;

use crate::{NOW, on_both, room, user};

const LIMITS: MemberLimits = MemberLimits { in_room: 10, of_user: 10 };

on_both! {
    messages_of_many_senders_are_numbered_without_gaps
    what_is_stored_comes_back_byte_for_byte
    the_same_message_is_stored_once
    who_is_no_member_or_not_welcome_stores_nothing
    in_slow_mode_it_is_remembered_when_a_member_wrote_last
    a_message_with_a_file_that_is_not_there_stores_nothing
    one_callers_messages_keep_their_order
    as_many_messages_in_as_many_rooms_as_one_transaction_takes_are_stored_at_once
    pages_are_read_from_both_sides_and_end_at_their_limits
    a_deleted_message_leaves_its_place_and_says_so
    pins_are_limited_and_end_with_their_message
    a_read_marker_goes_forwards_and_not_beyond_the_log
    the_same_people_find_the_same_conversation
    what_others_opened_does_not_count_among_ones_own
    a_list_of_rooms_shows_the_last_entry_of_each
    a_room_forgets_its_oldest_entries_and_no_others
    what_a_deleted_room_held_goes_little_by_little
}

fn anybody(_: &Standing, _: Timestamp) -> Result<(), Unwelcome> {
    Ok(())
}

fn nobody(_: &Standing, _: Timestamp) -> Result<(), Unwelcome> {
    Err(Unwelcome::Locked)
}

fn message(room: RoomId, sender: UserId, body: &[u8]) -> NewMessage {
    NewMessage { room, sender, id: MessageId::new(NOW), body: body.to_vec(), files: FileSet::default(), sent_at: NOW }
}

async fn append(store: &Store, message: NewMessage) -> Appended {
    store.append(message, anybody).unwrap().outcome().await.unwrap()
}

async fn stored(store: &Store, message: NewMessage) -> EntryRow {
    match append(store, message).await {
        Appended::New { entry, .. } => entry,
        other => panic!("not stored: {other:?}"),
    }
}

async fn all(store: &Store, room: RoomId) -> Vec<EntryRow> {
    store.entries(room, Page { range: Range::After(0), limit: 1_000, max_bytes: usize::MAX }).await.unwrap()
}

fn act(room: RoomId, actor: UserId, target: MessageId) -> Act {
    Act { room, id: MessageId::new(NOW), actor, target, at: NOW }
}

async fn messages_of_many_senders_are_numbered_without_gaps(store: &Store) {
    let (owner, _) = user(store).await;
    let rooms = [room(store, owner, "one").await, room(store, owner, "two").await, room(store, owner, "three").await];
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..16 {
        let (store, room) = (store.clone(), rooms[n % rooms.len()]);
        senders.spawn(async move {
            for nth in 0..30 {
                stored(&store, message(room, owner, &[n as u8, nth])).await;
            }
        });
    }
    senders.join_all().await;
    for (room, senders) in rooms.into_iter().zip([6, 5, 5]) {
        let entries = all(store, room).await;
        let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=30 * senders).collect::<Vec<i64>>());
        let bodies: BTreeSet<_> = entries.iter().map(|entry| entry.body.clone()).collect();
        assert_eq!(bodies.len(), entries.len());
        assert_eq!(store.room_of(room, owner).await.unwrap().unwrap().last_seq, 30 * senders);
    }
}

async fn what_is_stored_comes_back_byte_for_byte(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    for body in [vec![0], vec![255; 65_536], (0..=255).collect(), "ж\u{0}\u{202e}%_'".as_bytes().to_vec()] {
        let sent = message(id, owner, &body);
        let entry = stored(store, sent.clone()).await;
        assert_eq!((entry.kind, entry.sender, entry.sent_at, entry.target), (EntryKind::Message, owner, NOW, None));
        assert_eq!(entry.body.as_deref(), Some(&body[..]));
        assert_eq!(store.entry(id, sent.id).await.unwrap(), Some(entry));
    }
}

async fn the_same_message_is_stored_once(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let other = room(store, owner, "elsewhere").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    let sent = message(id, owner, b"once");
    let first = stored(store, sent.clone()).await;
    let again = NewMessage { body: b"changed".to_vec(), ..sent.clone() };
    assert_eq!(append(store, again).await, Appended::Before(first.clone()));
    assert_eq!(append(store, NewMessage { sender: guest, ..sent.clone() }).await, Appended::IdTaken);
    assert_eq!(all(store, id).await, [first]);
    // Another room is another log.
    assert_eq!(stored(store, NewMessage { room: other, ..sent.clone() }).await.seq, 1);
    let twins: Vec<_> = (0..8).map(|_| store.append(message_with(id, owner, 9), anybody).unwrap()).collect();
    let mut new = 0;
    for twin in twins {
        match twin.outcome().await.unwrap() {
            Appended::New { entry, .. } | Appended::Before(entry) if entry.seq == 2 => new += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((new, all(store, id).await.len()), (8, 2));
}

fn message_with(room: RoomId, sender: UserId, id: u8) -> NewMessage {
    NewMessage { id: MessageId::from_bytes([id; 16]), ..message(room, sender, &[id]) }
}

async fn who_is_no_member_or_not_welcome_stores_nothing(store: &Store) {
    let (owner, _) = user(store).await;
    let (stranger, _) = user(store).await;
    let id = room(store, owner, "link").await;
    assert_eq!(append(store, message(id, stranger, b"x")).await, Appended::NoSuchRoom);
    assert_eq!(append(store, message(RoomId::new(NOW), owner, b"x")).await, Appended::NoSuchRoom);
    let unwelcome = store.append(message(id, owner, b"x"), nobody).unwrap().outcome().await.unwrap();
    assert_eq!(unwelcome, Appended::Unwelcome(Unwelcome::Locked));
    assert_eq!(all(store, id).await, []);
    assert_eq!(stored(store, message(id, owner, b"y")).await.seq, 1);
}

fn after_a_pause(standing: &Standing, now: Timestamp) -> Result<(), Unwelcome> {
    let passed = now.since(standing.last_message_at).as_secs();
    if passed < standing.slow_mode_s.unsigned_abs() { Err(Unwelcome::TooSoon { retry_after_s: 1 }) } else { Ok(()) }
}

async fn in_slow_mode_it_is_remembered_when_a_member_wrote_last(store: &Store) {
    let ((owner, _), (guest, _)) = (user(store).await, user(store).await);
    let id = room(store, owner, "link").await;
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    store.update_room(id, &RoomUpdate { slow_mode_s: Some(30), ..RoomUpdate::default() }, &[]).await.unwrap();
    for (seconds, expected) in [(0, true), (29, false), (30, true), (59, false)] {
        let sent_at = NOW.plus(Duration::from_secs(seconds));
        let late = NewMessage { sent_at, ..message(id, guest, b"x") };
        let appended = store.append(late, after_a_pause).unwrap().outcome().await.unwrap();
        assert_eq!(matches!(appended, Appended::New { .. }), expected, "after {seconds} s: {appended:?}");
    }
}

async fn a_message_with_a_file_that_is_not_there_stores_nothing(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let with_file = NewMessage { files: FileSet::new(vec![FileId::new(NOW)]).unwrap(), ..message(id, owner, b"x") };
    assert_eq!(append(store, with_file).await, Appended::NoSuchFile);
    assert_eq!(all(store, id).await, []);
}

async fn one_callers_messages_keep_their_order(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let pending: Vec<_> = (0..200).map(|n: u8| store.append(message(id, owner, &[n]), anybody).unwrap()).collect();
    for waiting in pending {
        assert!(matches!(waiting.outcome().await.unwrap(), Appended::New { .. }));
    }
    let bodies: Vec<u8> = all(store, id).await.into_iter().map(|entry| entry.body.unwrap()[0]).collect();
    assert_eq!(bodies, (0..200).collect::<Vec<u8>>());
}

/// The longest statements of the store: 256 rooms, 512 messages of seven values each.
async fn as_many_messages_in_as_many_rooms_as_one_transaction_takes_are_stored_at_once(store: &Store) {
    const ROOMS: u128 = 256;
    let (owner, _) = user(store).await;
    // A room's writer goes by the end of its identifier: all have the same.
    let ids: Vec<RoomId> = (1..=ROOMS).map(|number| RoomId::from_bytes((number << 32).to_be_bytes())).collect();
    for (number, id) in ids.iter().enumerate() {
        let link_code = format!("link{number}");
        let room = NewRoom { id: *id, name: "room", protection: Encryption::Open.into(), link_code: &link_code, created_at: NOW };
        assert_eq!(store.add_room(&room, owner, 1_000).await.unwrap(), AddedRoom::Added);
    }
    // Queued before the writer's turn comes, so that it finds them all.
    let both = ids.iter().chain(&ids);
    let pending: Vec<_> = both.map(|id| store.append(message(*id, owner, b"x"), anybody).unwrap()).collect();
    let mut seqs = Vec::new();
    for waiting in pending {
        let Appended::New { entry, .. } = waiting.outcome().await.unwrap() else { panic!("not stored") };
        seqs.push(entry.seq);
    }
    assert_eq!(seqs, [[1; ROOMS as usize], [2; ROOMS as usize]].concat());
    for id in ids {
        assert_eq!(all(store, id).await.len(), 2);
    }
}

async fn pages_are_read_from_both_sides_and_end_at_their_limits(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    for _ in 0..10 {
        stored(store, message(id, owner, &[1; 100])).await;
    }
    let page = async |range, limit, max_bytes| -> Vec<i64> {
        let entries = store.entries(id, Page { range, limit, max_bytes }).await.unwrap();
        entries.into_iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(page(Range::Before(i64::MAX), 3, 10_000).await, [8, 9, 10]);
    assert_eq!(page(Range::Before(8), 3, 10_000).await, [5, 6, 7]);
    assert_eq!(page(Range::Before(1), 3, 10_000).await, [0; 0]);
    assert_eq!(page(Range::After(0), 3, 10_000).await, [1, 2, 3]);
    assert_eq!(page(Range::After(9), 3, 10_000).await, [10]);
    assert_eq!(page(Range::After(i64::MAX), 3, 10_000).await, [0; 0]);
    assert_eq!(page(Range::After(0), 10, 250).await, [1, 2]);
    assert_eq!(page(Range::Before(11), 10, 250).await, [9, 10]);
    assert_eq!(page(Range::After(0), 10, 1).await, [1], "one is read whatever its size");
}

async fn a_deleted_message_leaves_its_place_and_says_so(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let sent = stored(store, message(id, owner, b"secret")).await;
    let deletion = act(id, owner, sent.id);
    let Deletion::Deleted(entry) = store.delete_message(deletion, None).await.unwrap() else { panic!("must be deleted") };
    assert_eq!((entry.seq, entry.kind, entry.target, entry.body), (2, EntryKind::Deletion, Some(sent.id), None));
    let entries = all(store, id).await;
    assert_eq!(entries[0], EntryRow { body: None, ..sent.clone() });
    assert_eq!(store.delete_message(act(id, owner, sent.id), None).await.unwrap(), Deletion::NotFound);
    assert_eq!(
        store.delete_message(act(id, owner, entry.id), None).await.unwrap(),
        Deletion::NotFound,
        "a deletion is no message"
    );
    assert_eq!(store.delete_message(act(id, owner, MessageId::new(NOW)), None).await.unwrap(), Deletion::NotFound);
    assert_eq!(stored(store, message(id, owner, b"next")).await.seq, 3);
    let again = NewMessage { id: sent.id, ..message(id, owner, b"secret") };
    let Appended::Before(before) = append(store, again).await else { panic!("it was stored before") };
    assert_eq!(before.body, None, "sending it again does not bring it back");
}

async fn pins_are_limited_and_end_with_their_message(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    let first = stored(store, message(id, owner, b"1")).await;
    let second = stored(store, message(id, owner, b"2")).await;
    let Pin::Changed(pin) = store.pin(act(id, owner, first.id), 1, None).await.unwrap() else { panic!("must be pinned") };
    assert_eq!((pin.seq, pin.kind, pin.target), (3, EntryKind::Pin, Some(first.id)));
    assert_eq!(store.pin(act(id, owner, first.id), 1, None).await.unwrap(), Pin::Before);
    assert_eq!(store.pin(act(id, owner, second.id), 1, None).await.unwrap(), Pin::TooMany);
    assert_eq!(store.pin(act(id, owner, pin.id), 9, None).await.unwrap(), Pin::NotFound, "a pin is no message");
    let pins = store.pins(id).await.unwrap();
    assert_eq!(pins.iter().map(|pin| (pin.entry.clone(), pin.pinned_by)).collect::<Vec<_>>(), [(first.clone(), owner)]);
    assert!(matches!(store.unpin(act(id, owner, first.id), None).await.unwrap(), Pin::Changed(_)));
    assert_eq!(store.unpin(act(id, owner, first.id), None).await.unwrap(), Pin::NotFound);
    store.pin(act(id, owner, second.id), 1, None).await.unwrap();
    store.delete_message(act(id, owner, second.id), None).await.unwrap();
    assert_eq!(store.pins(id).await.unwrap(), []);
    let seqs: Vec<i64> = all(store, id).await.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=6).collect::<Vec<i64>>(), "refused pins leave no gaps");
}

async fn a_read_marker_goes_forwards_and_not_beyond_the_log(store: &Store) {
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "link").await;
    for _ in 0..3 {
        stored(store, message(id, owner, b"x")).await;
    }
    assert!(store.mark_read(id, owner, 2).await.unwrap());
    assert!(!store.mark_read(id, owner, 2).await.unwrap());
    assert!(!store.mark_read(id, owner, 1).await.unwrap());
    assert!(!store.mark_read(id, owner, 4).await.unwrap());
    assert!(!store.mark_read(id, guest, 1).await.unwrap());
    assert_eq!(store.room_of(id, owner).await.unwrap().unwrap().read_seq, 2);
    store.join_room("link", guest, NOW, LIMITS).await.unwrap();
    assert_eq!(store.room_of(id, guest).await.unwrap().unwrap().read_seq, 3, "what was before one joined is not unread");
}

async fn the_same_people_find_the_same_conversation(store: &Store) {
    let ((anna, _), (boris, _), (clara, _)) = (user(store).await, user(store).await, user(store).await);
    let new = |id, key, members, link_code| NewDirect {
        id,
        key,
        members,
        by: anna,
        link_code,
        protection: Encryption::Open.into(),
        created_at: NOW,
    };
    let limits = |asked, unasked| DirectLimits { asked, unasked };
    let both = [anna, boris];
    let first = store.open_direct(&new(RoomId::new(NOW), "ab", &both, "one"), limits(10, 10)).await.unwrap().unwrap();
    let again = store.open_direct(&new(RoomId::new(NOW), "ab", &both, "two"), limits(10, 10)).await.unwrap().unwrap();
    assert_eq!(first, again);
    assert_eq!(store.room_of(first, boris).await.unwrap().unwrap().member_count, 2);
    assert_eq!(store.direct_of("ab", anna).await.unwrap(), Some(first));
    assert_eq!(store.direct_of("ab", clara).await.unwrap(), None);
    let all = [anna, boris, clara];
    for full in [limits(1, 10), limits(10, 1)] {
        assert_eq!(store.open_direct(&new(RoomId::new(NOW), "abc", &all, "three"), full).await.unwrap(), None);
    }
    let people = store.people_of_directs(anna).await.unwrap();
    assert_eq!(people.iter().map(|(room, user, _)| (*room, *user)).collect::<Vec<_>>(), [(first, anna), (first, boris)]);
    assert_eq!(store.room_by_link("one").await.unwrap(), None, "nobody joins it by a link");
}

async fn what_others_opened_does_not_count_among_ones_own(store: &Store) {
    let ((anna, _), (boris, _)) = (user(store).await, user(store).await);
    let new = NewDirect {
        id: RoomId::new(NOW),
        key: "ab",
        members: &[anna, boris],
        by: anna,
        link_code: "direct",
        protection: Encryption::Open.into(),
        created_at: NOW,
    };
    let only_one = DirectLimits { asked: 1, unasked: 1 };
    store.open_direct(&new, only_one).await.unwrap().expect("neither has one");
    let one = MemberLimits { in_room: 10, of_user: 1 };
    let (owner, _) = user(store).await;
    room(store, owner, "link").await;
    assert_eq!(store.join_room("link", anna, NOW, one).await.unwrap(), Joined::TooManyRooms);
    assert!(matches!(store.join_room("link", boris, NOW, one).await.unwrap(), Joined::Joined(_)));
    let joined = store.join_room("link", anna, NOW, MemberLimits { of_user: 2, ..one }).await.unwrap();
    assert!(matches!(joined, Joined::Joined(_)));
}

async fn a_list_of_rooms_shows_the_last_entry_of_each(store: &Store) {
    let (owner, _) = user(store).await;
    let (busy, silent) = (room(store, owner, "busy").await, room(store, owner, "silent").await);
    stored(store, message(busy, owner, b"old")).await;
    let last = stored(store, message(busy, owner, b"new")).await;
    assert_eq!(store.last_entries_of(owner).await.unwrap(), [(busy, last.clone())]);
    assert_eq!(store.last_entry(busy).await.unwrap(), Some(last));
    assert_eq!(store.last_entry(silent).await.unwrap(), None);
    let long = stored(store, message(busy, owner, &[7; 5_000])).await;
    assert_eq!(store.last_entry(busy).await.unwrap(), Some(EntryRow { body: None, ..long }));
}

async fn a_room_forgets_its_oldest_entries_and_no_others(store: &Store) {
    let (owner, _) = user(store).await;
    let (id, other) = (room(store, owner, "link").await, room(store, owner, "other").await);
    stored(store, message(other, owner, b"old")).await;
    for day in 0..5 {
        let sent_at = NOW.plus(Duration::from_secs(day * 86_400));
        let entry = stored(store, NewMessage { sent_at, ..message(id, owner, &[day as u8]) }).await;
        store.pin(act(id, owner, entry.id), 10, None).await.unwrap();
    }
    let cutoff = NOW.plus(Duration::from_secs(2 * 86_400));
    assert_eq!(store.forget_entries(id, cutoff, 3).await.unwrap(), 3, "no more at once than asked for");
    assert_eq!(store.forget_entries(id, cutoff, 3).await.unwrap(), 1);
    // A pin of the first day stands behind the message of the third: it waits.
    assert_eq!(store.forget_entries(id, cutoff, 3).await.unwrap(), 0);
    let left: Vec<i64> = all(store, id).await.iter().map(|entry| entry.seq).collect();
    assert_eq!(left, (5..=10).collect::<Vec<i64>>());
    let row = store.room_of(id, owner).await.unwrap().unwrap();
    assert_eq!((row.first_seq, row.last_seq), (5, 10));
    assert_eq!(store.pins(id).await.unwrap().len(), 3, "a pin ends with its message");
    assert_eq!(stored(store, message(id, owner, b"next")).await.seq, 11);
    assert_eq!(all(store, other).await.len(), 1);
    assert_eq!(store.rooms_that_forget(RoomId::from_bytes([0; 16]), 10).await.unwrap(), []);
}

async fn what_a_deleted_room_held_goes_little_by_little(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "link").await;
    for n in 0..5 {
        stored(store, message(id, owner, &[n])).await;
    }
    assert!(store.delete_room(id).await.unwrap().is_some());
    assert_eq!(store.removed_rooms(10).await.unwrap(), [id]);
    assert_eq!(append(store, message(id, owner, b"late")).await, Appended::NoSuchRoom);
    assert!(!store.purge_room(id, 2).await.unwrap());
    assert!(!store.purge_room(id, 2).await.unwrap());
    assert!(store.purge_room(id, 2).await.unwrap());
    assert_eq!((store.removed_rooms(10).await.unwrap(), all(store, id).await), (vec![], vec![]));
}
