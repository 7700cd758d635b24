//! What somebody who has the epoch key, or the server, can try. Each beside the same thing done honestly, which works.

use ed25519_dalek::{Signer, SigningKey};
use tls_codec::Serialize;
use webcall_trust::{Certificate, DeviceCertificate, DeviceId, PublicKey, Signed, TreeHead, UserId};

use super::body::{Body, Content, Head};
use super::envelope::{Envelope, Expected, HEADER_BYTES, MessageId, Place, RoomId, message_keys, seal};
use super::{ChatError, padding};
use crate::derive::Purpose;
use crate::{EpochKey, gcm, salamander};

const ROOM: RoomId = RoomId([9; 16]);
const ANN_LEAF: u32 = 3;
const KEY: [u8; 32] = [5; 32];

fn key() -> EpochKey {
    EpochKey::new(KEY)
}

fn device_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn certificate(device: u8) -> Certificate {
    let identity = device_key(device + 100);
    let public = |key: &SigningKey| PublicKey(key.verifying_key().to_bytes());
    let (identity_key, device_key) = (public(&identity), public(&device_key(device)));
    let statement = DeviceCertificate::new(UserId([device; 16]), identity_key, DeviceId([device; 16]), device_key, [0; 32], 1);
    Signed::sign(statement, &identity)
}

const ANN: u8 = 1;
const BEN: u8 = 2;

fn place() -> Place {
    Place { room: ROOM, epoch: 7, leaf: ANN_LEAF, device: DeviceId([ANN; 16]), message: MessageId([4; 16]) }
}

fn body(content: &[u8]) -> Body {
    let content = Content::new(content.to_vec()).expect("short enough");
    Body { kind: 1, at_ms: 2, previous: [1; 32], seen: [2; 32], head: Head { size: 9, root: [3; 32] }, content }
}

/// Opens as what Ann should have written.
fn open(key: &EpochKey, bytes: &[u8]) -> Result<Body, ChatError> {
    let expected = Expected { room: ROOM, leaf: ANN_LEAF, certificate: &certificate(ANN) };
    Envelope::parse(bytes)?.open(key, &expected).map(|opened| opened.body)
}

/// What is in an envelope, sealed anew at another place by somebody with the epoch key: `content` is a body and a signature.
fn seal_content(key: &EpochKey, place: Place, content: Vec<u8>) -> Vec<u8> {
    let (message_key, commitment) = message_keys(key, &place);
    let plaintext = padding::pad(content).expect("short enough");
    let length = u32::try_from(plaintext.len() + gcm::TAG_BYTES).expect("short");
    let place = place.tls_serialize_detached().expect("in memory");
    let header = [&[1, 1][..], &place, &commitment, &length.to_be_bytes()].concat();
    let ciphertext = gcm::seal(&message_key, &gcm::ZERO_NONCE, &header, plaintext);
    [header, ciphertext].concat()
}

#[test]
fn what_was_sealed_is_opened_by_whoever_has_the_epoch_key() {
    let sealed = seal(&key(), &device_key(ANN), place(), &body(b"hello")).unwrap();
    assert_eq!(open(&key(), &sealed), Ok(body(b"hello")));
    assert_eq!(Envelope::parse(&sealed).unwrap().place(), &place());
    assert_eq!(sealed.len(), HEADER_BYTES + 256 + gcm::TAG_BYTES);
}

#[test]
fn t13_a_ciphertext_for_two_epoch_keys_opens_under_one_at_most() {
    let keys = [EpochKey::new([5; 32]), EpochKey::new([6; 32])];
    for (at, other) in [(0, 1), (1, 0)] {
        let [(mine, commitment), (theirs, _)] = [&keys[at], &keys[other]].map(|key| message_keys(key, &place()));
        let header = {
            let place = place().tls_serialize_detached().unwrap();
            [&[1, 1][..], &place, &commitment, &(256u32 + 16).to_be_bytes()].concat()
        };
        // Honest under the one key but for a block in its padding, which is what makes it open under the other.
        let honest = seal(&keys[at], &device_key(ANN), place(), &body(b"invisible")).unwrap();
        let content = Envelope::parse(&honest).unwrap().decrypt(&keys[at]).unwrap();
        let plaintext = padding::pad(content.to_vec()).unwrap();
        let crafted = salamander::for_both(&mine, &theirs, &header, &plaintext, 15);
        for key in [&mine, &theirs] {
            assert!(gcm::open(key, &gcm::ZERO_NONCE, &header, &crafted).is_some(), "GCM alone takes it under both");
        }
        let envelope = [header, crafted].concat();
        assert_eq!(open(&keys[other], &envelope), Err(ChatError::WrongKey), "the commitment names one key");
        assert_eq!(open(&keys[at], &envelope), Err(ChatError::BadPadding), "and the free block shows under that one");
        assert_eq!(open(&keys[at], &honest), Ok(body(b"invisible")));
        assert_eq!(open(&keys[other], &honest), Err(ChatError::WrongKey));
    }
}

