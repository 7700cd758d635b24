//! Passwords: bcrypt over an HMAC of the password (RFC 2104), never on an async thread.
//!
//! The HMAC makes 64 characters of any password, so that bcrypt's limit of 72 bytes cuts nothing, and mixes in a key that is not in
//! the database (the pepper), so that a stolen database alone gives nothing to guess against. Stored: `v1$<pepper id>$<bcrypt>`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::config::Secret;
use crate::error::Error;

/// Log-ins that may wait for a hash. One more is answered `busy`; at 250 ms each on one core this is a wait of 16 s.
const MAX_WAITING: usize = 64;
/// The salt and hash of nothing: what an unknown user's password is compared with.
const NOBODY: &str = "abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde";

/// A password of an allowed length, exactly as it came.
pub struct Password(String);

impl Password {
    /// The shortest, in bytes.
    pub const MIN_LEN: usize = 8;
    /// The longest, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Checks the length; nothing else is asked of a password.
    pub fn parse(text: String) -> Result<Self, Error> {
        if (Self::MIN_LEN..=Self::MAX_LEN).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(Error::Invalid { code: "invalid_password", detail: "a password has 8 to 1024 bytes" })
    }
}

/// Hashes and compares passwords, a bounded number at a time.
pub struct Passwords {
    pepper: hmac::Key,
    pepper_id: String,
    cost: u32,
    /// As many hashes at a time as leave half of the cores to calls.
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// How a password compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// Right, but stored with another cost than is used now.
    RightButOld,
    Wrong,
}

impl Passwords {
    /// Hashes with this pepper and cost.
    pub fn new(pepper: &Secret, cost: u32) -> Self {
        let pepper = hmac::Key::new(hmac::HMAC_SHA384, pepper.expose().as_bytes());
        let pepper_id: String =
            hmac::sign(&pepper, b"webcall pepper id").as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let running = Arc::new(Semaphore::new((cores / 2).max(1)));
        Self { pepper, pepper_id, cost, running, waiting: Arc::new(Semaphore::new(MAX_WAITING)) }
    }

    /// The text to store for a new password.
    pub(super) async fn hash(&self, password: &Password) -> Result<String, Error> {
        let (prehash, cost) = (self.prehash(password), self.cost);
        let hash = self.run(move || bcrypt::hash(prehash, cost)).await?;
        Ok(format!("v1${}${hash}", self.pepper_id))
    }

    /// Compares a password with a stored one, or, for an unknown user, with nobody's, which takes as long.
    pub(super) async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict, Error> {
        let (known, hash) = match stored.and_then(|stored| self.bcrypt_part(stored)) {
            Some(hash) => (true, hash.to_owned()),
            None => (false, format!("$2b${:02}${NOBODY}", self.cost)),
        };
        let (prehash, current) = (self.prehash(password), hash.starts_with(&format!("$2b${:02}$", self.cost)));
        let equal = self.run(move || bcrypt::verify(prehash, &hash)).await?;
        Ok(match (known && equal, current) {
            (true, true) => Verdict::Right,
            (true, false) => Verdict::RightButOld,
            (false, _) => Verdict::Wrong,
        })
    }

    fn bcrypt_part<'a>(&self, stored: &'a str) -> Option<&'a str> {
        let (pepper_id, hash) = stored.strip_prefix("v1$")?.split_once('$')?;
        if pepper_id != self.pepper_id {
            tracing::error!("a password was stored with another pepper: was PASSWORD_PEPPER or data/password_pepper changed?");
            return None;
        }
        Some(hash)
    }

    fn prehash(&self, password: &Password) -> String {
        STANDARD.encode(hmac::sign(&self.pepper, password.0.as_bytes()))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static) -> Result<T, Error> {
        let _place = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.expect("the semaphore is never closed");
        // The permit goes along: a request that is given up must not let another hash start beside this one.
        let done = spawn_blocking(move || (work(), turn)).await;
        let (outcome, _turn) = done.map_err(|error| Error::Internal(Box::new(error)))?;
        outcome.map_err(|error| Error::Internal(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(pepper: &str, cost: u32) -> Passwords {
        Passwords::new(&Secret::new(pepper), cost)
    }

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn only_the_same_password_compares_right() {
        let passwords = passwords("pepper", 4);
        let stored = passwords.hash(&password("correct horse")).await.unwrap();
        assert_eq!(passwords.verify(&password("correct horse"), Some(&stored)).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.verify(&password("correct hors3"), Some(&stored)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn no_byte_of_a_long_password_is_cut_off() {
        let passwords = passwords("pepper", 4);
        let long = "x".repeat(1023);
        let stored = passwords.hash(&password(&format!("{long}a"))).await.unwrap();
        assert_eq!(passwords.verify(&password(&format!("{long}b")), Some(&stored)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.verify(&password(&format!("{long}a")), Some(&stored)).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn nobody_s_password_is_always_wrong_and_costs_a_hash_of_the_same_cost() {
        let passwords = passwords("pepper", 4);
        assert_eq!(passwords.verify(&password("anything at all"), None).await.unwrap(), Verdict::Wrong);
        assert!(bcrypt::verify("x", &format!("$2b$04${NOBODY}")).is_ok(), "bcrypt must not refuse the text before hashing");
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_right_but_old() {
        let stored = passwords("pepper", 4).hash(&password("correct horse")).await.unwrap();
        assert_eq!(passwords("pepper", 5).verify(&password("correct horse"), Some(&stored)).await.unwrap(), Verdict::RightButOld);
    }

    #[tokio::test]
    async fn a_hash_with_another_pepper_is_wrong() {
        let stored = passwords("pepper", 4).hash(&password("correct horse")).await.unwrap();
        assert_eq!(passwords("salt", 4).verify(&password("correct horse"), Some(&stored)).await.unwrap(), Verdict::Wrong);
    }

    #[test]
    fn a_password_has_8_to_1024_bytes() {
        for (length, allowed) in [(7, false), (8, true), (1024, true), (1025, false)] {
            assert_eq!(Password::parse("x".repeat(length)).is_ok(), allowed, "{length}");
        }
    }
}
