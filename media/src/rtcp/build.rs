//! Writes the RTCP packets that the SFU sends, each behind what the buffer already holds, so that they form one compound.

use super::ReportBlock;
use crate::units::{NtpTime, SeqNo};

/// The most blocks that a report's five-bit count can name.
const MAX_BLOCKS: usize = 31;

/// RFC 3550 §6.4.1, without reception blocks: those go out in a receiver report of their own.
pub(crate) fn sender_report(out: &mut Vec<u8>, ssrc: u32, ntp: NtpTime, rtp_timestamp: u32, packets: u32, octets: u32) {
    packet(out, 0, 200, |body| {
        body.extend(ssrc.to_be_bytes());
        body.extend(ntp.0.to_be_bytes());
        for word in [rtp_timestamp, packets, octets] {
            body.extend(word.to_be_bytes());
        }
    });
}

/// RFC 3550 §6.4.2. Blocks beyond 31 are left out.
pub(crate) fn receiver_report(out: &mut Vec<u8>, from: u32, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    packet(out, blocks.len() as u8, 201, |body| {
        body.extend(from.to_be_bytes());
        for block in blocks {
            let lost = (u32::from(block.fraction_lost) << 24) | (block.cumulative_lost as u32 & 0x00ff_ffff);
            let words = [
                block.ssrc.0,
                lost,
                block.highest_seq,
                block.jitter,
                block.last_sender_report,
                block.delay_since_last_sender_report,
            ];
            words.iter().for_each(|word| body.extend(word.to_be_bytes()));
        }
    });
}

/// Generic NACK (RFC 4585 §6.2.1). `lost` is in rising order.
pub(crate) fn nack(out: &mut Vec<u8>, from: u32, media_ssrc: u32, lost: &[SeqNo]) {
    if lost.is_empty() {
        return;
    }
    packet(out, 1, 205, |body| {
        body.extend(from.to_be_bytes());
        body.extend(media_ssrc.to_be_bytes());
        let mut rest = lost;
        while let Some((first, others)) = rest.split_first() {
            let behind = |seq: &SeqNo| seq.0.wrapping_sub(first.0).wrapping_sub(1);
            let near = others.iter().take_while(|seq| behind(seq) < 16).count();
            let bits = others[..near].iter().fold(0u16, |bits, seq| bits | (1 << behind(seq)));
            body.extend(first.0.to_be_bytes());
            body.extend(bits.to_be_bytes());
            rest = &others[near..];
        }
    });
}

/// Picture loss indication (RFC 4585 §6.3.1).
pub(crate) fn pli(out: &mut Vec<u8>, from: u32, media_ssrc: u32) {
    packet(out, 1, 206, |body| {
        body.extend(from.to_be_bytes());
        body.extend(media_ssrc.to_be_bytes());
    });
}

/// Writes a header, the body, zeros up to a whole word, and the length.
pub(super) fn packet(out: &mut Vec<u8>, count_or_format: u8, kind: u8, write_body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0x80 | count_or_format, kind, 0, 0]);
    write_body(out);
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}
