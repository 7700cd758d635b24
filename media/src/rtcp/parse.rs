//! Reads compound packets (RFC 3550 §6.1, reduced ones of RFC 5506) without copying.
//!
//! Called with opened SRTCP only. A length that does not fit, another version or padding in the wrong place ends the walk; what
//! came before it stands. A packet too short for its type is [`Rtcp::Other`].

use super::{
    BLOCK_BYTES, BYE, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, FORMAT_TWCC, PAYLOAD_FEEDBACK, RECEIVER_REPORT, ReportBlock,
    SENDER_REPORT, TRANSPORT_FEEDBACK,
};
use crate::units::{NtpTime, RtpTimestamp, SeqNo, Ssrc};

/// Packets read of one datagram. Browsers send up to ten; a datagram of empty packets is an attack.
const MAX_PACKETS: usize = 64;
/// Bytes of an RTCP header.
const HEADER_BYTES: usize = 4;

/// One packet of a compound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rtcp<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport(SenderReport<'a>),
    /// RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReport<'a>),
    /// RFC 4585 §6.2.1.
    Nack(Nack<'a>),
    /// RFC 4585 §6.3.1.
    Pli {
        /// Whose keyframe is wanted.
        media_ssrc: Ssrc,
    },
    /// RFC 5104 §4.3.1.
    Fir(Fir<'a>),
    /// RFC 3550 §6.6: the first source that leaves.
    Bye {
        /// Who.
        ssrc: Ssrc,
    },
    /// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): the bytes behind the two SSRCs.
    TransportWide {
        /// Base, count, reference time, chunks and deltas.
        feedback: &'a [u8],
    },
    /// Anything else, or too short for its type.
    Other {
        /// The packet type.
        packet_type: u8,
    },
}

/// A sender report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SenderReport<'a> {
    /// Who sends.
    pub(crate) ssrc: Ssrc,
    /// The sender's wall clock.
    pub(crate) ntp: NtpTime,
    /// The media clock at the same moment.
    pub(crate) rtp_timestamp: RtpTimestamp,
    /// Packets sent so far.
    pub(crate) packets: u32,
    /// Payload octets sent so far.
    pub(crate) octets: u32,
    blocks: Blocks<'a>,
}

impl SenderReport<'_> {
    /// How the sender receives others.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = ReportBlock> {
        self.blocks.iter()
    }
}

/// A receiver report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReceiverReport<'a> {
    /// Who reports.
    pub(crate) ssrc: Ssrc,
    blocks: Blocks<'a>,
}

impl ReceiverReport<'_> {
    /// How others are received.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = ReportBlock> {
        self.blocks.iter()
    }
}

/// A request for lost packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Nack<'a> {
    /// Of which source.
    pub(crate) media_ssrc: Ssrc,
    entries: &'a [u8],
}

impl<'a> Nack<'a> {
    /// The lost numbers: at most 17 for each four bytes of the packet.
    pub(crate) fn seqs(&self) -> impl Iterator<Item = SeqNo> + use<'a> {
        let entries = self.entries.as_chunks::<4>().0.iter();
        entries.flat_map(|&[p0, p1, b0, b1]| {
            let (first, bits) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([b0, b1]));
            let following = (0..16).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| first.wrapping_add(bit + 1));
            std::iter::once(first).chain(following).map(SeqNo)
        })
    }
}

/// A full intra request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fir<'a> {
    entries: &'a [u8],
}

impl<'a> Fir<'a> {
    /// The sources whose keyframe is wanted.
    pub(crate) fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.entries.as_chunks::<8>().0.iter().map(|&[s0, s1, s2, s3, ..]| Ssrc(u32::from_be_bytes([s0, s1, s2, s3])))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Blocks<'a> {
    bytes: &'a [u8],
}

impl<'a> Blocks<'a> {
    /// `None` when the packet is too short for its count.
    fn parse(bytes: &'a [u8], count: u8) -> Option<Self> {
        Some(Self { bytes: bytes.get(..usize::from(count) * BLOCK_BYTES)? })
    }

