//! Seats that change their source or layer: one unbroken flow for the receiver, whatever happens behind it.

use super::*;

/// A viewer with one seat looks at one publisher after another, often; `codec_of` says what each sends.
fn one_seat_shows_one_after_another(codec_of: impl Fn(u32) -> VideoCodec, network: Network) -> (World, CallerKey, u64) {
    let mut world = World::new(11);
    let shown: Vec<CallerKey> =
        (0..4).map(|n| world.join(ROOM, caller(10 + n, codec_of(n), 0), Network::delay_ms(NEAR + u64::from(n) * 7))).collect();
    let viewer = world.join(ROOM, Settings::viewer(99, 1), network);
    world.wish(viewer, &[(shown[0], 640, true)]);
    world.run_ms(1_500);
    let mut changes = 0;
    for round in 1..=24_u64 {
        let of = shown[(round as usize * 3) % shown.len()];
        world.wish(viewer, &[(of, 640, true)]);
        changes += 1;
        // Not in step with the frames, and some sooner than the keyframe can come.
        world.run_ms(if round % 6 == 0 { 45 } else { 433 });
    }
    world.run_ms(500);
    (world, viewer, changes)
}

#[test]
fn a_seat_that_changes_its_source_is_gapless_in_every_codec() {
    for codec in VideoCodec::ALL {
        let (world, viewer, changes) = one_seat_shows_one_after_another(|_| codec, Network::delay_ms(NEAR));
        assert_gapless(&world, viewer);
        assert_seats_are_named_rightly(&world, viewer);
        let video = world.caller(viewer).synthetic.video(0);
        assert!(video.switches + 6 >= changes, "{codec:?}: {} of {changes} changes were seen", video.switches);
        assert!(video.longest_gap < Duration::from_millis(150), "{codec:?}: {:?}", video.longest_gap);
        assert!(video.worst_drift_ms < 60, "{codec:?}: {} ms", video.worst_drift_ms);
        assert_eq!(video.keyframe_requests, 0);
        let audio = world.caller(viewer).synthetic.audio(0);
        assert!(audio.longest_gap < Duration::from_millis(60), "{codec:?}: {:?}", audio.longest_gap);
    }
}

#[test]
fn a_seat_that_changes_from_codec_to_codec_is_gapless() {
    let codec_of = |n: u32| VideoCodec::ALL[n as usize];
    let (world, viewer, _) = one_seat_shows_one_after_another(codec_of, Network::delay_ms(NEAR));
    assert_gapless(&world, viewer);
    assert!(world.caller(viewer).synthetic.video(0).longest_gap < Duration::from_millis(150));
}

#[test]
fn a_seat_that_changes_its_source_over_a_lossy_network_shows_nothing_undecodable() {
    for codec in VideoCodec::ALL {
        let network = Network { reordered_permille: 20, ..Network::delay_ms(NEAR).with_loss(Loss::Random { permille: 50 }) };
        let (world, viewer, changes) = one_seat_shows_one_after_another(|_| codec, network);
        assert_no_fault(&world, viewer);
        let video = world.caller(viewer).synthetic.video(0);
        assert!(video.switches * 2 > changes, "{codec:?}: {video:#?}");
    }
}

#[test]
fn sound_and_picture_stay_together_over_switches() {
    let (world, viewer, _) = one_seat_shows_one_after_another(|_| VideoCodec::Vp8, Network::delay_ms(NEAR));
    let synthetic = &world.caller(viewer).synthetic;
    let skew = synthetic.video(0).skew_ms.expect("reported") - synthetic.audio(0).skew_ms.expect("reported");
    assert!(skew.abs() <= 15, "{skew} ms apart");
}

#[test]
fn a_viewer_gets_the_layer_that_fits_the_size_wished_for() {
    for codec in VideoCodec::ALL {
        let mut world = World::new(12);
        let settings = Settings { camera: Some(Camera::simulcast(&preferring(codec))), ..caller(10, codec, 0) };
        let publisher = world.join(ROOM, settings, Network::delay_ms(NEAR));
        let viewer = world.join(ROOM, Settings::viewer(99, 2), Network::delay_ms(NEAR));
        for (width_px, layer) in [(160, 0), (1_920, 2), (600, 1), (320, 0), (1_280, 2)] {
            world.wish(viewer, &[(publisher, width_px, false)]);
            world.run_ms(900);
            let shown = world.caller(viewer).synthetic.video(0).last_shown.expect("seen");
            assert_eq!(shown.layer, layer, "{codec:?} at {width_px} px");
        }
        assert_gapless(&world, viewer);
        let video = world.caller(viewer).synthetic.video(0);
        assert!(video.longest_gap < Duration::from_millis(120), "{codec:?}: {:?}", video.longest_gap);
        assert_eq!(video.switches, 4);
    }
}

#[test]
fn a_layer_that_stops_is_replaced_by_one_that_flows() {
    let mut world = World::new(13);
    let settings = Settings { camera: Some(Camera::simulcast(&VideoCodec::ALL)), ..caller(10, VideoCodec::Vp8, 0) };
    let publisher = world.join(ROOM, settings, Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.wish(viewer, &[(publisher, 1_280, false)]);
    world.run_ms(2_000);
    assert_eq!(world.caller(viewer).synthetic.video(0).last_shown.expect("seen").layer, 2);
    world.with(publisher, |publisher, now| publisher.send_layers(now, 0..=1));
    world.run_ms(3_000);
    let shown = world.caller(viewer).synthetic.video(0).last_shown.expect("seen");
    assert_eq!(shown.layer, 1);
    world.with(publisher, |publisher, now| publisher.send_layers(now, 0..=2));
    world.run_ms(2_000);
    assert_eq!(world.caller(viewer).synthetic.video(0).last_shown.expect("seen").layer, 2);
    assert_gapless(&world, viewer);
}

#[test]
fn what_is_not_shown_is_not_sent_and_comes_back_when_it_is() {
    let mut world = World::new(14);
    let publisher = world.join(ROOM, caller(10, VideoCodec::Vp8, 0), Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(0));
    world.run_ms(1_500);
    world.wish(viewer, &[(publisher, 0, false)]);
    world.run_ms(0);
    let (packets, heard) = (world.caller(viewer).synthetic.video(0).packets, world.caller(viewer).synthetic.audio(0).packets);
    world.run_ms(1_500);
    assert_eq!(world.caller(viewer).synthetic.video(0).packets, packets);
    assert!(world.caller(viewer).synthetic.audio(0).packets > heard + 70, "sound goes on");
    world.wish(viewer, &[(publisher, 640, false)]);
    world.run_ms(500);
    assert!(is_showing(&world, viewer, publisher, Duration::from_millis(100)));
    assert_gapless(&world, viewer);
}

#[test]
fn a_publisher_that_changes_its_codec_in_the_middle_is_followed() {
    let mut world = World::new(15);
    let publisher = world.join(ROOM, caller(10, VideoCodec::Vp8, 0), Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    for codec in [VideoCodec::Av1, VideoCodec::H264, VideoCodec::Vp9, VideoCodec::Vp8] {
        world.with(publisher, |publisher, _| publisher.prefer(&preferring(codec)));
        world.offer(publisher).expect("a re-offer is answered");
        world.run_ms(1_000);
        assert_eq!(world.caller(publisher).synthetic.sends(), Some(codec.name()));
        assert_eq!(world.caller(viewer).synthetic.video(0).last_shown.map(|shown| shown.codec), Some(codec.name()));
    }
    assert_gapless(&world, viewer);
    assert!(world.caller(viewer).synthetic.video(0).longest_gap < Duration::from_millis(150));
}
