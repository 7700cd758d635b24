//! A call on several workers. All other scenarios run spread, too, with `WEBCALL_SIM_WORKERS`; these are about the spreading itself.

use super::*;
use crate::counters::Counter;
use crate::id::Source;

/// Six callers over three workers, all connected.
fn spread_call(seed: u64) -> (World, Vec<CallerKey>) {
    let mut world = World::with_workers(seed, 3);
    let people = (1..=6).map(|n| world.join(ROOM, caller(10 * n, VideoCodec::Vp8, 8), Network::delay_ms(NEAR))).collect();
    world.run_ms(2_000);
    (world, people)
}

fn all_see_all(world: &World, people: &[CallerKey]) {
    for &viewer in people {
        for &of in people.iter().filter(|of| **of != viewer) {
            assert!(is_showing(world, viewer, of, Duration::from_millis(150)), "{viewer} sees {of}");
        }
        assert_gapless(world, viewer);
    }
}

#[test]
fn a_publishers_packet_crosses_to_another_worker_once_whatever_the_number_of_its_viewers() {
    let mut world = World::with_workers(1, 2);
    let publisher = world.join(ROOM, caller(1, VideoCodec::Vp8, 2), Network::delay_ms(NEAR));
    for n in 0..21 {
        world.join(ROOM, Settings::viewer(100 + n, 2), Network::delay_ms(NEAR));
    }
    world.run_ms(2_000);
    let figures = |world: &World| {
        let counted = [Counter::BatchesHandedOver, Counter::PacketsForwarded].map(|counter| world.count(counter));
        let sent = world.caller(publisher).synthetic.sent();
        (counted, sent.video_packets + sent.audio_packets)
    };
    let ([handed, forwarded], sent) = figures(&world);
    world.run_ms(2_000);
    let ([handed_later, forwarded_later], sent_later) = figures(&world);
    let sent = sent_later - sent;
    assert!(sent > 100 && handed_later - handed <= sent, "{} batches for {sent} packets", handed_later - handed);
    assert!(forwarded_later - forwarded >= 20 * sent, "{} of {sent} packets", forwarded_later - forwarded);
}

#[test]
fn who_is_muted_or_forbidden_on_one_worker_is_so_for_viewers_of_another() {
    let (mut world, people) = spread_call(2);
    all_see_all(&world, &people);
    world.set_forbidden(people[0], Source::Camera, true);
    world.run_ms(300);
    let seen = |world: &World| people[1..].iter().map(|viewer| video_of(world, *viewer, people[0]).packets).collect::<Vec<_>>();
    let before = seen(&world);
    world.run_ms(1_000);
    assert_eq!(seen(&world), before, "not one packet more");
    world.set_forbidden(people[0], Source::Camera, false);
    world.run_ms(1_500);
    all_see_all(&world, &people);
}

#[test]
fn a_crash_of_one_worker_takes_its_own_participants_only_and_they_come_back() {
    let (mut world, mut people) = spread_call(4);
    let lost = world.crash(1);
    assert!(lost.len() == 2 && [1, 4].iter().all(|key| lost.contains(&world.caller(people[*key]).id)));
    world.run_ms(1_000);
    let survivors = [people[0], people[2], people[3], people[5]];
    all_see_all(&world, &survivors);
    for gone in [people[1], people[4]] {
        world.leave(gone);
        assert!(survivors.iter().all(|viewer| seat_of(&world, *viewer, gone).is_none()), "the seat is free");
    }
    people = survivors.to_vec();
    for n in [70, 80] {
        people.push(world.join(ROOM, caller(n, VideoCodec::Vp8, 8), Network::delay_ms(NEAR)));
    }
    world.run_ms(2_000);
    all_see_all(&world, &people);
}

#[test]
fn a_part_that_ends_and_begins_again_knows_everybody() {
    let (mut world, people) = spread_call(5);
    let (leaving, staying): (Vec<_>, Vec<_>) = people.iter().partition(|key| **key % 3 == 1);
    for key in leaving {
        world.leave(key);
    }
    world.run_ms(500);
    all_see_all(&world, &staying);
    let mut people = staying;
    for n in 7..=9 {
        people.push(world.join(ROOM, caller(10 * n, VideoCodec::Vp8, 8), Network::delay_ms(NEAR)));
    }
    world.run_ms(2_000);
    all_see_all(&world, &people);
}
