//! VP9 (RFC 9628 §4.2): non-flexible mode, one spatial layer, 15-bit picture id, scalability structure on keyframes.

use super::{Frame, Ids, Place, Unpacked, read_picture_id, write_picture_id};

const HAS_PICTURE_ID: u8 = 0x80;
const PREDICTED: u8 = 0x40;
const HAS_LAYERS: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const HAS_STRUCTURE: u8 = 0x02;
/// One spatial layer, its size, no picture group: 640 by 360.
const STRUCTURE: [u8; 5] = [0x10, 0x02, 0x80, 0x01, 0x68];

pub(super) fn write_head(out: &mut Vec<u8>, frame: &Frame, place: Place) {
    let is_keyframe = frame.mark.is_keyframe;
    let has_structure = is_keyframe && place.is_first();
    let flag = |condition: bool, bit: u8| if condition { bit } else { 0 };
    let flags = flag(!is_keyframe, PREDICTED)
        | flag(place.is_first(), BEGINS)
        | flag(place.is_last(), ENDS)
        | flag(has_structure, HAS_STRUCTURE);
    out.push(HAS_PICTURE_ID | HAS_LAYERS | flags);
    write_picture_id(out, frame.ids.picture_id.unwrap_or_default());
    // TID, switching-up point, SID 0.
    out.extend_from_slice(&[frame.ids.temporal << 5 | 0x10, frame.ids.tl0.unwrap_or_default()]);
    if has_structure {
        out.extend_from_slice(&STRUCTURE);
    }
}

pub(super) fn unpack(payload: &[u8]) -> Option<Unpacked<'_>> {
    let (&flags, mut rest) = payload.split_first()?;
    let mut ids = Ids::default();
    if flags & FLEXIBLE != 0 {
        return None;
    }
    if flags & HAS_PICTURE_ID != 0 {
        let (id, after) = read_picture_id(rest)?;
        (ids.picture_id, rest) = (Some(id), after);
    }
    if flags & HAS_LAYERS != 0 {
        let (&[layers, tl0], after) = rest.split_first_chunk::<2>()?;
        (ids.temporal, ids.tl0, rest) = (layers >> 5, Some(tl0), after);
    }
    if flags & HAS_STRUCTURE != 0 {
        rest = rest.get(STRUCTURE.len()..)?;
    }
    let starts_frame = flags & BEGINS != 0;
    Some(Unpacked { starts_frame, starts_keyframe: starts_frame && flags & PREDICTED == 0, ids, body: rest })
}
