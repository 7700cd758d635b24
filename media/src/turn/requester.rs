//! The other side of `requests`: what a device asks of a TURN server, and what it reads of the answers (RFC 8656 §3, RFC 8489 §9.2.5),
//! sans-IO. It knows one user and the server's newest nonce, and may speak for any number of 5-tuples; who sends, waits and repeats is
//! its caller. For `webcall doctor` ([`super::probe`]) and the load generator (`load/turn`): the server itself asks nobody.

use std::net::SocketAddr;

use super::codec::{Crypto, Key, TransactionId, Writer, attribute, method};
use super::secret::Secret;
use super::wire::{Class, Message};

/// REQUESTED-TRANSPORT: UDP, which is IANA's protocol 17, and three reserved bytes.
const UDP: [u8; 4] = [17, 0, 0, 0];

/// What is asked for, always for the 5-tuple that it is sent on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// A relayed address for UDP.
    Allocate,
    /// A permission for the peer's address.
    Permit(SocketAddr),
    /// A channel of this number to the peer.
    BindChannel(u16, SocketAddr),
    /// The end of the allocation.
    Release,
}

/// What a datagram says to the request that was written last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// Yes; an allocation's relayed address.
    Granted(Option<SocketAddr>),
    /// Not so, with this error code, but the server named a nonce: the same once more will be signed with it.
    AskAgain(u16),
    /// No, with this error code.
    Refused(u16),
    /// It answers something else.
    Stray,
}

/// A user who asks.
pub(crate) struct Requester {
    username: String,
    password: Secret,
    crypto: Crypto,
    /// What the server wants requests to be signed with, once it has said so.
    challenge: Option<Challenge>,
    /// Transactions so far.
    transactions: u64,
    /// What their ids are counted from: nobody can guess them who does not see them.
    seed: TransactionId,
}

struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Key,
}

impl Requester {
    /// A user with a password; `None` without cryptography.
    pub(crate) fn new(username: &str, password: Secret) -> Option<Self> {
        let crypto = Crypto::new()?;
        let mut seed = TransactionId::default();
        crypto.fill(&mut seed).then_some(())?;
        Some(Self { username: username.to_owned(), password, crypto, challenge: None, transactions: 0, seed })
    }

    /// A new request, signed as soon as the server has named a nonce. `None` when it cannot be signed.
    pub(crate) fn write(&mut self, ask: Ask) -> Option<Vec<u8>> {
        self.transactions += 1;
        let mut writer = Writer::new(method_of(ask), self.transaction());
        match ask {
            Ask::Allocate => writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP),
            Ask::Permit(peer) => writer.address(attribute::XOR_PEER_ADDRESS, peer),
            Ask::BindChannel(number, peer) => {
                let [high, low] = number.to_be_bytes();
                writer.attribute(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
                writer.address(attribute::XOR_PEER_ADDRESS, peer);
            }
            Ask::Release => writer.attribute(attribute::LIFETIME, &[0; 4]),
        }
        if let Some(Challenge { realm, nonce, key }) = &self.challenge {
            writer.attribute(attribute::USERNAME, self.username.as_bytes());
            writer.attribute(attribute::REALM, realm);
            writer.attribute(attribute::NONCE, nonce);
            writer.integrity(key, &self.crypto).then_some(())?;
        }
        Some(writer.finish())
    }

    /// Reads what came back.
    pub(crate) fn read(&mut self, ask: Ask, datagram: &[u8]) -> Reply {
        let Some(message) = Message::read(datagram) else { return Reply::Stray };
        if message.transaction() != self.transaction() || message.method != method_of(ask) {
            return Reply::Stray;
        }
        match message.class {
            Class::Success => {
                // An answer to a signed request is signed with the same key (RFC 8489 §9.2.5).
                let is_theirs = self.challenge.as_ref().is_none_or(|known| message.is_signed_with(&known.key, &self.crypto));
                let relayed = message.address(attribute::XOR_RELAYED_ADDRESS);
                if is_theirs { Reply::Granted(relayed) } else { Reply::Stray }
            }
            Class::Error => self.refused(&message),
            Class::Request | Class::Indication => Reply::Stray,
        }
    }

    fn refused(&mut self, message: &Message<'_>) -> Reply {
        let code = message.attribute(attribute::ERROR_CODE).and_then(|value| value.get(2..4));
        let Some(&[hundreds, rest]) = code else { return Reply::Stray };
        let code = u16::from(hundreds & 7) * 100 + u16::from(rest);
        // A password that was refused once will be refused again.
        let is_challenge = code == 438 || (code == 401 && self.challenge.is_none());
        match message.realm.zip(message.nonce).filter(|_| is_challenge) {
            Some((realm, nonce)) => {
                let text = String::from_utf8_lossy(realm);
                let key = self.crypto.long_term_key(&self.username, &text, self.password.reveal());
                let Some(key) = key else { return Reply::Refused(code) };
                self.challenge = Some(Challenge { realm: realm.to_vec(), nonce: nonce.to_vec(), key });
                Reply::AskAgain(code)
            }
            None => Reply::Refused(code),
        }
    }

    fn transaction(&self) -> TransactionId {
        let mut id = self.seed;
        let counted = id.iter_mut().rev().zip(self.transactions.to_le_bytes());
        counted.for_each(|(byte, count)| *byte ^= count);
        id
    }
}

fn method_of(ask: Ask) -> u16 {
    match ask {
        Ask::Allocate => method::ALLOCATE,
        Ask::Permit(_) => method::CREATE_PERMISSION,
        Ask::BindChannel(..) => method::CHANNEL_BIND,
        Ask::Release => method::REFRESH,
    }
}
