//! T5: every kind of bytes read as every other kind.

use webcall_crypto::archive::{Mark, Segment, Slot, open_identity, seal_identity};
use webcall_crypto::chat::{OwnThread, Thread};
use webcall_crypto::files::{Attachment, FileOpener, FileSealer, Layout};
use webcall_crypto::safety::{Party, QrCode};
use webcall_crypto::unlock::{RecoveryCode, Secret, Unlocker, Way};
use webcall_crypto::{EpochKey, MasterKey};

use crate::people::{ANN, BEN, ROOM, device, hear, identity, public, say};

const SLOT: Slot = Slot { user: ANN, room: ROOM, block: 0 };
/// One secret for all of it, as nobody should have it: the labels alone keep things apart.
const SECRET: [u8; 32] = [3; 32];

fn file() -> (Vec<u8>, Attachment) {
    let mut sealer = FileSealer::new(Layout::of(300).expect("short"));
    let chunk = sealer.seal_next(&[7; 300]).expect("all of it");
    (chunk, sealer.finish("a".into(), "b".into()).expect("all of it"))
}

#[test]
fn t5_no_bytes_of_one_kind_pass_as_another() {
    let (master, code) = (MasterKey::new(SECRET), RecoveryCode::new([3; 16]));
    let (chunk, attachment) = file();
    let mut own = OwnThread::new(ROOM, device(ANN));
    let sealed = say(&mut own, 1, 1, b"x").unwrap();
    let mut thread = Thread::new(ROOM, device(ANN));
    thread.observe(&hear(&sealed).unwrap()).unwrap();
    let mut segment = Segment::new(0);
    segment.insert(1, EpochKey::new(SECRET)).unwrap();
    let (segment, mark) = segment.seal(&master, (ANN, ROOM), None, 0);
    let [ann, ben] = [ANN, BEN].map(|user| Party { user, identity: public(&identity(user)) });
    let unlocker = Unlocker::new(&master, ANN, Way::RecoveryCode, Secret::RecoveryCode(&code)).unwrap();
    let kinds = [
        sealed,
        own.to_bytes(),
        thread.to_bytes(),
        chunk,
        attachment.to_bytes().to_vec(),
        segment,
        mark.to_bytes(),
        seal_identity(&master, ANN, &identity(ANN)),
        unlocker.to_bytes(),
        QrCode::new(&ann, &ben).as_bytes().to_vec(),
    ];
    let opener = FileOpener::new(attachment);
    for (of, bytes) in kinds.iter().enumerate() {
        let read_as = [
            hear(bytes).is_ok(),
            OwnThread::from_bytes(bytes).is_ok(),
            Thread::from_bytes(bytes).is_ok(),
            opener.open(0, bytes).is_ok(),
            Attachment::from_bytes(bytes).is_ok(),
            Segment::open(&master, SLOT, None, bytes).is_ok(),
            Mark::from_bytes(bytes).is_ok(),
            open_identity(&master, ANN, public(&identity(ANN)), bytes).is_ok(),
            Unlocker::from_bytes(bytes).is_ok_and(|read| read.unlock(ANN, Secret::RecoveryCode(&code)).is_ok()),
            QrCode::parse(bytes).is_ok(),
        ];
        assert_eq!(read_as, std::array::from_fn(|kind| kind == of), "kind {of}");
    }
}
