//! Seats that are few, empty, or added later.

use super::*;
use crate::id::FeedKind;
use crate::synthetic::SCREEN_SOURCE;

#[test]
fn the_requests_of_empty_seats_are_ignored() {
    let mut world = World::new(101);
    let a = world.join(ROOM, caller(10, VideoCodec::Vp8, 4), Network::delay_ms(NEAR));
    let b = world.join(ROOM, caller(20, VideoCodec::Vp8, 4), Network::delay_ms(NEAR));
    world.run_ms(2_000);
    let before = world.caller(a).synthetic.sent();
    for _ in 0..20 {
        for seat in 1..4 {
            world.with(b, |b, _| b.ask_for_keyframe(seat));
        }
        world.run_ms(100);
    }
    assert_eq!(world.caller(a).synthetic.sent().keyframe_requests, before.keyframe_requests);
    world.with(b, |b, _| b.ask_for_keyframe(0));
    world.run_ms(300);
    let after = world.caller(a).synthetic.sent();
    assert_eq!(after.keyframe_requests, before.keyframe_requests + 1, "the one of a taken seat is not");
    assert_eq!(after.keyframes, before.keyframes + 1);
}

#[test]
fn a_seat_that_was_left_is_given_to_the_next_and_flows_on() {
    for codec in VideoCodec::ALL {
        let mut world = World::new(102);
        let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
        for source in 10..16 {
            let guest = world.join(ROOM, caller(source, codec, 0), Network::delay_ms(NEAR));
            world.run_ms(900);
            assert!(is_showing(&world, viewer, guest, Duration::from_millis(100)), "{codec:?}: guest {source}");
            world.leave(guest);
            world.run_ms(300);
        }
        assert_gapless(&world, viewer);
        assert_eq!(world.caller(viewer).synthetic.video(0).switches, 5);
    }
}

#[test]
fn seats_added_by_a_new_offer_are_taken_and_the_old_ones_stay() {
    let mut world = World::new(103);
    let keys: Vec<CallerKey> =
        (10..14).map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 3), Network::delay_ms(NEAR))).collect();
    let viewer = world.join(ROOM, Settings::viewer(99, 2), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    let before = world.caller(viewer).seated.clone();
    world.with(viewer, |viewer, _| viewer.grow_seats(6));
    world.offer(viewer).expect("more seats are answered");
    world.run_ms(1_000);
    assert_eq!(world.caller(viewer).seated[..2], before[..]);
    for of in keys {
        assert!(is_showing(&world, viewer, of, Duration::from_millis(100)));
    }
    assert_gapless(&world, viewer);
}

fn screen_seat(world: &World, viewer: CallerKey) -> Option<usize> {
    let seated = &world.caller(viewer).seated;
    seated.iter().position(|feed| feed.as_ref().is_some_and(|feed| feed.kind == FeedKind::Screen))
}

#[test]
fn a_shared_screen_takes_a_seat_of_its_own_and_leaves_it() {
    let mut world = World::new(105);
    let a = world.join(ROOM, caller(10, VideoCodec::Vp8, 3), Network::delay_ms(NEAR));
    let b = world.join(ROOM, caller(20, VideoCodec::Vp8, 3), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    for (share, codec) in [(1, VideoCodec::Vp9), (2, VideoCodec::Av1)] {
        world.with(a, |a, _| a.share_screen(Camera::screen(&preferring(codec))));
        world.offer(a).expect("a screen is answered");
        world.run_ms(1_000);
        let seat = screen_seat(&world, b).expect("the screen is seated");
        let shown = world.caller(b).synthetic.video(seat).last_shown.expect("seen");
        assert_eq!((shown.source, shown.codec), (10 | SCREEN_SOURCE | share << 24, codec.name()));
        assert!(is_showing(&world, b, a, Duration::from_millis(100)), "the camera is seen beside it");
        world.with(a, |a, _| a.stop_sharing());
        world.offer(a).expect("an offer without it is answered");
        world.run_ms(500);
        assert_eq!(screen_seat(&world, b), None);
        assert!(is_showing(&world, b, a, Duration::from_millis(100)), "the camera goes on");
    }
    assert_gapless(&world, b);
}

#[test]
fn a_shared_screen_is_seated_before_people_when_seats_are_few() {
    let mut world = World::new(106);
    let sharer = Settings { screen: Some(Camera::screen(&VideoCodec::ALL)), ..caller(10, VideoCodec::Vp8, 0) };
    let quiet = Settings { microphone: None, ..caller(20, VideoCodec::Vp8, 0) };
    world.join(ROOM, quiet, Network::delay_ms(NEAR));
    world.join(ROOM, Settings { microphone: None, ..sharer }, Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    let shown = world.caller(viewer).synthetic.video(0).last_shown.expect("seen");
    assert_eq!(shown.source, 10 | SCREEN_SOURCE);
    assert_gapless(&world, viewer);
}

#[test]
fn with_fewer_seats_than_people_the_loud_are_seen_and_heard() {
    let mut world = World::new(104);
    let quiet =
        Settings { microphone: Some(crate::synthetic::Microphone { below_full_db: 127 }), ..caller(0, VideoCodec::Vp8, 0) };
    let keys: Vec<CallerKey> =
        (10..18).map(|source| world.join(ROOM, Settings { source, ..quiet.clone() }, Network::delay_ms(NEAR))).collect();
    let viewer = world.join(ROOM, Settings::viewer(99, 3), Network::delay_ms(NEAR));
    world.run_ms(1_500);
    for &speaker in &[keys[7], keys[3], keys[5]] {
        world.with(speaker, |speaker, _| speaker.set_microphone(Some(25)));
        world.run_ms(1_500);
        assert!(is_showing(&world, viewer, speaker, Duration::from_millis(100)), "{speaker} speaks");
        world.with(speaker, |speaker, _| speaker.set_microphone(Some(127)));
        world.run_ms(1_500);
    }
    assert_no_fault(&world, viewer);
    assert_eq!(world.caller(viewer).synthetic.video(0).lost, 0);
}
