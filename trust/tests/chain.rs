//! What a user publishes, and what nobody else can make of it. T1, T5 and T20 of the threat model, as far as formats decide them.

use ed25519_dalek::SigningKey;
use webcall_trust::{
    Certificate, DeviceCertificate, DeviceId, Hash, IdentityClaim, MAX_DEVICES, MAX_RECORD_BYTES, PublicKey, Record, Refusal,
    Revocation, Signed, TreeHead, UserId, UserKeys,
};

const ANN: UserId = UserId([1; 16]);
const BEN: UserId = UserId([2; 16]);

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn claim(user: UserId, identity: u8, previous: Hash) -> Record {
    let key = secret(identity);
    Record::Claim(Signed::sign(IdentityClaim::new(user, public(&key), previous, 1), &key))
}

fn certificate(user: UserId, identity: u8, device: u8, previous: Hash) -> Certificate {
    let key = secret(identity);
    let statement = DeviceCertificate::new(user, public(&key), DeviceId([device; 16]), public(&secret(device)), previous, 2);
    Signed::sign(statement, &key)
}

fn device(user: UserId, identity: u8, device: u8, previous: Hash) -> Record {
    Record::Device(certificate(user, identity, device, previous))
}

fn revocation(identity: u8, device: u8, previous: Hash) -> Record {
    let key = secret(identity);
    Record::Revocation(Signed::sign(Revocation::new(ANN, public(&key), DeviceId([device; 16]), previous, 3), &key))
}

/// Ann with identity 10 and device 20.
fn ann() -> UserKeys {
    let first = claim(ANN, 10, [0; 32]);
    let mut keys = UserKeys::begin(ANN, &first).expect("a first claim");
    keys.apply(&device(ANN, 10, 20, keys.head())).expect("a first device");
    keys
}

