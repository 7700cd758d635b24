//! How a further device asks to be vouched for: it shows a request, as a QR code or through the server, and a device that has the identity
//! signs a certificate for it. The server could show another request than the one that was made; therefore the two devices show the
//! same [`DeviceRequest::code`], unless the bytes went from screen to camera. With the device the code confirms the key to which it is then
//! handed what it needs to vouch for others (`handover.rs`).

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Certificate, DeviceId, PublicKey, Record, Refusal, Signed, Statement, UserId, is_contributory};
use zeroize::Zeroize;

use super::{Device, DeviceKey};
use crate::state::{self, StateKey, StateName};
use crate::{Fault, random};

const VERSION: u8 = 2;
/// Crockford's base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a code, 5 bits each: 100 bits, since whoever relays requests can look for a second one with the same code.
const CODE_DIGITS: usize = 20;

/// What the request says, signed by the device's own key, which so proves to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub(super) struct Asked {
    version: u8,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    pub(super) device_key: PublicKey,
    /// X25519.
    pub(super) handover_key: [u8; 32],
    /// Random: two requests of one device have two codes.
    nonce: [u8; 16],
}

impl Statement for Asked {
    const LABEL: &'static str = "device request";
    fn signer(&self) -> PublicKey {
        self.device_key
    }
    fn check(&self) -> Result<(), Refusal> {
        if self.version != VERSION {
            return Err(Refusal::UnknownVersion);
        }
        if is_contributory(&self.handover_key) { Ok(()) } else { Err(Refusal::WeakKey) }
    }
}

/// 177 bytes, public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRequest(Signed<Asked>);

impl DeviceRequest {
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads all of `bytes` and checks the signature.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self(Signed::checked(bytes)?))
    }

    pub fn device(&self) -> DeviceId {
        self.0.statement().device
    }

    /// Four groups of five characters, to be compared by a person.
    pub fn code(&self) -> String {
        let hash = Sha256::new_with_prefix("WebCall 1 device code\0").chain_update(self.to_bytes()).finalize();
        let digit = |index: usize| {
            let bits = (0..5).map(|bit| index * 5 + bit).map(|bit| usize::from(hash[bit / 8] >> (7 - bit % 8) & 1));
            char::from(DIGITS[bits.fold(0, |value, bit| value << 1 | bit)])
        };
        let digits: Vec<char> = (0..CODE_DIGITS).map(digit).collect();
        digits.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-")
    }

    pub(super) fn checked_for(&self, user: UserId) -> Result<&Asked, Fault> {
        self.0.check()?;
        let asked = self.0.statement();
        if asked.user == user { Ok(asked) } else { Err(Refusal::OtherUser.into()) }
    }
}

/// A device that nobody vouches for yet.
#[derive(Clone)]
pub struct NewDevice {
    key: DeviceKey,
    request: DeviceRequest,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    key: [u8; 32],
    request: Signed<Asked>,
}

impl Drop for Saved {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl NewDevice {
    pub fn generate(user: UserId) -> Result<Self, Fault> {
        let key = DeviceKey::generate();
        let (device, nonce) = (DeviceId(random::bytes()), random::bytes());
        let handover_key = key.handover_pair()?.public.as_slice().try_into().map_err(|_| Fault::Library)?;
        let asked = Asked { version: VERSION, user, device, device_key: key.public(), handover_key, nonce };
        let request = DeviceRequest(Signed::sign(asked, &key.0));
        Ok(Self { key, request })
    }

    pub fn request(&self) -> &DeviceRequest {
        &self.request
    }

    /// To be kept before the request is shown: what vouches for it may come after a reload.
    pub fn save(&self, key: &StateKey) -> Result<Vec<u8>, Fault> {
        state::seal(key, StateName::Asking, 1, &Saved { key: self.key.0.to_bytes(), request: self.request.0 })
    }

    pub fn load(key: &StateKey, sealed: &[u8]) -> Result<Self, Fault> {
        let (_, saved) = state::open::<Saved>(key, StateName::Asking, sealed, 0)?;
        let key = DeviceKey(SigningKey::from_bytes(&saved.key));
        if saved.request.check().is_err() || Signed::statement(&saved.request).device_key != key.public() {
            return Err(Fault::DamagedState);
        }
        Ok(Self { key, request: DeviceRequest(saved.request) })
    }

    /// With the record that was made from its request. Whether the record is in the user's chain, who calls this has checked.
    pub fn certified(&self, record: Record) -> Result<Device, Fault> {
        let Record::Device(certificate) = record else { return Err(Fault::OtherDevice) };
        certificate.check()?;
        let (asked, of): (&Asked, _) = (self.request.0.statement(), Certificate::statement(&certificate));
        if (asked.user, asked.device, asked.device_key) != (of.user, of.device, of.device_key) {
            return Err(Fault::OtherDevice);
        }
        Ok(Device::new(self.key.clone(), certificate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t20_a_request_whose_key_has_no_secret_with_anybody_is_refused() {
        let new = NewDevice::generate(UserId([1; 16])).unwrap();
        let asked = *new.request.0.statement();
        for (handover_key, expected) in [(asked.handover_key, Ok(())), ([0; 32], Err(Fault::from(Refusal::WeakKey)))] {
            let request = DeviceRequest(Signed::sign(Asked { handover_key, ..asked }, &new.key.0));
            assert_eq!(DeviceRequest::from_bytes(&request.to_bytes()).map(|_| ()), expected);
        }
    }
}
