//! A device: the key with which it signs, the certificate by which its user vouches for it, and the private parts of the key packages by
//! which others can add it to groups. Its key never leaves it but sealed.

mod handover;
mod identity;
mod packages;
mod request;

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::{BasicCredential, CredentialWithKey};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Certificate, DeviceId, Hash, PublicKey, Record, UserId};
use zeroize::Zeroizing;

pub use identity::Identity;
pub(crate) use packages::Package;
pub use packages::{MAX_PACKAGES, PackageName};
pub use request::{DeviceRequest, NewDevice};

use crate::state::{self, StateKey, StateName};
use crate::{Fault, random};

/// Records of its user's chain that a device keeps: those that it made or was given, of which it cannot be sure that they were published.
pub const MAX_OWN_RECORDS: usize = 64;

/// A device that its user vouches for.
#[derive(Clone)]
pub struct Device {
    key: DeviceKey,
    certificate: Certificate,
    /// In the order of the chain.
    records: Vec<Record>,
    pub(crate) packages: Vec<Package>,
    counter: u64,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    key: [u8; 32],
    certificate: Certificate,
    records: Vec<Record>,
    packages: Vec<Package>,
}

impl Drop for Saved {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl Device {
    /// The first device of a user: it makes the user's identity and vouches for itself. The records are to be published in this order.
    pub fn first(user: UserId, now_ms: u64) -> Result<(Identity, Self, [Record; 2]), Fault> {
        Self::anew(user, [0; 32], now_ms)
    }

    /// The same of a user who has published records and can go on from none of them: `head` is the hash of the last, which the new identity replaces.
    pub fn anew(user: UserId, head: Hash, now_ms: u64) -> Result<(Identity, Self, [Record; 2]), Fault> {
        let identity = Identity::generate();
        let new = NewDevice::generate(user)?;
        let claim = identity.claim(user, head, now_ms);
        let vouched = identity.vouch(user, new.request(), claim.hash(), now_ms)?;
        let mut device = new.certified(vouched)?;
        device.records.insert(0, claim);
        Ok((identity, device, [claim, vouched]))
    }

    fn new(key: DeviceKey, certificate: Certificate) -> Self {
        Self { key, certificate, records: vec![Record::Device(certificate)], packages: Vec::new(), counter: 0 }
    }

    pub fn user(&self) -> UserId {
        self.certificate.statement().user
    }

    pub fn id(&self) -> DeviceId {
        self.certificate.statement().device
    }

    pub fn identity(&self) -> PublicKey {
        self.certificate.statement().identity
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Those of its user's chain that it made or was given.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// One that it made. Of too many the oldest that is in the chain goes; if none is, [`Fault::Full`].
    pub fn made(&mut self, record: Record, chain: &[Vec<u8>]) -> Result<(), Fault> {
        if self.records.len() >= MAX_OWN_RECORDS {
            let published = |record: &Record| chain.contains(&record.to_bytes());
            self.records.remove(self.records.iter().position(published).ok_or(Fault::Full)?);
        }
        self.records.push(record);
        Ok(())
    }

    /// The chain as it was published: what is neither in it nor could follow it was overtaken by another record. Whether any was.
    pub fn settle(&mut self, chain: &[Vec<u8>], head: Hash) -> bool {
        let (before, mut tip) = (self.records.len(), head);
        self.records.retain(|record| {
            let follows = record.previous() == tip;
            if follows {
                tip = record.hash();
            }
            follows || chain.contains(&record.to_bytes())
        });
        self.records.len() < before
    }

    /// An Ed25519 signature (RFC 8032) of the device. `message` begins with the label of what it means, unlike every other.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.0.sign(message).to_bytes()
    }

    pub(crate) fn key(&self) -> &DeviceKey {
        &self.key
    }

    /// The credential of all its leaves (RFC 9420 §5.3): the certificate.
    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.certificate.to_bytes()).into(),
            signature_key: self.certificate.statement().device_key.0.to_vec().into(),
        }
    }

    /// All of it, sealed; to be kept whenever key packages were made or used.
    pub fn save(&mut self, key: &StateKey) -> Result<Vec<u8>, Fault> {
        let (certificate, records, packages) = (self.certificate, self.records.clone(), self.packages.clone());
        let saved = Saved { key: self.key.0.to_bytes(), certificate, records, packages };
        let next = state::next(self.counter)?;
        let sealed = state::seal(key, StateName::Device(self.id()), next, &saved)?;
        self.counter = next;
        Ok(sealed)
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&mut self) {
        self.counter = u64::MAX;
    }

    /// `at_least`: the highest [`state::counter`] that was seen of this device.
    pub fn load(key: &StateKey, device: DeviceId, sealed: &[u8], at_least: u64) -> Result<Self, Fault> {
        let (counter, mut saved) = state::open::<Saved>(key, StateName::Device(device), sealed, at_least)?;
        let key = DeviceKey(SigningKey::from_bytes(&saved.key));
        let fits = saved.certificate.statement().device == device && key.is_of(&saved.certificate);
        if !fits || saved.records.len() > MAX_OWN_RECORDS || saved.packages.len() > MAX_PACKAGES {
            return Err(Fault::DamagedState);
        }
        let (records, packages) = (std::mem::take(&mut saved.records), std::mem::take(&mut saved.packages));
        Ok(Self { key, certificate: saved.certificate, records, packages, counter })
    }
}

/// Ed25519; zeroized when dropped.
#[derive(Clone)]
pub(crate) struct DeviceKey(SigningKey);

impl DeviceKey {
    fn generate() -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(random::bytes())))
    }

    fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// For messages, which have a form of their own.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0
    }

    fn is_of(&self, certificate: &Certificate) -> bool {
        self.public() == certificate.statement().device_key
    }
}

impl Signer for DeviceKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
