//! One worker's UDP socket: IPv4 and IPv6 on one port, received in batches (GRO), sent in batches of runs of equal datagrams (GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use super::sender::Sender;
use crate::outbox::{Outbox, Transmit};
use crate::transport::Path;

/// Room for one receive: what GRO may join into one buffer.
const RECEIVE_BYTES: usize = 64 << 10;

pub(crate) struct MediaSocket {
    pub(crate) io: mio::net::UdpSocket,
    state: UdpSocketState,
    buffers: Vec<u8>,
    metas: Vec<RecvMeta>,
    is_ipv6: bool,
    sender: Sender,
}

impl MediaSocket {
    /// Binds `port` (0: any) on all addresses of both families, or of IPv4 where there is no IPv6.
    pub(crate) fn bind(port: u16, buffer_bytes: usize) -> io::Result<Self> {
        let both = || {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_only_v6(false)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
            Ok::<_, io::Error>(socket)
        };
        let v4_only = |error: io::Error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                return Err(error);
            }
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
            Ok(socket)
        };
        let socket = both().or_else(v4_only)?;
        enlarge_buffers(&socket, buffer_bytes);
        let std_socket: std::net::UdpSocket = socket.into();
        std_socket.set_nonblocking(true)?;
        let state = UdpSocketState::new(UdpSockRef::from(&std_socket))?;
        let sender = Sender::new(state.max_gso_segments());
        Ok(Self {
            is_ipv6: std_socket.local_addr()?.is_ipv6(),
            io: mio::net::UdpSocket::from_std(std_socket),
            state,
            buffers: vec![0; RECEIVE_BYTES * BATCH_SIZE],
            metas: vec![RecvMeta::default(); BATCH_SIZE],
            sender,
        })
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.io.local_addr()?.port())
    }

    /// Receives one batch and hands each datagram to `handle`. `WouldBlock` when there is none.
    pub(crate) fn receive(&mut self, mut handle: impl FnMut(Path, &mut [u8])) -> io::Result<()> {
        let mut chunks = self.buffers.chunks_mut(RECEIVE_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a chunk for each slot of the batch")));
        let (state, metas) = (&self.state, &mut self.metas);
        let received = self.io.try_io(|| state.recv(UdpSockRef::from(&self.io), &mut slices, metas))?;
        for (meta, buffer) in metas.iter().zip(&mut slices).take(received) {
            let path = Path { remote: unmapped(meta.addr), local_ip: meta.dst_ip.map(unmapped_ip) };
            let joined = &mut buffer[..meta.len.min(RECEIVE_BYTES)];
            if joined.is_empty() {
                // An empty datagram is one too.
                handle(path, joined);
                continue;
            }
            for datagram in joined.chunks_mut(meta.stride.max(1)) {
                handle(path, datagram);
            }
        }
        Ok(())
    }

    /// Sends everything, neighbours of equal size to one address as one run. `sent` learns of each run whether it went out.
    pub(crate) fn send(&mut self, outbox: &Outbox, sent: impl FnMut(&[Transmit], io::Result<()>)) {
        self.sender.send((&self.io, &self.state, self.is_ipv6), outbox, sent);
    }
}

/// Asks the kernel for buffers of this size. It grants what its limits allow; root may go beyond them.
pub(super) fn enlarge_buffers(socket: &Socket, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt};
        let is_forced = setsockopt(socket, sockopt::RcvBufForce, &bytes).is_ok();
        if is_forced && setsockopt(socket, sockopt::SndBufForce, &bytes).is_ok() {
            return;
        }
    }
    let _ = socket.set_recv_buffer_size(bytes);
    let _ = socket.set_send_buffer_size(bytes);
}

fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(unmapped_ip(address.ip()), address.port())
}

fn unmapped_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
