//! Signalling over real WebSockets: who is let in, what survives a broken socket, what ends a connection, who may do what in a call.

mod client;
mod entrance;
mod limits;
mod moderation;
mod resuming;
mod server;
mod standing;
