//! What a turn of the worker has received for one publication, opened and read, until the turn forwards it. Staging lets all of a
//! frame leave for one subscriber together, in one run of equal datagrams (GSO), instead of packet by packet to everybody.
//!
//! Filled by `ingress`, emptied by `forward` in the same turn: nothing waits here for time to pass.

use std::ops::Range;
use std::time::Instant;

use super::outgoing::{LayerRef, MediaPacket};
use crate::codec::{Codec, PictureIds};
use crate::units::SeqNo;

/// A packet is padded to the length of the longest of its frame when it lacks no more than this. Browsers split a frame into packets
/// that differ by one byte; a run of datagrams ends where a longer one follows, which costs as much as sending 800 bytes more.
const MAX_PADDING_BYTES: usize = 8;

/// One packet's fate.
#[derive(Clone)]
pub(crate) struct StagedPacket {
    pub(crate) now: Instant,
    pub(crate) from: LayerRef,
    pub(crate) codec: Codec,
    pub(crate) seq: SeqNo,
    pub(crate) index: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) is_in_order: bool,
    pub(crate) is_keyframe_start: bool,
    pub(crate) picture_ids: PictureIds,
    /// Bytes of RTP padding behind the payload, at most [`MAX_PADDING_BYTES`].
    pub(crate) padding_bytes: u8,
    /// Where the payload lies in the buffer. An empty one is left out of the flow without a gap.
    payload: Range<usize>,
}

/// The packets of one publication in the order in which they came.
#[derive(Default)]
pub(crate) struct Staged {
    packets: Vec<StagedPacket>,
    bytes: Vec<u8>,
}

impl Staged {
    /// Adds a packet.
    pub(crate) fn push(&mut self, packet: &MediaPacket<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(packet.payload);
        let &MediaPacket { now, from, codec, seq, index, timestamp, marker, is_in_order, is_keyframe_start, picture_ids, .. } =
            packet;
        self.packets.push(StagedPacket {
            now,
            from,
            codec,
            seq,
            index,
            timestamp,
            marker,
            is_in_order,
            is_keyframe_start,
            picture_ids,
            padding_bytes: 0,
            payload: start..self.bytes.len(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Makes the packets of each frame equally long, as far as little is missing.
    pub(crate) fn equalise(&mut self) {
        let is_same_frame = |a: &StagedPacket, b: &StagedPacket| a.from == b.from && a.timestamp == b.timestamp;
        for frame in self.packets.chunk_by_mut(is_same_frame) {
            let longest = frame.iter().map(|packet| packet.payload.len()).max().unwrap_or(0);
            // The last of a run may be shorter as it is.
            let Some((_, all_but_last)) = frame.split_last_mut() else { continue };
            for packet in all_but_last.iter_mut().filter(|packet| !packet.payload.is_empty()) {
                let missing = longest - packet.payload.len();
                packet.padding_bytes = if missing <= MAX_PADDING_BYTES { missing as u8 } else { 0 };
            }
        }
    }

    /// The packets, each with its payload.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StagedPacket, &[u8])> {
        self.packets.iter().map(|packet| (packet, &self.bytes[packet.payload.clone()]))
    }

    /// Forgets the packets, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(now: Instant, lengths: &[(u32, usize)]) -> Staged {
        let mut staged = Staged::default();
        for (at, &(timestamp, len)) in lengths.iter().enumerate() {
            staged.push(&MediaPacket {
                now,
                from: LayerRef { publication: 0, layer: 0 },
                codec: Codec::Vp8,
                seq: SeqNo(at as u16),
                index: at as u64,
                timestamp,
                marker: false,
                is_in_order: true,
                is_keyframe_start: false,
                picture_ids: PictureIds::default(),
                payload: &vec![at as u8; len],
            });
        }
        staged.equalise();
        staged
    }

    fn lengths(staged: &Staged) -> Vec<usize> {
        staged.iter().map(|(packet, payload)| payload.len() + usize::from(packet.padding_bytes)).collect()
    }

    #[test]
    fn the_packets_of_a_frame_become_equally_long_and_those_of_another_do_not() {
        let frames = staged(Instant::now(), &[(1, 999), (1, 999), (1, 1_000), (2, 500), (2, 501)]);
        assert_eq!(lengths(&frames), [1_000, 1_000, 1_000, 501, 501]);
    }

    #[test]
    fn a_packet_much_shorter_than_its_frame_and_the_last_one_are_left_alone() {
        let frames = staged(Instant::now(), &[(1, 20), (1, 1_000), (1, 1_000 - MAX_PADDING_BYTES), (1, 999)]);
        assert_eq!(lengths(&frames), [20, 1_000, 1_000, 999]);
        assert_eq!(lengths(&staged(Instant::now(), &[(1, 0), (1, 5)])), [0, 5], "what is skipped stays empty");
    }
}
