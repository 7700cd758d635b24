use webcall_crypto::archive::{ArchiveError, MAX_KEYS, MAX_SEGMENT_BYTES, Mark, Segment, Slot, open_identity, seal_identity};
use webcall_crypto::chat::RoomId;
use webcall_crypto::{EpochKey, MasterKey};

use crate::people::{ANN, BEN, ROOM, identity, public};

const SLOT: Slot = Slot { user: ANN, segment: 0 };

fn master() -> MasterKey {
    MasterKey::new([3; 32])
}

fn key(byte: u8) -> EpochKey {
    EpochKey::new([byte; 32])
}

fn segment(entries: &[(u64, u8)]) -> Segment {
    let mut segment = Segment::default();
    for (epoch, byte) in entries {
        segment.insert(ROOM, *epoch, key(*byte)).expect("no conflict");
    }
    segment
}

#[test]
fn another_device_reads_what_one_device_kept() {
    let kept = segment(&[(1, 1), (2, 2)]);
    let (bytes, mark) = kept.seal(&master(), SLOT, None);
    let (opened, seen) = Segment::open(&master(), SLOT, None, &bytes).unwrap();
    assert_eq!((&opened, seen, seen.version()), (&kept, mark, 1));
    assert_eq!(opened.key(ROOM, 2), Some(&key(2)));
    assert_eq!((opened.key(ROOM, 3), opened.key(RoomId([8; 16]), 2)), (None, None));
    let (empty, _) = Segment::default().seal(&master(), SLOT, None);
    assert!(Segment::open(&master(), SLOT, None, &empty).unwrap().0.is_empty());
}

#[test]
fn t7_an_older_archive_than_the_one_known_is_refused() {
    let (first, mark) = segment(&[(1, 1)]).seal(&master(), SLOT, None);
    let (second, newer) = segment(&[(1, 1), (2, 2)]).seal(&master(), SLOT, Some(&mark));
    let open = |known: Option<&Mark>, bytes: &[u8]| Segment::open(&master(), SLOT, known, bytes).map(|(_, mark)| mark.version());
    assert_eq!(open(Some(&newer), &first), Err(ArchiveError::RolledBack));
    assert_eq!(open(Some(&newer), &second), Ok(2), "the one known");
    assert_eq!(open(Some(&mark), &second), Ok(2), "a newer one");
    let mut renumbered = first.clone();
    renumbered[..8].copy_from_slice(&3u64.to_be_bytes());
    assert_eq!(open(Some(&newer), &renumbered), Err(ArchiveError::WrongKey), "the number is sealed in");
    let kept = Mark::from_bytes(&newer.to_bytes()).unwrap();
    assert_eq!(open(Some(&kept), &first), Err(ArchiveError::RolledBack), "also after a restart");
}

#[test]
fn t7_two_archives_of_one_version_are_told_apart() {
    let (_, mark) = segment(&[(1, 1)]).seal(&master(), SLOT, None);
    let (one, known) = segment(&[(1, 1), (2, 2)]).seal(&master(), SLOT, Some(&mark));
    let (other, _) = segment(&[(1, 1)]).seal(&master(), SLOT, Some(&mark));
    assert_eq!(Segment::open(&master(), SLOT, Some(&known), &other).unwrap_err(), ArchiveError::Forked);
    assert!(Segment::open(&master(), SLOT, Some(&known), &one).is_ok());
}

#[test]
fn t7_whatever_byte_of_an_archive_is_changed_cut_or_added_is_noticed() {
    let (bytes, _) = segment(&[(1, 1), (2, 2)]).seal(&master(), SLOT, None);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Segment::open(&master(), SLOT, None, &changed).is_err(), "{at}");
        assert!(Segment::open(&master(), SLOT, None, &bytes[..at]).is_err(), "{at}");
    }
    assert!(Segment::open(&master(), SLOT, None, &[&bytes[..], &[0]].concat()).is_err());
    assert_eq!(Segment::open(&master(), SLOT, None, &vec![1; MAX_SEGMENT_BYTES + 1]), Err(ArchiveError::Malformed));
    assert_eq!(Segment::open(&master(), SLOT, None, &[0xff; 200]), Err(ArchiveError::Malformed), "a last version");
}

