//! The VP9 payload descriptor (RFC 9628 §4.2). All of it stays clear under end-to-end encryption; the payload behind it is
//! never read.

use super::PayloadSummary;
use super::picture_ids::{PictureIds, Places, read_picture_id};

/// What the descriptor says, and where its counters lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Descriptor {
    inter_predicted: bool,
    starts_frame: bool,
    layer: Option<Layer>,
    ids: PictureIds,
    pub(super) places: Places,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Layer {
    temporal: u8,
    spatial: u8,
}

impl Descriptor {
    /// Reads the descriptor up to TL0PICIDX. `None` when that runs over the end of the payload.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let &flags = payload.first()?;
        let mut descriptor = Self {
            inter_predicted: flags & 0x40 != 0,
            starts_frame: flags & 0x08 != 0,
            layer: None,
            ids: PictureIds::default(),
            places: Places::default(),
        };
        let mut at = 1;
        if flags & 0x80 != 0 {
            let (id, next) = read_picture_id(payload, at)?;
            descriptor.ids.picture_id = Some(id);
            descriptor.places.picture_id = Some((at, id.width));
            at = next;
        }
        if flags & 0x20 != 0 {
            let &layer = payload.get(at)?;
            descriptor.layer = Some(Layer { temporal: layer >> 5, spatial: (layer >> 1) & 7 });
            let flexible = flags & 0x10 != 0;
            if !flexible {
                descriptor.ids.tl0 = Some(*payload.get(at + 1)?);
                descriptor.places.tl0 = Some(at + 1);
            }
        }
        Some(descriptor)
    }
}

/// A keyframe starts with the first packet of the lowest spatial layer of a picture that is predicted from no other.
pub(super) fn inspect(payload: &[u8]) -> Option<PayloadSummary> {
    let descriptor = Descriptor::parse(payload)?;
    let spatial = descriptor.layer.map(|layer| layer.spatial);
    let starts_picture = descriptor.starts_frame && spatial.unwrap_or(0) == 0;
    Some(PayloadSummary {
        keyframe_start: starts_picture && !descriptor.inter_predicted,
        frame_start: starts_picture,
        temporal: descriptor.layer.map(|layer| layer.temporal),
        spatial,
        ids: descriptor.ids,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{PictureId, PictureIdWidth};

    const PICTURE_ID: u8 = 0x80;
    const PREDICTED: u8 = 0x40;
    const LAYERS: u8 = 0x20;
    const FLEXIBLE: u8 = 0x10;
    const BEGIN: u8 = 0x08;

    #[test]
    fn a_keyframe_starts_where_an_unpredicted_picture_begins() {
        assert!(inspect(&[BEGIN]).expect("valid").keyframe_start);
        assert!(!inspect(&[BEGIN | PREDICTED]).expect("valid").keyframe_start);
        assert!(!inspect(&[0]).expect("valid").keyframe_start, "not its first packet");
    }

    #[test]
    fn an_upper_spatial_layer_does_not_start_a_keyframe() {
        let summary = inspect(&[BEGIN | LAYERS, 0b0100_0011, 5]).expect("valid");
        assert!(!summary.keyframe_start && !summary.frame_start);
        assert_eq!((summary.temporal, summary.spatial), (Some(2), Some(1)));
        assert!(inspect(&[BEGIN | LAYERS, 0, 5]).expect("valid").keyframe_start);
    }

    #[test]
    fn tl0_is_there_in_non_flexible_mode_only() {
        let payload = [PICTURE_ID | LAYERS | BEGIN, 0x92, 0x34, 0, 55];
        let ids = inspect(&payload).expect("valid").ids;
        assert_eq!(ids.picture_id, Some(PictureId::new(0x1234, PictureIdWidth::Bits15)));
        assert_eq!(ids.tl0, Some(55));
        let flexible = [PICTURE_ID | LAYERS | FLEXIBLE | BEGIN, 0x12, 0, 55];
        let ids = inspect(&flexible).expect("valid").ids;
        assert_eq!(ids.picture_id, Some(PictureId::new(0x12, PictureIdWidth::Bits7)));
        assert_eq!(ids.tl0, None);
    }

    #[test]
    fn a_descriptor_cut_anywhere_is_refused() {
        let payload = [PICTURE_ID | LAYERS | BEGIN, 0x92, 0x34, 0, 55];
        for len in 0..payload.len() {
            assert_eq!(inspect(&payload[..len]), None, "{len} bytes");
        }
    }
}
