//! Load for a TURN server: so many allocations, each with a device and a peer that send each other marked packets through it
//! ([`TurnGenerator`]), and the raw relay loop that its cost is compared with ([`RawRelay`]). RFC 8656. For `webcall bench turn` only.
//!
//! The load is a closed loop: a fixed number of packets is under way, and what arrives makes room for the next. So the server always has
//! work and never more than its buffers hold: what a packet costs is then neither the price of being woken for it, as under a small
//! fixed rate, nor that of throwing others away, as under one that is too large. A rate can be set where latency is the question.
//!
//! A burst is sent as one run (GSO), as a network card delivers it that joins what arrives together (GRO): a server that asks for joined
//! datagrams gets them so, any other gets them one by one. What arrives here is never joined, as at a browser.

mod floor;
mod flow;
mod generator;
mod mark;
mod relayed;

use std::net::SocketAddr;
use std::time::Duration;

pub use floor::RawRelay;
pub use generator::{Totals, TurnGenerator};
pub use relayed::Relayed;

use crate::turn::Secret;

/// The least bytes of a payload: the mark by which it is known.
pub const MIN_PAYLOAD_BYTES: usize = mark::MARK_BYTES;
/// The most bytes of a payload: with all headers below the MTU of any network.
pub const MAX_PAYLOAD_BYTES: usize = 1_400;
/// The most packets at once: a burst must be a part of what is under way.
pub const MAX_BURST: usize = 16;

/// Which way packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    /// From devices to peers.
    Up,
    /// From peers to devices.
    Down,
    /// Both, in turn.
    Both,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnLoad {
    /// Bytes that each packet carries.
    pub payload_bytes: usize,
    /// Packets at once.
    pub burst: usize,
    /// Which way.
    pub ways: Ways,
    /// Packets a second for each allocation and way; `None` for as many as come back.
    pub pps: Option<u32>,
}

/// A TURN server and somebody who may use it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its UDP port.
    pub server: SocketAddr,
    /// Long-term credentials (RFC 8489 §9.2).
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum TurnLoadError {
    /// A socket could not be made.
    #[error("a socket cannot be opened: {0}")]
    Socket(#[from] std::io::Error),
    /// The server said no.
    #[error("the TURN server refuses to {act} with code {code}{}", hint(*code))]
    Refused {
        /// What was asked for.
        act: &'static str,
        /// Its error code.
        code: u16,
    },
    /// The server granted an allocation without an address.
    #[error("the TURN server grants an allocation and names no relayed address")]
    NoAddress,
    /// The server said nothing.
    #[error("the TURN server does not answer to `{act}` within {} s", patience.as_secs_f32())]
    Silent {
        /// What was asked for.
        act: &'static str,
        /// How long was waited.
        patience: Duration,
    },
    /// No cryptography.
    #[error("requests cannot be signed: there is no cryptography")]
    NoCryptography,
    /// The thread ended.
    #[error("the load generator stopped")]
    Gone,
}

/// What most likely is behind a refusal (RFC 8656 §19).
fn hint(code: u16) -> &'static str {
    match code {
        401 => ": the user or the password is wrong",
        403 => ": it must allow the address of this machine as a peer (WebCall: peers_allow in turn.toml)",
        486 | 508 => {
            ": its limits of allocations, for a user, an address or in all, or of open files are lower than what is asked for"
        }
        _ => "",
    }
}
