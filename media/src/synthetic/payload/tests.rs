use super::*;
use crate::codec;

fn frame(codec: Codec, is_keyframe: bool, size_bytes: usize) -> Frame {
    let mark = Mark { source: 5, layer: 1, is_keyframe, frame: 77, reference: 1, index: 0, count: 0, captured_us: 123_456 };
    let has_ids = matches!(codec, Codec::Vp8 | Codec::Vp9);
    let ids = Ids { picture_id: has_ids.then_some(0x1234), tl0: has_ids.then_some(9), temporal: u8::from(has_ids) };
    Frame { codec, mark, ids, key_index: 3, size_bytes }
}

fn packets(frame: &Frame) -> Vec<(Vec<u8>, bool)> {
    let mut all = Vec::new();
    packetise(frame, &mut Vec::new(), |payload, is_last| all.push((payload.to_vec(), is_last)));
    all
}

const VIDEO: [Codec; 4] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

#[test]
fn a_frame_of_each_codec_is_read_back_as_it_was() {
    for codec in VIDEO {
        for (is_keyframe, size) in [(true, 9_000), (false, 3_000), (true, 100), (false, 100)] {
            let frame = frame(codec, is_keyframe, size);
            let packets = packets(&frame);
            for (at, (payload, is_last)) in packets.iter().enumerate() {
                let unpacked = unpack(codec, payload).expect("a packet of ours");
                let mark = Mark::read(unpacked.body).expect("a mark");
                assert_eq!(mark, Mark { index: at as u8, count: packets.len() as u8, ..frame.mark }, "{codec:?}");
                assert_eq!(unpacked.starts_keyframe, is_keyframe && at == 0, "{codec:?} packet {at}");
                assert_eq!(unpacked.ids, frame.ids);
                assert_eq!(*is_last, at + 1 == packets.len());
                assert!(at > 0 || unpacked.starts_frame);
            }
        }
    }
}

#[test]
fn the_server_reads_the_same_of_every_packet() {
    for codec in VIDEO {
        for is_keyframe in [true, false] {
            for (payload, _) in packets(&frame(codec, is_keyframe, 5_000)) {
                let (ours, servers) = (unpack(codec, &payload).expect("ours"), codec::inspect(codec, &payload));
                assert_eq!(servers.keyframe_start, ours.starts_keyframe, "{codec:?}");
                assert_eq!(servers.frame_start, ours.starts_frame, "{codec:?}");
                assert_eq!(servers.ids.picture_id.map(|id| id.value), ours.ids.picture_id);
                assert_eq!(servers.ids.tl0, ours.ids.tl0);
            }
        }
    }
}

#[test]
fn packets_of_a_frame_differ_by_a_byte_at_most_and_ascend() {
    for codec in VIDEO {
        for size in [1_151, 2_345, 10_007] {
            let packets = packets(&frame(codec, false, size));
            let sizes: Vec<usize> = packets.iter().map(|(payload, _)| payload.len()).collect();
            assert!(sizes.is_sorted() && sizes[sizes.len() - 1] - sizes[0] <= 1, "{codec:?}: {sizes:?}");
            assert_eq!(sizes.iter().sum::<usize>(), size);
        }
    }
}

#[test]
fn cut_payloads_are_refused_and_never_panic() {
    for codec in VIDEO {
        for (payload, _) in packets(&frame(codec, true, 2_000)) {
            for len in 0..20.min(payload.len()) {
                let mark = unpack(codec, &payload[..len]).and_then(|unpacked| Mark::read(unpacked.body));
                assert_eq!(mark, None);
            }
        }
    }
}
