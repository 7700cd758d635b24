//! Who is asking: long-term credentials (RFC 8489 §9.2), of users with a password and of time-limited ones.
//!
//! Nothing is kept about whoever has proved nothing. A user that does not exist and a wrong password are refused with the same bytes and
//! the same work. The order is that of §9.2.4: integrity there at all, then all its attributes, then the nonce, then user and password.

mod issued;
mod key_cache;
mod nonce;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use issued::Issued;
pub use issued::{Credential, CredentialError, Scope, issue_credential};
use key_cache::KeyCache;
use nonce::Nonces;

use super::codec::{Crypto, Key};
use super::config::{MAX_SHARED_SECRETS, TurnConfig};
use super::link::ListenerId;
use super::secret::Secret;
use super::wire::{Code, Fact, Message};

/// The longest USERNAME that is looked at; RFC 8489 §14.3 allows 509. Ours are about 60.
const MAX_USERNAME_BYTES: usize = 128;

/// Whose allocation it is. A credential that was renewed is of the same user.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum UserId {
    /// A user of the configuration.
    Static(Box<str>),
    /// The holder of a time-limited credential, by its id.
    Issued(Box<str>),
}

/// Who has proved to be whom, and with which key the answer is signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Principal {
    pub(super) user: UserId,
    pub(super) scope: Scope,
    /// When the credential ends, in seconds since 1970.
    pub(super) expires_unix_s: Option<u64>,
    pub(super) key: Key,
}

/// The authentication of one engine.
pub(super) struct Authenticator {
    crypto: Crypto,
    realm: Box<str>,
    users: HashMap<Box<str>, Key>,
    secrets: Vec<Secret>,
    nonces: Nonces,
    cache: KeyCache,
    /// The key of nobody, for the work that a user who does not exist has to cost too.
    nobody: Key,
}

impl Authenticator {
    /// `None` when there is no source of randomness.
    pub(super) fn new(crypto: &Crypto, config: &TurnConfig, now: Instant) -> Option<Self> {
        let mut nobody = [0; 16];
        let mut authenticator = Self {
            crypto: crypto.clone(),
            realm: Box::default(),
            users: HashMap::new(),
            secrets: Vec::new(),
            nonces: Nonces::new(crypto, config.auth.nonce_lifetime, now)?,
            cache: KeyCache::default(),
            nobody: crypto.fill(&mut nobody).then_some(nobody)?,
        };
        authenticator.reload(config);
        Some(authenticator)
    }

    /// Takes new users, secrets and realm. Nonces stay good.
    pub(super) fn reload(&mut self, config: &TurnConfig) {
        self.realm.clone_from(&config.realm);
        let key = |name: &str, password: &Secret| self.crypto.long_term_key(name, &self.realm, password.reveal());
        let users = config.auth.users.iter().filter_map(|user| Some((user.name.clone(), key(&user.name, &user.password)?)));
        self.users = users.collect();
        self.secrets = config.auth.shared_secrets.iter().take(MAX_SHARED_SECRETS).cloned().collect();
        self.nonces.set_lifetime(config.auth.nonce_lifetime);
        self.cache.clear();
    }

    /// Tells who sent a request.
    pub(super) fn authenticate(
        &mut self,
        (now, unix_s): (Instant, u64),
        message: &Message<'_>,
        from: (IpAddr, ListenerId),
    ) -> Result<Principal, Code> {
        if !message.has_integrity() {
            return Err(Code::Unauthorized);
        }
        let (Some(username), Some(realm), Some(nonce)) = (message.username, message.realm, message.nonce) else {
            return Err(Code::BadRequest);
        };
        if !self.nonces.is_good(now, unix_s, nonce, from) {
            return Err(Code::StaleNonce);
        }
        let username =
            str::from_utf8(username).ok().filter(|name| name.len() <= MAX_USERNAME_BYTES && realm == self.realm.as_bytes());
        let principal = username.and_then(|name| self.principal(unix_s, message, name));
        principal.ok_or_else(|| {
            let is_tried = |name| self.users.contains_key(name) || (Issued::parse(name).is_some() && !self.secrets.is_empty());
            if !username.is_some_and(is_tried) {
                // As much work as for a user who exists.
                let _ = message.is_signed_with(&self.nobody, &self.crypto);
            }
            Code::Unauthorized
        })
    }

    /// What an answer says to whoever has to authenticate (RFC 8489 §9.2.4).
    pub(super) fn challenge(&mut self, now: Instant, unix_s: u64, from: (IpAddr, ListenerId)) -> Option<Vec<Fact>> {
        let nonce = self.nonces.issue(now, unix_s, from)?;
        Some(vec![Fact::Realm(self.realm.clone()), Fact::Nonce(nonce)])
    }

    pub(super) fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    /// Keys that are remembered; at most the cache's own maximum.
    #[cfg(test)]
    pub(super) fn cached_keys(&self) -> usize {
        self.cache.len()
    }

    fn principal(&mut self, unix_s: u64, message: &Message<'_>, username: &str) -> Option<Principal> {
        if let Some(&key) = self.users.get(username) {
            let user = UserId::Static(username.into());
            return message.is_signed_with(&key, &self.crypto).then_some(Principal {
                user,
                scope: Scope::Any,
                expires_unix_s: None,
                key,
            });
        }
        let issued = Issued::parse(username)?;
        let key = self.issued_key(message, username)?;
        if issued.expires_unix_s <= unix_s {
            return None;
        }
        let (user, expires) = (UserId::Issued(issued.id.into()), Some(issued.expires_unix_s));
        Some(Principal { user, scope: issued.scope, expires_unix_s: expires, key })
    }

    /// The key with which a time-limited credential signed; only keys that did are remembered.
    fn issued_key(&mut self, message: &Message<'_>, username: &str) -> Option<Key> {
        if let Some(key) = self.cache.get(username).filter(|key| message.is_signed_with(key, &self.crypto)) {
            return Some(key);
        }
        let key_of = |secret: &Secret| {
            let password = issued::password(&self.crypto, secret, username)?;
            self.crypto.long_term_key(username, &self.realm, &password)
        };
        let key = self.secrets.iter().filter_map(key_of).find(|key| message.is_signed_with(key, &self.crypto))?;
        self.cache.insert(username, key);
        Some(key)
    }
}