    fn iter(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.bytes.as_chunks::<BLOCK_BYTES>().0.iter().filter_map(|block| read_block(block))
    }
}

fn read_block(block: &[u8]) -> Option<ReportBlock> {
    let mut words = Words(block);
    let ssrc = Ssrc(words.next()?);
    let loss = words.next()?;
    Some(ReportBlock {
        ssrc,
        fraction_lost: (loss >> 24) as u8,
        // The sign of 24 bits, by way of the top of 32.
        cumulative_lost: (loss << 8).cast_signed() >> 8,
        highest_seq: words.next()?,
        jitter: words.next()?,
        last_sender_report: words.next()?,
        delay_since_last_sender_report: words.next()?,
    })
}

/// Big-endian words from the start of some bytes.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }
}

/// The packets of one datagram.
#[derive(Clone, Debug)]
pub(crate) struct Compound<'a> {
    rest: &'a [u8],
    budget: usize,
}

impl<'a> Compound<'a> {
    /// Walks a datagram of opened RTCP.
    pub(crate) fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram, budget: MAX_PACKETS }
    }

    fn split(&mut self) -> Option<Rtcp<'a>> {
        let (&[first, packet_type, l0, l1], _) = self.rest.split_first_chunk::<HEADER_BYTES>()?;
        let len = HEADER_BYTES + 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (packet, rest) = self.rest.split_at_checked(len)?;
        if first >> 6 != 2 {
            return None;
        }
        self.rest = rest;
        let mut body = packet.get(HEADER_BYTES..)?;
        // RFC 3550 allows padding of whole words in the last packet only, but libwebrtc pads feedback to a word with it.
        if first & 0x20 != 0 {
            let padding = usize::from(*body.last()?);
            body = body.get(..body.len().checked_sub(padding)?).filter(|_| padding != 0)?;
        }
        Some(read(packet_type, first & 0x1f, body).unwrap_or(Rtcp::Other { packet_type }))
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Rtcp<'a>;

    fn next(&mut self) -> Option<Rtcp<'a>> {
        self.budget = self.budget.checked_sub(1)?;
        let packet = self.split();
        if packet.is_none() {
            self.budget = 0;
        }
        packet
    }
}

fn read(packet_type: u8, count: u8, body: &[u8]) -> Option<Rtcp<'_>> {
    let mut words = Words(body);
    let ssrc = Ssrc(words.next()?);
    match (packet_type, count) {
        (SENDER_REPORT, count) => {
            let ntp = NtpTime(u64::from(words.next()?) << 32 | u64::from(words.next()?));
            let rtp_timestamp = RtpTimestamp(words.next()?);
            let (packets, octets) = (words.next()?, words.next()?);
            let blocks = Blocks::parse(words.0, count)?;
            Some(Rtcp::SenderReport(SenderReport { ssrc, ntp, rtp_timestamp, packets, octets, blocks }))
        }
        (RECEIVER_REPORT, count) => Some(Rtcp::ReceiverReport(ReceiverReport { ssrc, blocks: Blocks::parse(words.0, count)? })),
        (BYE, 1..) => Some(Rtcp::Bye { ssrc }),
        (TRANSPORT_FEEDBACK, FORMAT_NACK) => Some(Rtcp::Nack(Nack { media_ssrc: Ssrc(words.next()?), entries: words.0 })),
        (TRANSPORT_FEEDBACK, FORMAT_TWCC) => {
            words.next()?;
            Some(Rtcp::TransportWide { feedback: words.0 })
        }
        (PAYLOAD_FEEDBACK, FORMAT_PLI) => Some(Rtcp::Pli { media_ssrc: Ssrc(words.next()?) }),
        (PAYLOAD_FEEDBACK, FORMAT_FIR) => {
            words.next()?;
            Some(Rtcp::Fir(Fir { entries: words.0 }))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
