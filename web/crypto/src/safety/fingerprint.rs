//! Fingerprints of users, and the safety number of two.
//!
//! A fingerprint begins as SHA-512 of the label, the user and the identity key, and is hashed again together with the key until there were
//! [`ITERATIONS`] hashes: that many times dearer is it to look for another key whose digits are alike. Of each user come 30 digits (six times
//! five bytes as a big-endian number, modulo 100,000); the lesser 30 stand first, so that both people see one number.
//!
//! To be read out, the same is said in words, the names of emoji: ten of each user. They stand for a user apart, as the digits do, since of one
//! hash over both somebody between the two could search for two keys at once that go together, which costs only the square root.

use sha2::{Digest, Sha512};
use webcall_trust::{PublicKey, UserId};

use super::emoji::EMOJI;
use crate::derive::Purpose;

pub const SAFETY_DIGITS: usize = 60;
/// Each is one of 64: whoever searches for another key has 2^60 to try for a user's ten, and [`ITERATIONS`] hashes for each.
pub const SAFETY_WORDS: usize = 20;
const WORDS_EACH: usize = SAFETY_WORDS / 2;
/// Behind the bytes of which the digits are made.
const WORDS_AT: usize = 5 * GROUPS;
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

    fn words(&self) -> [u8; WORDS_EACH] {
        let fingerprint = self.fingerprint();
        std::array::from_fn(|at| fingerprint[WORDS_AT + at] % EMOJI)
    }
}

/// [`SAFETY_WORDS`] indices of emoji, each below [`EMOJI`]; the same whoever of the two asks.
pub fn safety_words(one: &Party, other: &Party) -> [u8; SAFETY_WORDS] {
    let (one, other) = (one.words(), other.words());
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    std::array::from_fn(|at| if at < WORDS_EACH { first[at] } else { second[at - WORDS_EACH] })
}

/// [`SAFETY_DIGITS`] decimal digits, without spaces; the same whoever of the two asks.
pub fn safety_number(one: &Party, other: &Party) -> String {
    let (one, other) = (one.digits(), other.digits());
    if one <= other { one + &other } else { other + &one }
}
