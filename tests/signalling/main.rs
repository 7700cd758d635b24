//! Signalling over real WebSockets: who is let in, what survives a broken socket, what ends a connection, who may do what in a call.

// clippy.toml allows it in tests, but knows them only by #[test] and #[cfg(test)].
#![allow(clippy::unwrap_used)]

mod chat;
mod client;
mod entrance;
mod idle;
mod limits;
mod logs;
mod media;
mod moderation;
mod order;
mod relaying;
mod resuming;
mod server;
mod standing;
