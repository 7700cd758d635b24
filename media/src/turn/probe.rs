//! The asking side, for diagnosis: is somebody there, from which address am I seen, are these credentials taken. Sans-IO as everything
//! here: each probe says what to send and reads what came. RFC 8489 §7 (Binding), RFC 8656 §7 and §8 (Allocate and Refresh), RFC 8489
//! §9.2 (long-term credentials).
//!
//! Used by `net/mapped.rs` at start and by `webcall doctor`. It keeps nothing at the server: an allocation that is granted is given back
//! by the datagram in [`AllocateStep::Granted`]. Answers are matched by their transaction only, so whoever sees the question can forge
//! one; an answer with credentials must be signed by them.

use std::net::SocketAddr;

use super::codec::{Crypto, TransactionId, Writer, attribute, method};
use super::requester::{Ask, Reply, Requester};
use super::secret::Secret;
use super::wire::{Class, Message};

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
        let seen = is_answer.then(|| message.address(attribute::XOR_MAPPED_ADDRESS)).flatten()?;
        Some(SocketAddr::new(seen.ip().to_canonical(), seen.port()))
    }
}

/// An allocation with a username and a password, which is given back at once.
pub struct AllocateProbe {
    requester: Requester,
    nonces: usize,
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
        let mut requester = Requester::new(username, Secret::new(password))?;
        let first = requester.write(Ask::Allocate)?;
        Some((Self { requester, nonces: 0 }, first))
    }

    /// Takes a datagram; `None` when it is not the answer that is waited for.
    pub fn read(&mut self, datagram: &[u8]) -> Option<AllocateStep> {
        match self.requester.read(Ask::Allocate, datagram) {
            Reply::Granted(relayed) => {
                let relayed = relayed?;
                Some(AllocateStep::Granted { relayed, release: self.requester.write(Ask::Release)? })
            }
            Reply::AskAgain(code) if self.nonces == MAX_NONCES => Some(AllocateStep::Refused(code)),
            Reply::AskAgain(_) => {
                self.nonces += 1;
                self.requester.write(Ask::Allocate).map(AllocateStep::Send)
            }
            Reply::Refused(code) => Some(AllocateStep::Refused(code)),
            Reply::Stray => None,
        }
    }
}

fn random_id(crypto: &Crypto) -> Option<TransactionId> {
    let mut id = TransactionId::default();
    crypto.fill(&mut id).then_some(id)
}
