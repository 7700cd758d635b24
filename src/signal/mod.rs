//! Signalling: the WebSocket over which a browser enters calls and negotiates media. The protocol is `protocol.rs` (typed) and
//! `PROTOCOL.md` (explained).
//!
//! A message goes one way: `socket.rs` reads and limits it, `connection.rs` (pure) says what is to be done, `driver.rs` does it with
//! the calls and the store, `replay.rs` numbers the answer, `outgoing.rs` queues it for the socket. `upgrade.rs` lets sockets in,
//! `registry.rs` knows all connections, `enforce.rs` ends what the store no longer allows.

mod connection;
mod context;
mod driver;
mod enforce;
mod greeting;
mod open;
mod outgoing;
pub mod protocol;
mod rate;
mod refusal;
mod registry;
mod replay;
mod resume;
mod socket;
mod upgrade;
mod wire;

#[cfg(test)]
mod declarations;

pub use registry::{Connections, MAX_CONNECTIONS_PER_USER, MAX_SOCKETS, MAX_SOCKETS_PER_USER};
