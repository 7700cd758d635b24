//! Many at once.

use super::*;
use crate::counters::Counter;
use crate::sfu::Sizes;

#[test]
fn two_hundred_joins_in_five_seconds_cost_a_publisher_few_keyframes() {
    let mut world = World::new(91);
    let publishers = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(NEAR)));
    world.run_ms(2_000);
    let keyframes = |world: &World| publishers.map(|publisher| world.caller(publisher).synthetic.sent().keyframes);
    let before = keyframes(&world);
    let viewers: Vec<CallerKey> = (0..200)
        .map(|n| {
            let viewer = world.join(ROOM, Settings::viewer(1_000 + n, 2), Network::delay_ms(NEAR + u64::from(n % 40)));
            world.run_ms(25);
            viewer
        })
        .collect();
    world.run_ms(1_000);
    for (publisher, (before, after)) in before.iter().zip(keyframes(&world)).enumerate() {
        assert!(after - before <= 30, "publisher {publisher} sent {} keyframes in 6 s", after - before);
    }
    for viewer in viewers {
        assert_gapless(&world, viewer);
        for of in publishers {
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "viewer {viewer} sees {of}");
        }
    }
}

#[test]
fn when_everybody_has_left_nothing_is_kept() {
    let mut world = World::new(92);
    let mut keys = Vec::new();
    for n in 0..12_u32 {
        let settings = Settings { camera: Some(Camera::simulcast(&VideoCodec::ALL)), ..caller(10 + n, VideoCodec::Vp8, 4) };
        keys.push(world.join(u128::from(n % 3), settings, Network::delay_ms(NEAR)));
    }
    world.run_ms(1_500);
    for &key in &keys {
        world.move_address(key);
        world.with(key, |caller, now| caller.restart_ice(now)).expect("random numbers");
        world.offer(key).expect("a restart is answered");
    }
    world.run_ms(1_500);
    assert_eq!((world.count(Counter::Participants), world.count(Counter::Publications)), (12, 24));
    for &key in &keys {
        world.leave(key);
        world.run_ms(50);
    }
    // Their pages go on for a while.
    world.run_ms(1_000);
    assert!(world.sizes().iter().all(|sizes| *sizes == Sizes::default()), "{:?}", world.sizes());
    assert_eq!(world.count(Counter::Participants), 0);
    assert_eq!(world.count(Counter::Publications), 0);
    assert_eq!(world.count(Counter::Subscriptions), 0);
    assert!(world.is_asleep(), "an empty worker sleeps");
}

#[test]
fn coming_and_going_for_a_long_time_leaves_no_trace_in_memory() {
    let mut world = World::new(93);
    let stays = world.join(ROOM, caller(1, VideoCodec::Vp8, 3), Network::delay_ms(NEAR));
    let mut sizes = Vec::new();
    for n in 0..30_u32 {
        let guest = world.join(ROOM, caller(100 + n, VideoCodec::Vp8, 3), Network::delay_ms(NEAR));
        world.run_ms(400);
        assert!(is_showing(&world, stays, guest, Duration::from_millis(100)), "guest {n}");
        world.leave(guest);
        world.run_ms(100);
        sizes.push(world.sizes());
    }
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{:?} and {:?}", sizes.first(), sizes.last());
    assert_gapless(&world, stays);
}

#[test]
fn nobody_asks_for_the_keyframe_of_a_joiner_before_it_can_be_forwarded() {
    let mut world = World::new(94);
    let publisher = world.join(ROOM, caller(1, VideoCodec::Vp8, 1), Network::delay_ms(5));
    world.run_ms(3_000);
    let keyframes = |world: &World| world.caller(publisher).synthetic.sent().keyframes;
    let before = keyframes(&world);
    // Far away: the handshake takes longer than the publisher's keyframe would.
    let viewer = world.join(ROOM, Settings::viewer(2, 1), Network::delay_ms(150));
    world.run_ms(2_000);
    assert_eq!(keyframes(&world) - before, 1);
    let video = video_of(&world, viewer, publisher);
    let (shown, connected) = (video.first_shown.map(|shown| shown.at), world.caller(viewer).synthetic.connected_at());
    let waited = shown.zip(connected).map(|(shown, connected)| shown.saturating_duration_since(connected));
    // Half a round trip to the server for what connects it, keyframe, half a round trip back.
    assert!(waited.is_some_and(|waited| waited < Duration::from_millis(450)), "{waited:?}");
}
