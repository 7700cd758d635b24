//! The VP8 payload descriptor (RFC 7741 §4.2) and the first byte of the frame (§4.3), which stays clear under end-to-end
//! encryption.

use super::PayloadSummary;
use super::picture_ids::{PictureIds, Places, read_picture_id};

/// What the descriptor says, and where its counters lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Descriptor {
    starts_frame: bool,
    temporal: Option<u8>,
    ids: PictureIds,
    pub(super) places: Places,
    len: usize,
}

impl Descriptor {
    /// Reads the descriptor. `None` when it runs over the end of the payload or nothing follows it.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let &first = payload.first()?;
        let starts_frame = first & 0x10 != 0 && first & 0x0f == 0;
        let mut descriptor = Self { starts_frame, temporal: None, ids: PictureIds::default(), places: Places::default(), len: 1 };
        if first & 0x80 != 0 {
            descriptor.read_extension(payload)?;
        }
        (payload.len() > descriptor.len).then_some(descriptor)
    }

    fn read_extension(&mut self, payload: &[u8]) -> Option<()> {
        let &flags = payload.get(1)?;
        self.len = 2;
        if flags & 0x80 != 0 {
            let (id, next) = read_picture_id(payload, self.len)?;
            self.ids.picture_id = Some(id);
            self.places.picture_id = Some((self.len, id.width));
            self.len = next;
        }
        if flags & 0x40 != 0 {
            self.ids.tl0 = Some(*payload.get(self.len)?);
            self.places.tl0 = Some(self.len);
            self.len += 1;
        }
        if flags & 0x30 != 0 {
            let &byte = payload.get(self.len)?;
            self.temporal = (flags & 0x20 != 0).then_some(byte >> 6);
            if flags & 0x10 != 0 {
                self.ids.key_index = Some(byte & 0x1f);
                self.places.key_index = Some(self.len);
            }
            self.len += 1;
        }
        Some(())
    }
}

/// A keyframe starts where partition 0 starts and the frame's inverse key bit is 0.
pub(super) fn inspect(payload: &[u8]) -> Option<PayloadSummary> {
    let descriptor = Descriptor::parse(payload)?;
    let &frame = payload.get(descriptor.len)?;
    Some(PayloadSummary {
        keyframe_start: descriptor.starts_frame && frame & 1 == 0,
        frame_start: descriptor.starts_frame,
        temporal: descriptor.temporal,
        spatial: None,
        ids: descriptor.ids,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{PictureId, PictureIdWidth};

    const START: u8 = 0x10;
    const EXTENDED: u8 = 0x80;

    #[test]
    fn a_keyframe_starts_with_partition_0_and_a_clear_key_bit() {
        assert!(inspect(&[START, 0x50]).expect("valid").keyframe_start);
        assert!(!inspect(&[START, 0x51]).expect("valid").keyframe_start, "an interframe");
        assert!(!inspect(&[0, 0x50]).expect("valid").keyframe_start, "the middle of a partition");
        assert!(!inspect(&[START | 1, 0x50]).expect("valid").keyframe_start, "another partition");
        assert!(inspect(&[START | 0x20, 0x50]).expect("valid").keyframe_start, "the non-reference bit does not matter");
    }

    #[test]
    fn a_frame_starts_without_being_a_keyframe() {
        let summary = inspect(&[START, 1]).expect("valid");
        assert!(summary.frame_start && !summary.keyframe_start);
        assert!(!inspect(&[START | 3, 1]).expect("valid").frame_start);
    }

    #[test]
    fn the_full_extension_is_read() {
        let payload = [EXTENDED | START, 0xf0, 0x92, 0x34, 77, 0b1010_0111, 0x50];
        let summary = inspect(&payload).expect("valid");
        assert!(summary.keyframe_start);
        assert_eq!(summary.temporal, Some(2));
        assert_eq!(summary.ids.picture_id, Some(PictureId::new(0x1234, PictureIdWidth::Bits15)));
        assert_eq!((summary.ids.tl0, summary.ids.key_index), (Some(77), Some(7)));
    }

    #[test]
    fn each_optional_field_is_read_alone() {
        let only_picture_id = inspect(&[EXTENDED, 0x80, 0x12, 0]).expect("valid");
        assert_eq!(only_picture_id.ids.picture_id, Some(PictureId::new(0x12, PictureIdWidth::Bits7)));
        assert_eq!(only_picture_id.ids.tl0, None);
        let only_tl0 = inspect(&[EXTENDED, 0x40, 9, 0]).expect("valid");
        assert_eq!((only_tl0.ids.tl0, only_tl0.temporal), (Some(9), None));
        let only_temporal = inspect(&[EXTENDED, 0x20, 0x5f, 0]).expect("valid");
        assert_eq!((only_temporal.temporal, only_temporal.ids.key_index), (Some(1), None));
        let only_key_index = inspect(&[EXTENDED, 0x10, 0x5f, 0]).expect("valid");
        assert_eq!((only_key_index.temporal, only_key_index.ids.key_index), (None, Some(31)));
    }

    #[test]
    fn a_descriptor_cut_anywhere_is_refused() {
        let payload = [EXTENDED | START, 0xf0, 0x92, 0x34, 77, 0x27, 0x50];
        for len in 0..payload.len() {
            assert_eq!(inspect(&payload[..len]), None, "{len} bytes");
        }
    }
}
