//! Emoji to read out.
//!
//! In a call: six from the group's `epoch_authenticator` (RFC 9420 §8.7), equal for all who are in one group. Whoever stands between two
//! groups can search for authenticators that look alike, a birthday's search of about 2^18 commits; for certainty there is the pair.
//!
//! Two people: seven, over a hash commitment (as in ZRTP, RFC 6189 §4.4.1.1). Who asks commits to a random number before seeing the other's,
//! and reveals it after: whoever stands between has one guess in 2^42, since neither number can be chosen to fit.
//!
//! ```text
//! asking ── commitment ──► answering
//!        ◄── number ──────
//!        ── number ──────►            both read seven emoji
//! ```

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

use super::{Party, SafetyError};
use crate::derive::{Purpose, derive};
use crate::random;

/// How many emoji there are; indices are below.
pub const EMOJI: u8 = 64;
pub const CALL_EMOJI: usize = 6;
pub const SHORT_EMOJI: usize = 7;

/// What all in a call see, if they are in one group.
pub fn call_emoji(epoch_authenticator: &[u8]) -> [u8; CALL_EMOJI] {
    indices(*derive(Purpose::CallEmoji, &[], epoch_authenticator, &[]))
}

/// The side that began.
pub struct Asking {
    people: People,
    number: [u8; 32],
}

/// The side that was asked.
pub struct Answering {
    people: People,
    commitment: [u8; 32],
    number: [u8; 32],
}

impl Asking {
    /// Gives the commitment to send.
    pub fn begin(me: Party, peer: Party) -> (Self, [u8; 32]) {
        let asking = Self { people: People { asking: me, answering: peer }, number: random::bytes() };
        let commitment = asking.people.commitment(&asking.number);
        (asking, commitment)
    }

    /// On the other side's number: what to reveal, and what to read out.
    pub fn reveal(self, answer: &[u8; 32]) -> ([u8; 32], [u8; SHORT_EMOJI]) {
        (self.number, self.people.short_string(&self.number, answer))
    }
}

impl Answering {
    /// On a commitment: gives the number to send.
    pub fn begin(me: Party, peer: Party, commitment: [u8; 32]) -> (Self, [u8; 32]) {
        let number = random::bytes();
        (Self { people: People { asking: peer, answering: me }, commitment, number }, number)
    }

    /// What to read out, if this is the number that was committed to.
    pub fn finish(self, revealed: &[u8; 32]) -> Result<[u8; SHORT_EMOJI], SafetyError> {
        if !bool::from(self.people.commitment(revealed).ct_eq(&self.commitment)) {
            return Err(SafetyError::BrokenCommitment);
        }
        Ok(self.people.short_string(revealed, &self.number))
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("people", &self.people).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").field("people", &self.people).finish_non_exhaustive()
    }
}

/// As one side believes them to be.
#[derive(Debug, Clone, Copy)]
struct People {
    asking: Party,
    answering: Party,
}

impl People {
    fn parts(&self) -> [&[u8]; 4] {
        [&self.asking.user.0, &self.asking.identity.0, &self.answering.user.0, &self.answering.identity.0]
    }

    fn commitment(&self, number: &[u8; 32]) -> [u8; 32] {
        let labelled = Sha256::new().chain_update(Purpose::ShortCommitment.label());
        let people = self.parts().iter().fold(labelled, |hash, part| hash.chain_update(part));
        people.chain_update(number).finalize().into()
    }

    fn short_string(&self, asked: &[u8; 32], answered: &[u8; 32]) -> [u8; SHORT_EMOJI] {
        indices(*derive(Purpose::ShortString, &[], &[&asked[..], answered].concat(), &self.parts()))
    }
}

/// 64 is a power of two: each index is equally likely.
fn indices<const N: usize>(bytes: [u8; N]) -> [u8; N] {
    bytes.map(|byte| byte % EMOJI)
}
