//! A UDP socket of a media thread, received in batches (GRO) into buffers that all sockets of a thread share, and sent in runs of equal
//! datagrams (GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::transport::Path;

/// Room for one receive: what GRO may join into one buffer.
const RECEIVE_BYTES: usize = 64 << 10;
/// Receives of a small batch. Fewer cost whoever sends much a call more, more cost time to prepare where one datagram arrives.
const FEW: usize = 8;

pub(crate) struct UdpPort {
    pub(crate) io: mio::net::UdpSocket,
    pub(crate) state: UdpSocketState,
    pub(super) is_ipv6: bool,
}

/// Whether other sockets may be bound to the same port, between which the system shares out what comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    Alone,
    Shared,
}

/// Where a batch is received into.
pub(crate) struct Buffers {
    bytes: Vec<u8>,
    metas: Vec<RecvMeta>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { bytes: vec![0; RECEIVE_BYTES * BATCH_SIZE], metas: vec![RecvMeta::default(); BATCH_SIZE] }
    }
}

impl UdpPort {
    /// Binds `port` (0: any) on all addresses of both families, or of IPv4 where there is no IPv6.
    pub(crate) fn bind_all(port: u16, buffer_bytes: usize, sharing: Sharing) -> io::Result<Self> {
        let both = || {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_only_v6(false)?;
            share(&socket, sharing)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
            Ok::<_, io::Error>(socket)
        };
        let v4_only = |error: io::Error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                return Err(error);
            }
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            share(&socket, sharing)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
            Ok(socket)
        };
        Self::new(both().or_else(v4_only)?, buffer_bytes)
    }

    /// Binds exactly this address.
    pub(crate) fn bind(address: SocketAddr, buffer_bytes: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        Self::new(socket, buffer_bytes)
    }

    fn new(socket: Socket, buffer_bytes: usize) -> io::Result<Self> {
        enlarge_buffers(&socket, buffer_bytes);
        let socket: std::net::UdpSocket = socket.into();
        socket.set_nonblocking(true)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self { is_ipv6: socket.local_addr()?.is_ipv6(), io: mio::net::UdpSocket::from_std(socket), state })
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.io.local_addr()?.port())
    }

    /// Receives one batch and hands each datagram to `handle`. `WouldBlock` when there is none.
    pub(super) fn receive(&self, buffers: &mut Buffers, mut handle: impl FnMut(Path, &mut [u8])) -> io::Result<()> {
        self.receive_runs(buffers, |path, joined, segment_bytes| each_datagram(joined, segment_bytes, |one| handle(path, one)))
    }

    /// As [`UdpPort::receive`] for a socket on which little comes at a time, and without the call that finds nothing left: says whether
    /// the socket may hold more. Where the system reports what is ready once (edge-triggered), a batch that is not full was the last.
    pub(super) fn receive_few(&self, buffers: &mut Buffers, mut handle: impl FnMut(Path, &mut [u8])) -> bool {
        self.receive_few_runs(buffers, |path, joined, segment_bytes| {
            each_datagram(joined, segment_bytes, |one| handle(path, one));
        })
    }

    /// As [`UdpPort::receive_few`], but hands out as one what the system joined.
    pub(crate) fn receive_few_runs(&self, buffers: &mut Buffers, handle: impl FnMut(Path, &mut [u8], usize)) -> bool {
        let few = FEW.min(BATCH_SIZE);
        match self.receive_batch(buffers, few, handle) {
            Ok(received) => received == few,
            Err(error) => has_more(&Err(error)),
        }
    }

    /// As [`UdpPort::receive`], but hands out as one what the system joined: datagrams of so many bytes each, the last may be shorter.
    pub(crate) fn receive_runs(&self, buffers: &mut Buffers, handle: impl FnMut(Path, &mut [u8], usize)) -> io::Result<()> {
        self.receive_batch(buffers, BATCH_SIZE, handle).map(|_| ())
    }

    /// Receives up to so many, at most [`BATCH_SIZE`]; how many there were.
    fn receive_batch(
        &self,
        buffers: &mut Buffers,
        most: usize,
        mut handle: impl FnMut(Path, &mut [u8], usize),
    ) -> io::Result<usize> {
        let Buffers { bytes, metas } = buffers;
        let mut chunks = bytes.chunks_mut(RECEIVE_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a chunk for each slot of the batch")));
        let slots = &mut slices[..most];
        let received = self.io.try_io(|| self.state.recv(UdpSockRef::from(&self.io), slots, metas))?;
        for (meta, buffer) in metas.iter().zip(&mut slices).take(received) {
            let path = Path::udp(unmapped(meta.addr), meta.dst_ip.map(unmapped_ip));
            handle(path, &mut buffer[..meta.len.min(RECEIVE_BYTES)], meta.stride.max(1));
        }
        Ok(received)
    }

    /// Sends datagrams of `segment_bytes` each, the last may be shorter, in runs as long as the way takes.
    pub(crate) fn send(&self, path: Path, contents: &[u8], segment_bytes: usize) -> io::Result<()> {
        let is_run = contents.len() > segment_bytes;
        if is_run && self.state.max_gso_segments() > 1 && self.send_run(path, contents, segment_bytes).is_ok() {
            return Ok(());
        }
        if !is_run {
            return self.send_run(path, contents, segment_bytes);
        }
        // The network interface cannot cut runs, or the run is too long for it: a datagram each.
        contents.chunks(segment_bytes.max(1)).try_for_each(|datagram| self.send_run(path, datagram, segment_bytes))
    }

    fn send_run(&self, path: Path, contents: &[u8], segment_bytes: usize) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: mapped(path.remote, self.is_ipv6),
            ecn: None,
            contents,
            segment_size: (contents.len() > segment_bytes).then_some(segment_bytes),
            src_ip: path.local_ip.map(|ip| mapped(SocketAddr::new(ip, 0), self.is_ipv6).ip()),
        };
        self.io.try_io(|| self.state.try_send(UdpSockRef::from(&self.io), &transmit))
    }
}

