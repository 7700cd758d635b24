//! One participant's UDP socket, as a browser's: connected to the server, received without GRO and sent one datagram at a time, or a
//! burst as a network card would hand it on that joins what arrives together. For the load generator only.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// The largest datagram received: above what any server sends.
const DATAGRAM_BYTES: usize = 2048;
/// Buffers asked of the kernel: a burst of several keyframes.
const SOCKET_BUFFER_BYTES: usize = 1 << 20;

pub(crate) struct PlainSocket {
    pub(crate) io: mio::net::UdpSocket,
    server: SocketAddr,
    state: UdpSocketState,
}

/// Room for one batch, shared by all sockets of a thread.
pub(crate) struct PlainBuffers {
    bytes: Vec<u8>,
    metas: Vec<RecvMeta>,
}

impl Default for PlainBuffers {
    fn default() -> Self {
        Self { bytes: vec![0; DATAGRAM_BYTES * BATCH_SIZE], metas: vec![RecvMeta::default(); BATCH_SIZE] }
    }
}

impl PlainSocket {
    /// A socket that talks to `server` alone.
    pub(crate) fn connect(server: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::DGRAM, Some(Protocol::UDP))?;
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        socket.bind(&any.into())?;
        super::port::enlarge_buffers(&socket, SOCKET_BUFFER_BYTES);
        socket.connect(&server.into())?;
        let socket: std::net::UdpSocket = socket.into();
        socket.set_nonblocking(true)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        without_gro(&socket)?;
        Ok(Self { io: mio::net::UdpSocket::from_std(socket), server, state })
    }

    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Hands out one batch with the moment that the kernel received each datagram, Unix time. Says whether there may be more.
    pub(crate) fn receive(&self, buffers: &mut PlainBuffers, mut handle: impl FnMut(Option<Duration>, &mut [u8])) -> bool {
        let mut chunks = buffers.bytes.chunks_mut(DATAGRAM_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a chunk for each slot of the batch")));
        let (state, metas) = (&self.state, &mut buffers.metas);
        let received = self.io.try_io(|| state.recv(UdpSockRef::from(&self.io), &mut slices, metas));
        let count = match received {
            Ok(count) => count,
            // A server that is gone refuses the port; what matters comes out in what is missing.
            Err(error) => return error.kind() == io::ErrorKind::ConnectionRefused,
        };
        for (meta, buffer) in buffers.metas.iter().zip(&mut slices).take(count) {
            let len = meta.len.min(buffer.len());
            handle(meta.timestamp, &mut buffer[..len]);
        }
        count == BATCH_SIZE
    }

    /// Sends a datagram; false when the kernel did not take it.
    pub(crate) fn send(&self, datagram: &[u8]) -> bool {
        self.io.send(datagram).is_ok()
    }

    /// Sends datagrams of `segment_bytes` each as one run (UDP GSO), one by one where the system cuts none; how many it took.
    pub(crate) fn send_run(&self, contents: &[u8], segment_bytes: usize) -> usize {
        let (server, segment_bytes) = (self.server, segment_bytes.max(1));
        if contents.len() > segment_bytes && self.state.max_gso_segments() > 1 {
            let run =
                quinn_udp::Transmit { destination: server, ecn: None, contents, segment_size: Some(segment_bytes), src_ip: None };
            if self.io.try_io(|| self.state.try_send(UdpSockRef::from(&self.io), &run)).is_ok() {
                return contents.len().div_ceil(segment_bytes);
            }
        }
        contents.chunks(segment_bytes).take_while(|datagram| self.send(datagram)).count()
    }
}

#[cfg(target_os = "linux")]
fn without_gro(socket: &std::net::UdpSocket) -> io::Result<()> {
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::UdpGroSegment, &false)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn without_gro(_: &std::net::UdpSocket) -> io::Result<()> {
    Ok(())
}