#[test]
fn t24_a_member_cannot_write_as_another() {
    let forged = seal(&key(), &device_key(BEN), place(), &body(b"I owe Ben money")).unwrap();
    assert_eq!(open(&key(), &forged), Err(ChatError::BadSignature));
    let honest = seal(&key(), &device_key(ANN), place(), &body(b"I owe nobody")).unwrap();
    assert!(open(&key(), &honest).is_ok());
    let own = Place { leaf: 4, device: DeviceId([BEN; 16]), ..place() };
    let as_ben = seal(&key(), &device_key(BEN), own, &body(b"from Ben")).unwrap();
    assert_eq!(open(&key(), &as_ben), Err(ChatError::OtherSender));
    let expected = Expected { room: ROOM, leaf: 4, certificate: &certificate(BEN) };
    assert!(Envelope::parse(&as_ben).unwrap().open(&key(), &expected).is_ok(), "as himself he can");
    let under_her_name = seal(&key(), &device_key(BEN), Place { leaf: 4, ..place() }, &body(b"from Ann?")).unwrap();
    let named = Envelope::parse(&under_her_name).unwrap().open(&key(), &expected);
    assert_eq!(named.unwrap_err(), ChatError::OtherSender, "his leaf and signature, and her device");
    let elsewhere = Expected { leaf: 5, ..expected };
    assert_eq!(Envelope::parse(&as_ben).unwrap().open(&key(), &elsewhere).unwrap_err(), ChatError::OtherSender);
}

#[test]
fn t24_a_member_cannot_carry_anothers_words_to_another_place() {
    let honest = seal(&key(), &device_key(ANN), place(), &body(b"yes")).unwrap();
    let content = Envelope::parse(&honest).unwrap().decrypt(&key()).unwrap().to_vec();
    let carried = |key: &EpochKey, place| open(key, &seal_content(key, place, content.clone()));
    assert_eq!(carried(&key(), place()), Ok(body(b"yes")), "at its own place it is what it was");
    assert_eq!(carried(&key(), Place { message: MessageId([5; 16]), ..place() }), Err(ChatError::BadSignature));
    assert_eq!(carried(&key(), Place { epoch: 8, ..place() }), Err(ChatError::BadSignature));
    assert_eq!(carried(&EpochKey::new([6; 32]), place()), Err(ChatError::BadSignature), "the signature covers the commitment");
    assert_eq!(carried(&key(), Place { room: RoomId([8; 16]), ..place() }), Err(ChatError::OtherRoom));
    let (other_room, certificate) = (RoomId([8; 16]), certificate(ANN));
    let there = Expected { room: other_room, leaf: ANN_LEAF, certificate: &certificate };
    let sealed = seal_content(&key(), Place { room: other_room, ..place() }, content.clone());
    assert_eq!(Envelope::parse(&sealed).unwrap().open(&key(), &there).unwrap_err(), ChatError::BadSignature);
}

#[test]
fn t23_an_envelope_does_not_pass_in_another_room() {
    let sealed = seal(&key(), &device_key(ANN), place(), &body(b"here")).unwrap();
    let (other_room, certificate) = (RoomId([8; 16]), certificate(ANN));
    let there = Expected { room: other_room, leaf: ANN_LEAF, certificate: &certificate };
    assert_eq!(Envelope::parse(&sealed).unwrap().open(&key(), &there).unwrap_err(), ChatError::OtherRoom);
    let mut renamed = sealed.clone();
    renamed[2..18].copy_from_slice(&other_room.0);
    assert_eq!(Envelope::parse(&renamed).unwrap().open(&key(), &there).unwrap_err(), ChatError::Tampered);
    assert_eq!(open(&key(), &sealed), Ok(body(b"here")), "in its own it does");
}

#[test]
fn t5_what_a_device_signed_for_another_purpose_is_no_message() {
    let device = device_key(ANN);
    let bytes = body(b"x").to_bytes();
    let sealed_with = |signature: [u8; 64]| open(&key(), &seal_content(&key(), place(), [&bytes[..], &signature].concat()));
    let header = {
        let sealed = seal(&key(), &device, place(), &body(b"x")).unwrap();
        sealed[..HEADER_BYTES].to_vec()
    };
    let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&bytes).into();
    let signed = |label: &[u8]| device.sign(&[label, &header, &digest].concat()).to_bytes();
    assert!(sealed_with(signed(Purpose::MessageSignature.label())).is_ok());
    for label in [&b""[..], b"WebCall 1 tree head\0", Purpose::UnlockerProof.label(), b"\x0eMLS 1.0 FramedContentTBS"] {
        assert_eq!(sealed_with(signed(label)), Err(ChatError::BadSignature));
    }
    let head =
        Signed::sign(TreeHead { log: PublicKey(device.verifying_key().to_bytes()), size: 1, root: digest, at_ms: 1 }, &device);
    let of_head = *head.to_bytes().last_chunk::<64>().unwrap();
    assert_eq!(sealed_with(of_head), Err(ChatError::BadSignature));
}

