//! The rules of MLS content, as far as one key package or message shows them. What commits may change is tried where groups are made, in
//! `web/crypto/tests`.

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::tls_codec::{Deserialize, Serialize, VLBytes};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialWithKey, ExtensionType, KeyPackage, KeyPackageBuilder, Lifetime,
    MlsMessageOut,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use webcall_trust::mls::{self, GroupId};
use webcall_trust::{Certificate, DeviceCertificate, DeviceId, PublicKey, Refusal, Signed, UserId};

struct Key(SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn device() -> (Key, Certificate) {
    let (identity, key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let public = |key: &SigningKey| PublicKey(key.verifying_key().to_bytes());
    let statement = DeviceCertificate::new(UserId([3; 16]), public(&identity), DeviceId([4; 16]), public(&key), [0; 32], 5);
    (Key(key), Signed::sign(statement, &identity))
}

fn built(builder: KeyPackageBuilder, suite: Ciphersuite, credential: Vec<u8>) -> Vec<u8> {
    let (key, certificate) = device();
    let credential = CredentialWithKey {
        credential: BasicCredential::new(credential).into(),
        signature_key: certificate.statement().device_key.0.to_vec().into(),
    };
    let bundle = builder.build(suite, &OpenMlsRustCrypto::default(), &key, credential).expect("a key package");
    MlsMessageOut::from(bundle.key_package().clone()).tls_serialize_detached().expect("memory")
}

fn ours() -> KeyPackageBuilder {
    KeyPackage::builder().leaf_node_capabilities(mls::capabilities())
}

fn sound() -> Vec<u8> {
    built(ours(), mls::SUITE, device().1.to_bytes())
}

fn refusal(bytes: &[u8]) -> Option<Refusal> {
    mls::key_package(bytes).err()
}

#[test]
fn a_sound_key_package_gives_the_certificate_of_its_device() {
    let bytes = sound();
    assert!(bytes.len() < mls::MAX_KEY_PACKAGE_BYTES);
    let (package, certificate) = mls::key_package(&bytes).expect("sound");
    assert_eq!(certificate, device().1);
    assert!(!package.last_resort());
    let last = built(ours().mark_as_last_resort(), mls::SUITE, device().1.to_bytes());
    assert!(mls::key_package(&last).expect("sound").0.last_resort());
}

#[test]
fn t1_a_key_package_without_the_certificate_of_its_own_key_is_refused() {
    let (_, certificate) = device();
    assert_eq!(refusal(&built(ours(), mls::SUITE, b"somebody".to_vec())), Some(Refusal::Malformed));
    let mut forged = certificate.to_bytes();
    *forged.last_mut().expect("bytes") ^= 1;
    assert_eq!(refusal(&built(ours(), mls::SUITE, forged)), Some(Refusal::BadSignature));
    let (of, other_key) = (certificate.statement(), PublicKey(SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes()));
    let of_another = DeviceCertificate::new(of.user, of.identity, of.device, other_key, of.previous, of.at_ms);
    let of_another = Signed::sign(of_another, &SigningKey::from_bytes(&[1; 32]));
    assert_eq!(refusal(&built(ours(), mls::SUITE, of_another.to_bytes())), Some(Refusal::Credential));
}

#[test]
fn another_suite_another_lifetime_or_other_capabilities_are_refused() {
    let credential = || device().1.to_bytes();
    let other = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let knows_both = Capabilities::new(None, Some(&[mls::SUITE, other]), Some(&[ExtensionType::LastResort]), None, None);
    assert_eq!(
        refusal(&built(KeyPackage::builder().leaf_node_capabilities(knows_both.clone()), other, credential())),
        Some(Refusal::Suite)
    );
    let more = KeyPackage::builder().leaf_node_capabilities(knows_both);
    assert_eq!(refusal(&built(more, mls::SUITE, credential())), None, "to know more is allowed");
    let less = KeyPackage::builder().leaf_node_capabilities(Capabilities::new(None, Some(&[mls::SUITE]), None, None, None));
    assert_eq!(refusal(&built(less, mls::SUITE, credential())), Some(Refusal::Capabilities));
    let many: Vec<_> =
        (0..=u16::try_from(mls::MAX_CAPABILITIES).expect("small")).map(|n| ExtensionType::Unknown(0xf000 + n)).collect();
    let without_end: Vec<_> = many.into_iter().chain([ExtensionType::LastResort]).collect();
    let much = KeyPackage::builder().leaf_node_capabilities(Capabilities::new(
        None,
        Some(&[mls::SUITE]),
        Some(&without_end),
        None,
        None,
    ));
    assert_eq!(refusal(&built(much, mls::SUITE, credential())), Some(Refusal::Capabilities));
    let endless = ours().key_package_lifetime(Lifetime::init(0, u64::MAX));
    assert_eq!(refusal(&built(endless, mls::SUITE, credential())), Some(Refusal::Lifetime));
    let expired = ours().key_package_lifetime(Lifetime::init(1_000, 2_000));
    assert_eq!(refusal(&built(expired, mls::SUITE, credential())), Some(Refusal::Lifetime));
    let in_two_days = Lifetime::new(2 * 86_400).not_after();
    let not_yet = ours().key_package_lifetime(Lifetime::init(in_two_days, in_two_days + 86_400));
    assert_eq!(refusal(&built(not_yet, mls::SUITE, credential())), Some(Refusal::Lifetime));
}

/// Positions in a key package framed as a message (RFC 9420 §6, §10): version, wire format, version, suite, then the init key with its length.
const INIT_KEY: usize = 2 + 2 + 2 + 2 + 1;
const LEAF: usize = INIT_KEY + 32;
const ENCRYPTION_KEY: usize = LEAF + 1;

/// As RFC 9420 §5.1.2 signs.
fn sign(label: &str, content: &[u8]) -> [u8; 64] {
    let label = VLBytes::from(format!("MLS 1.0 {label}").into_bytes());
    let content = VLBytes::from(content.to_vec());
    let mut signed = label.tls_serialize_detached().expect("memory");
    signed.extend(content.tls_serialize_detached().expect("memory"));
    device().0.0.sign(&signed).to_bytes()
}

/// The key package with another key at `at`, and both signatures made anew.
fn with_key(at: usize, key: [u8; 32]) -> Vec<u8> {
    let mut bytes = sound();
    bytes[at..at + 32].copy_from_slice(&key);
    // The end: the leaf's signature, no extensions, the package's signature. A length of 64 takes two bytes.
    let package_signature = bytes.len() - 64;
    let leaf_signature = package_signature - 2 - 1 - 64;
    let leaf = sign("LeafNodeTBS", &bytes[LEAF..leaf_signature - 2]);
    bytes[leaf_signature..leaf_signature + 64].copy_from_slice(&leaf);
    let package = sign("KeyPackageTBS", &bytes[4..package_signature - 2]);
    bytes[package_signature..].copy_from_slice(&package);
    bytes
}

#[test]
fn t20_key_packages_with_keys_of_small_order_are_refused() {
    let mut one = [0; 32];
    one[0] = 1;
    let honest = SigningKey::from_bytes(&[6; 32]).verifying_key().to_montgomery().to_bytes();
    for at in [INIT_KEY, ENCRYPTION_KEY] {
        assert_eq!(refusal(&with_key(at, honest)), None, "signed anew, an honest key is taken");
        assert_eq!(refusal(&with_key(at, [0; 32])), Some(Refusal::WeakKey));
        assert_eq!(refusal(&with_key(at, one)), Some(Refusal::WeakKey));
    }
}

#[test]
fn a_group_is_named_after_a_room_or_a_call_and_nothing_else() {
    for id in [GroupId::room([7; 16]), GroupId::call([7; 16])] {
        assert_eq!(GroupId::from_bytes(&id.to_bytes()), Ok(id));
    }
    assert_ne!(GroupId::room([7; 16]).to_bytes(), GroupId::call([7; 16]).to_bytes());
    for malformed in [&[][..], &[1; 16], &[1; 18], &[0; 17], &[3; 17]] {
        assert_eq!(GroupId::from_bytes(malformed), Err(Refusal::Malformed));
    }
}

#[test]
fn t22_no_mutation_of_a_key_package_is_taken_or_panics() {
    let bytes = sound();
    let try_all = |bytes: &[u8]| {
        let refusals = [
            mls::key_package(bytes).err(),
            mls::handshake(bytes).err(),
            mls::welcome(bytes).err(),
            mls::group_info(bytes).err(),
            mls::application(bytes).err(),
        ];
        // Nothing in a tree tells it from other bytes; it is its group's description that vouches for it.
        drop(mls::tree(bytes));
        assert!(refusals.iter().all(Option::is_some), "{refusals:?} {bytes:02x?}");
    };
    for index in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut mutated = bytes.clone();
            mutated[index] ^= flip;
            try_all(&mutated);
        }
        try_all(&bytes[..index]);
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(refusal(&longer), Some(Refusal::Malformed), "trailing bytes");
    assert_eq!(refusal(&vec![0; mls::MAX_KEY_PACKAGE_BYTES + 1]), Some(Refusal::TooLarge));
    assert_eq!(mls::handshake(&bytes).err(), Some(Refusal::WireFormat));
    assert!(VLBytes::tls_deserialize(&mut [0xff_u8; 4].as_slice()).is_err());
}
