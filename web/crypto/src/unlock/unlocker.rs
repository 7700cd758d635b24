//! One unlocker.
//!
//! `0x01 | id 16 | kind u8 and its parameters | sealed u8-length | proof 32`. The box around the master key is bound to the user, the id and
//! the parameters. The proof is made from the master key over all before it: a device that has the master key can tell an unlocker that was
//! really made from one that a server shows so that a user believes in a backup.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tls_codec::{Deserialize, Serialize, TlsByteVecU8, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::UserId;
use zeroize::Zeroizing;

use super::{Effort, MAX_CREDENTIAL_BYTES, Passkey, Passphrase, PrfOutput, RecoveryCode, UnlockError};
use crate::derive::{Purpose, derive};
use crate::locked::{self, Refused};
use crate::{MasterKey, random};

/// Of [`Unlocker::to_bytes`].
pub const MAX_UNLOCKER_BYTES: usize = 1 + 16 + 1 + 2 + MAX_CREDENTIAL_BYTES + 32 + 1 + SEALED_BYTES + PROOF_BYTES;
const SEALED_BYTES: usize = 32 + locked::OVERHEAD_BYTES;
const PROOF_BYTES: usize = 32;
const VERSION: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct UnlockerId(pub [u8; 16]);

/// Which kind, and what a device needs to know before it asks for the secret.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
#[repr(u8)]
pub enum Way {
    #[tls_codec(discriminant = 1)]
    RecoveryCode,
    #[tls_codec(discriminant = 2)]
    Passphrase(Effort),
    #[tls_codec(discriminant = 3)]
    Passkey(Passkey),
}

/// What opens an unlocker.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    RecoveryCode(&'a RecoveryCode),
    Passphrase(&'a Passphrase),
    Passkey(&'a PrfOutput),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlocker {
    id: UnlockerId,
    way: Way,
    sealed: Vec<u8>,
    proof: [u8; PROOF_BYTES],
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Written {
    version: u8,
    id: UnlockerId,
    way: Way,
    sealed: TlsByteVecU8,
    proof: [u8; PROOF_BYTES],
}

impl Unlocker {
    /// A new one. `way` and `secret` are of one kind.
    pub fn new(master: &MasterKey, user: UserId, way: Way, secret: Secret<'_>) -> Result<Self, UnlockError> {
        let id = UnlockerId(random::bytes());
        let key = key_of(user, id, &way, secret)?;
        let mut plaintext = Vec::with_capacity(SEALED_BYTES);
        plaintext.extend_from_slice(master.as_bytes());
        let sealed = locked::seal(&key, Purpose::Unlocker, &context(user, id, &way), plaintext);
        let proof = proof(master, user, id, &way, &sealed);
        Ok(Self { id, way, sealed, proof })
    }

    pub fn id(&self) -> UnlockerId {
        self.id
    }

    pub fn way(&self) -> &Way {
        &self.way
    }

    pub fn unlock(&self, user: UserId, secret: Secret<'_>) -> Result<MasterKey, UnlockError> {
        let key = key_of(user, self.id, &self.way, secret)?;
        let opened = locked::open(&key, Purpose::Unlocker, &context(user, self.id, &self.way), &self.sealed);
        let opened = opened.map_err(|refused| match refused {
            Refused::Malformed => UnlockError::Malformed,
            Refused::WrongKey => UnlockError::WrongSecret,
            Refused::Tampered => UnlockError::Tampered,
        })?;
        let master = MasterKey::new(opened.as_slice().try_into().map_err(|_| UnlockError::Malformed)?);
        if self.is_of(&master, user) { Ok(master) } else { Err(UnlockError::Tampered) }
    }

    /// Whether it was made with this master key for this user, and not changed.
    pub fn is_of(&self, master: &MasterKey, user: UserId) -> bool {
        proof(master, user, self.id, &self.way, &self.sealed).ct_eq(&self.proof).into()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let sealed = self.sealed.as_slice().into();
        let written = Written { version: VERSION, id: self.id, way: self.way.clone(), sealed, proof: self.proof };
        written.tls_serialize_detached().expect("writing to memory, of lengths that fit")
    }

    /// Reads all of `bytes`, and refuses an effort out of bounds.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, UnlockError> {
        match bytes {
            _ if bytes.len() > MAX_UNLOCKER_BYTES => return Err(UnlockError::TooLong),
            [] => return Err(UnlockError::Malformed),
            [VERSION, ..] => {}
            _ => return Err(UnlockError::UnknownVersion),
        }
        let Written { id, way, sealed, proof, .. } = Written::tls_deserialize(&mut bytes).map_err(|_| UnlockError::Malformed)?;
        let sealed = sealed.into_vec();
        if !bytes.is_empty() || sealed.len() != SEALED_BYTES {
            return Err(UnlockError::Malformed);
        }
        match &way {
            Way::RecoveryCode => {}
            Way::Passphrase(effort) => drop(effort.checked()?),
            Way::Passkey(passkey) => passkey.check()?,
        }
        Ok(Self { id, way, sealed, proof })
    }
}

/// The key of the box, from the secret alone.
fn key_of(user: UserId, id: UnlockerId, way: &Way, secret: Secret<'_>) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
    let key = |purpose, secret: &[u8]| derive(purpose, &[], secret, &[&user.0, &id.0]);
    match (way, secret) {
        (Way::RecoveryCode, Secret::RecoveryCode(code)) => Ok(key(Purpose::RecoveryCode, code.as_bytes())),
        (Way::Passphrase(effort), Secret::Passphrase(passphrase)) => {
            Ok(key(Purpose::Passphrase, passphrase.stretch(*effort)?.as_slice()))
        }
        (Way::Passkey(_), Secret::Passkey(output)) => Ok(key(Purpose::Passkey, output.as_bytes())),
        _ => Err(UnlockError::OtherKind),
    }
}

fn context(user: UserId, id: UnlockerId, way: &Way) -> Vec<u8> {
    [&user.0[..], &id.0, &digest_of(way)].concat()
}

fn proof(master: &MasterKey, user: UserId, id: UnlockerId, way: &Way, sealed: &[u8]) -> [u8; PROOF_BYTES] {
    let context: [&[u8]; 4] = [&user.0, &id.0, &digest_of(way), &Sha256::digest(sealed)];
    *derive(Purpose::UnlockerProof, &[], master.as_bytes(), &context)
}

/// One length for all kinds.
fn digest_of(way: &Way) -> [u8; 32] {
    Sha256::digest(way.tls_serialize_detached().expect("writing to memory, of lengths that fit")).into()
}
