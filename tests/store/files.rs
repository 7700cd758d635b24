//! `store/files.rs`.

use std::time::Duration;

use webcall::id::{FileId, MessageId, PieceId, RoomId, UserId};
use webcall::store::{
    AddedFile, FileLimits, FileRow, FileSet, MAX_FILES_PER_MESSAGE, MemberLimits, NewFile, NewPieces, PieceRow, RemovedFile,
    Store, WalkedFile,
};
use webcall::time::Timestamp;

use crate::{NOW, on_both, room, user};

on_both! {
    a_file_in_no_message_is_its_sender_s_alone
    a_file_that_would_exceed_a_limit_of_its_user_is_not_added
    bytes_count_only_from_where_they_counted_and_never_beyond_the_size
    a_file_in_a_message_is_read_by_members_and_taken_back_by_nobody
    a_message_takes_only_complete_unsent_files_of_its_sender_and_room_and_all_or_none
    a_message_takes_as_many_files_as_it_may_have
    a_message_that_lets_its_files_go_leaves_them_to_the_sweeper
    old_files_in_no_message_are_removed_step_by_step
    a_walk_finds_files_whose_message_or_room_is_gone
    what_all_files_count_for_is_added_up
    pieces_count_together_with_their_bytes_or_not_at_all_and_go_with_their_file
}

const LIMITS: FileLimits = FileLimits { bytes: 1_000, files: 20, unfinished: 20 };

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

async fn announced(store: &Store, room: RoomId, user: UserId, seconds: u64) -> FileId {
    let created_at = at(seconds);
    let file = NewFile { id: FileId::new(created_at), room, user, size_bytes: 10, created_at };
    assert_eq!(store.add_file(&file, &LIMITS).await.unwrap(), AddedFile::Added);
    file.id
}

async fn complete(store: &Store, room: RoomId, user: UserId, seconds: u64) -> FileId {
    let id = announced(store, room, user, seconds).await;
    assert!(store.receive_file(id, 0, 10).await.unwrap());
    id
}

fn message(number: u8) -> MessageId {
    MessageId::from_bytes([number; 16])
}

fn set(ids: &[FileId]) -> FileSet {
    FileSet::new(ids.to_vec()).unwrap()
}

/// An owner, somebody else, and a room of both.
async fn stage(store: &Store) -> (UserId, UserId, RoomId) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    let id = room(store, ann, "Wednesday").await;
    store.join_room("Wednesday", ben, NOW, MemberLimits { in_room: 10, of_user: 10 }).await.unwrap();
    (ann, ben, id)
}

async fn a_file_in_no_message_is_its_sender_s_alone(store: &Store) {
    let (ann, ben, room) = stage(store).await;
    let id = announced(store, room, ann, 0).await;
    let row = FileRow { id, size_bytes: 10, received_bytes: 0 };
    assert_eq!(store.unsent_file(id, ann).await.unwrap(), Some(row));
    assert_eq!(store.unsent_file(id, ben).await.unwrap(), None);
    assert_eq!(store.readable_file(id, ann).await.unwrap(), None, "it is not complete");
    assert!(store.receive_file(id, 0, 10).await.unwrap());
    assert_eq!(store.readable_file(id, ann).await.unwrap(), Some(FileRow { received_bytes: 10, ..row }));
    assert_eq!(store.readable_file(id, ben).await.unwrap(), None);
    assert_eq!(store.remove_unsent_file(id, ben).await.unwrap(), None);
    assert_eq!(store.remove_unsent_file(id, ann).await.unwrap(), Some(RemovedFile { id, size_bytes: 10 }));
    assert!(!store.has_file(id).await.unwrap());
}

async fn a_file_that_would_exceed_a_limit_of_its_user_is_not_added(store: &Store) {
    let (ann, ben, room) = stage(store).await;
    announced(store, room, ann, 0).await;
    complete(store, room, ann, 1).await;
    let add = async |user, limits| {
        let file = NewFile { id: FileId::new(NOW), room, user, size_bytes: 10, created_at: NOW };
        let added = store.add_file(&file, &limits).await.unwrap();
        assert_eq!(store.has_file(file.id).await.unwrap(), added == AddedFile::Added);
        added
    };
    assert_eq!(add(ann, FileLimits { bytes: 29, ..LIMITS }).await, AddedFile::OverQuota);
    assert_eq!(add(ann, FileLimits { files: 2, ..LIMITS }).await, AddedFile::OverQuota);
    assert_eq!(add(ann, FileLimits { unfinished: 1, ..LIMITS }).await, AddedFile::TooManyUnfinished);
    assert_eq!(add(ben, FileLimits { bytes: 10, files: 1, unfinished: 1 }).await, AddedFile::Added);
    assert_eq!(add(ann, FileLimits { bytes: 30, files: 3, unfinished: 2 }).await, AddedFile::Added);
}