#[test]
fn t7_an_archive_passes_for_no_other_user_segment_or_key() {
    let (bytes, _) = segment(&[(1, 1)]).seal(&master(), SLOT, None);
    let refused = |master, slot| Segment::open(&master, slot, None, &bytes).map(drop);
    assert_eq!(refused(master(), Slot { user: BEN, ..SLOT }), Err(ArchiveError::WrongKey));
    assert_eq!(refused(master(), Slot { segment: 1, ..SLOT }), Err(ArchiveError::WrongKey));
    assert_eq!(refused(MasterKey::new([4; 32]), SLOT), Err(ArchiveError::WrongKey));
    assert_eq!(refused(master(), SLOT), Ok(()));
}

#[test]
fn two_devices_archives_become_one_and_a_conflict_changes_nothing() {
    let mut mine = segment(&[(1, 1), (2, 2)]);
    mine.merge(&segment(&[(2, 2), (3, 3)])).unwrap();
    assert_eq!(mine, segment(&[(1, 1), (2, 2), (3, 3)]));
    let before = mine.clone();
    assert_eq!(mine.merge(&segment(&[(0, 9), (2, 7), (5, 5)])), Err(ArchiveError::Conflict));
    assert_eq!(mine, before);
    assert_eq!(mine.insert(ROOM, 2, key(7)), Err(ArchiveError::Conflict));
    assert_eq!(mine.insert(ROOM, 2, key(2)), Ok(()), "the same again");
}

#[test]
fn a_segment_holds_as_many_keys_as_it_says() {
    let mut full = Segment::default();
    for epoch in 0..MAX_KEYS as u64 {
        full.insert(ROOM, epoch, key(1)).unwrap();
    }
    assert_eq!(full.insert(ROOM, u64::MAX, key(1)), Err(ArchiveError::Full));
    assert_eq!(full.merge(&segment(&[(u64::MAX, 1)])), Err(ArchiveError::Full));
    assert_eq!(full.insert(ROOM, 5, key(1)), Ok(()), "what it has it still takes");
    assert_eq!(full.len(), MAX_KEYS);
    let (bytes, _) = full.seal(&master(), SLOT, None);
    assert_eq!(bytes.len(), MAX_SEGMENT_BYTES);
    assert_eq!(Segment::open(&master(), SLOT, None, &bytes).unwrap().0, full);
}

#[test]
fn the_identity_comes_back_to_its_user_with_the_master_key_only() {
    let bytes = seal_identity(&master(), ANN, &identity(ANN));
    let open = |master: &MasterKey, user, expected| {
        open_identity(master, user, public(&identity(expected)), &bytes).map(|identity| identity.to_bytes())
    };
    assert_eq!(open(&master(), ANN, ANN), Ok(identity(ANN).to_bytes()));
    assert_eq!(open(&master(), BEN, ANN), Err(ArchiveError::WrongKey));
    assert_eq!(open(&MasterKey::new([4; 32]), ANN, ANN), Err(ArchiveError::WrongKey));
    assert_eq!(open(&master(), ANN, BEN), Err(ArchiveError::OtherIdentity));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(open_identity(&master(), ANN, public(&identity(ANN)), &changed).is_err(), "{at}");
    }
}

#[test]
fn t5_what_is_kept_as_one_thing_is_not_read_as_another() {
    let of_identity = seal_identity(&master(), ANN, &identity(ANN));
    let as_segment = [&1u64.to_be_bytes()[..], &of_identity].concat();
    assert_eq!(Segment::open(&master(), SLOT, None, &as_segment), Err(ArchiveError::WrongKey));
    let (segment, _) = segment(&[(1, 1)]).seal(&master(), SLOT, None);
    assert_eq!(open_identity(&master(), ANN, public(&identity(ANN)), &segment[8..]).map(drop), Err(ArchiveError::WrongKey));
}

#[test]
fn t25_an_archive_does_not_show_its_keys() {
    assert!(!format!("{:?}", segment(&[(1, 213)])).contains("213"));
}
