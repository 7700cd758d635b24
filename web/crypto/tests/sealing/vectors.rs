//! The formats against a second implementation of them (`tests/vectors/make.py`): what one client sealed, another version of it must still
//! open.

use webcall_crypto::archive::{Segment, Slot, open_identity};
use webcall_crypto::chat::OwnThread;
use webcall_crypto::files::{Attachment, CHUNK_BYTES, FileOpener, Layout};
use webcall_crypto::safety::{Party, QrCode, call_emoji, safety_number, safety_words};
use webcall_crypto::unlock::{Passphrase, PrfOutput, RecoveryCode, Secret, Unlocker};
use webcall_crypto::{EpochKey, FileKey, MasterKey};

use crate::people::{ANN, BEN, ROOM, device, hear, identity, public, say};

const VECTORS: &str = include_str!("../vectors/vectors.txt");

fn text(name: &str) -> &'static str {
    let line = VECTORS.lines().find_map(|line| line.split_once(' ').filter(|(known, _)| *known == name));
    line.expect("there is such a vector").1
}

fn bytes(name: &str) -> Vec<u8> {
    let hex = text(name);
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn party(user: webcall_trust::UserId) -> Party {
    Party { user, identity: public(&identity(user)) }
}

#[test]
fn messages_are_sealed_byte_for_byte_as_described() {
    let sealed = say(&mut OwnThread::new(ROOM, device(ANN)), 6, 77, "héllo".as_bytes()).unwrap();
    assert_eq!(sealed, bytes("envelope"));
    assert_eq!(hear(&bytes("envelope")).unwrap().body.content.as_bytes(), "héllo".as_bytes());
}

#[test]
fn files_are_sealed_as_described() {
    let opener = |size| {
        let layout = Layout::of(size).expect("short enough");
        let attachment = Attachment::new(FileKey::new([0xab; 32]), [0; 32], layout, String::new(), String::new());
        FileOpener::new(attachment.expect("short names"))
    };
    assert_eq!(opener(12).open(0, &bytes("small_file")).unwrap().as_slice(), b"a small file");
    let last = opener(CHUNK_BYTES + 10).open(1, &bytes("two_chunks_last")).unwrap();
    let expected: Vec<_> = (CHUNK_BYTES..CHUNK_BYTES + 10).map(|at| u8::try_from(at % 251).unwrap()).collect();
    assert_eq!(*last, expected);
}

#[test]
fn archives_and_identities_are_sealed_as_described() {
    let master = MasterKey::new([3; 32]);
    let slot = Slot { user: ANN, room: ROOM, block: 2 };
    let (segment, mark) = Segment::open(&master, slot, None, &bytes("segment")).unwrap();
    assert_eq!((mark.version(), segment.len(), segment.of(2_050)), (4, 2, &[EpochKey::new([2; 32])][..]));
    let opened = open_identity(&master, ANN, public(&identity(ANN)), &bytes("identity")).unwrap();
    assert_eq!(opened.to_bytes(), identity(ANN).to_bytes());
}

#[test]
fn unlockers_are_sealed_as_described() {
    let code = RecoveryCode::new(*b"0123456789abcdef");
    let passphrase = Passphrase::new("correct horse battery".into()).unwrap();
    let output = PrfOutput::new([0x55; 32]);
    for (name, secret) in [
        ("by_recovery_code", Secret::RecoveryCode(&code)),
        ("by_passphrase", Secret::Passphrase(&passphrase)),
        ("by_passkey", Secret::Passkey(&output)),
    ] {
        let unlocker = Unlocker::from_bytes(&bytes(name)).unwrap();
        assert_eq!(unlocker.to_bytes(), bytes(name));
        assert_eq!(unlocker.unlock(ANN, secret), Ok(MasterKey::new([3; 32])), "{name}");
    }
    assert_eq!(code.to_text().as_str(), text("recovery_text"));
}

#[test]
fn what_people_compare_is_made_as_described() {
    assert_eq!(safety_number(&party(ANN), &party(BEN)), text("safety_number"));
    assert_eq!(safety_words(&party(ANN), &party(BEN)).to_vec(), bytes("safety_words"));
    assert_eq!(QrCode::new(&party(ANN), &party(BEN)).as_bytes(), bytes("qr"));
    assert_eq!(call_emoji(&[1; 32]).as_slice(), bytes("call_emoji"));
}
