//! A passkey as an unlocker: WebAuthn's `prf` extension gives the same 32 bytes for the same credential and salt, to that credential's owner.

use std::fmt;

use tls_codec::{TlsByteVecU16, TlsDeserialize, TlsSerialize, TlsSize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::UnlockError;
use crate::random;

/// WebAuthn Level 3 §4: a credential's id is at most 1,023 bytes.
pub const MAX_CREDENTIAL_BYTES: usize = 1_023;

/// A credential of WebAuthn and what its `prf` extension is asked with.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Passkey {
    credential: TlsByteVecU16,
    salt: [u8; 32],
}

/// The 32 bytes that the `prf` extension of a passkey answers with.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PrfOutput([u8; 32]);

impl Passkey {
    /// Of this credential, and a salt of its own.
    pub fn new(credential: Vec<u8>) -> Result<Self, UnlockError> {
        let passkey = Self { credential: credential.into(), salt: random::bytes() };
        passkey.check()?;
        Ok(passkey)
    }

    pub fn credential(&self) -> &[u8] {
        self.credential.as_slice()
    }

    /// What `prf` is to be evaluated at.
    pub fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    pub(super) fn check(&self) -> Result<(), UnlockError> {
        match self.credential.as_slice().len() {
            0 => Err(UnlockError::Malformed),
            1..=MAX_CREDENTIAL_BYTES => Ok(()),
            _ => Err(UnlockError::TooLong),
        }
    }
}

impl PrfOutput {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrfOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrfOutput(secret)")
    }
}
