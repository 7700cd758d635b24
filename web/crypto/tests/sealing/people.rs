//! Ann and Ben, with a device each.

use ed25519_dalek::SigningKey;
use webcall_crypto::EpochKey;
use webcall_crypto::chat::{ChatError, Content, Draft, Envelope, Expected, Head, MessageId, Opened, OwnThread, RoomId, Writer};
use webcall_trust::{Certificate, DeviceCertificate, DeviceId, PublicKey, Signed, UserId};

pub(crate) const ANN: UserId = UserId([1; 16]);
pub(crate) const BEN: UserId = UserId([2; 16]);
pub(crate) const ROOM: RoomId = RoomId([9; 16]);
pub(crate) const LEAF: u32 = 3;

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

pub(crate) fn identity(user: UserId) -> SigningKey {
    SigningKey::from_bytes(&[user.0[0] + 100; 32])
}

pub(crate) fn device_key(user: UserId) -> SigningKey {
    SigningKey::from_bytes(&[user.0[0] + 50; 32])
}

pub(crate) fn device(user: UserId) -> DeviceId {
    DeviceId(user.0)
}

pub(crate) fn certificate(user: UserId) -> Certificate {
    let identity = identity(user);
    let statement = DeviceCertificate::new(user, public(&identity), device(user), public(&device_key(user)), [0; 32], 1);
    Signed::sign(statement, &identity)
}

/// Each epoch has a key of its own.
pub(crate) fn epoch_key(epoch: u64) -> EpochKey {
    let mut bytes = [5; 32];
    bytes[..8].copy_from_slice(&epoch.to_be_bytes());
    EpochKey::new(bytes)
}

pub(crate) fn message(number: u64) -> MessageId {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

pub(crate) fn draft(content: &[u8]) -> Draft {
    let content = Content::new(content.to_vec()).expect("short enough");
    Draft { kind: 1, at_ms: 1_000, seen: [7; 32], head: Head { size: 5, root: [8; 32] }, content }
}

/// Ann writes and the server accepts.
pub(crate) fn say(own: &mut OwnThread, epoch: u64, number: u64, content: &[u8]) -> Result<Vec<u8>, ChatError> {
    let (key, device_key) = (epoch_key(epoch), device_key(ANN));
    let writer = Writer { epoch, leaf: LEAF, key: &key, device_key: &device_key };
    let sealed = own.seal(writer, message(number), draft(content))?;
    own.accepted(&Envelope::parse(&sealed).expect("what was sealed is an envelope"));
    Ok(sealed)
}

/// Ben opens it as Ann's.
pub(crate) fn hear(sealed: &[u8]) -> Result<Opened, ChatError> {
    let envelope = Envelope::parse(sealed)?;
    let expected = Expected { room: ROOM, leaf: LEAF, certificate: &certificate(ANN) };
    envelope.open(&epoch_key(envelope.place().epoch), &expected)
}
