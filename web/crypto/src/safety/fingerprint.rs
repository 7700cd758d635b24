//! Fingerprints of users, and the safety number of two.
//!
//! A fingerprint begins as SHA-512 of the label, the user and the identity key, and is hashed again together with the key until there were
//! [`ITERATIONS`] hashes: that many times dearer is it to look for another key whose digits are alike. Of each user come 30 digits (six times
//! five bytes as a big-endian number, modulo 100,000); the lesser 30 stand first, so that both people see one number.

use sha2::{Digest, Sha512};
use webcall_trust::{PublicKey, UserId};

use crate::derive::Purpose;

pub const SAFETY_DIGITS: usize = 60;
/// 5,200 hashes are milliseconds for who compares, and twelve bits of work more for each try of who searches.
const ITERATIONS: u32 = 5_200;
const GROUPS: usize = 6;

/// A user with the identity key that somebody believes to be the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    pub user: UserId,
    pub identity: PublicKey,
}

impl Party {
    pub(super) fn fingerprint(&self) -> [u8; 64] {
        let first = Sha512::new().chain_update(Purpose::Fingerprint.label()).chain_update(self.user.0);
        let first = first.chain_update(self.identity.0).finalize();
        let again = |hash, _| Sha512::new().chain_update(hash).chain_update(self.identity.0).finalize();
        (1..ITERATIONS).fold(first, again).into()
    }

    fn digits(&self) -> String {
        let fingerprint = self.fingerprint();
        let (groups, _) = fingerprint.as_chunks::<5>();
        let number = |group: &[u8; 5]| group.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)) % 100_000;
        groups.iter().take(GROUPS).map(|group| format!("{:05}", number(group))).collect()
    }
}

/// [`SAFETY_DIGITS`] decimal digits, without spaces; the same whoever of the two asks.
pub fn safety_number(one: &Party, other: &Party) -> String {
    let (one, other) = (one.digits(), other.digits());
    if one <= other { one + &other } else { other + &one }
}
