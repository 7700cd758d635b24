//! From a passphrase to a key: Argon2id (RFC 9106). How much work that is stands with the unlocker on the server, and is bounded here, so that a
//! server can neither make guessing cheap nor a browser die.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use zeroize::{Zeroize, Zeroizing};

use super::UnlockError;
use crate::random;

/// In characters. What is shorter is guessed, whatever the work of a guess.
pub const MIN_PASSPHRASE_CHARS: usize = 10;
pub const MAX_PASSPHRASE_BYTES: usize = 1_024;

/// A passphrase as it was typed, in one Unicode form (NFKC), which browsers make and this crate does not.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// The parameters of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Effort {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    pub salt: [u8; 16],
}

impl Effort {
    /// The second choice of RFC 9106 §4 for memory and passes: 64 MiB, 3 passes. One lane, since a browser's worker has one thread: more would
    /// only help who guesses with many.
    const LEAST: (u32, u32) = (64 << 10, 3);
    /// 256 MiB and 8 passes: ten times as long, and a phone still has that memory.
    const MOST: (u32, u32) = (256 << 10, 8);
    const LANES: u32 = 1;
    pub(super) const MOST_COST_KIB: u64 = cost_kib(Self::MOST.0, Self::MOST.1);

    /// Memory times passes, to which the time is in proportion.
    pub(super) fn cost_kib(&self) -> u64 {
        cost_kib(self.memory_kib, self.passes)
    }

    /// What new unlockers are made with, and a salt of their own.
    pub fn standard() -> Self {
        let (memory_kib, passes) = Self::LEAST;
        Self { memory_kib, passes, lanes: Self::LANES, salt: random::bytes() }
    }

    pub fn checked(self) -> Result<Self, UnlockError> {
        let within = (Self::LEAST.0..=Self::MOST.0).contains(&self.memory_kib)
            && (Self::LEAST.1..=Self::MOST.1).contains(&self.passes)
            && self.lanes == Self::LANES;
        if within { Ok(self) } else { Err(UnlockError::EffortOutOfBounds) }
    }
}

/// No product of 32 bits and 32 bits is too long.
const fn cost_kib(memory_kib: u32, passes: u32) -> u64 {
    memory_kib as u64 * passes as u64
}

impl Passphrase {
    pub fn new(text: String) -> Result<Self, UnlockError> {
        let text = Zeroizing::new(text);
        if text.len() > MAX_PASSPHRASE_BYTES {
            return Err(UnlockError::TooLong);
        }
        if text.chars().count() < MIN_PASSPHRASE_CHARS { Err(UnlockError::TooShort) } else { Ok(Self(text)) }
    }

    /// Takes a good part of a second, and the memory that `effort` says.
    pub(super) fn stretch(&self, effort: Effort) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        let effort = effort.checked()?;
        let params = Params::new(effort.memory_kib, effort.passes, effort.lanes, Some(32));
        let params = params.map_err(|_| UnlockError::EffortOutOfBounds)?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).map_err(|_| UnlockError::NoMemory)?;
        memory.resize(params.block_count(), Block::default());
        let mut key = Zeroizing::new([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let filled = argon.hash_password_into_with_memory(self.0.as_bytes(), &effort.salt, key.as_mut_slice(), &mut memory);
        memory.iter_mut().for_each(Zeroize::zeroize);
        filled.map_err(|_| UnlockError::EffortOutOfBounds)?;
        Ok(key)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}
