//! What one turn of the host has to send: payloads behind each other in one buffer, with where each goes. Each was copied here once, out
//! of the buffer it was received into.
//!
//! The order is that of arrival, so that neighbours of equal size to one destination are one run: a send with UDP GSO. The buffer is
//! reused; nothing is allocated for a packet once it has grown to what a turn needs.

use std::net::{IpAddr, SocketAddr};

use super::link::ListenerId;
use super::table::RelayId;
use crate::id::TcpId;

/// What collects before it is to be sent, bytes: less than a second-level cache, so that the kernel copies what is still in it.
const FULL_BYTES: usize = 256 << 10;
/// Datagrams that one run joins; the kernel's limit (UDP_MAX_SEGMENTS).
const MAX_SEGMENTS: usize = 64;
/// Bytes that one run joins: a UDP payload ends below 64 KiB.
const MAX_RUN_BYTES: usize = 60_000;

/// Where something goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// A datagram from a listener's socket to a client.
    Client {
        /// The socket.
        listener: ListenerId,
        /// The client.
        remote: SocketAddr,
        /// The address to send from.
        local_ip: Option<IpAddr>,
    },
    /// A whole message to a TCP or TLS connection.
    Tcp(TcpId),
    /// A datagram from a relay's socket to a peer.
    Peer {
        /// The socket.
        relay: RelayId,
        /// The peer.
        remote: SocketAddr,
    },
    /// A datagram to the SFU of this process, as if it had come in on `to`.
    Sfu {
        /// The relayed address, which the SFU takes for the sender's.
        from: SocketAddr,
        /// The media address.
        to: SocketAddr,
    },
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    to: To,
    start: usize,
    len: usize,
}

/// Neighbours for one destination: all of `segment_bytes`, but the last, which may be shorter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run<'a> {
    /// Where they go.
    pub to: To,
    /// Bytes of each.
    pub segment_bytes: usize,
    /// How many.
    pub count: usize,
    /// All of them, one behind the other.
    pub bytes: &'a [u8],
}

/// Everything that waits to be sent.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

impl Batch {
    /// Adds a packet made of these parts.
    pub(super) fn push(&mut self, to: To, parts: [&[u8]; 3]) {
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.packets.push(Packet { to, start, len: self.bytes.len() - start });
    }

    /// What is to be sent, in order.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let mut rest = &self.packets[..];
        std::iter::from_fn(move || {
            let first = rest.first()?;
            let (run, after) = rest.split_at(run_length(rest, first));
            rest = after;
            let len = run.iter().map(|packet| packet.len).sum::<usize>();
            Some(Run {
                to: first.to,
                segment_bytes: first.len,
                count: run.len(),
                bytes: &self.bytes[first.start..first.start + len],
            })
        })
    }

    /// Whether it should be sent before more is added. The engine does not look: one call adds at most one packet.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Forgets what was sent, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
    }
}

/// How many packets from the front make one run: the same destination, equal sizes, only the last may be shorter, and none empty.
fn run_length(rest: &[Packet], first: &Packet) -> usize {
    let most = MAX_SEGMENTS.min(MAX_RUN_BYTES / first.len.max(1)).max(1);
    let mut length = 1;
    for next in rest.iter().take(most).skip(1) {
        if next.to != first.to || next.len > first.len || next.len == 0 {
            break;
        }
        length += 1;
        if next.len < first.len {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> To {
        To::Client { listener: ListenerId(0), remote: SocketAddr::from(([1, 2, 3, 4], port)), local_ip: None }
    }

    #[test]
    fn neighbours_of_equal_size_to_one_destination_are_one_run() {
        let mut batch = Batch::default();
        for (port, len) in [(1, 5), (1, 5), (1, 3), (1, 5), (2, 5), (2, 6), (2, 0), (2, 0)] {
            let (head, payload) = (vec![7; len.min(1)], vec![1; len]);
            batch.push(to(port), [&head, &payload, &[]]);
        }
        let runs: Vec<_> = batch.runs().map(|run| (run.to, run.segment_bytes, run.count, run.bytes.len())).collect();
        let expected =
            [(to(1), 6, 3, 16), (to(1), 6, 1, 6), (to(2), 6, 1, 6), (to(2), 7, 1, 7), (to(2), 0, 1, 0), (to(2), 0, 1, 0)];
        assert_eq!(runs, expected);
    }

    #[test]
    fn a_run_is_no_longer_than_the_kernel_takes() {
        let mut batch = Batch::default();
        for _ in 0..130 {
            batch.push(to(1), [&[1; 100], &[], &[]]);
        }
        assert_eq!(batch.runs().map(|run| run.count).collect::<Vec<_>>(), [64, 64, 2]);
        batch.clear();
        for _ in 0..3 {
            batch.push(to(1), [&[1; 40_000], &[], &[]]);
        }
        assert_eq!(batch.runs().map(|run| run.count).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(!batch.is_full());
    }
}
