use webcall_crypto::archive::{
    ArchiveError, BLOCK, MAX_HISTORIES, MAX_KEYS, MAX_SEGMENT_BYTES, Mark, Segment, Slot, open_identity, seal_identity,
};
use webcall_crypto::chat::RoomId;
use webcall_crypto::{EpochKey, MasterKey};

use crate::people::{ANN, BEN, ROOM, identity, public};

const SLOT: Slot = Slot { user: ANN, room: ROOM, block: 0 };

fn master() -> MasterKey {
    MasterKey::new([3; 32])
}

fn key(byte: u8) -> EpochKey {
    EpochKey::new([byte; 32])
}

fn segment(entries: &[(u64, u8)]) -> Segment {
    let mut segment = Segment::new(0);
    for (epoch, byte) in entries {
        segment.insert(*epoch, key(*byte)).expect("no conflict");
    }
    segment
}

#[test]
fn another_device_reads_what_one_device_kept() {
    let kept = segment(&[(1, 1), (2, 2)]);
    let (bytes, mark) = kept.seal(&master(), (ANN, ROOM), None, 0);
    let (opened, seen) = Segment::open(&master(), SLOT, None, &bytes).unwrap();
    assert_eq!((&opened, seen, seen.version()), (&kept, mark, 1));
    assert_eq!(opened.of(2), [key(2)]);
    assert!(opened.of(3).is_empty());
    let (empty, _) = Segment::new(0).seal(&master(), (ANN, ROOM), None, 0);
    assert!(Segment::open(&master(), SLOT, None, &empty).unwrap().0.is_empty());
}

#[test]
fn t7_an_older_archive_than_the_one_known_is_refused() {
    let (first, mark) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 0);
    let (second, newer) = segment(&[(1, 1), (2, 2)]).seal(&master(), (ANN, ROOM), Some(&mark), 0);
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
    let (_, mark) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 0);
    let (one, known) = segment(&[(1, 1), (2, 2)]).seal(&master(), (ANN, ROOM), Some(&mark), 0);
    let (other, _) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), Some(&mark), 0);
    assert_eq!(Segment::open(&master(), SLOT, Some(&known), &other).unwrap_err(), ArchiveError::Forked);
    assert!(Segment::open(&master(), SLOT, Some(&known), &one).is_ok());
}

#[test]
fn t7_whatever_byte_of_an_archive_is_changed_cut_or_added_is_noticed() {
    let (bytes, _) = segment(&[(1, 1), (2, 2)]).seal(&master(), (ANN, ROOM), None, 0);
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
fn t7_an_archive_passes_for_that_of_no_other_user_room_block_or_key() {
    let (bytes, _) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 0);
    let refused = |master, slot| Segment::open(&master, slot, None, &bytes).map(drop);
    assert_eq!(refused(master(), Slot { user: BEN, ..SLOT }), Err(ArchiveError::WrongKey));
    assert_eq!(refused(master(), Slot { room: RoomId([8; 16]), ..SLOT }), Err(ArchiveError::WrongKey));
    assert_eq!(refused(master(), Slot { block: 1, ..SLOT }), Err(ArchiveError::WrongKey));
    assert_eq!(refused(MasterKey::new([4; 32]), SLOT), Err(ArchiveError::WrongKey));
    assert_eq!(refused(master(), SLOT), Ok(()));
}

#[test]
fn an_epoch_has_a_key_in_each_history_of_its_room_and_few_of_them() {
    let mut kept = segment(&[(2, 2)]);
    assert_eq!(kept.insert(2, key(2)), Ok(()), "the same again");
    assert_eq!(kept, segment(&[(2, 2)]));
    for history in 1..MAX_HISTORIES {
        kept.insert(2, key(100 + u8::try_from(history).unwrap())).unwrap();
    }
    assert_eq!((kept.insert(2, key(7)), kept.len()), (Err(ArchiveError::Conflict), MAX_HISTORIES));
    let (bytes, _) = kept.seal(&master(), (ANN, ROOM), None, 0);
    assert_eq!(Segment::open(&master(), SLOT, None, &bytes).unwrap().0.of(2), kept.of(2));
}

#[test]
fn a_slot_that_was_deleted_and_made_anew_is_newer_than_what_was_in_it() {
    let (_, before) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 1_000);
    let (anew, _) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 2_000);
    assert!(Segment::open(&master(), SLOT, Some(&before), &anew).is_ok());
    let (_, ahead) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, u64::MAX);
    assert!(
        segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), Some(&ahead), 3_000).1.version() > ahead.version(),
        "no clock ends it"
    );
}

#[test]
fn a_segment_holds_the_epochs_of_its_block_and_no_others() {
    let mut full = Segment::new(3);
    for history in 0..3 {
        for epoch in 3 * BLOCK..4 * BLOCK {
            full.insert(epoch, key(history)).unwrap();
        }
    }
    assert_eq!((full.len(), full.insert(3 * BLOCK, key(9))), (MAX_KEYS, Err(ArchiveError::Conflict)));
    let others = [3 * BLOCK - 1, 4 * BLOCK, u64::MAX].map(|epoch| full.insert(epoch, key(1)));
    assert_eq!(others, [Err(ArchiveError::OtherBlock); 3]);
    let (bytes, _) = full.seal(&master(), (ANN, ROOM), None, 0);
    assert_eq!(bytes.len(), MAX_SEGMENT_BYTES);
    assert_eq!(Segment::open(&master(), Slot { block: 3, ..SLOT }, None, &bytes).unwrap().0, full);
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
    let (segment, _) = segment(&[(1, 1)]).seal(&master(), (ANN, ROOM), None, 0);
    assert_eq!(open_identity(&master(), ANN, public(&identity(ANN)), &segment[8..]).map(drop), Err(ArchiveError::WrongKey));
}

#[test]
fn t25_an_archive_does_not_show_its_keys() {
    assert!(!format!("{:?}", segment(&[(1, 213)])).contains("213"));
}
