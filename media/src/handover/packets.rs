//! Packets of one publication, opened and read: what a turn of a worker received, until the turn forwards it. Keeping them lets all of
//! a frame leave for one subscriber together, in one run of equal datagrams (GSO), instead of packet by packet to everybody.
//!
//! Filled by the SFU's `ingress` or by another worker, emptied by its `forward` in the same turn: nothing waits here for time to pass.

use std::ops::Range;
use std::time::Instant;

use crate::codec::{Codec, PictureIds};
use crate::units::SeqNo;

/// A packet is padded to the length of the longest of its frame when it lacks no more than this. Browsers split a frame into packets
/// that differ by one byte; a run of datagrams ends where a longer one follows, which costs as much as sending 800 bytes more.
const MAX_PADDING_BYTES: usize = 8;

/// A packet from a publisher, without its payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaPacket {
    /// When it arrived.
    pub(crate) now: Instant,
    /// Lowest layer first.
    pub(crate) layer: usize,
    /// The SSRC of the layer.
    pub(crate) ssrc: u32,
    pub(crate) codec: Codec,
    pub(crate) seq: SeqNo,
    /// The extended sequence number, by which the layer's ring knows the packet.
    pub(crate) index: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// Whether it is the newest packet of its layer, not one that came late or again.
    pub(crate) is_in_order: bool,
    pub(crate) is_keyframe_start: bool,
    pub(crate) picture_ids: PictureIds,
}

/// The packets of one publication in the order in which they came.
#[derive(Default)]
pub(crate) struct Packets {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Clone)]
struct Entry {
    packet: MediaPacket,
    /// Bytes of RTP padding behind the payload, at most [`MAX_PADDING_BYTES`].
    padding_bytes: u8,
    /// Where the payload lies in the buffer. An empty one is left out of the flow without a gap.
    payload: Range<usize>,
}

/// A packet with what is to follow its header.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) padding_bytes: u8,
}

impl Packets {
    /// Adds a packet.
    pub(crate) fn push(&mut self, packet: MediaPacket, payload: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry { packet, padding_bytes: 0, payload: start..self.bytes.len() });
    }

    /// Takes the same packets as `other`, into the memory that it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.entries.clone_from(&other.entries);
        self.bytes.clone_from(&other.bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes the packets of each frame equally long, as far as little is missing.
    pub(crate) fn equalise(&mut self) {
        let moment = |entry: &Entry| (entry.packet.layer, entry.packet.timestamp);
        for frame in self.entries.chunk_by_mut(|a, b| moment(a) == moment(b)) {
            let longest = frame.iter().map(|entry| entry.payload.len()).max().unwrap_or(0);
            // The last of a run may be shorter as it is.
            let Some((_, all_but_last)) = frame.split_last_mut() else { continue };
            for entry in all_but_last.iter_mut().filter(|entry| !entry.payload.is_empty()) {
                let missing = longest - entry.payload.len();
                entry.padding_bytes = if missing <= MAX_PADDING_BYTES { missing as u8 } else { 0 };
            }
        }
    }

    /// The packets, each with its payload.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&MediaPacket, Body<'_>)> {
        self.entries.iter().map(|entry| {
            let payload = &self.bytes[entry.payload.clone()];
            (&entry.packet, Body { payload, padding_bytes: entry.padding_bytes })
        })
    }

    /// Forgets the packets, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(now: Instant, lengths: &[(u32, usize)]) -> Packets {
        let mut packets = Packets::default();
        for (at, &(timestamp, len)) in lengths.iter().enumerate() {
            let packet = MediaPacket {
                now,
                layer: 0,
                ssrc: 1,
                codec: Codec::Vp8,
                seq: SeqNo(at as u16),
                index: at as u64,
                timestamp,
                marker: false,
                is_in_order: true,
                is_keyframe_start: false,
                picture_ids: PictureIds::default(),
            };
            packets.push(packet, &vec![at as u8; len]);
        }
        packets.equalise();
        packets
    }

    fn lengths(packets: &Packets) -> Vec<usize> {
        packets.iter().map(|(_, body)| body.payload.len() + usize::from(body.padding_bytes)).collect()
    }

    #[test]
    fn the_packets_of_a_frame_become_equally_long_and_those_of_another_do_not() {
        let frames = packets(Instant::now(), &[(1, 999), (1, 999), (1, 1_000), (2, 500), (2, 501)]);
        assert_eq!(lengths(&frames), [1_000, 1_000, 1_000, 501, 501]);
    }

    #[test]
    fn a_packet_much_shorter_than_its_frame_and_the_last_one_are_left_alone() {
        let frames = packets(Instant::now(), &[(1, 20), (1, 1_000), (1, 1_000 - MAX_PADDING_BYTES), (1, 999)]);
        assert_eq!(lengths(&frames), [20, 1_000, 1_000, 999]);
        assert_eq!(lengths(&packets(Instant::now(), &[(1, 0), (1, 5)])), [0, 5], "what is skipped stays empty");
    }
}
