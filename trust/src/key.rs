//! Names of users and devices, and public keys that are worth trusting in.

use ed25519_dalek::VerifyingKey;
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};

use crate::Refusal;

/// The bytes of the user's UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct UserId(pub [u8; 16]);

/// Chosen at random by the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct DeviceId(pub [u8; 16]);

/// An Ed25519 public key (RFC 8032). As read it may be anything; [`PublicKey::checked`] says whether it can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Refuses what is no point of the curve, what is not in its only form, and points of small order, under which one signature would
    /// fit many messages.
    pub fn checked(self) -> Result<VerifyingKey, Refusal> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| Refusal::WeakKey)?;
        // Decompression takes y and y + p for the same point: two names for one key.
        let canonical = key.to_edwards().compress().to_bytes() == self.0;
        if key.is_weak() || !canonical { Err(Refusal::WeakKey) } else { Ok(key) }
    }
}

/// The u-coordinates that give an all-zero secret with every key: the points of small order of Curve25519 and of its twist
/// (RFC 7748 §6.1), each as little-endian bytes, those not reduced among them.
const SMALL_ORDER: [[u8; 32]; 7] = {
    const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut bytes = [middle; 32];
        bytes[0] = first;
        bytes[31] = last;
        bytes
    }
    [
        ends(0, 0, 0),
        ends(1, 0, 0),
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d,
            0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c,
            0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
        ends(0xec, 0xff, 0x7f),
        ends(0xed, 0xff, 0x7f),
        ends(0xee, 0xff, 0x7f),
    ]
};

/// Whether an X25519 public key has a secret in common with others at all. RFC 9420 leaves the check to those who use the key; a member
/// with such a key would make secrets that everybody knows.
pub fn is_contributory(key: &[u8]) -> bool {
    let Ok(mut key) = <[u8; 32]>::try_from(key) else { return false };
    key[31] &= 0x7f; // RFC 7748 §5: the last bit is not looked at
    !SMALL_ORDER.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_of_small_order_gives_nothing_and_is_refused() {
        use ed25519_dalek::SigningKey;
        for point in SMALL_ORDER {
            for last in [0, 0x80] {
                let mut point = point;
                point[31] |= last;
                assert!(!is_contributory(&point), "{point:02x?}");
            }
        }
        let sound = SigningKey::from_bytes(&[7; 32]).verifying_key().to_montgomery().to_bytes();
        assert!(is_contributory(&sound));
        assert!(!is_contributory(&sound[1..]), "no key at all");
    }

    #[test]
    fn the_points_are_what_the_curve_says_they_are() {
        use curve25519_dalek::montgomery::MontgomeryPoint;
        use curve25519_dalek::scalar::Scalar;
        for point in SMALL_ORDER {
            // Eight is the cofactor: clamped scalars are its multiples.
            assert_eq!((MontgomeryPoint(point) * Scalar::from(8u8)).to_bytes(), [0; 32], "{point:02x?}");
        }
    }

    #[test]
    fn weak_keys_of_signatures_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut not_reduced = [0xff; 32];
        not_reduced[0] = 0xf0; // p + 3, another way to write 3, which is the y of a point
        not_reduced[31] = 0x7f;
        for weak in [[0; 32], identity, not_reduced, [0xff; 32]] {
            assert_eq!(PublicKey(weak).checked().unwrap_err(), Refusal::WeakKey, "{weak:02x?}");
        }
        let sound = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert_eq!(PublicKey(sound.to_bytes()).checked(), Ok(sound));
    }
}
