//! Garbage, forgeries and floods disturb nobody and grow nothing.

use super::*;
use crate::counters::Counter;
use crate::random::Random;
use crate::sfu::Sizes;

const STRANGER: &str = "203.0.113.9:4444";

/// Two callers, and everything that either sent, as an eavesdropper has it.
fn two_callers(seed: u64) -> (World, [CallerKey; 2], Vec<Vec<u8>>) {
    let mut world = World::new(seed);
    world.wiretap = Some(Vec::new());
    let keys = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(NEAR)));
    world.run_ms(2_000);
    let overheard = world.wiretap.take().unwrap_or_default();
    (world, keys, overheard)
}

/// Throws datagrams at the SFU for two seconds while the call goes on; it must not notice.
fn bombard(seed: u64, mut make: impl FnMut(&mut Random, &[Vec<u8>]) -> Vec<u8>) -> World {
    let (mut world, keys, overheard) = two_callers(seed);
    let sizes = world.sizes();
    let events = world.events.len();
    let mut random = Random::new(seed);
    let stranger = STRANGER.parse().expect("an address");
    for round in 0..200_u32 {
        for shot in 0..20_u32 {
            let from = if (round + shot) % 2 == 0 { world.address_of(keys[0]) } else { stranger };
            let mut datagram = make(&mut random, &overheard);
            world.inject(from, &mut datagram);
        }
        world.run_ms(10);
    }
    for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
        assert_gapless(&world, viewer);
        let video = video_of(&world, viewer, of);
        assert!(is_showing(&world, viewer, of, Duration::from_millis(100)));
        assert_eq!((video.freezes, video.keyframes), (0, 1), "{video:#?}");
    }
    assert_eq!(world.sizes(), sizes);
    assert_eq!(world.events.len(), events, "{:?}", &world.events[events..]);
    world
}

fn random_bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.next_u32() as u8).collect()
}

#[test]
fn random_bytes_disturb_nobody() {
    bombard(121, |random, _| {
        let len = random.next_u32() as usize % 300;
        random_bytes(random, len)
    });
}

#[test]
fn bytes_that_look_like_each_protocol_disturb_nobody() {
    let first_bytes = [0x00, 0x01, 0x14, 0x15, 0x16, 0x17, 0x40, 0x80, 0x90, 0xbf];
    bombard(122, move |random, _| {
        let len = 12 + random.next_u32() as usize % 200;
        let mut datagram = random_bytes(random, len);
        datagram[0] = first_bytes[random.next_u32() as usize % first_bytes.len()];
        if datagram[0] < 4 && len >= 20 {
            datagram[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        datagram
    });
}

#[test]
fn truncated_and_changed_copies_of_real_datagrams_disturb_nobody() {
    bombard(123, |random, overheard| {
        let mut datagram = overheard[random.next_u32() as usize % overheard.len()].clone();
        if random.next_u32() % 2 == 0 {
            datagram.truncate(random.next_u32() as usize % datagram.len());
        } else {
            let at = random.next_u32() as usize % datagram.len();
            datagram[at] ^= 1 << (random.next_u32() % 8);
        }
        datagram
    });
}

#[test]
fn replayed_datagrams_disturb_nobody() {
    let world = bombard(124, |random, overheard| overheard[random.next_u32() as usize % overheard.len()].clone());
    assert!(world.count(Counter::DropReplay) > 0);
}

#[test]
fn a_flood_of_forged_ssrcs_creates_nothing() {
    let world = bombard(125, |random, _| {
        // One-byte extension with the mid of the camera: as much as it takes to be learned, but for the keys.
        let mut packet = vec![0x90, 96];
        packet.extend(random_bytes(random, 10));
        packet.extend([0xbe, 0xde, 0, 1, 0x40, b'1', 0, 0]);
        packet.extend(random_bytes(random, 60));
        packet
    });
    let refused = [Counter::DropAuthentication, Counter::DropUnknownSsrc, Counter::DropUnknownSource];
    assert!(refused.map(|counter| world.count(counter)).iter().sum::<u64>() >= 4_000);
}

#[test]
fn a_stranger_who_repeats_a_caller_s_media_steals_no_path() {
    let (mut world, keys, overheard) = two_callers(126);
    let stranger: std::net::SocketAddr = STRANGER.parse().expect("an address");
    let sizes = world.sizes();
    let moved = world.count(Counter::PathChanges);
    for datagram in &overheard {
        world.inject(stranger, &mut datagram.clone());
    }
    world.run_ms(500);
    assert_eq!(world.count(Counter::PathChanges), moved);
    assert_eq!(world.sizes(), sizes);
    assert!(is_showing(&world, keys[0], keys[1], Duration::from_millis(100)));
    assert!(is_showing(&world, keys[1], keys[0], Duration::from_millis(100)));
}

#[test]
fn a_stranger_before_the_first_check_gets_no_answer_worth_having() {
    let mut world = World::new(127);
    let mut random = Random::new(127);
    let stranger = STRANGER.parse().expect("an address");
    for _ in 0..1_000 {
        let len = random.next_u32() as usize % 600;
        let mut datagram = random_bytes(&mut random, len);
        world.inject(stranger, &mut datagram);
    }
    assert!(world.sizes().iter().all(|sizes| *sizes == Sizes::default()), "{:?}", world.sizes());
    assert_eq!(world.sent_nowhere, 0, "nothing is sent to strangers who prove nothing");
}

#[test]
fn a_caller_who_floods_requests_makes_no_publisher_flood_keyframes() {
    let (mut world, [a, b], _) = two_callers(128);
    let before = world.caller(a).synthetic.sent();
    for _ in 0..500 {
        world.with(b, |b, _| b.ask_for_keyframe(0));
        world.run_ms(10);
    }
    let after = world.caller(a).synthetic.sent();
    let keyframes = after.keyframes - before.keyframes;
    assert!(keyframes <= 25, "{keyframes} keyframes in 5 s");
    assert_gapless(&world, b);
}
