//! Keys with which outside programs fetch credentials for the TURN server, for devices of theirs. Whoever runs the server makes them on
//! its command line ([`command`]); a key is shown once and kept as a hash.

mod command;

pub use command::{TurnKeyError, run};

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::app::App;
use crate::config::IceServer;
use crate::error::Error;
use crate::store::{AddedTurnKey, Store, StoreError};
use crate::time::Timestamp;

/// How every key begins, so that one in the wrong place is recognised.
const PREFIX: &str = "wct_";
const KEY_BYTES: usize = 32;
/// Each is an account of some program's; more are a mistake.
const MAX_KEYS: i64 = 1_000;
/// The longest name, and the characters of one: it is part of USERNAMEs.
const MAX_NAME_CHARS: usize = 32;
/// How long credentials may be good for, and are when nothing is asked for.
const LIFETIMES_S: std::ops::RangeInclusive<u64> = 60..=86_400;
const DEFAULT_LIFETIME_S: u64 = 6 * 3600;

/// What a key is called: 1 to 32 of `[A-Za-z0-9_.-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// `None` for what is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
        ((1..=MAX_NAME_CHARS).contains(&text.len()) && text.chars().all(is_allowed)).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a key; the text is known to nobody afterwards. `Err` says why there is none.
async fn add(store: &Store, name: &KeyName, now: Timestamp) -> Result<Result<String, AddedTurnKey>, StoreError> {
    let mut random = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut random).expect("the system gives random numbers");
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    Ok(match store.add_turn_key(name.as_str(), &hash(&key), now, MAX_KEYS).await? {
        AddedTurnKey::Added => Ok(key),
        refused => Err(refused),
    })
}

/// A key has 256 random bits: a plain hash gives nothing to guess against.
fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}

/// Credentials and how long they are good for, seconds.
pub struct Issued {
    /// The server with its credentials.
    pub server: IceServer,
    /// How long they are good for.
    pub lifetime_s: u64,
}

/// Gives credentials to the holder of a key. Those of one key and `device` are one user, whose quota they share.
pub async fn issue(app: &App, key: &str, device: Option<&str>, lifetime_s: Option<u64>) -> Result<Issued, Error> {
    let name = app.store.turn_key(&hash(key)).await?.ok_or(Error::NotSignedIn)?;
    let lifetime_s = lifetime_s.unwrap_or(DEFAULT_LIFETIME_S);
    if !LIFETIMES_S.contains(&lifetime_s) {
        return Err(Error::Invalid { code: "invalid_lifetime", detail: "a lifetime has 60 to 86400 seconds" });
    }
    let id = match device.map(|device| KeyName::parse(device).ok_or(INVALID_DEVICE)).transpose()? {
        Some(device) => format!("{name}/{}", device.as_str()),
        None => name,
    };
    let server = app.relaying.for_outside(app.clock.now(), &id, Duration::from_secs(lifetime_s)).ok_or(Error::NotFound)?;
    Ok(Issued { server, lifetime_s })
}

const INVALID_DEVICE: Error = Error::Invalid { code: "invalid_device", detail: "a device has 1 to 32 of A-Z a-z 0-9 _ . -" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert!(KeyName::parse("front-desk.2").is_some());
        for bad in ["", "a:b", "a;b", "a b", "ü", &"x".repeat(33)] {
            assert_eq!(KeyName::parse(bad), None, "{bad:?}");
        }
    }
}
