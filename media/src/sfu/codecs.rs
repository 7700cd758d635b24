//! Which codec a publisher is told to send: a pure decision from its own order and what everybody in the room decodes.

use crate::codec::CodecSet;
use crate::transport::CodecEntry;

/// The publisher's first choice that everybody decodes, else its first choice: then those who lack it see nothing, which no choice
/// could prevent.
pub(crate) fn choose(preferred: &[CodecEntry], decodable: CodecSet) -> Option<&CodecEntry> {
    preferred.iter().find(|entry| decodable.contains(entry.codec)).or_else(|| preferred.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    fn entry(codec: Codec) -> CodecEntry {
        CodecEntry { codec, payload_type: 96 + codec as u8, rtx_payload_type: None, fmtp: String::new() }
    }

    #[test]
    fn the_publisher_sends_its_first_choice_that_everybody_decodes() {
        let preferred = [entry(Codec::H264), entry(Codec::Vp8), entry(Codec::Av1)];
        let chosen = |set: &[Codec]| choose(&preferred, set.iter().copied().collect()).map(|entry| entry.codec);
        assert_eq!(chosen(&[Codec::Vp8, Codec::H264]), Some(Codec::H264));
        assert_eq!(chosen(&[Codec::Vp8, Codec::Av1]), Some(Codec::Vp8));
        assert_eq!(chosen(&[Codec::Vp9]), Some(Codec::H264), "nothing fits: the first choice serves those it can");
        assert_eq!(choose(&[], CodecSet::ALL), None);
    }
}
