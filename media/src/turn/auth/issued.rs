//! Time-limited credentials, which a server of the same secret hands out without telling the relay (draft-uberti-behave-turn-rest-00):
//! the USERNAME is `expiry:id`, the password a HMAC-SHA1 over it.
//!
//! `expiry:id;scope=sfu` is ours: its holder may relay to the SFU of this server and to nobody else.

use std::fmt;

use thiserror::Error;

use crate::turn::codec::Crypto;
use crate::turn::secret::Secret;

/// How the restricted form ends.
const SFU_SCOPE: &str = ";scope=sfu";
/// The longest id; with expiry and scope it stays below the longest USERNAME.
const MAX_ID_BYTES: usize = 80;

/// To whom the holder of a credential may relay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// To every peer that the filter allows.
    Any,
    /// To the media addresses of this server's SFU only.
    Sfu,
}

/// What a client needs to authenticate. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// USERNAME.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why no credential was issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CredentialError {
    /// The id is empty, longer than 80 bytes, or has a colon or semicolon in it.
    #[error("an id has 1 to 80 bytes and neither a colon nor a semicolon")]
    BadId,
    /// The crate is built without cryptography.
    #[error("no cryptography is built in")]
    NoCryptography,
}

/// Makes a credential that is good until `expires_unix_s` (seconds since 1970). The same id is the same user.
pub fn issue_credential(secret: &Secret, id: &str, scope: Scope, expires_unix_s: u64) -> Result<Credential, CredentialError> {
    if !is_id(id) {
        return Err(CredentialError::BadId);
    }
    let suffix = match scope {
        Scope::Any => "",
        Scope::Sfu => SFU_SCOPE,
    };
    let username = format!("{expires_unix_s}:{id}{suffix}");
    let crypto = Crypto::new().ok_or(CredentialError::NoCryptography)?;
    let password = password(&crypto, secret, &username).ok_or(CredentialError::NoCryptography)?;
    Ok(Credential { username, password })
}

/// The password of a time-limited USERNAME.
pub(super) fn password(crypto: &Crypto, secret: &Secret, username: &str) -> Option<String> {
    Some(base64(&crypto.hmac_sha1(secret.reveal().as_bytes(), &[username.as_bytes()])?))
}

/// The parts of a time-limited USERNAME.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Issued<'a> {
    pub(super) expires_unix_s: u64,
    pub(super) id: &'a str,
    pub(super) scope: Scope,
}

impl<'a> Issued<'a> {
    /// `None` for a USERNAME that is not of this form.
    pub(super) fn parse(username: &'a str) -> Option<Self> {
        let (expiry, rest) = username.split_once(':')?;
        // `parse` would take a sign.
        let is_number = !expiry.is_empty() && expiry.bytes().all(|digit| digit.is_ascii_digit());
        let expires_unix_s = expiry.parse().ok().filter(|_| is_number)?;
        let (id, scope) = match rest.strip_suffix(SFU_SCOPE) {
            Some(id) => (id, Scope::Sfu),
            None => (rest, Scope::Any),
        };
        is_id(id).then_some(Self { expires_unix_s, id, scope })
    }
}

fn is_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains([':', ';'])
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648 §4).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([&0, &0]).take(3).fold(0, |group, byte| group << 8 | usize::from(*byte));
        for at in 0..4 {
            let digit = char::from(ALPHABET[group >> (18 - 6 * at) & 63]);
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Group 10 of the security tests.
    #[test]
    fn a_username_that_is_malformed_is_nobodys() {
        let too_long = format!("1:{}", "x".repeat(MAX_ID_BYTES + 1));
        let overflow = "18446744073709551616:a";
        for name in [
            "",
            "abc",
            ":a",
            "1:",
            "-1:a",
            "+1:a",
            " 1:a",
            "1:a:b",
            "1:a;b",
            "1:;scope=sfu",
            "1:a;scope=all",
            "x:a",
            overflow,
            &too_long,
        ] {
            assert_eq!(Issued::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn what_is_issued_is_read_back_with_its_scope() {
        let secret = Secret::new("s");
        for (scope, username) in [(Scope::Any, "1700000000:anna"), (Scope::Sfu, "1700000000:anna;scope=sfu")] {
            let credential = issue_credential(&secret, "anna", scope, 1_700_000_000).unwrap();
            assert_eq!(credential.username, username);
            let expected = Issued { expires_unix_s: 1_700_000_000, id: "anna", scope };
            assert_eq!(Issued::parse(&credential.username), Some(expected));
        }
        for id in ["", "a:b", "a;scope=sfu"] {
            assert_eq!(issue_credential(&secret, id, Scope::Any, 1), Err(CredentialError::BadId));
        }
    }

    #[test]
    fn the_password_is_what_other_servers_of_the_same_secret_compute() {
        // echo -n 1700000000:anna | openssl dgst -sha1 -hmac north -binary | base64
        let credential = issue_credential(&Secret::new("north"), "anna", Scope::Any, 1_700_000_000).unwrap();
        assert_eq!(credential.password, EXPECTED_PASSWORD);
    }

    const EXPECTED_PASSWORD: &str = "WS1fjjHj2gNlXzhc/ZcwmC3ofIo=";

    #[test]
    fn base64_has_the_samples_of_its_rfc() {
        // RFC 4648 §10.
        let samples = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (text, expected) in samples {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_credential_shows_no_password() {
        let credential = issue_credential(&Secret::new("north"), "anna", Scope::Any, 1).unwrap();
        assert!(!format!("{credential:?}").contains(&credential.password));
    }
}
