//! A worker that cannot carry all: what it leaves out, in which order, and that it comes back.

use super::*;
use crate::synthetic::Microphone;

/// A simulcast publisher, another one, and a viewer of both who shows the first large.
fn call(seed: u64) -> (World, [CallerKey; 2], CallerKey) {
    let mut world = World::new(seed);
    let publisher = |source: u32, below_full_db: u8| Settings {
        camera: Some(Camera::simulcast(&[VideoCodec::Vp8])),
        microphone: Some(Microphone { below_full_db }),
        ..caller(source, VideoCodec::Vp8, 4)
    };
    let publishers =
        [(10, 20), (20, 127)].map(|(source, level)| world.join(ROOM, publisher(source, level), Network::delay_ms(NEAR)));
    let viewer = world.join(ROOM, Settings::viewer(30, 4), Network::delay_ms(NEAR));
    world.wish(viewer, &[(publishers[0], 1_280, false), (publishers[1], 1_280, false)]);
    world.run_ms(2_500);
    (world, publishers, viewer)
}

fn sees(world: &World, viewer: CallerKey, of: CallerKey) -> bool {
    is_showing(world, viewer, of, Duration::from_millis(500))
}

fn sounds(world: &World, viewer: CallerKey, of: CallerKey) -> u64 {
    world.caller(viewer).synthetic.audio(seat_of(world, viewer, of).expect("seated")).packets
}

#[test]
fn upper_layers_go_first_then_pictures_and_voices_stay_to_the_end() {
    let (mut world, [speaker, silent], viewer) = call(121);
    let rate = |world: &mut World, busy| {
        let before = video_of(world, viewer, speaker).packets;
        world.run_busy_ms(1_000, busy);
        video_of(world, viewer, speaker).packets - before
    };
    let all = rate(&mut world, 0);
    world.run_busy_ms(1_250, 1_000);
    let without_top = rate(&mut world, 900);
    assert!(without_top < all, "{without_top} of {all} packets a second");
    assert!(sees(&world, viewer, speaker) && sees(&world, viewer, silent));
    world.run_busy_ms(2_250, 1_000);
    world.run_busy_ms(1_000, 900);
    assert!(sees(&world, viewer, speaker) && !sees(&world, viewer, silent), "who speaks is seen longer");
    world.run_busy_ms(1_250, 1_000);
    world.run_busy_ms(1_000, 900);
    assert!(!sees(&world, viewer, speaker), "no picture at all");
    world.run_busy_ms(5_000, 1_000);
    let before = sounds(&world, viewer, speaker);
    world.run_busy_ms(1_000, 1_000);
    assert!(sounds(&world, viewer, speaker) - before >= 48, "the voice is heard at the worst");
    assert_gapless(&world, viewer);
}

#[test]
fn what_was_left_out_comes_back_by_itself() {
    let (mut world, publishers, viewer) = call(122);
    world.run_busy_ms(8_000, 1_000);
    assert!(publishers.iter().all(|publisher| !sees(&world, viewer, *publisher)));
    world.run_busy_ms(20_000, 100);
    for publisher in publishers {
        assert!(sees(&world, viewer, publisher));
    }
}

#[test]
fn a_worker_that_everybody_left_forgets_that_it_was_overloaded() {
    let (mut world, publishers, viewer) = call(123);
    world.run_busy_ms(8_000, 1_000);
    for key in publishers.into_iter().chain([viewer]) {
        world.leave(key);
    }
    assert!(!world.is_asleep(), "it looks up until it has recovered");
    world.run_busy_ms(20_000, 0);
    world.run_ms(2_000);
    assert!(world.is_asleep());
}

#[test]
fn a_worker_that_stood_still_for_seconds_goes_on_as_before() {
    let (mut world, publishers, viewer) = call(124);
    // A suspended machine: what arrived meanwhile is all there at once.
    world.now += Duration::from_secs(7);
    world.run_ms(3_000);
    // Pictures come back only by keyframes that a visit of the room asks for.
    world.run_busy_ms(8_000, 1_000);
    assert!(publishers.iter().all(|publisher| !sees(&world, viewer, *publisher)));
    world.run_busy_ms(20_000, 100);
    for publisher in publishers {
        assert!(sees(&world, viewer, publisher), "{publisher} is seen again");
    }
}