async fn bytes_count_only_from_where_they_counted_and_never_beyond_the_size(store: &Store) {
    let (ann, _, room) = stage(store).await;
    let id = announced(store, room, ann, 0).await;
    assert!(store.receive_file(id, 0, 4).await.unwrap());
    assert!(!store.receive_file(id, 0, 6).await.unwrap());
    assert!(!store.receive_file(id, 4, 11).await.unwrap());
    assert_eq!(store.unsent_file(id, ann).await.unwrap().unwrap().received_bytes, 4);
    assert!(store.receive_file(id, 4, 2).await.unwrap(), "what the disk lost no longer counts");
    assert!(!store.receive_file(FileId::new(NOW), 0, 1).await.unwrap());
}

async fn a_file_in_a_message_is_read_by_members_and_taken_back_by_nobody(store: &Store) {
    let (ann, ben, room) = stage(store).await;
    let (stranger, _) = user(store).await;
    let id = complete(store, room, ann, 0).await;
    assert!(store.attach_files(room, ann, message(1), &set(&[id])).await.unwrap());
    for (who, reads) in [(ann, true), (ben, true), (stranger, false)] {
        assert_eq!(store.readable_file(id, who).await.unwrap().is_some(), reads);
    }
    assert_eq!(store.unsent_file(id, ann).await.unwrap(), None);
    assert_eq!(store.remove_unsent_file(id, ann).await.unwrap(), None);
    assert!(!store.receive_file(id, 10, 10).await.unwrap());
}

async fn a_message_takes_only_complete_unsent_files_of_its_sender_and_room_and_all_or_none(store: &Store) {
    let (ann, ben, wednesday) = stage(store).await;
    let thursday = room(store, ann, "Thursday").await;
    let good = complete(store, wednesday, ann, 0).await;
    let attach = async |files: &[FileId]| store.attach_files(wednesday, ann, message(1), &set(files)).await.unwrap();
    for bad in [
        announced(store, wednesday, ann, 1).await,
        complete(store, wednesday, ben, 2).await,
        complete(store, thursday, ann, 3).await,
        FileId::new(NOW),
    ] {
        assert!(!attach(&[good, bad]).await);
        assert!(store.unsent_file(good, ann).await.unwrap().is_some(), "none is taken");
    }
    assert!(attach(&[]).await);
    let many: Vec<FileId> = {
        let mut many = vec![good];
        for second in 10..19 {
            many.push(complete(store, wednesday, ann, second).await);
        }
        many
    };
    assert!(attach(&many).await);
    assert!(!attach(&[good]).await, "a file goes with one message");
}

async fn a_message_that_lets_its_files_go_leaves_them_to_the_sweeper(store: &Store) {
    let (ann, _, room) = stage(store).await;
    let (one, other) = (complete(store, room, ann, 0).await, complete(store, room, ann, 1).await);
    assert!(store.attach_files(room, ann, message(1), &set(&[one])).await.unwrap());
    assert!(store.attach_files(room, ann, message(2), &set(&[other])).await.unwrap());
    assert_eq!(store.detach_files(room, message(1)).await.unwrap(), 1);
    assert_eq!(store.detach_files(room, message(1)).await.unwrap(), 0);
    assert_eq!(store.readable_file(one, ann).await.unwrap(), None);
    assert_eq!(store.unsent_file(one, ann).await.unwrap(), None);
    assert!(!store.attach_files(room, ann, message(3), &set(&[one])).await.unwrap(), "it never comes back");
    let due = store.remove_due_files(NOW.minus(Duration::from_secs(3_600)), 10).await.unwrap();
    assert_eq!(due, [RemovedFile { id: one, size_bytes: 10 }]);
    assert!(store.readable_file(other, ann).await.unwrap().is_some());
}

