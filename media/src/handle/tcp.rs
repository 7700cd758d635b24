//! TCP connections that the server has accepted and told apart: which worker takes one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::Media;
use crate::id::TcpId;
use crate::net::{Command, Speaks, TcpConnection, TcpInlet, TcpOutlet, pipe};
use crate::transport::{IcePlace, Path, first_packet};
use crate::turn::{Link, ListenerId, Transport};

/// The listener that TURN over TCP is told: UDP's is 0, and clients of one are not clients of the other.
const LISTENER: ListenerId = ListenerId(1);

/// Gives each connection a number of its own.
#[derive(Default)]
pub(super) struct TcpIds(AtomicU64);

/// Why a connection is to be closed at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TcpRefused {
    /// There is no TURN server.
    #[error("there is no TURN server here")]
    NoTurn,
    /// The first packet is no check for a transport of this process.
    #[error("the connection is for nobody here")]
    Nobodys,
    /// The worker takes no more requests.
    #[error("the media worker is busy")]
    Busy,
}

/// Whether the first packet of a connection that carries packets is there whole (RFC 4571 §2).
pub fn has_first_packet(first: &[u8]) -> bool {
    first_packet(first).is_some()
}

impl Media {
    /// Takes a connection over on which TURN is spoken, over TCP or TLS. Whoever holds the two ends reads the connection into one and
    /// writes what the other gives; it ends when they are dropped, or when the outlet says so.
    pub fn connect_turn(&self, transport: Transport, remote: SocketAddr) -> Result<(TcpInlet, TcpOutlet), TcpRefused> {
        if self.0.turn_addresses.is_empty() {
            return Err(TcpRefused::NoTurn);
        }
        let connection = self.0.tcp_ids.next();
        let link = Link::Tcp { connection, listener: LISTENER, remote, transport };
        // In turn: nothing is known of the client yet.
        let worker = connection.0 as usize % self.0.workers.len();
        self.connect(worker, connection, Speaks::Turn { link })
    }

    /// Takes a connection over that carries packets to the SFU (RFC 6544). `first` has its first packet with the length before it, which
    /// says whose it is; it is to be written to the inlet like all that follows.
    pub fn connect_ice(&self, remote: SocketAddr, local: SocketAddr, first: &[u8]) -> Result<(TcpInlet, TcpOutlet), TcpRefused> {
        let place = first_packet(first).and_then(IcePlace::of_check).ok_or(TcpRefused::Nobodys)?;
        if place.index() >= self.0.workers.len() {
            return Err(TcpRefused::Nobodys);
        }
        let connection = self.0.tcp_ids.next();
        let path = Path { remote, local_ip: Some(local.ip()), tcp: Some(connection) };
        self.connect(place.index(), connection, Speaks::Packets { path })
    }

    fn connect(&self, worker: usize, id: TcpId, speaks: Speaks) -> Result<(TcpInlet, TcpOutlet), TcpRefused> {
        let mailbox = &self.0.workers[worker].mailbox;
        let (inlet, outlet, end) = pipe(id, mailbox.clone());
        mailbox.send(Command::Connect(TcpConnection { end, speaks })).map_err(|_| TcpRefused::Busy)?;
        Ok((inlet, outlet))
    }
}

impl TcpIds {
    fn next(&self) -> TcpId {
        TcpId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