#[test]
fn whatever_byte_is_changed_cut_or_added_is_noticed() {
    let sealed = seal(&key(), &device_key(ANN), place(), &body(b"hello")).unwrap();
    for at in 0..sealed.len() {
        for bit in [0x01, 0x80] {
            let mut changed = sealed.clone();
            changed[at] ^= bit;
            assert!(open(&key(), &changed).is_err(), "byte {at}");
        }
        assert_eq!(open(&key(), &sealed[..at]), Err(ChatError::Malformed), "cut at {at}");
    }
    assert_eq!(open(&key(), &[&sealed[..], &[0]].concat()), Err(ChatError::Malformed));
    assert!(open(&key(), &sealed).is_ok());
}

/// From somebody with the epoch key the plaintext is hostile too.
#[test]
fn a_plaintext_that_is_no_body_is_refused() {
    for content in [vec![], vec![7; 10], vec![7; 63], vec![7; 64], vec![7; 200], vec![0x80; 200]] {
        assert!(open(&key(), &seal_content(&key(), place(), content)).is_err());
    }
    // Signed by the right device, and still no body.
    let header = seal_content(&key(), place(), vec![7; 100])[..HEADER_BYTES].to_vec();
    let digest = <sha2::Sha256 as sha2::Digest>::digest([7; 36]);
    let signature = device_key(ANN).sign(&[Purpose::MessageSignature.label(), &header, &digest].concat()).to_bytes();
    let content = [&[7; 36][..], &signature].concat();
    assert_eq!(open(&key(), &seal_content(&key(), place(), content)), Err(ChatError::Malformed));
}

#[test]
fn a_length_to_which_nothing_is_padded_is_refused_before_anything_is_decrypted() {
    let sealed = seal(&key(), &device_key(ANN), place(), &body(b"hello")).unwrap();
    let of_length = |padded: u32| {
        let mut other = sealed.clone();
        other[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&(padded + 16).to_be_bytes());
        other.resize(HEADER_BYTES + usize::try_from(padded).unwrap() + gcm::TAG_BYTES, 0);
        Envelope::parse(&other).map(drop)
    };
    for padded in [0, 32, 65, 255, 257, 384, 32_768, 1 << 20] {
        assert_eq!(of_length(padded), Err(ChatError::Malformed), "{padded}");
    }
    assert_eq!([64, 256, 16_384].map(of_length), [Ok(()); 3]);
}

#[test]
fn versions_and_suites_that_are_not_known_are_told_apart_from_damage() {
    let sealed = seal(&key(), &device_key(ANN), place(), &body(b"hello")).unwrap();
    let with = |at: usize, byte| {
        let mut other = sealed.clone();
        other[at] = byte;
        Envelope::parse(&other).map(drop)
    };
    assert_eq!(with(0, 2), Err(ChatError::UnknownVersion));
    assert_eq!(with(1, 2), Err(ChatError::UnknownSuite));
    assert_eq!(with(0, 1), Ok(()));
}

/// Numbers by a seed (xorshift64*).
struct Seeded(u64);

/// Another than in every run, by `WEBCALL_SEED`.
fn seed() -> u64 {
    std::env::var("WEBCALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0)
}

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).expect("31 bits") % end
    }

    /// Cut, lengthened, spliced, with a field of ones, or with some bits flipped; never the same.
    fn mutated(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        let (one, other) = (self.below(whole.len()), self.below(whole.len()));
        match self.below(7) {
            0 => bytes.truncate(one),
            1 => bytes.resize(whole.len() + 1 + other, 0xff),
            2 => bytes = [&whole[..one], &whole[other..]].concat(),
            3 => bytes[one..].fill(0xff),
            // In the header, where every field has a meaning.
            4 => bytes[one % HEADER_BYTES] = 0xff,
            _ => (0..=self.below(5)).for_each(|_| bytes[self.below(whole.len())] ^= 1 << self.below(8)),
        }
        if bytes == whole {
            bytes[one] ^= 0x41;
        }
        bytes
    }
}

#[test]
fn ten_thousand_hostile_envelopes_are_refused_and_the_honest_ones_still_open() {
    let (mut random, contents) = (Seeded(7 ^ (seed() << 8)), [&b"a"[..], b"hello", &[7; 900]]);
    let honest = contents.map(|content| seal(&key(), &device_key(ANN), place(), &body(content)).unwrap());
    for round in 0..10_000 {
        let nth = random.below(honest.len());
        let hostile = random.mutated(&honest[nth]);
        assert!(open(&key(), &hostile).is_err(), "{round}: {hostile:02x?}");
        if round % 10 == 0 {
            // From somebody with the epoch key: sealed as it must be, and no body in it.
            let length = 1 + random.below(300);
            let content = (0..length).map(|_| random.below(256)).map(|byte| u8::try_from(byte).expect("below 256")).collect();
            assert!(open(&key(), &seal_content(&key(), place(), content)).is_err(), "{round}");
        }
    }
    for (content, sealed) in contents.iter().zip(&honest) {
        assert_eq!(open(&key(), sealed), Ok(body(content)));
    }
}