#[test]
fn what_was_published_is_replayed_to_the_same_picture() {
    let first = claim(ANN, 10, [0; 32]);
    let second = device(ANN, 10, 20, first.hash());
    let third = device(ANN, 10, 21, second.hash());
    let fourth = revocation(10, 20, third.hash());
    let bytes = [first, second, third, fourth].map(|record| record.to_bytes());
    assert!(bytes.iter().all(|bytes| bytes.len() <= MAX_RECORD_BYTES));
    let keys = UserKeys::replay(ANN, bytes.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(keys.identity(), public(&secret(10)));
    assert_eq!(keys.devices().map(|one| one.statement().device).collect::<Vec<_>>(), [DeviceId([21; 16])]);
    assert_eq!(keys.head(), fourth.hash());
    assert!(keys.vouches_for(&certificate(ANN, 10, 21, second.hash())));
    assert!(!keys.vouches_for(&certificate(ANN, 10, 20, first.hash())), "it was revoked");
    assert_eq!(UserKeys::replay(ANN, []), Err(Refusal::OutOfOrder));
    assert_eq!(UserKeys::replay(BEN, bytes.iter().map(Vec::as_slice)), Err(Refusal::OtherUser));
}

#[test]
fn t1_a_device_that_the_identity_did_not_sign_is_refused() {
    let mut keys = ann();
    let before = keys.clone();
    assert_eq!(keys.apply(&device(ANN, 11, 30, keys.head())), Err(Refusal::OutOfOrder), "signed by another key");
    assert_eq!(keys.apply(&device(BEN, 10, 30, keys.head())), Err(Refusal::OtherUser));
    let mut forged = device(ANN, 10, 30, keys.head()).to_bytes();
    let own = public(&secret(30)).0;
    let at = forged.windows(32).position(|bytes| bytes == own).unwrap();
    forged[at..at + 32].copy_from_slice(&public(&secret(31)).0);
    assert_eq!(Record::checked(&forged).unwrap_err(), Refusal::BadSignature);
    assert_eq!(keys, before);
    assert_eq!(keys.apply(&device(ANN, 10, 30, keys.head())), Ok(()), "the same, signed, is taken");
}

#[test]
fn records_can_be_neither_reordered_nor_left_out_nor_taken_from_before_a_change_of_identity() {
    let first = claim(ANN, 10, [0; 32]);
    let second = device(ANN, 10, 20, first.hash());
    let third = revocation(10, 20, second.hash());
    let fourth = device(ANN, 10, 21, third.hash());
    let bytes = [first, second, third, fourth].map(|record| record.to_bytes());
    let replayed = |which: &[usize]| UserKeys::replay(ANN, which.iter().map(|&at| bytes[at].as_slice())).map(drop);
    assert_eq!(replayed(&[0, 1, 2, 3]), Ok(()));
    for other in [&[0, 1, 3][..], &[0, 2, 1, 3], &[0, 1, 1], &[1, 0], &[0, 0]] {
        assert_eq!(replayed(other), Err(Refusal::OutOfOrder), "{other:?}");
    }
    let mut keys = ann();
    keys.apply(&claim(ANN, 11, keys.head())).unwrap();
    assert_eq!(keys.devices().count(), 0, "devices go with the identity that signed them");
    assert_eq!(keys.apply(&device(ANN, 10, 30, keys.head())), Err(Refusal::OutOfOrder));
    assert_eq!(keys.apply(&claim(ANN, 10, keys.head())), Err(Refusal::OutOfOrder), "an identity does not come back");
    assert_eq!(keys.apply(&device(ANN, 11, 20, keys.head())), Err(Refusal::DeviceReused));
    assert_eq!(keys.apply(&device(ANN, 11, 31, keys.head())), Ok(()));
}

#[test]
fn a_device_is_used_once_and_there_are_not_too_many() {
    let mut keys = ann();
    keys.apply(&revocation(10, 20, keys.head())).unwrap();
    assert_eq!(keys.apply(&revocation(10, 20, keys.head())), Err(Refusal::UnknownDevice));
    assert_eq!(keys.apply(&device(ANN, 10, 20, keys.head())), Err(Refusal::DeviceReused));
    for at in 0..MAX_DEVICES {
        keys.apply(&device(ANN, 10, 100 + u8::try_from(at).unwrap(), keys.head())).unwrap();
    }
    assert_eq!(keys.apply(&device(ANN, 10, 200, keys.head())), Err(Refusal::TooManyDevices));
}

/// T5: every kind of bytes read as every other kind.
#[test]
fn t5_bytes_of_one_kind_are_never_taken_for_another() {
    let key = secret(10);
    let head = Signed::sign(TreeHead { log: public(&key), size: 1, root: [0; 32], at_ms: 1 }, &key).to_bytes();
    let kinds = [
        Signed::sign(IdentityClaim::new(ANN, public(&key), [0; 32], 1), &key).to_bytes(),
        certificate(ANN, 10, 20, [0; 32]).to_bytes(),
        Signed::sign(Revocation::new(ANN, public(&key), DeviceId([20; 16]), [0; 32], 1), &key).to_bytes(),
        head,
    ];
    for (of, bytes) in kinds.iter().enumerate() {
        let read_as = [
            Signed::<IdentityClaim>::checked(bytes).is_ok(),
            Signed::<DeviceCertificate>::checked(bytes).is_ok(),
            Signed::<Revocation>::checked(bytes).is_ok(),
            Signed::<TreeHead>::checked(bytes).is_ok(),
        ];
        assert_eq!(read_as, std::array::from_fn(|kind| kind == of), "kind {of}");
    }
    // Of the same shape too: the label alone keeps them apart.
    let claim = Signed::sign(IdentityClaim::new(ANN, public(&key), [0; 32], 1), &key);
    let as_record = |kind: u8| [&[kind], claim.to_bytes().as_slice()].concat();
    assert!(Record::checked(&as_record(1)).is_ok());
    for kind in [0, 2, 3, 4, 255] {
        assert!(Record::checked(&as_record(kind)).is_err(), "{kind}");
    }
}

#[test]
fn whatever_byte_is_changed_cut_or_added_is_noticed() {
    let whole = device(ANN, 10, 20, [0; 32]).to_bytes();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        assert!(Record::checked(&changed).is_err(), "byte {at}");
        assert_eq!(Record::checked(&whole[..at]), Err(Refusal::Malformed));
    }
    assert_eq!(Record::checked(&[&whole[..], &[0]].concat()), Err(Refusal::Malformed));
}

#[test]
fn t20_keys_that_fit_everything_are_refused() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let key = secret(10);
    let with = |identity, device_key| DeviceCertificate::new(ANN, identity, DeviceId([20; 16]), device_key, [0; 32], 1);
    let refused = |statement| Signed::sign(statement, &key).check();
    assert_eq!(refused(with(public(&key), PublicKey(neutral))), Err(Refusal::WeakKey));
    assert_eq!(refused(with(PublicKey(neutral), public(&secret(20)))), Err(Refusal::WeakKey));
    assert_eq!(refused(with(public(&key), public(&key))), Err(Refusal::WeakKey), "one key for two purposes");
    assert_eq!(refused(with(public(&key), public(&secret(20)))), Ok(()));
}
