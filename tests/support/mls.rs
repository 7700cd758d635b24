//! Devices of end-to-end encryption as a client has them: keys, certificates, records, key packages. The other half of what the server
//! checks, made with openmls.

#[path = "mls_group.rs"]
mod group;

pub(crate) use group::{Member, Outgoing};

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{BasicCredential, Capabilities, CredentialWithKey, KeyPackage, KeyPackageBundle, Lifetime, MlsMessageOut};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use ring::rand::{SecureRandom, SystemRandom};
use webcall_trust::{
    Certificate, DeviceCertificate, DeviceId, Hash, IdentityClaim, PublicKey, Record, Revocation, Signed, UserId, mls,
};

/// A key that signs.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) SigningKey);

impl Key {
    pub(crate) fn new() -> Self {
        Self(SigningKey::from_bytes(&random()))
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// A user's identity, and where their chain of records stands.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) user: UserId,
    pub(crate) key: Key,
    pub(crate) head: Hash,
}

impl Identity {
    /// Of the account with this identifier, which has published nothing yet.
    pub(crate) fn new(user: &str) -> Self {
        let user = user.parse::<webcall::id::UserId>().expect("an account's identifier");
        Self { user: UserId(*user.as_bytes()), key: Key::new(), head: [0; 32] }
    }

    fn goes_on(&mut self, record: Record) -> Vec<u8> {
        self.head = record.hash();
        record.to_bytes()
    }

    pub(crate) fn claim(&mut self) -> Vec<u8> {
        let claim = IdentityClaim::new(self.user, self.key.public(), self.head, 1);
        let record = Record::Claim(Signed::sign(claim, &self.key.0));
        self.goes_on(record)
    }

    /// A new device, and the record that makes it count.
    pub(crate) fn device(&mut self) -> (Device, Vec<u8>) {
        let (id, key) = (DeviceId(random()), Key::new());
        let certificate = DeviceCertificate::new(self.user, self.key.public(), id, key.public(), self.head, 2);
        let certificate = Signed::sign(certificate, &self.key.0);
        let record = self.goes_on(Record::Device(certificate));
        (Device { certificate, key, provider: OpenMlsRustCrypto::default() }, record)
    }

    pub(crate) fn revocation(&mut self, device: &Device) -> Vec<u8> {
        let revocation = Revocation::new(self.user, self.key.public(), device.certificate.statement().device, self.head, 3);
        let record = Record::Revocation(Signed::sign(revocation, &self.key.0));
        self.goes_on(record)
    }
}

/// A device with its private keys.
pub(crate) struct Device {
    pub(crate) certificate: Certificate,
    pub(crate) key: Key,
    pub(crate) provider: OpenMlsRustCrypto,
}

/// What a key package is made to be.
#[derive(Clone, Default)]
pub(crate) struct Form {
    pub(crate) last_resort: bool,
    pub(crate) lifetime_s: Option<u64>,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Device {
    /// As the API writes it.
    pub(crate) fn id(&self) -> String {
        webcall::id::DeviceId::from_bytes(self.certificate.statement().device.0).to_string()
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        credential(&self.key, self.certificate.to_bytes())
    }

    pub(crate) fn package(&self, form: Form) -> KeyPackageBundle {
        let lifetime = Lifetime::new(form.lifetime_s.unwrap_or(182 * 86_400));
        let builder = KeyPackage::builder().leaf_node_capabilities(form.capabilities.unwrap_or_else(mls::capabilities));
        let mut builder = builder.key_package_lifetime(lifetime);
        if form.last_resort {
            builder = builder.mark_as_last_resort();
        }
        let credential = form.certificate.map_or_else(|| self.credential(), |bytes| credential(&self.key, bytes));
        builder.build(mls::SUITE, &self.provider, &self.key, credential).expect("a key package")
    }

    /// A usual one, as it is uploaded.
    pub(crate) fn key_package(&self) -> Vec<u8> {
        bytes(&self.package(Form::default()))
    }
}

/// A key with what it says of itself.
pub(crate) fn credential(key: &Key, certificate: Vec<u8>) -> CredentialWithKey {
    CredentialWithKey { credential: BasicCredential::new(certificate).into(), signature_key: key.public().0.to_vec().into() }
}

/// A key package as it is uploaded.
pub(crate) fn bytes(bundle: &KeyPackageBundle) -> Vec<u8> {
    MlsMessageOut::from(bundle.key_package().clone()).tls_serialize_detached().expect("writing to memory")
}

/// Whatever bytes are changed: one flipped, cut, lengthened, at many places.
pub(crate) fn mutations(whole: &[u8], count: usize) -> Vec<Vec<u8>> {
    let step = (whole.len() / count).max(1);
    let places = (0..whole.len()).step_by(step);
    let mut mutated: Vec<Vec<u8>> = places
        .clone()
        .map(|at| {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x41;
            bytes
        })
        .collect();
    mutated.extend(places.map(|at| whole[..at].to_vec()).filter(|bytes| !bytes.is_empty()));
    mutated.push([whole, &[0]].concat());
    mutated.push(vec![0xff; whole.len()]);
    mutated
}

/// A key package of the device with another init key (RFC 9420 §10), signed again: all its form is right.
pub(crate) fn with_init_key(device: &Device, init_key: [u8; 32]) -> Vec<u8> {
    /// Version and wire format of a message, then version and suite of the package, then the length of the key.
    const INIT_KEY: std::ops::Range<usize> = 9..41;
    /// Its length in two bytes, and 64 more.
    const SIGNATURE_BYTES: usize = 66;
    let mut message = device.key_package();
    message[INIT_KEY].copy_from_slice(&init_key);
    let signed = message.len() - SIGNATURE_BYTES;
    let label = b"MLS 1.0 KeyPackageTBS";
    let length = u16::try_from(signed - 4).expect("a key package is short") | 0x4000;
    let content =
        [&[u8::try_from(label.len()).expect("a label is short")], &label[..], &length.to_be_bytes(), &message[4..signed]];
    let signature = device.key.0.sign(&content.concat()).to_bytes();
    message[signed + 2..].copy_from_slice(&signature);
    message
}
