//! One worker's UDP socket: IPv4 and IPv6 on one port, received in batches (GRO), sent in runs of equal datagrams (GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::outbox::{Outbox, Transmit};
use crate::transport::Path;

/// Room for one receive: what GRO may join into one buffer.
const RECEIVE_BYTES: usize = 64 << 10;
/// The most datagrams that one send may join; the kernel's own limit is 64 (UDP_MAX_SEGMENTS).
const MAX_SEGMENTS: usize = 32;
/// The most bytes that one send may join: a UDP payload ends below 64 KiB.
const MAX_RUN_BYTES: usize = 60_000;

pub(crate) struct MediaSocket {
    pub(crate) io: mio::net::UdpSocket,
    state: UdpSocketState,
    buffers: Vec<u8>,
    metas: Vec<RecvMeta>,
    max_segments: usize,
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
        // The kernel grants what its limits allow; the doctor tells when that is little.
        let _ = socket.set_recv_buffer_size(buffer_bytes);
        let _ = socket.set_send_buffer_size(buffer_bytes);
        let std_socket: std::net::UdpSocket = socket.into();
        std_socket.set_nonblocking(true)?;
        let state = UdpSocketState::new(UdpSockRef::from(&std_socket))?;
        let max_segments = state.max_gso_segments().min(MAX_SEGMENTS);
        Ok(Self {
            io: mio::net::UdpSocket::from_std(std_socket),
            state,
            buffers: vec![0; RECEIVE_BYTES * BATCH_SIZE],
            metas: vec![RecvMeta::default(); BATCH_SIZE],
            max_segments,
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
    pub(crate) fn send(&self, outbox: &Outbox, mut sent: impl FnMut(&[Transmit], io::Result<()>)) {
        let mut rest = outbox.transmits();
        while let Some(first) = rest.first() {
            let (run, tail) = rest.split_at(self.run_length(rest, first));
            let transmit = quinn_udp::Transmit {
                destination: self.mapped(first.path.remote),
                ecn: None,
                contents: outbox.contents(run),
                segment_size: (run.len() > 1).then_some(first.len()),
                src_ip: first.path.local_ip.map(|ip| self.mapped(SocketAddr::new(ip, 0)).ip()),
            };
            let result = self.io.try_io(|| self.state.try_send(UdpSockRef::from(&self.io), &transmit));
            sent(run, result);
            rest = tail;
        }
    }

    /// How many datagrams from the front one send can take: same path, equal sizes, only the last may be shorter.
    fn run_length(&self, rest: &[Transmit], first: &Transmit) -> usize {
        let most = self.max_segments.min(MAX_RUN_BYTES / first.len().max(1)).max(1);
        let mut length = 1;
        for next in rest.iter().take(most).skip(1) {
            if next.path != first.path || next.len() > first.len() {
                break;
            }
            length += 1;
            if next.len() < first.len() {
                break;
            }
        }
        length
    }

    /// A socket of both families takes IPv4 addresses in their IPv6 form.
    fn mapped(&self, address: SocketAddr) -> SocketAddr {
        match (address.ip(), self.io.local_addr().map(|a| a.is_ipv6())) {
            (IpAddr::V4(v4), Ok(true)) => SocketAddr::from((v4.to_ipv6_mapped(), address.port())),
            _ => address,
        }
    }
}

fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(unmapped_ip(address.ip()), address.port())
}

fn unmapped_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
