//! Addresses that change, and ICE restarts.

use super::*;
use crate::api::MediaEvent;

fn two_callers(seed: u64) -> (World, [CallerKey; 2]) {
    let mut world = World::new(seed);
    let keys = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(NEAR)));
    world.run_ms(3_000);
    (world, keys)
}

#[test]
fn a_caller_whose_address_changes_is_followed_without_a_new_offer() {
    let (mut world, [a, b]) = two_callers(71);
    for _ in 0..5 {
        // A NAT that forgot the port, or a proxy that took another: nobody tells the page.
        world.move_address(a);
        world.run_ms(1_000);
        for (viewer, of) in [(a, b), (b, a)] {
            assert_no_fault(&world, viewer);
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "{viewer}");
        }
        assert!(video_of(&world, b, a).longest_gap < Duration::from_millis(100), "those who look at the mover see no gap");
        assert!(video_of(&world, a, b).longest_gap < Duration::from_millis(400), "the mover sees hardly one");
    }
    assert_eq!(world.caller(a).renegotiations, 0);
}

#[test]
fn a_viewer_that_only_receives_is_found_again_by_its_next_check() {
    let mut world = World::new(72);
    let publisher = world.join(ROOM, caller(10, VideoCodec::Vp8, 0), Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.run_ms(3_000);
    world.move_address(viewer);
    world.run_ms(3_500);
    assert!(is_showing(&world, viewer, publisher, Duration::from_millis(100)), "checks come every 2.5 s");
    world.move_address(viewer);
    world.with(viewer, |viewer, now| viewer.check_path(now));
    world.run_ms(500);
    assert!(is_showing(&world, viewer, publisher, Duration::from_millis(100)), "a page that noticed checks at once");
    assert_no_fault(&world, viewer);
}

#[test]
fn an_ice_restart_interrupts_nothing() {
    let (mut world, [a, b]) = two_callers(73);
    for with_new_address in [false, true, false] {
        if with_new_address {
            world.move_address(a);
        }
        world.with(a, |a, now| a.restart_ice(now)).expect("random numbers");
        world.offer(a).expect("a restart is answered");
        world.run_ms(1_500);
        for (viewer, of) in [(a, b), (b, a)] {
            assert_no_fault(&world, viewer);
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)));
        }
        let (confirmed, _) = world.caller(a).synthetic.confirmed().expect("checked");
        assert!(world.now.saturating_duration_since(confirmed) < Duration::from_millis(1_500), "with the new credentials");
    }
    assert!(video_of(&world, b, a).longest_gap < Duration::from_millis(400));
}

#[test]
fn a_restart_that_is_offered_twice_works_with_the_second() {
    let (mut world, [a, b]) = two_callers(74);
    for _ in 0..2 {
        world.with(a, |a, now| a.restart_ice(now)).expect("random numbers");
        world.offer(a).expect("a restart is answered");
    }
    world.run_ms(1_000);
    assert!(is_showing(&world, a, b, Duration::from_millis(100)) && is_showing(&world, b, a, Duration::from_millis(100)));
}

#[test]
fn who_falls_silent_for_half_a_minute_is_reported_and_comes_back_by_a_restart() {
    let (mut world, [a, b]) = two_callers(75);
    let network = Network::delay_ms(NEAR);
    world.set_network(a, network.with_loss(Loss::Blackout), network.with_loss(Loss::Blackout));
    world.run_ms(31_000);
    let gone = MediaEvent::Disconnected { participant: world.caller(a).id };
    assert!(world.events.contains(&gone));
    let sent = world.network(a).1.sent;
    world.run_ms(2_000);
    assert_eq!(world.network(a).1.sent, sent, "nothing is sent without consent");
    world.set_network(a, network, network);
    world.with(a, |a, now| a.restart_ice(now)).expect("random numbers");
    world.offer(a).expect("a restart is answered");
    world.run_ms(1_500);
    assert!(is_showing(&world, a, b, Duration::from_millis(100)) && is_showing(&world, b, a, Duration::from_millis(100)));
    assert_no_fault(&world, a);
    assert_no_fault(&world, b);
}

#[test]
fn who_joins_again_from_the_same_address_is_not_taken_for_who_they_were() {
    let (mut world, [a, b]) = two_callers(77);
    let address = world.address_of(a);
    world.leave(a);
    let again = world.join(ROOM, caller(11, VideoCodec::Vp9, 2), Network::delay_ms(NEAR));
    world.take_address(again, address);
    world.run_ms(1_500);
    for (viewer, of) in [(again, b), (b, again)] {
        assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "{viewer}");
        assert_no_fault(&world, viewer);
    }
}

#[test]
fn an_address_that_passes_from_one_caller_to_another_carries_the_others_media() {
    let (mut world, [a, b]) = two_callers(76);
    let freed = world.address_of(a);
    world.move_address(a);
    world.run_ms(200);
    world.take_address(b, freed);
    // Until its next check, which comes every 2.5 s, its packets look like the other's.
    world.run_ms(3_500);
    for (viewer, of) in [(a, b), (b, a)] {
        assert_no_fault(&world, viewer);
        assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "{viewer}");
    }
}
