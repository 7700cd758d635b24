//! Signalling over real WebSockets: who is let in, what survives a broken socket, what ends a connection, who may do what in a call.

// clippy.toml allows it in tests, but knows them only by #[test] and #[cfg(test)].
#![allow(clippy::unwrap_used)]

mod chat;
mod client;
mod e2ee;
mod e2ee_call;
mod entrance;
mod idle;
mod limits;
mod logs;
mod media;
#[allow(dead_code, unused_imports)] // Devices and groups, of which not all is needed here.
#[path = "../support/mls.rs"]
mod mls;
mod moderation;
mod order;
mod relaying;
mod resuming;
#[path = "../support/seeded.rs"]
mod seeded;
mod server;
mod standing;