async fn old_files_in_no_message_are_removed_step_by_step(store: &Store) {
    let (ann, _, room) = stage(store).await;
    let mut ids = Vec::new();
    for second in 0..5 {
        ids.push(announced(store, room, ann, second).await);
    }
    let sent = complete(store, room, ann, 0).await;
    assert!(store.attach_files(room, ann, message(1), &set(&[sent])).await.unwrap());
    let step = async || {
        let mut removed: Vec<_> = store.remove_due_files(at(3), 2).await.unwrap().into_iter().map(|file| file.id).collect();
        removed.sort_unstable();
        removed
    };
    assert_eq!(step().await, ids[..2]);
    assert_eq!(step().await, ids[2..4]);
    assert_eq!(step().await, []);
    assert!(store.has_file(ids[4]).await.unwrap() && store.has_file(sent).await.unwrap());
}

async fn a_walk_finds_files_whose_message_or_room_is_gone(store: &Store) {
    let (ann, _, wednesday) = stage(store).await;
    let thursday = room(store, ann, "Thursday").await;
    let unsent = announced(store, wednesday, ann, 0).await;
    let without_message = complete(store, wednesday, ann, 1).await;
    assert!(store.attach_files(wednesday, ann, message(1), &set(&[without_message])).await.unwrap());
    let without_room = announced(store, thursday, ann, 2).await;
    assert!(store.delete_room(thursday).await.unwrap().is_some());
    let walked = |id, lost| WalkedFile { id, lost };
    let nil = FileId::from_bytes([0; 16]);
    let page = store.walk_files(nil, 2).await.unwrap();
    assert_eq!(page, [walked(unsent, 0), walked(without_message, 1)]);
    assert_eq!(store.walk_files(page[1].id, 2).await.unwrap(), [walked(without_room, 1)]);
    assert_eq!(store.walk_files(without_room, 2).await.unwrap(), []);
    store.let_file_go(without_message).await.unwrap();
    assert_eq!(store.remove_due_files(Timestamp::from_millis(0), 10).await.unwrap().len(), 1);
}

async fn a_message_takes_as_many_files_as_it_may_have(store: &Store) {
    let (ann, _, room) = stage(store).await;
    let mut ids = Vec::new();
    for nth in 0..MAX_FILES_PER_MESSAGE {
        ids.push(complete(store, room, ann, nth as u64).await);
    }
    assert!(store.attach_files(room, ann, message(1), &set(&ids)).await.unwrap());
    assert_eq!(store.detach_files(room, message(1)).await.unwrap(), MAX_FILES_PER_MESSAGE);
}

async fn what_all_files_count_for_is_added_up(store: &Store) {
    assert_eq!(store.files_totals().await.unwrap(), (0, 0));
    let (ann, ben, room) = stage(store).await;
    announced(store, room, ann, 0).await;
    complete(store, room, ben, 0).await;
    assert_eq!(store.files_totals().await.unwrap(), (2, 20));
}

async fn pieces_count_together_with_their_bytes_or_not_at_all_and_go_with_their_file(store: &Store) {
    let (ann, _, room) = stage(store).await;
    let file = announced(store, room, ann, 0).await;
    let piece = |at_bytes, size_bytes| PieceRow { id: PieceId::new(NOW), at_bytes, size_bytes };
    let new = |pieces, instead_of| NewPieces { pieces, instead_of };
    let (first, second, late) = ([piece(0, 4)], [piece(4, 2)], [piece(4, 6)]);
    assert!(store.receive_pieces(file, (0, 4), &new(&first, None)).await.unwrap());
    assert!(store.receive_pieces(file, (4, 6), &new(&second, None)).await.unwrap());
    assert!(!store.receive_pieces(file, (4, 10), &new(&late, None)).await.unwrap(), "another was sooner");
    assert!(!store.has_piece(late[0].id).await.unwrap());
    assert_eq!(store.unsent_file(file, ann).await.unwrap().unwrap().received_bytes, 6);

    let last = [piece(4, 5), piece(9, 1)];
    assert!(store.receive_pieces(file, (6, 10), &new(&last, Some(second[0].id))).await.unwrap());
    assert!(!store.has_piece(second[0].id).await.unwrap());
    assert_eq!(store.last_piece(file).await.unwrap(), Some(last[1]));
    for (from, at_most, expected) in
        [(0, 9, &[first[0], last[0], last[1]][..]), (3, 1, &first[..]), (4, 9, &last[..]), (8, 1, &last[..1]), (9, 9, &last[1..])]
    {
        assert_eq!(store.pieces(file, from, at_most).await.unwrap(), expected, "{from}");
    }
    store.remove_unsent_file(file, ann).await.unwrap().unwrap();
    assert!(!store.has_piece(first[0].id).await.unwrap());
    assert_eq!(store.last_piece(file).await.unwrap(), None);
}
