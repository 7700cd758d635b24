//! What a user publishes: an identity key, the devices that it vouches for, and which of them no longer count. Times are milliseconds since
//! 1970, by the clock of who signed; nothing is decided by them. Each names what came before it, so that whoever
//! passes them on can neither reorder them nor leave one out in the middle.

use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};

use crate::{DeviceId, Hash, PublicKey, Refusal, Signed, Statement, UserId};

/// The form of everything here. Another is refused, never guessed at.
pub(crate) const VERSION: u8 = 1;

/// "This key is mine", signed by the key itself: a key of somebody else's cannot be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct IdentityClaim {
    version: u8,
    pub user: UserId,
    pub identity: PublicKey,
    /// [`crate::Record::hash`] of what the user published before this; zeros for the first.
    pub previous: Hash,
    pub at_ms: u64,
}

/// "This device is mine": the user's identity vouches for the key with which a device signs, which is also its key in MLS groups.
/// Its bytes, signed, are the device's credential there (RFC 9420 §5.3, `basic`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct DeviceCertificate {
    version: u8,
    pub user: UserId,
    pub identity: PublicKey,
    pub device: DeviceId,
    pub device_key: PublicKey,
    /// [`crate::Record::hash`] of what the user published before this; zeros for the first.
    pub previous: Hash,
    pub at_ms: u64,
}

/// A device certificate with the identity's signature.
pub type Certificate = Signed<DeviceCertificate>;

/// "This device is mine no longer", for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Revocation {
    version: u8,
    pub user: UserId,
    pub identity: PublicKey,
    pub device: DeviceId,
    /// [`crate::Record::hash`] of what the user published before this; zeros for the first.
    pub previous: Hash,
    pub at_ms: u64,
}

impl IdentityClaim {
    pub fn new(user: UserId, identity: PublicKey, previous: Hash, at_ms: u64) -> Self {
        Self { version: VERSION, user, identity, previous, at_ms }
    }
}

impl DeviceCertificate {
    pub fn new(user: UserId, identity: PublicKey, device: DeviceId, device_key: PublicKey, previous: Hash, at_ms: u64) -> Self {
        Self { version: VERSION, user, identity, device, device_key, previous, at_ms }
    }
}

impl Revocation {
    pub fn new(user: UserId, identity: PublicKey, device: DeviceId, previous: Hash, at_ms: u64) -> Self {
        Self { version: VERSION, user, identity, device, previous, at_ms }
    }
}

impl Statement for IdentityClaim {
    const LABEL: &'static str = "identity claim";
    fn signer(&self) -> PublicKey {
        self.identity
    }
    fn check(&self) -> Result<(), Refusal> {
        known(self.version)
    }
}

impl Statement for DeviceCertificate {
    const LABEL: &'static str = "device certificate";
    fn signer(&self) -> PublicKey {
        self.identity
    }
    fn check(&self) -> Result<(), Refusal> {
        known(self.version)?;
        self.device_key.checked()?;
        // One key for two purposes would let what a device signs pass for what its user signed.
        if self.device_key == self.identity { Err(Refusal::WeakKey) } else { Ok(()) }
    }
}

impl Statement for Revocation {
    const LABEL: &'static str = "device revocation";
    fn signer(&self) -> PublicKey {
        self.identity
    }
    fn check(&self) -> Result<(), Refusal> {
        known(self.version)
    }
}

pub(crate) fn known(version: u8) -> Result<(), Refusal> {
    if version == VERSION { Ok(()) } else { Err(Refusal::UnknownVersion) }
}
