//! H.264 (RFC 6184), packetization mode 1, as libwebrtc sends it: a keyframe is a short STAP-A with the parameter sets and an IDR
//! slice behind it; what does not fit into one packet goes as FU-A.

use super::{Frame, Ids, Mark, Place, Unpacked};
use crate::synthetic::mark::MARK_BYTES;

const SPS: u8 = 0x67;
const PPS: u8 = 0x68;
const IDR: u8 = 0x65;
const SLICE: u8 = 0x61;
const STAP_A: u8 = 0x78;
const FU_A: u8 = 0x7c;
const FU_START: u8 = 0x80;
const FU_END: u8 = 0x40;

/// The mark lies in the sequence parameter set.
pub(super) fn write_parameter_sets(out: &mut Vec<u8>, mark: &Mark) {
    out.extend_from_slice(&[STAP_A, 0, (1 + MARK_BYTES) as u8, SPS]);
    mark.write(out);
    out.extend_from_slice(&[0, 4, PPS, 0xce, 0x3c, 0x80]);
}

pub(super) fn write_head(out: &mut Vec<u8>, frame: &Frame, place: Place) {
    let unit = if frame.mark.is_keyframe { IDR } else { SLICE };
    if place.count == 1 {
        out.push(unit);
        return;
    }
    let start = if place.is_first() { FU_START } else { 0 };
    let end = if place.is_last() { FU_END } else { 0 };
    out.extend_from_slice(&[FU_A, start | end | unit & 0x1f]);
}

pub(super) fn unpack(payload: &[u8]) -> Option<Unpacked<'_>> {
    let (&header, rest) = payload.split_first()?;
    let (starts_frame, starts_keyframe, body) = match header & 0x1f {
        24 => {
            let (&[high, low, unit], after) = rest.split_first_chunk::<3>()?;
            let body = after.get(..usize::from(u16::from_be_bytes([high, low])).checked_sub(1)?)?;
            (true, unit & 0x1f == 7, body)
        }
        28 => {
            let (&fragment, body) = rest.split_first()?;
            (fragment & FU_START != 0, false, body)
        }
        1..24 => (true, header & 0x1f == 7, rest),
        _ => return None,
    };
    Some(Unpacked { starts_frame, starts_keyframe, ids: Ids::default(), body })
}
