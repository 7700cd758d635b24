//! The sockets of TURN relays on one worker: opened and closed by the engine's word, read when the system says that there is something.

use std::net::SocketAddr;
use std::time::Instant;

use super::port::{Buffers, UdpPort};
use crate::transport::Path;
use crate::turn::{OpenError, RelayId, RelaySockets};

/// Buffers asked of the kernel for each relay: one client's burst of a keyframe.
const BUFFER_BYTES: usize = 256 << 10;
/// Batches taken from one relay before others get their turn.
const MAX_BATCHES: usize = 4;

pub(super) struct Relays {
    registry: mio::Registry,
    /// The token of the relay with index 0; the others follow.
    first_token: usize,
    /// By the relay's index.
    sockets: Vec<Option<(RelayId, UdpPort)>>,
    /// Relays on which something came in.
    ready: Vec<usize>,
}

impl Relays {
    pub(super) fn new(registry: mio::Registry, first_token: usize) -> Self {
        Self { registry, first_token, sockets: Vec::new(), ready: Vec::new() }
    }

    /// Notes that the system has something for a token, if it is a relay's.
    pub(super) fn note(&mut self, token: mio::Token) {
        if let Some(index) = token.0.checked_sub(self.first_token).filter(|index| !self.ready.contains(index)) {
            self.ready.push(index);
        }
    }

    pub(super) fn has_more(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Hands out what came in.
    pub(super) fn receive(&mut self, buffers: &mut Buffers, mut handle: impl FnMut(Instant, RelayId, SocketAddr, &[u8])) {
        let sockets = &self.sockets;
        self.ready.retain(|index| {
            let Some((relay, socket)) = sockets.get(*index).and_then(Option::as_ref) else { return false };
            let now = Instant::now();
            let mut receive = || socket.receive_few(buffers, |path, datagram| handle(now, *relay, path.remote, datagram));
            (0..MAX_BATCHES).all(|_| receive())
        });
    }

    /// Sends a run to a peer. What the system does not take is lost, as on any network.
    pub(super) fn send(&self, relay: RelayId, remote: SocketAddr, contents: &[u8], segment_bytes: usize) -> bool {
        let socket = self.sockets.get(relay.index()).and_then(Option::as_ref).filter(|(open, _)| *open == relay);
        let path = Path { remote, local_ip: None };
        socket.is_some_and(|(_, socket)| socket.send(path, contents, segment_bytes).is_ok())
    }

    /// Closes all.
    pub(super) fn close_all(&mut self) {
        self.sockets.clear();
        self.ready.clear();
    }
}

impl RelaySockets for Relays {
    fn open(&mut self, relay: RelayId, bind: SocketAddr) -> Result<(), OpenError> {
        let refused = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AddrInUse => OpenError::PortInUse,
            _ => OpenError::Unavailable,
        };
        let mut socket = UdpPort::bind(bind, BUFFER_BYTES).map_err(refused)?;
        let token = mio::Token(self.first_token + relay.index());
        self.registry.register(&mut socket.io, token, mio::Interest::READABLE).map_err(refused)?;
        if self.sockets.len() <= relay.index() {
            self.sockets.resize_with(relay.index() + 1, || None);
        }
        self.sockets[relay.index()] = Some((relay, socket));
        Ok(())
    }

    fn close(&mut self, relay: RelayId) {
        // Closing the socket takes it out of the registry.
        if let Some(place) =
            self.sockets.get_mut(relay.index()).filter(|place| place.as_ref().is_some_and(|(open, _)| *open == relay))
        {
            *place = None;
        }
    }
}
