//! The secret with which a client continues its connection on another socket: 256 random bits, given in `welcome`.
//!
//! The server keeps and looks up its SHA-256 only: what a look-up takes tells nothing about the secret itself, so the comparison
//! needs no care for time, and no secret lies in memory. It is no use without a ticket of the same session (`registry.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The secret of a new connection, as it goes into `welcome`.
pub(super) fn new_secret() -> String {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random numbers once it is up");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SecretDigest([u8; 32]);

impl SecretDigest {
    pub(super) fn of(secret: &str) -> Self {
        let digest = digest(&SHA256, secret.as_bytes());
        Self(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
    }
}

impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_256_bits_and_never_repeat() {
        let (first, second) = (new_secret(), new_secret());
        assert_eq!(URL_SAFE_NO_PAD.decode(&first).unwrap().len(), 32);
        assert_ne!(first, second);
        assert_ne!(SecretDigest::of(&first), SecretDigest::of(&second));
    }

    #[test]
    fn no_trace_of_a_secret_reaches_a_log() {
        assert_eq!(format!("{:?}", SecretDigest::of("x")), "SecretDigest(…)");
    }
}
