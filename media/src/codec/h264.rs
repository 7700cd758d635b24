//! The NAL unit headers of H.264 over RTP (RFC 6184 §5). The first byte of each NAL unit stays clear under end-to-end
//! encryption; nothing behind it is read.
//!
//! A keyframe starts with its sequence parameter set, not with the IDR slice: a decoder that is given a new source's IDR without
//! its parameter sets shows nothing, and every WebRTC encoder sends them before each IDR.

use super::PayloadSummary;

const NAL_SPS: u8 = 7;
const NAL_STAP_A: u8 = 24;
const NAL_FU_A: u8 = 28;
/// Single NAL units have types 1 to 23.
const NAL_SINGLE_MAX: u8 = 23;
/// NAL units looked at in one aggregation packet. A keyframe's has three; more than this is not from an encoder.
const MAX_AGGREGATED: usize = 16;

/// `None` for packet types that packetization mode 1 does not have.
pub(super) fn inspect(payload: &[u8]) -> Option<PayloadSummary> {
    let (&header, rest) = payload.split_first()?;
    let (frame_start, keyframe_start) = match nal_type(header) {
        single @ 1..=NAL_SINGLE_MAX => (true, single == NAL_SPS),
        NAL_STAP_A => (true, aggregates_sps(rest)?),
        NAL_FU_A => {
            let &fragment = rest.first()?;
            let starts = fragment & 0x80 != 0;
            (starts, starts && nal_type(fragment) == NAL_SPS)
        }
        _ => return None,
    };
    Some(PayloadSummary { keyframe_start, frame_start, ..PayloadSummary::default() })
}

fn nal_type(header: u8) -> u8 {
    header & 0x1f
}

/// Walks the units of a STAP-A. `None` when a length runs over the end or a unit is empty.
fn aggregates_sps(mut rest: &[u8]) -> Option<bool> {
    let mut found = false;
    for _ in 0..MAX_AGGREGATED {
        if rest.is_empty() {
            return Some(found);
        }
        let (&size, after) = rest.split_first_chunk::<2>()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(size)))?;
        found |= nal_type(*unit.first()?) == NAL_SPS;
        rest = after;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: u8 = 0x67;
    const PPS: u8 = 0x68;
    const IDR: u8 = 0x65;
    const SLICE: u8 = 0x41;
    const AUD: u8 = 0x09;
    const STAP_A: u8 = 0x78;
    const FU_A: u8 = 0x7c;

    fn starts_keyframe(payload: &[u8]) -> bool {
        inspect(payload).is_some_and(|summary| summary.keyframe_start)
    }

    #[test]
    fn a_keyframe_starts_with_its_parameter_sets_alone_or_aggregated() {
        assert!(starts_keyframe(&[SPS, 0x42]));
        assert!(starts_keyframe(&[STAP_A, 0, 2, SPS, 1, 0, 1, PPS]));
        assert!(starts_keyframe(&[STAP_A, 0, 1, AUD, 0, 2, SPS, 1, 0, 1, PPS]));
        assert!(starts_keyframe(&[FU_A, 0x80 | 7, 1]));
    }

    #[test]
    fn an_idr_slice_without_parameter_sets_is_no_place_to_switch() {
        assert!(!starts_keyframe(&[IDR, 1]));
        assert!(!starts_keyframe(&[FU_A, 0x80 | 5, 1]));
        assert!(!starts_keyframe(&[STAP_A, 0, 1, PPS, 0, 1, IDR]));
    }

    #[test]
    fn other_units_start_no_keyframe() {
        for payload in [&[SLICE, 1][..], &[PPS, 1], &[AUD, 1], &[FU_A, 7, 1], &[FU_A, 0x40 | 7, 1], &[FU_A, 0x80 | 1, 1]] {
            assert!(!starts_keyframe(payload), "{payload:?}");
        }
    }

    #[test]
    fn a_unit_begins_with_a_single_unit_or_the_first_fragment() {
        assert!(inspect(&[SLICE, 1]).expect("valid").frame_start);
        assert!(inspect(&[FU_A, 0x81]).expect("valid").frame_start);
        assert!(!inspect(&[FU_A, 0x01]).expect("valid").frame_start);
        assert!(!inspect(&[FU_A, 0x41]).expect("valid").frame_start, "the last fragment");
    }

    #[test]
    fn malformed_packets_and_other_packetization_modes_are_refused() {
        for payload in [&[][..], &[0], &[25, 1], &[29, 0x85, 1], &[31], &[FU_A]] {
            assert_eq!(inspect(payload), None, "{payload:?}");
        }
        assert_eq!(inspect(&[STAP_A, 0, 9, SPS]), None, "a length over the end");
        assert_eq!(inspect(&[STAP_A, 0]), None, "half a length");
        assert_eq!(inspect(&[STAP_A, 0, 0, 0, 1, SPS]), None, "an empty unit");
    }

    #[test]
    fn the_walk_over_aggregated_units_is_bounded() {
        let mut payload = vec![STAP_A];
        for _ in 0..MAX_AGGREGATED {
            payload.extend([0, 1, PPS]);
        }
        assert!(inspect(&payload).is_some());
        payload.extend([0, 1, SPS]);
        assert_eq!(inspect(&payload), None);
    }
}
