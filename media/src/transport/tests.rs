//! Whole transports in virtual time: a synthetic client (ICE and DTLS) against the server's side, over links that lose, delay, reorder
//! and repeat datagrams by a seed.

mod handshake;
mod ice;
mod network;
mod paths;
