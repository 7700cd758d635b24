//! Where a client is: the 5-tuple that an allocation is known by (RFC 8656 §3.2), as its host names it.

use std::net::{IpAddr, SocketAddr};

use super::batch::To;
use crate::id::TcpId;

/// A listener of the host: a UDP socket or TCP port of TURN. Two addresses that are one server should be two listeners.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ListenerId(pub u16);

/// What a client uses to reach us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A TLS connection.
    Tls,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];
}

/// The way to a client: 5-tuple, as far as it tells clients apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Link {
    /// By datagrams.
    Udp {
        /// The socket.
        listener: ListenerId,
        /// The client's address.
        remote: SocketAddr,
        /// Which of our addresses it sent to, and is answered from.
        local_ip: Option<IpAddr>,
    },
    /// By a connection.
    Tcp {
        /// The connection.
        connection: TcpId,
        /// The port it was accepted on.
        listener: ListenerId,
        /// The client's address.
        remote: SocketAddr,
        /// Whether it is in TLS.
        transport: Transport,
    },
}

impl Link {
    /// The client's address.
    pub fn remote(&self) -> SocketAddr {
        match self {
            Self::Udp { remote, .. } | Self::Tcp { remote, .. } => *remote,
        }
    }

    /// What it is reached by.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Udp { .. } => Transport::Udp,
            Self::Tcp { transport, .. } => *transport,
        }
    }

    pub(super) fn listener(&self) -> ListenerId {
        match self {
            Self::Udp { listener, .. } | Self::Tcp { listener, .. } => *listener,
        }
    }

    /// Over TCP, ChannelData is padded to four bytes (RFC 8656 §12.5).
    pub(super) fn is_padded(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }

    pub(super) fn to(&self) -> To {
        match *self {
            Self::Udp { listener, remote, local_ip } => To::Client { listener, remote, local_ip },
            Self::Tcp { connection, .. } => To::Tcp(connection),
        }
    }
}
