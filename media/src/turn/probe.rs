//! The asking side, for diagnosis: is somebody there, from which address am I seen, are these credentials taken. Sans-IO as everything
//! here: each probe says what to send and reads what came. RFC 8489 §7 (Binding), RFC 8656 §7 and §8 (Allocate and Refresh), RFC 8489
//! §9.2 (long-term credentials).
//!
//! Used by `net/mapped.rs` at start and by `webcall doctor`. It keeps nothing at the server: an allocation that is granted is given back
//! by the datagram in [`AllocateStep::Granted`]. Answers are matched by their transaction only, so whoever sees the question can forge
//! one; an answer with credentials must be signed by them.

use std::net::SocketAddr;

use super::codec::{Crypto, Key, TransactionId, Writer, attribute, method};
use super::wire::{Class, Message, read_xored};

/// REQUESTED-TRANSPORT: UDP (RFC 8656 §18.8).
const UDP: [u8; 4] = [17, 0, 0, 0];
/// Nonces that are taken in one attempt: the first, and one more when it was stale at once. More would let a server lead us in circles.
const MAX_NONCES: usize = 2;

/// One Binding request and its answer. The same bytes may be sent several times: an answer to any of them counts.
pub struct BindingProbe {
    id: TransactionId,
}

impl BindingProbe {
    /// A request of its own; `None` when there are no random numbers.
    pub fn new() -> Option<Self> {
        Some(Self { id: random_id(&Crypto::new()?)? })
    }

    /// The datagram to send.
    pub fn request(&self) -> Vec<u8> {
        Writer::new(method::BINDING, self.id).finish()
    }

    /// The address from which the request was seen, when the datagram is its answer.
    pub fn read(&self, datagram: &[u8]) -> Option<SocketAddr> {
        let message = Message::read(datagram)?;
        let is_answer = message.class == Class::Success && message.method == method::BINDING && message.transaction() == self.id;
        is_answer.then(|| address(&message, attribute::XOR_MAPPED_ADDRESS)).flatten()
    }
}

/// An allocation with a username and a password, which is given back at once.
pub struct AllocateProbe {
    crypto: Crypto,
    username: String,
    password: String,
    nonces: usize,
    id: TransactionId,
    /// Made of the realm that the server named, with it and the nonce.
    credentials: Option<Credentials>,
}

struct Credentials {
    key: Key,
    realm: Vec<u8>,
    nonce: Vec<u8>,
}

/// What a datagram led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AllocateStep {
    /// The server asks for credentials: send this.
    Send(Vec<u8>),
    /// Granted. Send `release` to give it back.
    Granted {
        /// Where peers would send to.
        relayed: SocketAddr,
        /// A Refresh with a lifetime of zero.
        release: Vec<u8>,
    },
    /// Refused with this STUN error code: 401 when the credentials are not the server's.
    Refused(u16),
}

impl AllocateProbe {
    /// The probe and what to send first; `None` when there is no cryptography.
    pub fn begin(username: &str, password: &str) -> Option<(Self, Vec<u8>)> {
        let crypto = Crypto::new()?;
        let id = random_id(&crypto)?;
        let (username, password) = (username.to_owned(), password.to_owned());
        let probe = Self { crypto, username, password, nonces: 0, id, credentials: None };
        let first = probe.request(method::ALLOCATE, attribute::REQUESTED_TRANSPORT, UDP)?;
        Some((probe, first))
    }

    /// Takes a datagram; `None` when it is not the answer that is waited for.
    pub fn read(&mut self, datagram: &[u8]) -> Option<AllocateStep> {
        let message = Message::read(datagram).filter(|message| message.transaction() == self.id)?;
        match message.class {
            Class::Success if message.method == method::ALLOCATE => self.granted(&message),
            Class::Error if message.method == method::ALLOCATE => self.refused(&message),
            _ => None,
        }
    }

    fn granted(&mut self, message: &Message<'_>) -> Option<AllocateStep> {
        let key = &self.credentials.as_ref()?.key;
        if !message.is_signed_with(key, &self.crypto) {
            return None;
        }
        let relayed = address(message, attribute::XOR_RELAYED_ADDRESS)?;
        self.id = random_id(&self.crypto)?;
        let release = self.request(method::REFRESH, attribute::LIFETIME, [0; 4])?;
        Some(AllocateStep::Granted { relayed, release })
    }

    fn refused(&mut self, message: &Message<'_>) -> Option<AllocateStep> {
        let &[_, _, hundreds, rest, ..] = message.attribute(attribute::ERROR_CODE)? else { return None };
        let code = u16::from(hundreds & 7) * 100 + u16::from(rest);
        let asks = code == 401 && self.credentials.is_none() || code == 438;
        let (Some(realm), Some(nonce), true) = (message.realm, message.nonce, asks && self.nonces < MAX_NONCES) else {
            return Some(AllocateStep::Refused(code));
        };
        let key = self.crypto.long_term_key(&self.username, str::from_utf8(realm).ok()?, &self.password)?;
        self.credentials = Some(Credentials { key, realm: realm.to_vec(), nonce: nonce.to_vec() });
        self.nonces += 1;
        self.id = random_id(&self.crypto)?;
        self.request(method::ALLOCATE, attribute::REQUESTED_TRANSPORT, UDP).map(AllocateStep::Send)
    }

    /// A request with one attribute, signed as soon as the server has named its realm.
    fn request(&self, method: u16, kind: u16, value: [u8; 4]) -> Option<Vec<u8>> {
        let mut writer = Writer::new(method, self.id);
        writer.attribute(kind, &value);
        if let Some(Credentials { key, realm, nonce }) = &self.credentials {
            writer.attribute(attribute::USERNAME, self.username.as_bytes());
            writer.attribute(attribute::REALM, realm);
            writer.attribute(attribute::NONCE, nonce);
            if !writer.integrity(key, &self.crypto) {
                return None;
            }
        }
        Some(writer.finish())
    }
}

fn address(message: &Message<'_>, kind: u16) -> Option<SocketAddr> {
    let address = read_xored(message.attribute(kind)?, &message.transaction())?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

fn random_id(crypto: &Crypto) -> Option<TransactionId> {
    let mut id = TransactionId::default();
    crypto.fill(&mut id).then_some(id)
}
