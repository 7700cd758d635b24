//! What one person's screen shows and the other's camera reads.
//!
//! `0x01 | user 16 | fingerprint 32 | user 16 | fingerprint 32`: first who shows the code, then who should scan it, each as the showing device
//! sees them. The fingerprints are the first half of those behind the safety number. Nothing in it is secret.

use super::{Party, SafetyError};

pub const QR_BYTES: usize = 1 + 2 * PARTY_BYTES;
const PARTY_BYTES: usize = USER_BYTES + FINGERPRINT_BYTES;
const USER_BYTES: usize = 16;
const FINGERPRINT_BYTES: usize = 32;
const VERSION: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QrCode([u8; QR_BYTES]);

impl QrCode {
    /// For `me` to show to `peer`.
    pub fn new(me: &Party, peer: &Party) -> Self {
        let mut bytes = [0; QR_BYTES];
        let (version, parties) = bytes.split_at_mut(1);
        version[0] = VERSION;
        for (place, party) in parties.chunks_exact_mut(PARTY_BYTES).zip([me, peer]) {
            place.copy_from_slice(&written(party));
        }
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, SafetyError> {
        let bytes: [u8; QR_BYTES] = bytes.try_into().map_err(|_| SafetyError::Malformed)?;
        if bytes[0] == VERSION { Ok(Self(bytes)) } else { Err(SafetyError::UnknownVersion) }
    }

    /// What `me` scanned from `peer`'s screen: whether both see the same keys.
    pub fn check(&self, me: &Party, peer: &Party) -> Result<(), SafetyError> {
        let (shown, scanning) = self.0[1..].split_at(PARTY_BYTES);
        if shown[..USER_BYTES] != peer.user.0 || scanning[..USER_BYTES] != me.user.0 {
            return Err(SafetyError::OtherPeople);
        }
        if shown == written(peer) && scanning == written(me) { Ok(()) } else { Err(SafetyError::OtherKeys) }
    }
}

fn written(party: &Party) -> [u8; PARTY_BYTES] {
    let mut bytes = [0; PARTY_BYTES];
    bytes[..USER_BYTES].copy_from_slice(&party.user.0);
    bytes[USER_BYTES..].copy_from_slice(&party.fingerprint()[..FINGERPRINT_BYTES]);
    bytes
}
