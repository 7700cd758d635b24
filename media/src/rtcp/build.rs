//! Appends RTCP packets to a buffer that the caller reuses, so that nothing is allocated once it has grown.
//!
//! Each function appends one whole packet (or as many as the content takes) and nothing of a packet that would be empty.
//! Canonical names are in the answer (RFC 5576), not in RTCP, and reduced size (RFC 5506) is always negotiated. The caller keeps
//! the datagram below the path's MTU.

use super::{FORMAT_NACK, FORMAT_PLI, PAYLOAD_FEEDBACK, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, TRANSPORT_FEEDBACK};
use crate::units::{NtpTime, SeqNo};

/// Blocks in one report: the count has five bits.
const MAX_BLOCKS: usize = 31;

/// A sender report without blocks.
pub(crate) fn sender_report(out: &mut Vec<u8>, ssrc: u32, ntp: NtpTime, rtp_timestamp: u32, packets: u32, octets: u32) {
    let start = begin(out, SENDER_REPORT, 0);
    put(out, ssrc);
    out.extend_from_slice(&ntp.0.to_be_bytes());
    for word in [rtp_timestamp, packets, octets] {
        put(out, word);
    }
    end(out, start);
}

/// Receiver reports: one for each 31 blocks, and one without any for none.
pub(crate) fn receiver_report(out: &mut Vec<u8>, from: u32, blocks: &[ReportBlock]) {
    let (first, rest) = blocks.split_at(blocks.len().min(MAX_BLOCKS));
    for blocks in std::iter::once(first).chain(rest.chunks(MAX_BLOCKS)) {
        let start = begin(out, RECEIVER_REPORT, (blocks.len() & 0x1f) as u8);
        put(out, from);
        for block in blocks {
            put_block(out, block);
        }
        end(out, start);
    }
}

fn put_block(out: &mut Vec<u8>, block: &ReportBlock) {
    let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
    put(out, block.ssrc.0);
    put(out, u32::from(block.fraction_lost) << 24 | lost);
    for word in [block.highest_seq, block.jitter, block.last_sender_report, block.delay_since_last_sender_report] {
        put(out, word);
    }
}

/// A request for lost packets. `seqs` are in the order of sending; up to 17 in a row take four bytes.
pub(crate) fn nack(out: &mut Vec<u8>, from: u32, media: u32, seqs: &[SeqNo]) {
    let Some((&first, rest)) = seqs.split_first() else { return };
    let start = begin(out, TRANSPORT_FEEDBACK, FORMAT_NACK);
    put(out, from);
    put(out, media);
    let (mut first, mut bits) = (first, 0_u16);
    for &seq in rest {
        match seq.ahead_of(first) {
            0 => {}
            ahead @ 1..=16 => bits |= 1 << (ahead - 1),
            _ => {
                put(out, u32::from(first.0) << 16 | u32::from(bits));
                (first, bits) = (seq, 0);
            }
        }
    }
    put(out, u32::from(first.0) << 16 | u32::from(bits));
    end(out, start);
}

/// A request for a keyframe.
pub(crate) fn pli(out: &mut Vec<u8>, from: u32, media: u32) {
    let start = begin(out, PAYLOAD_FEEDBACK, FORMAT_PLI);
    put(out, from);
    put(out, media);
    end(out, start);
}

/// Appends a header whose length [`end`] fills in, and says where it lies.
pub(super) fn begin(out: &mut Vec<u8>, packet_type: u8, count: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, packet_type, 0, 0]);
    start
}

/// Writes the length of the packet that began at `start`, in words without the first.
pub(super) fn end(out: &mut [u8], start: usize) {
    let words = (out.len() - start) / 4 - 1;
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&((words & 0xffff) as u16).to_be_bytes());
    }
}

fn put(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
