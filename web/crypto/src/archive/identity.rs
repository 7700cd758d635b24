//! The private key of the user's identity, for the user's other devices.

use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};
use webcall_trust::{PublicKey, UserId};
use zeroize::Zeroizing;

use super::ArchiveError;
use crate::MasterKey;
use crate::derive::Purpose;
use crate::locked;

pub fn seal_identity(master: &MasterKey, user: UserId, identity: &SigningKey) -> Vec<u8> {
    // With room for the tag, so that the key is not moved and left behind.
    let mut plaintext = Vec::with_capacity(SECRET_KEY_LENGTH + locked::OVERHEAD_BYTES);
    plaintext.extend_from_slice(identity.as_bytes());
    locked::seal(master.as_bytes(), Purpose::IdentityKey, &user.0, plaintext)
}

/// `expected` is the identity that the user published.
pub fn open_identity(master: &MasterKey, user: UserId, expected: PublicKey, bytes: &[u8]) -> Result<SigningKey, ArchiveError> {
    let opened = locked::open(master.as_bytes(), Purpose::IdentityKey, &user.0, bytes)?;
    let secret: Zeroizing<[u8; SECRET_KEY_LENGTH]> =
        Zeroizing::new(opened.as_slice().try_into().map_err(|_| ArchiveError::Malformed)?);
    let identity = SigningKey::from_bytes(&secret);
    if identity.verifying_key().to_bytes() == expected.0 { Ok(identity) } else { Err(ArchiveError::OtherIdentity) }
}
