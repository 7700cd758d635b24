//! Rooms in which not everybody can decode everything.

use super::*;

fn without(codec: VideoCodec) -> Vec<VideoCodec> {
    VideoCodec::ALL.into_iter().filter(|other| *other != codec).collect()
}

#[test]
fn a_late_joiner_without_h264_makes_publishers_switch_and_nobodys_picture_stays_black() {
    let mut world = World::new(81);
    let mut keys: Vec<CallerKey> =
        (10..13).map(|source| world.join(ROOM, caller(source, VideoCodec::H264, 4), Network::delay_ms(NEAR))).collect();
    world.run_ms(3_000);
    assert_eq!(world.caller(keys[0]).synthetic.sends(), Some("H264"));
    let rest = without(VideoCodec::H264);
    let camera = Some(Camera::plain(&rest));
    let lacking = Settings { decodes: rest, camera, numbering: Numbering::Firefox, ..caller(20, VideoCodec::Vp8, 4) };
    keys.push(world.join(ROOM, lacking, Network::delay_ms(NEAR)));
    world.run_ms(1_500);
    for &viewer in &keys {
        assert_gapless(&world, viewer);
        for &of in keys.iter().filter(|of| **of != viewer) {
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "{viewer} sees {of}");
            assert!(video_of(&world, viewer, of).longest_gap < Duration::from_millis(200), "{viewer} sees {of} all the time");
        }
    }
    for key in &keys[..3] {
        assert_eq!(world.caller(*key).renegotiations, 1, "asked once");
        assert_eq!(world.caller(*key).synthetic.sends(), Some("VP8"), "the next in their order");
    }
}

#[test]
fn a_change_of_codec_over_a_lossy_network_is_followed_within_a_second() {
    let mut world = World::new(84);
    let publisher = world.join(ROOM, caller(10, VideoCodec::Vp8, 0), Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    let lossy = Network::delay_ms(NEAR).with_loss(Loss::Random { permille: 150 });
    world.set_network(publisher, lossy, Network::delay_ms(NEAR));
    for codec in VideoCodec::ALL.into_iter().cycle().skip(1).take(16) {
        world.with(publisher, |publisher, _| publisher.prefer(&preferring(codec)));
        world.offer(publisher).expect("a re-offer is answered");
        world.run_ms(1_000);
        let shown = world.caller(viewer).synthetic.video(0).last_shown.map(|shown| shown.codec);
        assert_eq!(shown, Some(codec.name()));
    }
    assert_no_fault(&world, viewer);
    let video = world.caller(viewer).synthetic.video(0);
    assert!(video.longest_gap < Duration::from_millis(1_000), "{:?}", video.longest_gap);
}

#[test]
fn when_the_one_who_lacked_a_codec_leaves_publishers_return_to_their_first_choice() {
    let mut world = World::new(82);
    let a = world.join(ROOM, caller(10, VideoCodec::H264, 2), Network::delay_ms(NEAR));
    let b = world.join(ROOM, caller(20, VideoCodec::H264, 2), Network::delay_ms(NEAR));
    let lacking = Settings { decodes: without(VideoCodec::H264), ..Settings::viewer(30, 2) };
    let c = world.join(ROOM, lacking, Network::delay_ms(NEAR));
    world.run_ms(2_000);
    assert_eq!(world.caller(a).synthetic.sends(), Some("VP8"));
    world.leave(c);
    world.run_ms(1_500);
    for (viewer, of) in [(a, b), (b, a)] {
        assert_gapless(&world, viewer);
        assert_eq!(world.caller(viewer).synthetic.sends(), Some("H264"));
        assert_eq!(video_of(&world, viewer, of).last_shown.map(|shown| shown.codec), Some("H264"));
    }
}

#[test]
fn who_can_decode_nothing_that_a_publisher_sends_does_not_darken_the_others() {
    let mut world = World::new(83);
    let only_h264 = Settings::caller(10, &[VideoCodec::H264], 3);
    let a = world.join(ROOM, only_h264, Network::delay_ms(NEAR));
    let b = world.join(ROOM, caller(20, VideoCodec::Vp8, 3), Network::delay_ms(NEAR));
    let c = world.join(ROOM, Settings { decodes: without(VideoCodec::H264), ..Settings::viewer(30, 3) }, Network::delay_ms(NEAR));
    world.run_ms(3_000);
    assert!(is_showing(&world, b, a, Duration::from_millis(100)));
    assert!(is_showing(&world, c, b, Duration::from_millis(100)));
    assert_eq!(video_of(&world, c, a).shown, 0);
    assert!(packets_from(&world, c, a) > 100, "but is heard");
    for viewer in [a, b, c] {
        assert_gapless(&world, viewer);
    }
    let asked = world.caller(a).renegotiations;
    assert!(asked <= 1, "asked {asked} times for what cannot be");
}
