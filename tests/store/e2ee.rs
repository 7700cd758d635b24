//! `store/e2ee`: records and their log, key packages, backups.

use std::time::Duration;

use webcall::id::{DeviceId, SessionId, UserId};
use webcall::store::{
    AddedPackages, AppendedRecord, BackupBounds, BackupRow, DeviceChange, Encryption, MemberLimits, NewBackup, NewPackages,
    NewRecord, NewSession, PackageLimits, PackageRow, Stock, Store, StoredBackup,
};
use webcall::time::Timestamp;
use webcall_trust::{inclusion_path, leaf_hash, root, verify_inclusion};

use crate::{NOW, on_both, room, room_of, user};

on_both! {
    records_are_appended_in_order_and_each_is_in_the_log
    records_of_many_users_at_once_get_places_of_their_own
    a_device_counts_from_its_record_to_its_revocation_or_another_identity
    sessions_of_a_revoked_device_end_but_for_the_one_that_revokes
    only_who_shares_a_room_is_acquainted
    members_of_a_room_have_a_part_in_its_group_if_it_is_encrypted
    a_one_time_package_is_given_out_once_and_the_last_resort_again_and_again
    a_one_time_package_is_given_to_one_of_many_who_ask_at_once
    packages_are_added_all_or_none
    a_package_that_was_given_out_is_not_taken_again_until_it_has_expired
    one_claim_takes_of_several_users_and_devices_at_once
    a_backup_is_written_only_over_the_version_that_its_writer_knows
    backups_of_a_user_are_bounded_in_all_and_a_shorter_one_makes_room
    a_deleted_backup_is_gone_and_its_slot_free
}

const LIMITS: PackageLimits = PackageLimits { in_stock: 3, kept: 5 };

fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number; 16])
}

async fn append(store: &Store, user: UserId, number: i64, change: DeviceChange<'_>) -> AppendedRecord {
    let record = format!("record {number} of {user}");
    store.append_record(&NewRecord { user, number, record: record.as_bytes(), change }).await.unwrap()
}

/// Adds a device whose certificate is `certificate`.
async fn with_device(store: &Store, user: UserId, number: i64, id: DeviceId) {
    let change = DeviceChange::Add { device: id, certificate: b"certificate" };
    assert!(matches!(append(store, user, number, change).await, AppendedRecord::Appended { .. }));
}

fn package(number: u8, expires_at: Timestamp) -> PackageRow {
    PackageRow { hash: [number; 32], package: vec![number], expires_at }
}

fn later() -> Timestamp {
    NOW.plus(Duration::from_secs(1_000))
}

async fn add(store: &Store, user: UserId, one_time: &[PackageRow], last_resort: Option<&PackageRow>) -> AddedPackages {
    let new = NewPackages { user, device: device(1), one_time, last_resort };
    store.add_key_packages(&new, LIMITS, NOW).await.unwrap()
}

async fn claim(store: &Store, user: UserId) -> Option<(Vec<u8>, bool)> {
    let claimed = store.claim_key_packages(&[user], NOW).await.unwrap();
    assert!(claimed.len() <= 1);
    claimed.into_iter().next().map(|claimed| (claimed.package, claimed.is_last_resort))
}

/// Checks that each record of the users is where it says in a log that has nothing else.
async fn assert_in_the_log(store: &Store, users: &[UserId]) {
    let size = store.log_size().await.unwrap();
    let mut needed = Vec::new();
    root(size, &mut |node| {
        needed.push(node);
        [0; 32]
    });
    let nodes = store.log_nodes(&needed).await.unwrap();
    let head = root(size, &mut |node| nodes[&node]);
    let mut places = Vec::new();
    for user in users {
        for row in store.records(*user).await.unwrap() {
            let (leaf, mut needed) = (row.leaf.unsigned_abs(), Vec::new());
            inclusion_path(leaf, size, &mut |node| {
                needed.push(node);
                [0; 32]
            });
            let nodes = store.log_nodes(&needed).await.unwrap();
            let path = inclusion_path(leaf, size, &mut |node| nodes[&node]).unwrap();
            assert_eq!(verify_inclusion(leaf_hash(&row.record), leaf, size, &path, head), Ok(()));
            places.push(leaf);
        }
    }
    places.sort_unstable();
    assert_eq!(places, (0..size).collect::<Vec<_>>());
}

