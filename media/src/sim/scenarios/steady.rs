//! People see and hear each other, over a network that loses nothing.

use super::*;
use crate::synthetic::SrtpOffer;

/// Everybody sends one codec; every second one numbers like Firefox.
fn everybody_sees_and_hears_everybody(codec: VideoCodec, callers: u32, camera: impl Fn(&[VideoCodec]) -> Camera) {
    let mut world = World::new(u64::from(callers));
    let keys: Vec<CallerKey> = (0..callers)
        .map(|n| {
            let numbering = if n % 2 == 0 { Numbering::Chromium } else { Numbering::Firefox };
            let camera = Some(camera(&preferring(codec)));
            let settings = Settings { numbering, camera, ..caller(10 + n, codec, callers as usize) };
            world.join(ROOM, settings, Network::delay_ms(NEAR))
        })
        .collect();
    world.run_ms(4_000);
    for &viewer in &keys {
        assert_gapless(&world, viewer);
        assert_seats_are_named_rightly(&world, viewer);
        for &of in keys.iter().filter(|of| **of != viewer) {
            let video = video_of(&world, viewer, of);
            let first = video.first_shown.expect("seen").at.saturating_duration_since(world.start);
            assert!(first < Duration::from_millis(700), "the first frame came after {first:?}");
            assert!(video.shown >= 80 && video.freezes == 0, "{video:#?}");
            assert_eq!(video.last_shown.map(|shown| shown.codec), Some(codec.name()));
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)));
            let audio = world.caller(viewer).synthetic.audio(seat_of(&world, viewer, of).expect("seated"));
            assert!(audio.packets >= 165 && audio.longest_gap <= Duration::from_millis(25), "{audio:#?}");
            let skew = video.skew_ms.expect("reported") - audio.skew_ms.expect("reported");
            assert!(skew.abs() <= 10, "sound and picture are {skew} ms apart");
        }
    }
}

#[test]
fn two_callers_see_and_hear_each_other_in_every_codec() {
    for codec in VideoCodec::ALL {
        everybody_sees_and_hears_everybody(codec, 2, Camera::plain);
    }
}

#[test]
fn five_callers_see_and_hear_each_other_in_every_codec() {
    for codec in VideoCodec::ALL {
        everybody_sees_and_hears_everybody(codec, 5, Camera::plain);
    }
}

#[test]
fn three_callers_with_simulcast_see_and_hear_each_other_in_every_codec() {
    for codec in VideoCodec::ALL {
        everybody_sees_and_hears_everybody(codec, 3, Camera::simulcast);
    }
}

#[test]
fn callers_of_different_codecs_see_each_other() {
    let mut world = World::new(3);
    let keys: Vec<CallerKey> = (10..)
        .zip(VideoCodec::ALL)
        .map(|(source, codec)| world.join(ROOM, caller(source, codec, 4), Network::delay_ms(NEAR)))
        .collect();
    world.run_ms(3_000);
    for &viewer in &keys {
        assert_gapless(&world, viewer);
        for &of in keys.iter().filter(|of| **of != viewer) {
            let sent = VideoCodec::ALL[of].name();
            assert_eq!(video_of(&world, viewer, of).last_shown.map(|shown| shown.codec), Some(sent));
        }
    }
}

#[test]
fn callers_with_either_srtp_profile_see_and_hear_each_other() {
    let mut world = World::new(9);
    let profiles = [SrtpOffer::Both, SrtpOffer::Sha1Only, SrtpOffer::Sha1Only];
    let keys: Vec<CallerKey> = (10..)
        .zip(profiles)
        .map(|(source, srtp)| {
            let settings = Settings { srtp, ..caller(source, VideoCodec::Vp8, 3) };
            let lossy = Network::delay_ms(NEAR).with_loss(Loss::Random { permille: 30 });
            world.join(ROOM, settings, lossy)
        })
        .collect();
    world.run_ms(4_000);
    for &viewer in &keys {
        assert_no_fault(&world, viewer);
        for &of in keys.iter().filter(|of| **of != viewer) {
            assert!(is_showing(&world, viewer, of, Duration::from_millis(250)), "{viewer} sees {of}");
        }
    }
}

#[test]
fn a_call_between_two_costs_one_keyframe_each() {
    let mut world = World::new(4);
    let keys = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(NEAR)));
    world.run_ms(10_000);
    for key in keys {
        assert_eq!(world.caller(key).synthetic.sent().keyframes, 1);
    }
}

#[test]
fn publishers_get_transport_feedback_about_twenty_times_a_second() {
    let mut world = World::new(5);
    let a = world.join(ROOM, caller(10, VideoCodec::Vp8, 2), Network::delay_ms(NEAR));
    world.run_ms(10_000);
    let feedback = world.caller(a).synthetic.sent().transport_feedback;
    assert!((150..=210).contains(&feedback), "{feedback} in 10 s");
}

#[test]
fn rooms_do_not_mix() {
    let mut world = World::new(6);
    let keys: Vec<CallerKey> =
        (0..4).map(|n| world.join(u128::from(n % 2), caller(10 + n, VideoCodec::Vp8, 4), Network::delay_ms(NEAR))).collect();
    world.run_ms(2_000);
    for viewer in 0..4 {
        for of in (0..4).filter(|of| *of != viewer) {
            let sees = packets_from(&world, keys[viewer], keys[of]) > 0;
            assert_eq!(sees, viewer % 2 == of % 2, "{viewer} and {of}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_gives_another() {
    let run = |seed| {
        let mut world = World::new(seed);
        let network = Network {
            jitter: Duration::from_millis(10),
            reordered_permille: 10,
            doubled_permille: 5,
            bottleneck: Some(Bottleneck { rate_bps: 3_000_000, queue_bytes: 60_000 }),
            ..Network::delay_ms(NEAR).with_loss(Loss::Bursts { begin_permille: 10, end_permille: 300 })
        };
        for source in 10..13 {
            world.join(ROOM, caller(source, VideoCodec::Vp9, 3), network);
        }
        world.run_ms(3_000);
        world.trace
    };
    let first = run(7);
    assert!(first.datagrams > 2_000, "{first:?}");
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
}
