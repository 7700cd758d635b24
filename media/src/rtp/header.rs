//! The RTP header (RFC 3550 §5.1): reading it, and writing the one that subscribers get.
//!
//! [`RtpHeader`] is a `Copy` summary with offsets; it borrows nothing, so it can travel beside a packet that is changed in
//! place. Called for each packet in and out. A packet whose lengths do not fit is not RTP: parsing gives `None`.

use crate::rtp::extension::{Extensions, ONE_BYTE_PROFILE};
use crate::units::{PayloadType, RtpTimestamp, SeqNo, Ssrc};

/// The header without CSRCs and extension.
const FIXED_LEN: usize = 12;
/// The longest value of a one-byte extension element.
const MAX_ONE_BYTE_VALUE: usize = 16;

/// Where the extension block lies in the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExtensionBlock {
    profile: u16,
    start: u16,
    len: u16,
}

/// What an RTP header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RtpHeader {
    /// The marker bit: the last packet of a video frame, or the first audio after silence.
    pub(crate) marker: bool,
    /// The payload type.
    pub(crate) payload_type: PayloadType,
    /// The sequence number.
    pub(crate) seq: SeqNo,
    /// The media timestamp.
    pub(crate) timestamp: RtpTimestamp,
    /// The source.
    pub(crate) ssrc: Ssrc,
    /// Whether the packet ends with padding. Only true after it is opened: SRTP encrypts the padding with the payload.
    pub(crate) has_padding: bool,
    /// Contributing sources, at most 15.
    pub(crate) csrc_count: u8,
    /// Bytes before the payload.
    pub(crate) header_len: u16,
    /// The extension block, if there is one.
    pub(crate) extension: Option<ExtensionBlock>,
}

impl RtpHeader {
    /// Reads a header. `None` unless the version is 2 and every length fits into the packet.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let (&[first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3], _) = packet.split_first_chunk::<FIXED_LEN>()?;
        if first >> 6 != 2 {
            return None;
        }
        let csrc_count = first & 0x0f;
        let after_csrcs = FIXED_LEN + 4 * usize::from(csrc_count);
        let extension = if first & 0x10 != 0 { Some(ExtensionBlock::parse(packet, after_csrcs)?) } else { None };
        let header_len = extension.map_or(after_csrcs, |block| usize::from(block.start) + usize::from(block.len));
        if packet.len() < header_len {
            return None;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: PayloadType(second & 0x7f),
            seq: SeqNo(u16::from_be_bytes([s0, s1])),
            timestamp: RtpTimestamp(u32::from_be_bytes([t0, t1, t2, t3])),
            ssrc: Ssrc(u32::from_be_bytes([i0, i1, i2, i3])),
            has_padding: first & 0x20 != 0,
            csrc_count,
            header_len: u16::try_from(header_len).ok()?,
            extension,
        })
    }

    /// The extension elements. `packet` is the one that the header was read from.
    pub(crate) fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        let Some(block) = self.extension else { return Extensions::none() };
        let start = usize::from(block.start);
        let bytes = packet.get(start..start + usize::from(block.len));
        bytes.map_or_else(Extensions::none, |bytes| Extensions::new(block.profile, bytes))
    }
}

impl ExtensionBlock {
    fn parse(packet: &[u8], at: usize) -> Option<Self> {
        let (&[p0, p1, l0, l1], _) = packet.get(at..)?.split_first_chunk::<4>()?;
        let len = u16::from_be_bytes([l0, l1]).checked_mul(4)?;
        Some(Self { profile: u16::from_be_bytes([p0, p1]), start: u16::try_from(at + 4).ok()?, len })
    }
}

/// A payload without the padding that its last byte counts. `None` for a count of zero or one longer than the payload.
pub(crate) fn strip_padding(payload: &[u8]) -> Option<&[u8]> {
    let padding = usize::from(*payload.last()?);
    if padding == 0 {
        return None;
    }
    payload.get(..payload.len().checked_sub(padding)?)
}

/// An extension element to write in the one-byte form: id 1 to 14, 1 to 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutExtension<'a> {
    /// The id negotiated with the receiver.
    pub(crate) id: u8,
    /// The value.
    pub(crate) value: &'a [u8],
}

/// A header to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutHeader<'a> {
    /// The marker bit.
    pub(crate) marker: bool,
    /// The payload type of the receiver.
    pub(crate) payload_type: PayloadType,
    /// The rewritten sequence number.
    pub(crate) seq: SeqNo,
    /// The rewritten timestamp.
    pub(crate) timestamp: RtpTimestamp,
    /// The SSRC of the seat.
    pub(crate) ssrc: Ssrc,
    /// Contributing sources; the feed's id travels here.
    pub(crate) csrcs: &'a [u32],
    /// Extension elements.
    pub(crate) extensions: &'a [OutExtension<'a>],
    /// Bytes of padding that the caller appends after the payload; 0 for none.
    pub(crate) padding_bytes: u8,
}

/// Writes a header to the start of `out` and gives its length. `None`, with `out` in any state, when it does not fit or an
/// extension cannot be written in the one-byte form.
pub(crate) fn write_header(out: &mut [u8], header: &OutHeader<'_>) -> Option<usize> {
    let csrc_count = u8::try_from(header.csrcs.len()).ok().filter(|&count| count <= 15)?;
    let padding = if header.padding_bytes == 0 { 0 } else { 0x20 };
    let extension = if header.extensions.is_empty() { 0 } else { 0x10 };
    let [s0, s1] = header.seq.0.to_be_bytes();
    let [t0, t1, t2, t3] = header.timestamp.0.to_be_bytes();
    let [i0, i1, i2, i3] = header.ssrc.0.to_be_bytes();
    let second = (u8::from(header.marker) << 7) | (header.payload_type.0 & 0x7f);
    let (fixed, mut rest) = out.split_first_chunk_mut::<FIXED_LEN>()?;
    *fixed = [0x80 | padding | extension | csrc_count, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3];
    for csrc in header.csrcs {
        let (slot, after) = rest.split_first_chunk_mut::<4>()?;
        *slot = csrc.to_be_bytes();
        rest = after;
    }
    let written = FIXED_LEN + 4 * header.csrcs.len();
    if header.extensions.is_empty() {
        return Some(written);
    }
    Some(written + write_one_byte_extensions(rest, header.extensions)?)
}

fn write_one_byte_extensions(out: &mut [u8], extensions: &[OutExtension<'_>]) -> Option<usize> {
    let (head, block) = out.split_first_chunk_mut::<4>()?;
    let mut len = 0;
    for extension in extensions {
        let value = extension.value;
        if !(1..=14).contains(&extension.id) || value.is_empty() || value.len() > MAX_ONE_BYTE_VALUE {
            return None;
        }
        let (first, slot) = block.get_mut(len..len + 1 + value.len())?.split_first_mut()?;
        *first = (extension.id << 4) | (u8::try_from(value.len() - 1).ok()? & 0x0f);
        slot.copy_from_slice(value);
        len += 1 + value.len();
    }
    let padded = len.next_multiple_of(4);
    block.get_mut(len..padded)?.fill(0);
    let [p0, p1] = ONE_BYTE_PROFILE.to_be_bytes();
    let [l0, l1] = u16::try_from(padded / 4).ok()?.to_be_bytes();
    *head = [p0, p1, l0, l1];
    Some(4 + padded)
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