async fn records_are_appended_in_order_and_each_is_in_the_log(store: &Store) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    assert_eq!(store.log_size().await.unwrap(), 0);
    for number in 0..5 {
        for who in [ann, ben] {
            assert_eq!(append(store, who, number + 1, DeviceChange::Clear).await, AppendedRecord::Moved);
            let appended = append(store, who, number, DeviceChange::Clear).await;
            assert_eq!(appended, AppendedRecord::Appended { leaf: number * 2 + i64::from(who == ben), ended: Vec::new() });
            assert_eq!(append(store, who, number, DeviceChange::Clear).await, AppendedRecord::Moved);
        }
        assert_in_the_log(store, &[ann, ben]).await;
    }
    let records = store.records(ann).await.unwrap();
    assert_eq!(records[3].record, format!("record 3 of {ann}").into_bytes());
}

async fn records_of_many_users_at_once_get_places_of_their_own(store: &Store) {
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(user(store).await.0);
    }
    let task = |&user| {
        let store = store.clone();
        tokio::spawn(async move { append(&store, user, 0, DeviceChange::Clear).await })
    };
    let tasks: Vec<_> = users.iter().map(task).collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), AppendedRecord::Appended { .. }));
    }
    assert_in_the_log(store, &users).await;
}

async fn a_device_counts_from_its_record_to_its_revocation_or_another_identity(store: &Store) {
    let (ann, _) = user(store).await;
    let counts = async |number| store.device_certificate(ann, device(number)).await.unwrap().is_some();
    with_device(store, ann, 0, device(1)).await;
    with_device(store, ann, 1, device(2)).await;
    assert!(counts(1).await && counts(2).await && !counts(3).await);
    add(store, ann, &[package(1, later())], None).await;
    append(store, ann, 2, DeviceChange::Remove { device: device(1), by: SessionId::new(NOW) }).await;
    assert!(!counts(1).await && counts(2).await);
    assert_eq!(claim(store, ann).await, None, "what was kept for it is gone");
    append(store, ann, 3, DeviceChange::Clear).await;
    assert!(!counts(2).await);
}

async fn sessions_of_a_revoked_device_end_but_for_the_one_that_revokes(store: &Store) {
    let (ann, revoking) = user(store).await;
    let (ben, bens) = user(store).await;
    let [both, other] = [SessionId::new(NOW), SessionId::new(NOW)];
    for id in [both, other] {
        store.add_session(&NewSession { id, user: ann, created_at: NOW, user_agent: "" }, 10).await.unwrap();
    }
    with_device(store, ann, 0, device(1)).await;
    with_device(store, ann, 1, device(2)).await;
    with_device(store, ben, 0, device(1)).await;
    for (session, number) in [(revoking, 1), (both, 1), (both, 2), (other, 2), (other, 9), (bens, 1)] {
        for _ in 0..2 {
            store.add_device_of_session(session, device(number)).await.unwrap();
        }
        assert_eq!(store.speaks_through(session, device(number)).await.unwrap(), number != 9, "one that counts");
    }
    let revoked = append(store, ann, 2, DeviceChange::Remove { device: device(1), by: revoking }).await;
    assert!(matches!(revoked, AppendedRecord::Appended { ended, .. } if ended == [both]));
    for (session, is_there) in [(revoking, true), (both, false), (other, true), (bens, true)] {
        assert_eq!(store.session(session).await.unwrap().is_some(), is_there);
    }
}

async fn only_who_shares_a_room_is_acquainted(store: &Store) {
    let ((ann, _), (ben, _), (eve, _)) = (user(store).await, user(store).await, user(store).await);
    room(store, ann, "Wednesday").await;
    room(store, eve, "elsewhere").await;
    assert!(!store.share_a_room(ann, ben).await.unwrap());
    store.join_room("Wednesday", ben, NOW, MemberLimits { in_room: 10, of_user: 10 }).await.unwrap();
    assert!(store.share_a_room(ann, ben).await.unwrap() && store.share_a_room(ben, ann).await.unwrap());
    assert!(!store.share_a_room(ann, eve).await.unwrap());
    let mut known = store.acquaintances(ann).await.unwrap();
    known.sort_unstable();
    let mut expected = [ann, ben];
    expected.sort_unstable();
    assert_eq!(known, expected);
}

async fn members_of_a_room_have_a_part_in_its_group_if_it_is_encrypted(store: &Store) {
    let (ann, _) = user(store).await;
    let open = room(store, ann, "open").await;
    let sealed = room_of(store, ann, "sealed", Encryption::Mls).await;
    assert_eq!(store.members_of_encrypted(open).await.unwrap(), []);
    assert_eq!(store.members_of_encrypted(sealed).await.unwrap(), [ann]);
}

