//! Frames as RTP payloads of each codec, and back. The clear bytes are those of the payload formats; what would be coded picture is
//! a [`Mark`] and filler.
//!
//! Reading is written apart from `crate::codec` on purpose: it is the decoder's view, and judges what the server did to the bytes.

mod av1;
mod h264;
mod vp8;
mod vp9;

use super::mark::Mark;
use crate::codec::Codec;

/// Payload bytes of a full packet: what libwebrtc fills at an MTU of 1,200.
const MAX_PAYLOAD_BYTES: usize = 1_150;
/// Packets of the largest frame; a larger frame is cut.
const MAX_PACKETS: usize = 200;
/// The smallest payload that holds descriptor and mark of any codec.
const MIN_PAYLOAD_BYTES: usize = 64;

/// A frame to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) codec: Codec,
    /// Of all packets; their own place in the frame is filled in here.
    pub(super) mark: Mark,
    pub(super) ids: Ids,
    pub(super) key_index: u8,
    pub(super) size_bytes: usize,
}

/// The numbers that the descriptor of VP8 and VP9 carries, of which H.264 and AV1 have none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ids {
    /// 15 bits.
    pub(super) picture_id: Option<u16>,
    pub(super) tl0: Option<u8>,
    pub(super) temporal: u8,
}

/// A payload as a decoder reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unpacked<'a> {
    /// Whether a frame may begin here.
    pub(super) starts_frame: bool,
    /// Whether a decoder that knows nothing can begin here.
    pub(super) starts_keyframe: bool,
    pub(super) ids: Ids,
    /// Where the mark begins.
    pub(super) body: &'a [u8],
}

/// One packet's place in its frame.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    count: usize,
}

impl Place {
    fn is_first(self) -> bool {
        self.index == 0
    }

    fn is_last(self) -> bool {
        self.index + 1 == self.count
    }
}

/// Splits a frame as browsers do: packets of one size, the last ones at most a byte longer. Gives each payload, and whether it is the last.
pub(super) fn packetise(frame: &Frame, scratch: &mut Vec<u8>, mut emit: impl FnMut(&[u8], bool)) {
    let has_parameter_sets = frame.codec == Codec::H264 && frame.mark.is_keyframe;
    let extra = usize::from(has_parameter_sets);
    let slices = frame.size_bytes.div_ceil(MAX_PAYLOAD_BYTES).clamp(1, MAX_PACKETS);
    let place = |index| Place { index, count: slices };
    let mark = |index: usize| Mark { index: (index & 0xff) as u8, count: ((slices + extra) & 0xff) as u8, ..frame.mark };
    if has_parameter_sets {
        scratch.clear();
        h264::write_parameter_sets(scratch, &mark(0));
        emit(scratch, false);
    }
    let size = frame.size_bytes.min(slices * MAX_PAYLOAD_BYTES);
    for index in 0..slices {
        // The longer ones come last, as libwebrtc splits.
        let longer = usize::from(index >= slices - size % slices);
        let len = (size / slices + longer).max(MIN_PAYLOAD_BYTES);
        scratch.clear();
        match frame.codec {
            Codec::Vp8 => vp8::write_head(scratch, frame, place(index)),
            Codec::Vp9 => vp9::write_head(scratch, frame, place(index)),
            Codec::H264 => h264::write_head(scratch, frame, place(index)),
            Codec::Av1 => av1::write_head(scratch, frame, place(index)),
            Codec::Opus => scratch.push(0x78),
        }
        mark(index + extra).write(scratch);
        scratch.resize(len.max(scratch.len()), 0x5a);
        emit(scratch, index + 1 == slices);
    }
}

/// Reads a payload. `None` when a decoder would not understand it.
pub(super) fn unpack(codec: Codec, payload: &[u8]) -> Option<Unpacked<'_>> {
    match codec {
        Codec::Vp8 => vp8::unpack(payload),
        Codec::Vp9 => vp9::unpack(payload),
        Codec::H264 => h264::unpack(payload),
        Codec::Av1 => av1::unpack(payload),
        Codec::Opus => {
            let body = payload.get(1..)?;
            Some(Unpacked { starts_frame: true, starts_keyframe: true, ids: Ids::default(), body })
        }
    }
}

/// Reads a 15-bit picture id, and what follows it.
fn read_picture_id(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return Some((u16::from(first), rest));
    }
    let (&second, rest) = rest.split_first()?;
    Some((u16::from_be_bytes([first & 0x7f, second]), rest))
}

fn write_picture_id(out: &mut Vec<u8>, id: u16) {
    out.extend_from_slice(&(id | 0x8000).to_be_bytes());
}

#[cfg(test)]
mod tests;
