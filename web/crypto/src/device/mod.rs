//! A device: the key with which it signs, the certificate by which its user vouches for it, and the private parts of the key packages by
//! which others can add it to groups. Its key never leaves it but sealed.

mod identity;
mod packages;
mod request;

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::{BasicCredential, CredentialWithKey};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Certificate, DeviceId, PublicKey, Record, UserId};
use zeroize::Zeroizing;

pub use identity::Identity;
pub(crate) use packages::Package;
pub use packages::{MAX_PACKAGES, PackageName};
pub use request::{DeviceRequest, NewDevice};

use crate::Fault;
use crate::state::{self, StateKey, StateName};

/// A device that its user vouches for.
pub struct Device {
    key: DeviceKey,
    certificate: Certificate,
    pub(crate) packages: Vec<Package>,
    counter: u64,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    key: [u8; 32],
    certificate: Certificate,
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
        let identity = Identity::generate()?;
        let new = NewDevice::generate(user)?;
        let claim = identity.claim(user, [0; 32], now_ms);
        let vouched = identity.vouch(user, new.request(), claim.hash(), now_ms)?;
        let device = new.certified(vouched)?;
        Ok((identity, device, [claim, vouched]))
    }

    fn new(key: DeviceKey, certificate: Certificate) -> Self {
        Self { key, certificate, packages: Vec::new(), counter: 0 }
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
        let saved = Saved { key: self.key.0.to_bytes(), certificate: self.certificate, packages: self.packages.clone() };
        let sealed = state::seal(key, StateName::Device(self.id()), self.counter + 1, &saved)?;
        self.counter += 1;
        Ok(sealed)
    }

    /// `at_least`: the highest [`state::counter`] that was seen of this device.
    pub fn load(key: &StateKey, device: DeviceId, sealed: &[u8], at_least: u64) -> Result<Self, Fault> {
        let (counter, mut saved) = state::open::<Saved>(key, StateName::Device(device), sealed, at_least)?;
        let key = DeviceKey(SigningKey::from_bytes(&saved.key));
        if saved.certificate.statement().device != device || !key.is_of(&saved.certificate) {
            return Err(Fault::DamagedState);
        }
        Ok(Self { key, certificate: saved.certificate, packages: std::mem::take(&mut saved.packages), counter })
    }
}

/// Ed25519; zeroized when dropped.
pub(crate) struct DeviceKey(SigningKey);

impl DeviceKey {
    fn generate() -> Result<Self, Fault> {
        let seed = Zeroizing::new(state::random()?);
        Ok(Self(SigningKey::from_bytes(&seed)))
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