/// Hands out one by one what the system joined.
fn each_datagram(joined: &mut [u8], segment_bytes: usize, mut handle: impl FnMut(&mut [u8])) {
    if joined.is_empty() {
        // An empty datagram is one too.
        handle(joined);
        return;
    }
    joined.chunks_mut(segment_bytes).for_each(&mut handle);
}

/// Whether a socket may hold more after this. A refused port of somebody who left comes back as an error: it concerns no packet of ours.
pub(crate) fn has_more(received: &io::Result<()>) -> bool {
    received.as_ref().map_or_else(|error| error.kind() == io::ErrorKind::ConnectionRefused, |()| true)
}

/// Lets several sockets have one port (SO_REUSEPORT), where the system then keeps each sender with one of them.
fn share(socket: &Socket, sharing: Sharing) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if sharing == Sharing::Shared {
        use nix::sys::socket::{setsockopt, sockopt};
        setsockopt(socket, sockopt::ReusePort, &true)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, sharing);
    Ok(())
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

/// The receive and send buffers that a port gets when it asks for so many bytes. Linux counts twice what it was asked for
/// (socket(7)), which is taken out again.
pub(crate) fn granted_buffers(bytes: usize) -> io::Result<(usize, usize)> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    enlarge_buffers(&socket, bytes);
    let counted = if cfg!(target_os = "linux") { 2 } else { 1 };
    Ok((socket.recv_buffer_size()? / counted, socket.send_buffer_size()? / counted))
}

fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(unmapped_ip(address.ip()), address.port())
}

fn unmapped_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// A socket of both families takes IPv4 addresses in their IPv6 form.
pub(super) fn mapped(address: SocketAddr, is_ipv6: bool) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) if is_ipv6 => SocketAddr::from((v4.to_ipv6_mapped(), address.port())),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loopback delivers within the call that sends.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_small_batch_says_that_there_may_be_more_only_when_it_is_full() {
        let bind = || UdpPort::bind((Ipv4Addr::LOCALHOST, 0).into(), 1 << 20).unwrap();
        let (sender, receiver) = (bind(), bind());
        let path = Path::udp(receiver.io.local_addr().unwrap(), None);
        let mut buffers = Buffers::default();
        for (sent, expected) in [(1, vec![false]), (FEW, vec![true, false]), (FEW + 1, vec![true, false]), (0, vec![false])] {
            for number in 0..sent {
                sender.send(path, &[number as u8], 1).unwrap();
            }
            let mut numbers = Vec::new();
            for may_hold_more in expected {
                assert_eq!(receiver.receive_few(&mut buffers, |_, datagram| numbers.push(datagram[0])), may_hold_more, "{sent}");
            }
            assert_eq!(numbers, (0..sent as u8).collect::<Vec<_>>());
        }
    }
}
