//! Whom a moderator mutes or removes, and who leaves, is not forwarded one packet more.

use super::*;
use crate::id::Source;

/// Three callers, whose way down takes no time, so that every packet sent has arrived and can be counted; with losses, so that
/// retransmissions are asked for at the moment that counts.
fn three_callers(seed: u64) -> (World, [CallerKey; 3]) {
    let mut world = World::new(seed);
    let keys = [10, 20, 30].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(0)));
    for key in keys {
        let down = Network::delay_ms(0).with_loss(Loss::Random { permille: 100 });
        world.set_network(key, Network::delay_ms(10), down);
    }
    world.run_ms(2_000);
    (world, keys)
}

fn video_packets_from(world: &World, viewer: CallerKey, of: CallerKey) -> u64 {
    let source = world.caller(of).synthetic.settings().source;
    let synthetic = &world.caller(viewer).synthetic;
    let tallies = (0..synthetic.seats()).flat_map(|seat| synthetic.video_sources(seat));
    tallies.filter(|tally| tally.source == source).map(|tally| tally.packets).sum()
}

#[test]
fn a_camera_that_a_moderator_forbids_is_not_forwarded_one_packet_more() {
    for seed in 31..41 {
        let (mut world, [a, b, c]) = three_callers(seed);
        world.run_ms(seed * 3);
        let before = [b, c].map(|viewer| video_packets_from(&world, viewer, a));
        let heard = packets_from(&world, b, a);
        world.set_forbidden(a, Source::Camera, true);
        world.run_ms(2_000);
        assert_eq!([b, c].map(|viewer| video_packets_from(&world, viewer, a)), before, "seed {seed}");
        assert!(packets_from(&world, b, a) > heard + 80, "the sound goes on");
        assert!(is_showing(&world, b, c, Duration::from_millis(300)), "others go on");
        world.set_forbidden(a, Source::Camera, false);
        world.run_ms(1_000);
        assert!(is_showing(&world, b, a, Duration::from_millis(300)), "allowed again it is seen again");
        assert_no_fault(&world, b);
    }
}

#[test]
fn a_microphone_that_a_moderator_forbids_is_not_forwarded_one_packet_more() {
    let (mut world, [a, b, c]) = three_callers(42);
    let heard = |world: &World, viewer| world.caller(viewer).synthetic.audio(seat_of(world, viewer, a).expect("seated")).packets;
    let before = [b, c].map(|viewer| heard(&world, viewer));
    world.set_forbidden(a, Source::Microphone, true);
    world.run_ms(2_000);
    assert_eq!([b, c].map(|viewer| heard(&world, viewer)), before);
    assert!(is_showing(&world, b, a, Duration::from_millis(300)), "the picture goes on");
    world.set_forbidden(a, Source::Microphone, false);
    world.run_ms(500);
    assert!(heard(&world, b) > before[0] + 15);
    assert_no_fault(&world, b);
}

#[test]
fn forbidding_before_the_first_offer_holds() {
    let mut world = World::new(43);
    let a = world.join(ROOM, caller(10, VideoCodec::Vp8, 2), Network::delay_ms(10));
    world.set_forbidden(a, Source::Camera, true);
    let b = world.join(ROOM, caller(20, VideoCodec::Vp8, 2), Network::delay_ms(10));
    world.run_ms(2_000);
    assert_eq!(video_packets_from(&world, b, a), 0);
    assert!(packets_from(&world, b, a) > 50, "heard");
}

#[test]
fn who_leaves_or_is_removed_is_not_forwarded_one_packet_more_and_gets_none() {
    for seed in 51..61 {
        let (mut world, [a, b, c]) = three_callers(seed);
        world.run_ms(seed * 3);
        let before = [b, c].map(|viewer| packets_from(&world, viewer, a));
        world.leave(a);
        // The page of a goes on sending: whoever is removed may not believe it.
        let received = [b, c].map(|of| packets_from(&world, a, of));
        world.run_ms(2_000);
        assert_eq!([b, c].map(|viewer| packets_from(&world, viewer, a)), before, "seed {seed}");
        assert_eq!([b, c].map(|of| packets_from(&world, a, of)), received, "seed {seed}");
        assert_eq!(seat_of(&world, b, a), None, "the seat is empty");
        assert!(is_showing(&world, b, c, Duration::from_millis(300)), "others go on");
        assert_no_fault(&world, b);
    }
}

#[test]
fn a_camera_switched_off_and_on_by_its_owner_comes_back_at_once() {
    let mut world = World::new(61);
    let [a, b] = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(NEAR)));
    world.run_ms(2_000);
    let asked = world.caller(a).synthetic.sent().keyframe_requests;
    for _ in 0..3 {
        world.with(a, |a, now| a.stop_camera(now));
        world.set_muted(a, Source::Camera, true);
        world.run_ms(4_000);
        assert!(!is_showing(&world, b, a, Duration::from_millis(500)));
        world.with(a, |a, now| a.start_camera(now));
        world.set_muted(a, Source::Camera, false);
        world.run_ms(400);
        assert!(is_showing(&world, b, a, Duration::from_millis(100)));
    }
    assert_gapless(&world, b);
    let asked = world.caller(a).synthetic.sent().keyframe_requests - asked;
    assert!(asked <= 6, "{asked} keyframe requests for a camera that begins with one by itself");
}
