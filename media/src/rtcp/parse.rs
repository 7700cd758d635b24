//! Walks a compound packet. Every length is checked against what is there before anything is read.

use super::ReportBlock;
use crate::units::{NtpTime, RtpTimestamp, SeqNo, Ssrc};

/// Packets read of one compound; browsers send a handful. The rest is ignored.
const MAX_PACKETS: usize = 32;
const HEADER_BYTES: usize = 4;
const BLOCK_BYTES: usize = 24;

/// The packets of a compound, in order.
pub(crate) struct Compound<'a> {
    rest: &'a [u8],
    left: usize,
}

/// One RTCP packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rtcp<'a> {
    SenderReport(SenderReport<'a>),
    ReceiverReport(ReceiverReport<'a>),
    /// Generic NACK (RFC 4585 §6.2.1).
    Nack(Nack<'a>),
    /// Picture loss indication (RFC 4585 §6.3.1).
    Pli {
        media_ssrc: Ssrc,
    },
    /// Full intra request (RFC 5104 §4.3.1).
    Fir(Fir<'a>),
    /// Anything else, well-formed as far as its header goes.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SenderReport<'a> {
    pub(crate) ssrc: Ssrc,
    pub(crate) ntp: NtpTime,
    pub(crate) rtp_timestamp: RtpTimestamp,
    blocks: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReceiverReport<'a> {
    blocks: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nack<'a> {
    pub(crate) media_ssrc: Ssrc,
    pairs: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fir<'a> {
    entries: &'a [u8],
}

impl<'a> Compound<'a> {
    pub(crate) fn new(packet: &'a [u8]) -> Self {
        Self { rest: packet, left: MAX_PACKETS }
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Rtcp<'a>;

    fn next(&mut self) -> Option<Rtcp<'a>> {
        self.left = self.left.checked_sub(1)?;
        let &[first, kind, high, low] = self.rest.first_chunk::<HEADER_BYTES>()?;
        let len = HEADER_BYTES + 4 * usize::from(u16::from_be_bytes([high, low]));
        if first >> 6 != 2 || self.rest.len() < len {
            self.rest = &[];
            return None;
        }
        let (packet, rest) = self.rest.split_at(len);
        self.rest = rest;
        let body = without_padding(first, &packet[HEADER_BYTES..])?;
        // A packet that is shorter than its kind demands is skipped; the compound goes on.
        Some(read(first & 0x1f, kind, body).unwrap_or(Rtcp::Other))
    }
}

/// RFC 3550 §6.4.1: the last byte counts the padding, itself included.
fn without_padding(first: u8, body: &[u8]) -> Option<&[u8]> {
    if first & 0x20 == 0 {
        return Some(body);
    }
    let padding = usize::from(*body.last()?);
    body.get(..body.len().checked_sub(padding)?)
}

fn read(count_or_format: u8, kind: u8, body: &[u8]) -> Option<Rtcp<'_>> {
    let blocks = |from: usize| body.get(from..from + BLOCK_BYTES * usize::from(count_or_format));
    match (kind, count_or_format) {
        (200, _) => Some(Rtcp::SenderReport(SenderReport {
            ssrc: Ssrc(word(body, 0)?),
            ntp: NtpTime((u64::from(word(body, 4)?) << 32) | u64::from(word(body, 8)?)),
            rtp_timestamp: RtpTimestamp(word(body, 12)?),
            blocks: blocks(24)?,
        })),
        (201, _) => Some(Rtcp::ReceiverReport(ReceiverReport { blocks: blocks(4)? })),
        (205, 1) => Some(Rtcp::Nack(Nack { media_ssrc: Ssrc(word(body, 4)?), pairs: body.get(8..)? })),
        (206, 1) => Some(Rtcp::Pli { media_ssrc: Ssrc(word(body, 4)?) }),
        (206, 4) => Some(Rtcp::Fir(Fir { entries: body.get(8..)? })),
        _ => Some(Rtcp::Other),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|word| u32::from_be_bytes(*word))
}

fn report_blocks(bytes: &[u8]) -> impl Iterator<Item = ReportBlock> {
    bytes.chunks_exact(BLOCK_BYTES).filter_map(|block| {
        let lost = word(block, 4)?;
        Some(ReportBlock {
            ssrc: Ssrc(word(block, 0)?),
            fraction_lost: (lost >> 24) as u8,
            // Sign-extends 24 bits.
            cumulative_lost: ((lost << 8) as i32) >> 8,
            highest_seq: word(block, 8)?,
            jitter: word(block, 12)?,
            last_sender_report: word(block, 16)?,
            delay_since_last_sender_report: word(block, 20)?,
        })
    })
}

impl SenderReport<'_> {
    pub(crate) fn blocks(&self) -> impl Iterator<Item = ReportBlock> {
        report_blocks(self.blocks)
    }
}

impl ReceiverReport<'_> {
    pub(crate) fn blocks(&self) -> impl Iterator<Item = ReportBlock> {
        report_blocks(self.blocks)
    }
}

impl Nack<'_> {
    /// The lost sequence numbers: each pair names one and, by bit, which of the 16 behind it.
    pub(crate) fn seqs(&self) -> impl Iterator<Item = SeqNo> {
        self.pairs.chunks_exact(4).flat_map(|pair| {
            let first = u16::from_be_bytes([pair[0], pair[1]]);
            let behind = u16::from_be_bytes([pair[2], pair[3]]);
            let following = (0..16).filter(move |bit| behind & (1 << bit) != 0).map(move |bit| first.wrapping_add(bit + 1));
            std::iter::once(first).chain(following).map(SeqNo)
        })
    }
}

impl Fir<'_> {
    /// The SSRCs of which a keyframe is wanted.
    pub(crate) fn ssrcs(&self) -> impl Iterator<Item = Ssrc> {
        self.entries.chunks_exact(8).filter_map(|entry| word(entry, 0)).map(Ssrc)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
