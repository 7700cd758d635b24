//! `sendmmsg` with a segment size (UDP GSO) and a source address for each message: many runs to many destinations in one system call.
//! No crate that we know offers it with differing control messages.
//!
//! Everything that the kernel is pointed at lies in [`Batch`] or in the runs, both borrowed for the whole call.

#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use super::port::mapped;
use super::sender::Run;

/// Runs for each system call. More gain nothing measurable: the kernel's work for a run is a hundred times that of the entry.
pub(super) const MAX_RUNS: usize = 64;
/// Room for both control messages of a run.
const CONTROL_BYTES: usize = 80;

/// Control messages must lie as `cmsghdr` does.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_BYTES]);

#[repr(C)]
union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// The memory of one call, reused.
pub(super) struct Batch {
    names: Box<[Name; MAX_RUNS]>,
    controls: Box<[Control; MAX_RUNS]>,
}

impl Default for Batch {
    fn default() -> Self {
        let empty = || Name {
            // SAFETY: sockaddr_in6 is plain data, for which all zeros is a value.
            v6: unsafe { zeroed() },
        };
        Self { names: Box::new(std::array::from_fn(|_| empty())), controls: Box::new([Control([0; CONTROL_BYTES]); MAX_RUNS]) }
    }
}

impl Batch {
    /// Sends up to [`MAX_RUNS`] runs; how many the kernel took. An error is the first run's.
    pub(super) fn send<'a>(
        &mut self,
        io: &mio::net::UdpSocket,
        is_ipv6: bool,
        runs: impl Iterator<Item = Run<'a>>,
    ) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: both are plain data, for which all zeros is a value.
        let (mut headers, mut parts): ([libc::mmsghdr; MAX_RUNS], [libc::iovec; MAX_RUNS]) = unsafe { (zeroed(), zeroed()) };
        for (at, run) in runs.enumerate().take(MAX_RUNS) {
            count = at + 1;
            parts[at] = libc::iovec { iov_base: run.contents.as_ptr().cast_mut().cast(), iov_len: run.contents.len() };
            let header = &mut headers[at].msg_hdr;
            let name = &mut self.names[at];
            header.msg_namelen = write_name(name, mapped(run.path.remote, is_ipv6));
            header.msg_name = std::ptr::from_mut(name).cast();
            header.msg_iov = &raw mut parts[at];
            header.msg_iovlen = 1;
            let source = run.path.local_ip.map(|ip| mapped(SocketAddr::new(ip, 0), is_ipv6).ip());
            let segment_bytes = run.is_joined().then_some(run.segment_bytes as u16);
            let control = &mut self.controls[at];
            // What an earlier run left would be read as the length of a second message.
            control.0.fill(0);
            header.msg_control = std::ptr::from_mut(control).cast();
            header.msg_controllen = CONTROL_BYTES as _;
            header.msg_controllen = write_control(header, segment_bytes, source) as _;
            if header.msg_controllen == 0 {
                header.msg_control = std::ptr::null_mut();
            }
        }
        io.try_io(|| {
            // SAFETY: each header points into `self`, `parts` and what runs borrow, which outlive the call and which the kernel only reads.
            let sent = unsafe { libc::sendmmsg(io.as_raw_fd(), headers.as_mut_ptr(), count as _, 0) };
            usize::try_from(sent).map_err(|_| io::Error::last_os_error())
        })
    }
}

fn write_name(name: &mut Name, address: SocketAddr) -> libc::socklen_t {
    match address {
        SocketAddr::V4(v4) => {
            // SAFETY: plain data, for which all zeros is a value.
            let mut raw: libc::sockaddr_in = unsafe { zeroed() };
            raw.sin_family = libc::AF_INET as _;
            raw.sin_port = v4.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            name.v4 = raw;
            size_of::<libc::sockaddr_in>() as _
        }
        SocketAddr::V6(v6) => {
            // SAFETY: plain data, for which all zeros is a value.
            let mut raw: libc::sockaddr_in6 = unsafe { zeroed() };
            raw.sin6_family = libc::AF_INET6 as _;
            raw.sin6_port = v6.port().to_be();
            raw.sin6_addr.s6_addr = v6.ip().octets();
            raw.sin6_scope_id = v6.scope_id();
            name.v6 = raw;
            size_of::<libc::sockaddr_in6>() as _
        }
    }
}

/// Writes the control messages of a run; how many bytes they take.
fn write_control(header: &libc::msghdr, segment_bytes: Option<u16>, source: Option<IpAddr>) -> usize {
    let mut used = 0;
    // SAFETY: the header's control buffer is CONTROL_BYTES long and aligned for cmsghdr.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    let mut write = |level: libc::c_int, kind: libc::c_int, value: &[u8]| {
        // SAFETY: two control messages of at most 24 and 40 bytes fit into CONTROL_BYTES, so that `next` is within the buffer; what
        // CMSG_NXTHDR reads of the one behind is zero.
        unsafe {
            let Some(message) = next.as_mut() else { return };
            message.cmsg_level = level;
            message.cmsg_type = kind;
            message.cmsg_len = libc::CMSG_LEN(value.len() as _) as _;
            std::ptr::copy_nonoverlapping(value.as_ptr(), libc::CMSG_DATA(next), value.len());
            used += libc::CMSG_SPACE(value.len() as _) as usize;
            next = libc::CMSG_NXTHDR(header, next);
        }
    };
    if let Some(bytes) = segment_bytes {
        write(libc::SOL_UDP, libc::UDP_SEGMENT, &bytes.to_ne_bytes());
    }
    match source {
        // in_pktinfo: interface 0 (any), the source, a destination that is not read.
        Some(IpAddr::V4(v4)) => {
            let mut info = [0; size_of::<libc::in_pktinfo>()];
            info[4..8].copy_from_slice(&v4.octets());
            write(libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
        }
        // in6_pktinfo: the source, interface 0 (any).
        Some(IpAddr::V6(v6)) => {
            let mut info = [0; size_of::<libc::in6_pktinfo>()];
            info[..16].copy_from_slice(&v6.octets());
            write(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
        }
        None => {}
    }
    used
}