async fn a_one_time_package_is_given_out_once_and_the_last_resort_again_and_again(store: &Store) {
    let (ann, _) = user(store).await;
    with_device(store, ann, 0, device(1)).await;
    assert_eq!(claim(store, ann).await, None);
    let one_time = [package(1, later()), package(2, later())];
    assert_eq!(add(store, ann, &one_time, Some(&package(9, later()))).await, AddedPackages::Added);
    assert_eq!(store.key_package_stock(ann, device(1), NOW).await.unwrap(), Stock { one_time: 2, last_resort: true });
    let mut first = [claim(store, ann).await.unwrap(), claim(store, ann).await.unwrap()];
    first.sort();
    assert_eq!(first, [(vec![1], false), (vec![2], false)]);
    for _ in 0..3 {
        assert_eq!(claim(store, ann).await, Some((vec![9], true)));
    }
    assert_eq!(add(store, ann, &[], Some(&package(8, later()))).await, AddedPackages::Added);
    assert_eq!(claim(store, ann).await, Some((vec![8], true)), "the new one takes the place of the old one");
}

async fn a_one_time_package_is_given_to_one_of_many_who_ask_at_once(store: &Store) {
    let (ann, _) = user(store).await;
    with_device(store, ann, 0, device(1)).await;
    let one_time = [package(1, later()), package(2, later()), package(3, later())];
    add(store, ann, &one_time, Some(&package(9, later()))).await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { claim(&store, ann).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.push(task.await.unwrap());
    }
    given.sort();
    let last_resorts = given.iter().filter(|(_, is_last_resort)| *is_last_resort).count();
    assert_eq!((&given[..3], last_resorts), (&[(vec![1], false), (vec![2], false), (vec![3], false)][..], 9));
}

async fn packages_are_added_all_or_none(store: &Store) {
    let (ann, _) = user(store).await;
    let one = [package(1, later())];
    assert_eq!(add(store, ann, &one, None).await, AddedPackages::NoSuchDevice);
    with_device(store, ann, 0, device(1)).await;
    assert_eq!(add(store, ann, &one, None).await, AddedPackages::Added);
    for (packages, refused) in [
        (vec![package(2, later()), package(1, later())], AddedPackages::Reused),
        (vec![package(2, later()), package(2, later())], AddedPackages::Reused),
        ((2..=4).map(|number| package(number, later())).collect(), AddedPackages::TooMany),
    ] {
        assert_eq!(add(store, ann, &packages, Some(&package(9, later()))).await, refused);
        assert_eq!(store.key_package_stock(ann, device(1), NOW).await.unwrap(), Stock { one_time: 1, last_resort: false });
    }
    assert_eq!(add(store, ann, &[package(2, later()), package(3, later())], None).await, AddedPackages::Added);
}

async fn a_package_that_was_given_out_is_not_taken_again_until_it_has_expired(store: &Store) {
    let (ann, _) = user(store).await;
    with_device(store, ann, 0, device(1)).await;
    for number in 1..=5 {
        assert_eq!(add(store, ann, &[package(number, later())], None).await, AddedPackages::Added);
        assert_eq!(claim(store, ann).await, Some((vec![number], false)));
        assert_eq!(add(store, ann, &[package(number, later())], None).await, AddedPackages::Reused);
    }
    assert_eq!(add(store, ann, &[package(6, later())], None).await, AddedPackages::TooMany, "five are remembered");
    assert_eq!(store.forget_key_packages(NOW, 10).await.unwrap(), 0);
    assert_eq!(store.forget_key_packages(later(), 3).await.unwrap(), 3);
    assert_eq!(store.forget_key_packages(later(), 3).await.unwrap(), 2);
    assert_eq!(add(store, ann, &[package(6, NOW)], None).await, AddedPackages::Added);
    assert_eq!(claim(store, ann).await, None, "what has expired is given to nobody");
}

const ONE: BackupBounds = BackupBounds { slots: 1, size_bytes: 100 };
const TWO: BackupBounds = BackupBounds { slots: 2, size_bytes: 100 };

