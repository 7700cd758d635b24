//! What a device that has the identity hands to the one that it vouches for, so that this one can do all that it can: the identity's private key
//! and the master key, sealed to the key that stands in the confirmed request (HPKE, RFC 9180, base mode) and signed by the device that sealed it.
//!
//! `version u8 | user 16 | from 16 | its key 32 | to 16 | encapsulated key 32 | ciphertext 80 | signature 64`. The server carries it and can keep it
//! back; the new device is then opened by an unlocker, as before.

use openmls::prelude::Ciphersuite;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::types::{HpkeCiphertext, HpkeKeyPair};
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Certificate, DeviceId, PublicKey, Refusal, Signed, Statement, UserId, UserKeys};
use zeroize::Zeroizing;

use super::{Device, DeviceKey, DeviceRequest, Identity};
use crate::derive::{Purpose, derive};
use crate::unlock::UnlockError;
use crate::{Fault, MasterKey};

const VERSION: u8 = 1;
/// Identity and master key.
const SECRET_BYTES: usize = 64;
/// With the tag of AES-GCM.
const SEALED_BYTES: usize = SECRET_BYTES + 16;
/// The suite of our groups; of it, HPKE's part.
const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
struct Handed {
    version: u8,
    user: UserId,
    from: DeviceId,
    from_key: PublicKey,
    to: DeviceId,
    encapsulated: [u8; 32],
    sealed: [u8; SEALED_BYTES],
}

impl Statement for Handed {
    const LABEL: &'static str = "device handover";
    fn signer(&self) -> PublicKey {
        self.from_key
    }
    fn check(&self) -> Result<(), Refusal> {
        if self.version == VERSION { Ok(()) } else { Err(Refusal::UnknownVersion) }
    }
}

impl Device {
    /// For the device of a request that its person has confirmed.
    pub fn hand_over(&self, request: &DeviceRequest, identity: &Identity, master: &MasterKey) -> Result<Vec<u8>, Fault> {
        let asked = request.checked_for(self.user())?;
        let from = self.certificate().statement();
        let info = info(self.certificate(), asked.device, asked.device_key);
        let mut secret = Zeroizing::new([0_u8; SECRET_BYTES]);
        secret[..32].copy_from_slice(identity.to_bytes().as_slice());
        secret[32..].copy_from_slice(master.as_bytes());
        let sealed = RustCrypto::default().hpke_seal(SUITE.hpke_config(), &asked.handover_key, &info, &[], secret.as_slice());
        let sealed = sealed.map_err(|_| Fault::Library)?;
        let handed = Handed {
            version: VERSION,
            user: from.user,
            from: from.device,
            from_key: from.device_key,
            to: asked.device,
            encapsulated: sealed.kem_output.as_slice().try_into().map_err(|_| Fault::Library)?,
            sealed: sealed.ciphertext.as_slice().try_into().map_err(|_| Fault::Library)?,
        };
        Ok(Signed::sign(handed, self.key().signing()).to_bytes())
    }

    /// What another device of this user handed over to this one. `keys`: the user's, as published; who sealed it must count in them.
    pub fn receive(&self, keys: &UserKeys, bytes: &[u8]) -> Result<(Identity, MasterKey), Fault> {
        let signed = Signed::<Handed>::checked(bytes)?;
        let handed = signed.statement();
        if handed.user != self.user() {
            return Err(Refusal::OtherUser.into());
        }
        if handed.to != self.id() {
            return Err(Fault::OtherDevice);
        }
        let from = keys.device(handed.from).filter(|from| from.statement().device_key == handed.from_key);
        let from = from.ok_or(Refusal::NotVouched)?;
        let own = self.certificate().statement();
        let input = HpkeCiphertext { kem_output: handed.encapsulated.to_vec().into(), ciphertext: handed.sealed.to_vec().into() };
        let pair = self.key().handover_pair()?;
        let info = info(from, own.device, own.device_key);
        let opened = RustCrypto::default().hpke_open(SUITE.hpke_config(), &input, &pair.private, &info, &[]);
        let opened = Zeroizing::new(opened.map_err(|_| UnlockError::Tampered)?);
        let (identity, master) = opened.split_at_checked(32).ok_or(UnlockError::Malformed)?;
        let key = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map(Zeroizing::new).map_err(|_| UnlockError::Malformed);
        let (seed, master) = (key(identity)?, key(master)?);
        let identity = Identity::from_bytes(&seed);
        if identity.public() != self.identity() {
            return Err(Refusal::IdentityChanged.into());
        }
        Ok((identity, MasterKey::new(*master)))
    }
}

impl DeviceKey {
    /// X25519, from the device's own key: nothing more has to be kept until it is used.
    pub(super) fn handover_pair(&self) -> Result<HpkeKeyPair, Fault> {
        let material = derive::<32>(Purpose::HandoverKey, &[], self.signing().as_bytes(), &[]);
        RustCrypto::default().derive_hpke_keypair(SUITE.hpke_config(), material.as_slice()).map_err(|_| Fault::Library)
    }
}

/// Whom it is from and for, so that it opens for nothing else. Each part has a fixed length.
fn info(from: &Certificate, to: DeviceId, to_key: PublicKey) -> Vec<u8> {
    let of = from.statement();
    [Purpose::Handover.label(), &of.user.0, &of.identity.0, &of.device.0, &of.device_key.0, &to.0, &to_key.0].concat()
}
