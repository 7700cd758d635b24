//! The codecs that are forwarded, and the little that the SFU reads of their payloads: where keyframes and frames start, and
//! the picture numbers that must run on when a seat switches its source.
//!
//! Reads only bytes that stay clear under end-to-end encryption: VP8 descriptor and frame byte 0, VP9 descriptor, H.264 NAL
//! headers, AV1 aggregation header. Never allocates, never panics; a malformed payload inspects as [`PayloadSummary::default`].

mod av1;
mod h264;
mod picture_ids;
mod set;
mod vp8;
mod vp9;

#[cfg(test)]
pub(crate) use picture_ids::PictureIdWidth;
pub(crate) use picture_ids::{PictureId, PictureIds};
pub(crate) use set::CodecSet;

use crate::units::ClockRate;

/// A codec by its RTP payload format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184, packetization mode 1.
    H264,
    /// AV1 RTP specification, version 1.0.
    Av1,
}

impl Codec {
    /// All codecs.
    pub(crate) const ALL: [Self; 5] = [Self::Opus, Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// The encoding name of `a=rtpmap`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
        }
    }

    /// The media clock.
    pub(crate) fn clock_rate(self) -> ClockRate {
        if self.is_audio() { ClockRate::OPUS } else { ClockRate::VIDEO }
    }

    /// Whether it carries sound.
    pub(crate) fn is_audio(self) -> bool {
        matches!(self, Self::Opus)
    }
}

/// What one payload says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PayloadSummary {
    /// A decoder that knows nothing can begin with this packet.
    pub(crate) keyframe_start: bool,
    /// A frame may begin with this packet. Certain for VP8 and VP9; for H.264 and AV1 a NAL or OBU begins, which may be a later
    /// one of the frame.
    pub(crate) frame_start: bool,
    /// The temporal layer, where the descriptor says it.
    pub(crate) temporal: Option<u8>,
    /// The spatial layer, where the descriptor says it.
    pub(crate) spatial: Option<u8>,
    /// The picture numbers.
    pub(crate) ids: PictureIds,
}

/// Reads a payload once for everything that forwarding needs.
pub(crate) fn inspect(codec: Codec, payload: &[u8]) -> PayloadSummary {
    let summary = match codec {
        Codec::Opus => {
            (!payload.is_empty()).then(|| PayloadSummary { keyframe_start: true, frame_start: true, ..PayloadSummary::default() })
        }
        Codec::Vp8 => vp8::inspect(payload),
        Codec::Vp9 => vp9::inspect(payload),
        Codec::H264 => h264::inspect(payload),
        Codec::Av1 => av1::inspect(payload),
    };
    summary.unwrap_or_default()
}

/// Whether a decoder that knows nothing can begin with this packet. Every packet of sound is such a beginning.
pub(crate) fn is_keyframe_start(codec: Codec, payload: &[u8]) -> bool {
    inspect(codec, payload).keyframe_start
}

/// The picture numbers of a payload; none for codecs that have none.
pub(crate) fn picture_ids(codec: Codec, payload: &[u8]) -> PictureIds {
    inspect(codec, payload).ids
}

/// Writes picture numbers in place of those in the payload, each in the width that it has on the wire. A number that the
/// payload does not carry, or that `ids` lacks, is left alone.
pub(crate) fn rewrite_picture_ids(codec: Codec, payload: &mut [u8], ids: PictureIds) {
    let places = match codec {
        Codec::Vp8 => vp8::Descriptor::parse(payload).map(|descriptor| descriptor.places),
        Codec::Vp9 => vp9::Descriptor::parse(payload).map(|descriptor| descriptor.places),
        Codec::Opus | Codec::H264 | Codec::Av1 => None,
    };
    if let Some(places) = places {
        places.write(payload, ids);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_opus_is_sound() {
        let audio: Vec<_> = Codec::ALL.into_iter().filter(|codec| codec.is_audio()).collect();
        assert_eq!(audio, [Codec::Opus]);
        assert_eq!(Codec::Opus.clock_rate(), ClockRate::OPUS);
        assert_eq!(Codec::Av1.clock_rate(), ClockRate::VIDEO);
    }

    #[test]
    fn an_empty_payload_starts_nothing_in_any_codec() {
        for codec in Codec::ALL {
            assert_eq!(inspect(codec, &[]), PayloadSummary::default());
            assert!(!is_keyframe_start(codec, &[]));
        }
    }

    #[test]
    fn every_packet_of_sound_is_a_beginning() {
        assert!(is_keyframe_start(Codec::Opus, &[0xff]));
        assert_eq!(picture_ids(Codec::Opus, &[0xff, 1, 2, 3]), PictureIds::default());
    }

    fn any_codec() -> impl Strategy<Value = Codec> {
        prop::sample::select(Codec::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn rewriting_changes_the_numbers_and_nothing_else(
            codec in any_codec(), payload in prop::collection::vec(any::<u8>(), 0..40),
            picture_id in 0_u16..0x8000, tl0: u8, key_index in 0_u8..32,
        ) {
            let before = inspect(codec, &payload);
            let width = before.ids.picture_id.map_or(PictureIdWidth::Bits15, |id| id.width);
            let picture_id = Some(PictureId::new(picture_id, width));
            let ids = PictureIds { picture_id, tl0: Some(tl0), key_index: Some(key_index) };
            let mut rewritten = payload.clone();
            rewrite_picture_ids(codec, &mut rewritten, ids);
            let after = inspect(codec, &rewritten);
            prop_assert_eq!(PayloadSummary { ids: before.ids, ..after }, before);
            prop_assert_eq!(after.ids.picture_id, before.ids.picture_id.and(ids.picture_id));
            prop_assert_eq!(after.ids.tl0, before.ids.tl0.and(ids.tl0));
            prop_assert_eq!(after.ids.key_index, before.ids.key_index.and(ids.key_index));
            rewrite_picture_ids(codec, &mut rewritten, before.ids);
            prop_assert_eq!(rewritten, payload);
        }

        #[test]
        fn a_prefix_of_a_payload_never_claims_other_numbers(
            codec in any_codec(), payload in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let whole = picture_ids(codec, &payload);
            for len in 0..payload.len() {
                let ids = picture_ids(codec, &payload[..len]);
                prop_assert!(ids == whole || ids == PictureIds::default());
            }
        }
    }
}
