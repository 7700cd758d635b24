//! Sealed messages: what of a conversation the server keeps and cannot read. Each has a key of its own from its room's epoch key, a
//! commitment to that key, the sender's signature inside, and the hash of what the sender wrote before.
//!
//! Knows no MLS: the caller has the epoch key, and the certificate of the leaf that wrote. [`OwnThread`] seals, [`Envelope`] opens,
//! [`Thread`] notices what the server repeats, leaves out or reorders.

mod body;
mod envelope;
mod own_thread;
mod padding;
mod refusal;
mod thread;

pub use body::{Body, Content, Head, MAX_CONTENT_BYTES};
pub use envelope::{Envelope, Expected, MAX_ENVELOPE_BYTES, MessageId, Opened, Place, RoomId};
pub use own_thread::{Draft, MAX_SEALED_PER_EPOCH, OwnThread, Writer};
pub use refusal::ChatError;
pub use thread::{MAX_AWAITED, MAX_REMEMBERED, Thread, Verdict};

#[cfg(test)]
mod attacks;