async fn backups_of_a_user_are_bounded_in_all_and_a_shorter_one_makes_room(store: &Store) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    let bounds = BackupBounds { slots: 9, size_bytes: 10 };
    let put = async |user, slot, version, body: &[u8]| {
        store.put_backup(&NewBackup { user, slot, version, body }, bounds).await.unwrap()
    };
    assert_eq!(put(ann, "a", 0, b"eleven long").await, StoredBackup::TooMuch);
    assert_eq!(put(ann, "a", 0, b"just ten b").await, StoredBackup::Stored);
    assert_eq!(put(ann, "a", 1, b"ten of new").await, StoredBackup::Stored, "what it replaces does not count");
    assert_eq!(put(ann, "b", 0, b"x").await, StoredBackup::TooMuch);
    assert_eq!(put(ann, "a", 2, b"eleven long").await, StoredBackup::TooMuch);
    assert_eq!(put(ann, "a", 1, b"eleven long").await, StoredBackup::OtherVersion);
    assert_eq!(put(ann, "a", 2, b"seven b").await, StoredBackup::Stored);
    assert_eq!(put(ann, "b", 0, b"xyz").await, StoredBackup::Stored);
    assert_eq!(put(ann, "c", 0, b"x").await, StoredBackup::TooMuch);
    assert_eq!(put(ben, "c", 0, b"just ten b").await, StoredBackup::Stored, "each user by themselves");
    let names: Vec<_> = store.backups(ann).await.unwrap().into_iter().map(|one| (one.slot, one.version)).collect();
    assert_eq!(names, [("a".to_owned(), 3), ("b".to_owned(), 1)]);
}

async fn a_backup_is_written_only_over_the_version_that_its_writer_knows(store: &Store) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    let put =
        async |user, slot, version, body: &[u8]| store.put_backup(&NewBackup { user, slot, version, body }, TWO).await.unwrap();
    assert_eq!(store.backup(ann, "keys").await.unwrap(), None);
    assert_eq!(put(ann, "keys", 1, b"early").await, StoredBackup::OtherVersion);
    assert_eq!(put(ann, "keys", 0, b"first").await, StoredBackup::Stored);
    assert_eq!(put(ann, "keys", 0, b"other").await, StoredBackup::OtherVersion);
    assert_eq!(put(ann, "keys", 1, b"second").await, StoredBackup::Stored);
    assert_eq!(put(ann, "keys", 1, b"other").await, StoredBackup::OtherVersion);
    assert_eq!(store.backup(ann, "keys").await.unwrap(), Some(BackupRow { version: 2, body: b"second".to_vec() }));
    assert_eq!(store.backup(ben, "keys").await.unwrap(), None);
    assert_eq!(put(ann, "archive", 0, b"x").await, StoredBackup::Stored);
    assert_eq!(put(ann, "third", 0, b"x").await, StoredBackup::TooMuch);
    assert_eq!(put(ben, "third", 0, b"x").await, StoredBackup::Stored);
}

async fn one_claim_takes_of_several_users_and_devices_at_once(store: &Store) {
    let ((ann, _), (ben, _), (eve, _)) = (user(store).await, user(store).await, user(store).await);
    for (number, (who, id)) in [(ann, 1), (ann, 2), (ben, 1)].into_iter().enumerate() {
        with_device(store, who, i64::from(id) - 1, device(id)).await;
        let one = [package(number as u8, later())];
        let new = NewPackages { user: who, device: device(id), one_time: &one, last_resort: None };
        assert_eq!(store.add_key_packages(&new, LIMITS, NOW).await.unwrap(), AddedPackages::Added);
    }
    let mut claimed = store.claim_key_packages(&[ben, ann, eve, ann], NOW).await.unwrap();
    claimed.sort_by_key(|one| one.package.clone());
    let given: Vec<_> = claimed.iter().map(|one| (one.user, one.device, one.package[0])).collect();
    assert_eq!(given, [(ann, device(1), 0), (ann, device(2), 1), (ben, device(1), 2)]);
    assert_eq!(store.claim_key_packages(&[ann, ben], NOW).await.unwrap(), []);
}

async fn a_deleted_backup_is_gone_and_its_slot_free(store: &Store) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    let new = NewBackup { user: ann, slot: "keys", version: 0, body: b"sealed" };
    assert_eq!(store.put_backup(&new, ONE).await.unwrap(), StoredBackup::Stored);
    assert!(!store.delete_backup(ann, "keys", 2).await.unwrap(), "another version");
    assert!(!store.delete_backup(ben, "keys", 1).await.unwrap(), "another's");
    assert_eq!(store.put_backup(&NewBackup { slot: "other", ..new }, ONE).await.unwrap(), StoredBackup::TooMuch);
    assert!(store.delete_backup(ann, "keys", 1).await.unwrap());
    assert_eq!(store.backup(ann, "keys").await.unwrap(), None);
    assert_eq!(store.put_backup(&NewBackup { slot: "other", ..new }, ONE).await.unwrap(), StoredBackup::Stored);
}
