//! The AV1 aggregation header (AV1 RTP specification §4.4): one byte that stays clear under end-to-end encryption.
//!
//! A new coded video sequence begins with a keyframe and its sequence header, so its N bit marks where a decoder can begin.

use super::PayloadSummary;

const CONTINUES_OBU: u8 = 0x80;
const NEW_SEQUENCE: u8 = 0x08;

/// `None` for a payload without an OBU, and for a new sequence that claims to continue an OBU, which the format forbids.
pub(super) fn inspect(payload: &[u8]) -> Option<PayloadSummary> {
    let (&header, obus) = payload.split_first()?;
    let (continues, new_sequence) = (header & CONTINUES_OBU != 0, header & NEW_SEQUENCE != 0);
    if obus.is_empty() || (continues && new_sequence) {
        return None;
    }
    Some(PayloadSummary { keyframe_start: new_sequence, frame_start: !continues, ..PayloadSummary::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_sequence_is_a_keyframe() {
        let summary = inspect(&[NEW_SEQUENCE | 0x20, 1]).expect("valid");
        assert!(summary.keyframe_start && summary.frame_start);
    }

    #[test]
    fn a_packet_that_begins_an_obu_may_begin_a_frame() {
        let summary = inspect(&[0x10, 1]).expect("valid");
        assert!(!summary.keyframe_start && summary.frame_start);
    }

    #[test]
    fn the_continuation_of_an_obu_begins_nothing() {
        let summary = inspect(&[CONTINUES_OBU | 0x10, 1]).expect("valid");
        assert!(!summary.keyframe_start && !summary.frame_start);
    }

    #[test]
    fn a_header_without_obu_and_a_continued_new_sequence_are_refused() {
        assert_eq!(inspect(&[]), None);
        assert_eq!(inspect(&[NEW_SEQUENCE]), None);
        assert_eq!(inspect(&[CONTINUES_OBU | NEW_SEQUENCE, 1]), None);
    }
}
