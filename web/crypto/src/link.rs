//! The part of a room's link that no server sees. Whoever was given it comes into the room's group without a person's word: it holds the secret of a key
//! pair, and the signature by which a device inside invites whoever has that secret. The device finds the same again each time it is asked, and keeps
//! nothing. What a newcomer shows is good for them alone; the server carries it and can make none.

use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};
use tls_codec::{Deserialize as _, Serialize as _, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Acceptance, Certificate, DeviceId, Hash, Invitation, PublicKey, Refusal, Signed, UserId};
use zeroize::Zeroizing;

use crate::derive::{Purpose, derive};
use crate::{Device, Fault};

/// The bytes of a room's UUID.
type Room = [u8; 16];

/// Of the code that stands in the link where the server sees it.
const MAX_CODE_BYTES: usize = 64;

/// What stands in the link.
#[derive(Clone, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Link {
    seed: [u8; 16],
    device: DeviceId,
    invited: [u8; 64],
}

impl Drop for Link {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

/// What a newcomer shows to those inside. Of the rest of what was signed they know.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Shown {
    /// Who invites.
    pub device: DeviceId,
    link: PublicKey,
    invited: [u8; 64],
    accepted: [u8; 64],
}

impl Link {
    /// The link of this device to a room, while the room has this code.
    pub fn of(device: &Device, room: Room, code: &str) -> Result<Self, Fault> {
        let code = hash_of(code)?;
        let secret = Zeroizing::new(device.key().signing().to_bytes());
        let seed: Zeroizing<[u8; 16]> = derive(Purpose::LinkSecret, &[], secret.as_slice(), &[&room, &code]);
        let (id, device_key) = (device.id(), device.certificate().statement().device_key);
        let invitation = Invitation::new(room, code, id, device_key, public(&key(&seed)));
        let invited = Signed::sign(invitation, device.key().signing()).signature();
        Ok(Self { seed: *seed, device: id, invited })
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Self::tls_deserialize_exact(bytes).map_err(|_| Refusal::Malformed.into())
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    /// For the user of this device, under their identity.
    pub fn shown_by(&self, device: &Device) -> Shown {
        let key = key(&self.seed);
        let link = public(&key);
        let acceptance = Acceptance::new(link, device.user(), device.identity());
        Shown { device: self.device, link, invited: self.invited, accepted: Signed::sign(acceptance, &key).signature() }
    }
}

impl Shown {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Self::tls_deserialize_exact(bytes).map_err(|_| Refusal::Malformed.into())
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    /// Whether the device of this certificate invited into the room, under this code, whom this user under this identity says to be. Whether that
    /// device counts, and is inside, is the caller's to know.
    pub fn check(
        &self,
        (room, code): (Room, &str),
        by: &Certificate,
        (user, identity): (UserId, PublicKey),
    ) -> Result<(), Fault> {
        let of = by.statement();
        let invitation = Invitation::new(room, hash_of(code)?, of.device, of.device_key, self.link);
        Signed::assembled(invitation, self.invited)?;
        Signed::assembled(Acceptance::new(self.link, user, identity), self.accepted)?;
        Ok(())
    }
}

fn key(seed: &[u8; 16]) -> SigningKey {
    SigningKey::from_bytes(&derive(Purpose::LinkKey, &[], seed, &[]))
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn hash_of(code: &str) -> Result<Hash, Fault> {
    if code.is_empty() || code.len() > MAX_CODE_BYTES { Err(Fault::BadRequest) } else { Ok(Sha256::digest(code).into()) }
}
