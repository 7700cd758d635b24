//! The identity of a user: the key that says which devices are the user's. It lives on devices that may add others, and in the archive.

use ed25519_dalek::SigningKey;
use webcall_trust::{DeviceCertificate, DeviceId, Hash, IdentityClaim, PublicKey, Record, Revocation, Signed, UserId};
use zeroize::Zeroizing;

use super::DeviceRequest;
use crate::state::{self, StateKey, StateName};
use crate::{Fault, random};

/// Ed25519; zeroized when dropped.
#[derive(Clone)]
pub struct Identity(SigningKey);

impl Identity {
    pub fn generate() -> Self {
        Self::from_bytes(&Zeroizing::new(random::bytes()))
    }

    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// For the archive, which seals it.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Sealed for this device, which may add others with it.
    pub fn save(&self, key: &StateKey, device: DeviceId) -> Result<Vec<u8>, Fault> {
        state::seal(key, StateName::Identity(device), 1, &*self.to_bytes())
    }

    pub fn load(key: &StateKey, device: DeviceId, sealed: &[u8]) -> Result<Self, Fault> {
        let (_, seed) = state::open::<[u8; 32]>(key, StateName::Identity(device), sealed, 0)?;
        Ok(Self::from_bytes(&Zeroizing::new(seed)))
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0
    }

    pub(crate) fn from_signing(key: SigningKey) -> Self {
        Self(key)
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// "This key is mine": the first record of a user, or the one that replaces the identity. `previous`: [`webcall_trust::UserKeys::head`].
    pub fn claim(&self, user: UserId, previous: Hash, now_ms: u64) -> Record {
        Record::Claim(Signed::sign(IdentityClaim::new(user, self.public(), previous, now_ms), &self.0))
    }

    /// "This device is mine." The request must be of this user, and signed by the device's own key.
    pub fn vouch(&self, user: UserId, request: &DeviceRequest, previous: Hash, now_ms: u64) -> Result<Record, Fault> {
        let of = request.checked_for(user)?;
        let statement = DeviceCertificate::new(user, self.public(), of.device, of.device_key, previous, now_ms);
        let certificate = Signed::sign(statement, &self.0);
        certificate.check()?;
        Ok(Record::Device(certificate))
    }

    /// "This device is mine no longer."
    pub fn revoke(&self, user: UserId, device: DeviceId, previous: Hash, now_ms: u64) -> Record {
        Record::Revocation(Signed::sign(Revocation::new(user, self.public(), device, previous, now_ms), &self.0))
    }
}
