//! Payload types and extension ids, as browsers number them.

use super::settings::Numbering;
use crate::codec::Codec;

/// Header-extension ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExtensionNumbers {
    pub(super) audio_level: u8,
    pub(super) twcc: u8,
    pub(super) mid: u8,
    pub(super) rid: u8,
    pub(super) repaired_rid: u8,
}

impl Numbering {
    pub(super) fn payload_type(self, codec: Codec) -> u8 {
        match (self, codec) {
            (Self::Chromium, Codec::Opus) => 111,
            (Self::Chromium, Codec::Vp8) => 96,
            (Self::Chromium, Codec::Vp9) => 98,
            (Self::Chromium, Codec::H264) => 108,
            (Self::Chromium, Codec::Av1) => 45,
            (Self::Firefox, Codec::Opus) => 109,
            (Self::Firefox, Codec::Vp8) => 120,
            (Self::Firefox, Codec::Vp9) => 121,
            (Self::Firefox, Codec::H264) => 126,
            (Self::Firefox, Codec::Av1) => 99,
        }
    }

    /// The payload type of a video codec's retransmissions.
    pub(super) fn rtx_payload_type(self, codec: Codec) -> Option<u8> {
        match (self, codec) {
            (_, Codec::Opus) => None,
            (Self::Firefox, Codec::Vp8) => Some(124),
            (Self::Firefox, Codec::Vp9) => Some(125),
            _ => Some(self.payload_type(codec) + 1),
        }
    }

    /// What a payload type stands for, and whether it is a retransmission.
    pub(super) fn codec(self, payload_type: u8) -> Option<(Codec, bool)> {
        Codec::ALL.into_iter().find_map(|codec| {
            let is_rtx = self.rtx_payload_type(codec) == Some(payload_type);
            (is_rtx || self.payload_type(codec) == payload_type).then_some((codec, is_rtx))
        })
    }

    pub(super) fn extensions(self) -> ExtensionNumbers {
        match self {
            Self::Chromium => ExtensionNumbers { audio_level: 1, twcc: 3, mid: 4, rid: 10, repaired_rid: 11 },
            Self::Firefox => ExtensionNumbers { audio_level: 1, twcc: 7, mid: 3, rid: 5, repaired_rid: 6 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_type_leads_back_to_its_codec() {
        for numbering in [Numbering::Chromium, Numbering::Firefox] {
            for codec in Codec::ALL {
                assert_eq!(numbering.codec(numbering.payload_type(codec)), Some((codec, false)));
                let rtx = numbering.rtx_payload_type(codec);
                assert!(rtx.is_none_or(|rtx| numbering.codec(rtx) == Some((codec, true))));
            }
            assert_eq!(numbering.codec(13), None);
        }
    }
}
