//! AV1 (RTP payload format 1.0 §4.4): one frame OBU in as many packets as it takes; a keyframe has a sequence header before it.

use super::{Frame, Ids, Place, Unpacked};

const CONTINUES: u8 = 0x80;
const WILL_CONTINUE: u8 = 0x40;
const ONE_ELEMENT: u8 = 0x10;
const TWO_ELEMENTS: u8 = 0x20;
const NEW_SEQUENCE: u8 = 0x08;
/// OBU headers without extension and size: type 6, a frame.
const FRAME_OBU: u8 = 0x30;
/// A sequence header of 640 by 360 with its OBU header; the length in front.
const SEQUENCE_HEADER: [u8; 12] = [11, 0x08, 0, 0, 0, 0x04, 0x45, 0x7e, 0x3f, 0xff, 0xf3, 0x20];

pub(super) fn write_head(out: &mut Vec<u8>, frame: &Frame, place: Place) {
    let more = if place.is_last() { 0 } else { WILL_CONTINUE };
    if !place.is_first() {
        out.push(CONTINUES | more | ONE_ELEMENT);
        return;
    }
    if frame.mark.is_keyframe {
        out.push(more | TWO_ELEMENTS | NEW_SEQUENCE);
        out.extend_from_slice(&SEQUENCE_HEADER);
    } else {
        out.push(more | ONE_ELEMENT);
    }
    out.push(FRAME_OBU);
}

pub(super) fn unpack(payload: &[u8]) -> Option<Unpacked<'_>> {
    let (&header, mut rest) = payload.split_first()?;
    if header & 0x30 == TWO_ELEMENTS {
        let (&len, after) = rest.split_first()?;
        rest = after.get(usize::from(len)..)?;
    }
    let continues = header & CONTINUES != 0;
    let body = if continues { rest } else { rest.get(1..)? };
    let starts_keyframe = !continues && header & NEW_SEQUENCE != 0;
    Some(Unpacked { starts_frame: !continues, starts_keyframe, ids: Ids::default(), body })
}
