use super::*;
use crate::synthetic::mark::Mark;
use crate::synthetic::payload::Ids;
use crate::synthetic::report::Faults;

fn frame(source: u32, number: u32, is_keyframe: bool) -> Assembled {
    let mark = Mark {
        source,
        layer: 0,
        is_keyframe,
        frame: number,
        reference: u8::from(!is_keyframe),
        index: 0,
        count: 1,
        captured_us: 0,
    };
    let head = Piece {
        codec: Codec::H264,
        timestamp: 0,
        marker: true,
        starts_frame: true,
        starts_keyframe: is_keyframe,
        ids: Ids::default(),
        mark,
    };
    Assembled { head, is_pure: true }
}

/// Judges frames 40 ms apart, with timestamps that fit.
fn judge(frames: &[Assembled]) -> VideoReport {
    let start = Instant::now();
    let (mut oracle, mut report) = (Oracle::default(), VideoReport::default());
    for (n, frame) in frames.iter().enumerate() {
        let head = Piece { timestamp: (3_600 * (n as u32 + 1)).wrapping_add(frame.head.timestamp), ..frame.head };
        let now = start + Duration::from_millis(40) * n as u32;
        oracle.judge(now, &Assembled { head, ..*frame }, Follows::Directly, &mut report);
    }
    report
}

#[test]
fn a_keyframe_and_what_refers_to_it_are_shown() {
    let report = judge(&[frame(1, 5, true), frame(1, 6, false), frame(1, 7, false)]);
    assert_eq!((report.shown, report.keyframes, report.faults), (3, 1, Faults::default()));
    assert_eq!(report.worst_drift_ms, 0);
}

#[test]
fn a_frame_without_its_reference_is_undecodable_and_so_is_anothers_without_a_keyframe() {
    assert_eq!(judge(&[frame(1, 5, true), frame(1, 7, false)]).faults.undecodable, 1);
    assert_eq!(judge(&[frame(1, 5, true), frame(2, 6, false)]).faults.undecodable, 1);
    let mut other_codec = frame(1, 6, false);
    other_codec.head.codec = Codec::Vp8;
    assert_eq!(judge(&[frame(1, 5, true), other_codec]).faults.undecodable, 1);
}

#[test]
fn an_unreferred_frame_may_be_left_out() {
    let mut skipping = frame(1, 7, false);
    skipping.head.mark.reference = 2;
    assert_eq!(judge(&[frame(1, 5, true), skipping]).faults, Faults::default());
}

#[test]
fn before_the_first_keyframe_nothing_is_shown_and_nobody_is_blamed() {
    let report = judge(&[frame(1, 5, false), frame(1, 6, true)]);
    assert_eq!((report.shown, report.awaiting_keyframe, report.faults), (1, 1, Faults::default()));
}

#[test]
fn an_old_keyframe_a_standing_timestamp_and_a_mixed_frame_are_faults() {
    assert_eq!(judge(&[frame(1, 5, true), frame(1, 4, true)]).faults.order, 1);
    let mut late = frame(1, 6, false);
    late.head.timestamp = 0_u32.wrapping_sub(3_600);
    assert_eq!(judge(&[frame(1, 5, true), late]).faults.timestamps, 1);
    assert_eq!(judge(&[frame(1, 5, true), Assembled { is_pure: false, ..frame(1, 6, false) }]).faults.mixed, 1);
}

#[test]
fn picture_ids_must_run_on_over_a_switch() {
    let numbered = |source, number, is_keyframe, picture_id, tl0| {
        let mut frame = frame(source, number, is_keyframe);
        frame.head.ids = Ids { picture_id: Some(picture_id), tl0: Some(tl0), temporal: 0 };
        frame
    };
    let first = numbered(1, 5, true, 0x7fff, 255);
    assert_eq!(judge(&[first, numbered(2, 900, true, 0, 0)]).faults, Faults::default());
    assert_eq!(judge(&[first, numbered(2, 900, true, 7, 0)]).faults.picture_ids, 1);
    assert_eq!(judge(&[first, numbered(2, 900, true, 0, 9)]).faults.picture_ids, 1);
}

#[test]
fn a_picture_that_stands_still_is_a_freeze_and_a_change_of_source_a_switch() {
    let start = Instant::now();
    let (mut oracle, mut report) = (Oracle::default(), VideoReport::default());
    for (n, ms) in [0, 40, 240].into_iter().enumerate() {
        let mut frame = frame(1 + n as u32 / 2, 5, true);
        frame.head.timestamp = ms * 90 + 1;
        oracle.judge(start + Duration::from_millis(ms.into()), &frame, Follows::AfterGap, &mut report);
    }
    assert_eq!((report.freezes, report.longest_gap, report.switches), (1, Duration::from_millis(200), 1));
}
