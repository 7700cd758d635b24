//! A digest of everything that happened on the wire, to tell whether two runs were the same.

use std::time::Duration;

use super::network::is_media;

/// FNV-1a, 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trace {
    digest: u64,
    pub(crate) datagrams: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { digest: 0xcbf2_9ce4_8422_2325, datagrams: 0 }
    }
}

impl Trace {
    /// Notes a datagram to or from a participant. Of media the clear header and the length count; keys make the rest differ.
    pub(crate) fn note(&mut self, at: Duration, participant: usize, datagram: &[u8]) {
        self.datagrams += 1;
        self.eat(&at.as_nanos().to_be_bytes());
        self.eat(&participant.to_be_bytes());
        if is_media(datagram) {
            self.eat(&datagram.len().to_be_bytes());
            self.eat(&datagram[..datagram.len().min(8)]);
        } else {
            self.eat(&datagram[..1.min(datagram.len())]);
        }
    }

    fn eat(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
