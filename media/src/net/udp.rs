//! One worker's media socket: IPv4 and IPv6 on one port.

use std::io;

use super::port::{Buffers, Sharing, UdpPort};
use super::sender::Sender;
use crate::outbox::{Outbox, Transmit};
use crate::transport::Path;

pub(crate) struct MediaSocket {
    port: UdpPort,
    sender: Sender,
}

impl MediaSocket {
    /// Binds `port` (0: any) on all addresses of both families, or of IPv4 where there is no IPv6.
    pub(crate) fn bind(port: u16, buffer_bytes: usize) -> io::Result<Self> {
        let port = UdpPort::bind_all(port, buffer_bytes, Sharing::Alone)?;
        let sender = Sender::new(port.state.max_gso_segments());
        Ok(Self { port, sender })
    }

    pub(crate) fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.port.io
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        self.port.port()
    }

    /// Receives one batch and hands each datagram to `handle`. `WouldBlock` when there is none.
    pub(crate) fn receive(&self, buffers: &mut Buffers, handle: impl FnMut(Path, &mut [u8])) -> io::Result<()> {
        self.port.receive(buffers, handle)
    }

    /// Sends everything, neighbours of equal size to one address as one run. `sent` learns of each run whether it went out.
    pub(crate) fn send(&mut self, outbox: &Outbox, sent: impl FnMut(&[Transmit], io::Result<()>)) {
        self.sender.send(&self.port, outbox, sent);
    }
}
