//! What the engine asks of its host: sockets for relays, opened and closed at once. The engine chooses the ports; the host binds.

use std::net::SocketAddr;

use super::table::RelayId;

/// Why a socket was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// Somebody else has the port: another will do.
    PortInUse,
    /// No port would help: too many open files, no such address.
    Unavailable,
}

/// The relay sockets of a host. Calls must not wait: a bind and a registration.
pub trait RelaySockets {
    /// Opens a UDP socket bound to exactly this address; an IPv6 one for IPv6 only (IPV6_V6ONLY), so that no IPv4 is hidden in it. What
    /// comes in on it is to be handed to [`super::Turn::handle_peer`] under this name.
    fn open(&mut self, relay: RelayId, bind: SocketAddr) -> Result<(), OpenError>;

    /// Closes it. Nothing that still comes in on it is to be handed over.
    fn close(&mut self, relay: RelayId);
}
