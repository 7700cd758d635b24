//! VP8 (RFC 7741 §4.2, §4.3): descriptor with 15-bit picture id, TL0PICIDX, TID and KEYIDX, as libwebrtc writes it.

use super::{Frame, Ids, Place, Unpacked, read_picture_id, write_picture_id};

const EXTENDED: u8 = 0x80;
const NON_REFERENCE: u8 = 0x20;
const STARTS_PARTITION: u8 = 0x10;
const HAS_ALL: u8 = 0xf0;

pub(super) fn write_head(out: &mut Vec<u8>, frame: &Frame, place: Place) {
    let start = if place.is_first() { STARTS_PARTITION } else { 0 };
    let reference = if frame.ids.temporal > 0 { NON_REFERENCE } else { 0 };
    out.extend_from_slice(&[EXTENDED | start | reference, HAS_ALL]);
    write_picture_id(out, frame.ids.picture_id.unwrap_or_default());
    let layer_sync = 0x20;
    out.extend_from_slice(&[
        frame.ids.tl0.unwrap_or_default(),
        frame.ids.temporal << 6 | layer_sync | frame.key_index & 0x1f,
        // The frame tag's first byte: its lowest bit is 0 for a keyframe. Behind the first packet it is coded picture.
        if place.is_first() && frame.mark.is_keyframe { 0x10 } else { 0x11 },
    ]);
}

pub(super) fn unpack(payload: &[u8]) -> Option<Unpacked<'_>> {
    let (&first, mut rest) = payload.split_first()?;
    let mut ids = Ids::default();
    if first & EXTENDED != 0 {
        let (&flags, after) = rest.split_first()?;
        rest = after;
        if flags & 0x80 != 0 {
            let (id, after) = read_picture_id(rest)?;
            (ids.picture_id, rest) = (Some(id), after);
        }
        if flags & 0x40 != 0 {
            let (&tl0, after) = rest.split_first()?;
            (ids.tl0, rest) = (Some(tl0), after);
        }
        if flags & 0x30 != 0 {
            let (&byte, after) = rest.split_first()?;
            (ids.temporal, rest) = (byte >> 6, after);
        }
    }
    let (&tag, body) = rest.split_first()?;
    let starts_frame = first & STARTS_PARTITION != 0 && first & 0x0f == 0;
    Some(Unpacked { starts_frame, starts_keyframe: starts_frame && tag & 1 == 0, ids, body })
}
