//! Networks that lose, delay, repeat and reorder.

use super::*;
use crate::counters::Counter;

/// Two callers for a while over a network like this in both directions.
fn two_callers(seed: u64, codec: VideoCodec, network: Network, ms: u64) -> (World, [CallerKey; 2]) {
    let mut world = World::new(seed);
    let keys = [10, 20].map(|source| world.join(ROOM, caller(source, codec, 2), network));
    world.run_ms(ms);
    (world, keys)
}

/// Retransmissions against losses, of one kind and direction. Those of sound are never sent again, so that the bound is generous.
fn assert_modest(what: &str, retransmitted: u64, lost: u64) {
    assert!(retransmitted > 0 && retransmitted < 2 * lost, "{what}: {retransmitted} retransmissions for {lost} losses");
}

#[test]
fn with_five_percent_loss_each_way_video_keeps_running_and_repair_costs_less_than_twice_the_losses() {
    for codec in VideoCodec::ALL {
        let network = Network::delay_ms(25).with_loss(Loss::Random { permille: 50 });
        let (world, keys) = two_callers(21, codec, network, 30_000);
        for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            assert_no_fault(&world, viewer);
            let video = video_of(&world, viewer, of);
            assert!(video.shown >= 700, "{codec:?}: {} of 750 frames\n{video:#?}", video.shown);
            assert!(video.longest_gap < Duration::from_millis(500), "{codec:?}: {:?}", video.longest_gap);
            assert!(video.repaired > 0 && video.given_up == 0, "{codec:?}: {video:#?}");
            assert_eq!(video.duplicates, 0, "{codec:?}");
            assert!(is_showing(&world, viewer, of, Duration::from_millis(250)));
            let audio = world.caller(viewer).synthetic.audio(0);
            assert!((50..240).contains(&audio.missing), "lost on both ways and never asked for again: {audio:#?}");
        }
        let up: u64 = keys.iter().map(|key| world.network(*key).0.lost_rtp).sum();
        let down: u64 = keys.iter().map(|key| world.network(*key).1.lost_rtp).sum();
        let repeated: u64 = keys.iter().map(|key| world.caller(*key).synthetic.sent().retransmitted).sum();
        assert_modest("up", repeated, up);
        assert_modest("down", world.count(Counter::RtxOut), down);
    }
}

#[test]
fn bursts_of_loss_end_in_pictures_again_and_never_in_garbage() {
    for codec in VideoCodec::ALL {
        // On average five bursts of ten datagrams in a thousand.
        let network = Network::delay_ms(40).with_loss(Loss::Bursts { begin_permille: 5, end_permille: 100 });
        let (world, keys) = two_callers(22, codec, network, 20_000);
        for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            assert_no_fault(&world, viewer);
            let video = video_of(&world, viewer, of);
            assert!(video.shown >= 400, "{codec:?}: {video:#?}");
            assert!(video.longest_gap < Duration::from_millis(1_500), "{codec:?}: {:?}", video.longest_gap);
        }
    }
}

#[test]
fn reordered_and_doubled_packets_do_no_harm_and_cost_few_retransmissions() {
    for codec in VideoCodec::ALL {
        let network =
            Network { jitter: Duration::from_millis(10), reordered_permille: 30, doubled_permille: 30, ..Network::delay_ms(20) };
        let (world, keys) = two_callers(23, codec, network, 10_000);
        for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            assert_no_fault(&world, viewer);
            let video = video_of(&world, viewer, of);
            assert_eq!((video.duplicates, video.freezes, video.given_up), (0, 0, 0), "{codec:?}: {video:#?}");
            assert!(video.shown >= 235, "{codec:?}: {video:#?}");
        }
        let repeated: u64 = keys.iter().map(|key| world.caller(*key).synthetic.sent().retransmitted).sum();
        let packets: u64 = keys.iter().map(|key| world.caller(*key).synthetic.sent().video_packets).sum();
        assert!(repeated * 50 < packets, "{repeated} of {packets} packets were asked for again though none was lost");
    }
}

#[test]
fn after_three_seconds_of_darkness_everybody_is_back_within_one() {
    for (way, dark_up, dark_down) in [("up", true, false), ("down", false, true), ("both", true, true)] {
        let network = Network::delay_ms(25);
        let (mut world, keys) = two_callers(24, VideoCodec::Vp8, network, 3_000);
        let dark = |is_dark| if is_dark { network.with_loss(Loss::Blackout) } else { network };
        world.set_network(keys[0], dark(dark_up), dark(dark_down));
        world.run_ms(3_000);
        world.set_network(keys[0], network, network);
        world.run_ms(1_000);
        for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            assert_no_fault(&world, viewer);
            assert!(is_showing(&world, viewer, of, Duration::from_millis(100)), "{way}: {:#?}", video_of(&world, viewer, of));
        }
    }
}

#[test]
fn a_narrow_downlink_harms_nobody_but_its_owner() {
    let mut world = World::new(25);
    let keys = [10, 20, 30].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), Network::delay_ms(20)));
    let narrow = Network { bottleneck: Some(Bottleneck { rate_bps: 400_000, queue_bytes: 30_000 }), ..Network::delay_ms(20) };
    world.run_ms(2_000);
    world.set_network(keys[2], Network::delay_ms(20), narrow);
    world.run_ms(10_000);
    for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
        assert_gapless(&world, viewer);
        assert_eq!(video_of(&world, viewer, of).freezes, 0);
    }
    assert_no_fault(&world, keys[2]);
    // Whoever cannot keep up asks for keyframes; that must not flood those who can.
    for key in &keys[..2] {
        let keyframes = world.caller(*key).synthetic.sent().keyframes;
        assert!(keyframes <= 50, "{keyframes} keyframes in 12 s for one poor viewer");
    }
}

#[test]
fn a_lost_last_flight_of_the_handshake_only_delays_the_picture() {
    // Everything towards the callers is lost for the first moments, so that handshake, keyframe and sound begin in the dark.
    let network = Network::delay_ms(20);
    let mut world = World::new(26);
    let keys = [10, 20].map(|source| world.join(ROOM, caller(source, VideoCodec::Vp8, 2), network));
    world.run_ms(45);
    world.set_network(keys[0], network, network.with_loss(Loss::Blackout));
    world.run_ms(1_500);
    world.set_network(keys[0], network, network);
    world.run_ms(3_000);
    for (viewer, of) in [(keys[0], keys[1]), (keys[1], keys[0])] {
        assert_no_fault(&world, viewer);
        assert!(is_showing(&world, viewer, of, Duration::from_millis(100)));
    }
}

#[test]
fn retransmissions_of_simulcast_layers_are_known_by_mid_and_repaired_rid() {
    let mut world = World::new(27);
    let settings = Settings { camera: Some(Camera::simulcast(&VideoCodec::ALL)), ..caller(10, VideoCodec::Vp8, 0) };
    let publisher = world.join(ROOM, settings, Network::delay_ms(NEAR));
    let viewer = world.join(ROOM, Settings::viewer(99, 1), Network::delay_ms(NEAR));
    world.run_ms(1_000);
    let lossy = Network::delay_ms(NEAR).with_loss(Loss::Random { permille: 50 });
    world.set_network(publisher, lossy, Network::delay_ms(NEAR));
    for width_px in [160, 500, 1_280] {
        world.wish(viewer, &[(publisher, width_px, false)]);
        world.run_ms(5_000);
    }
    assert_no_fault(&world, viewer);
    let video = world.caller(viewer).synthetic.video(0);
    assert_eq!((video.given_up, video.awaiting_keyframe), (0, 0), "{video:#?}");
    assert!(video.longest_gap < Duration::from_millis(350), "{:?}", video.longest_gap);
    let sent = world.caller(publisher).synthetic.sent();
    let taken = world.count(Counter::RtxIn);
    // A few were lost themselves.
    assert!(sent.retransmitted > 50 && taken * 10 > sent.retransmitted * 8, "{taken} of {} were taken", sent.retransmitted);
    assert_modest("up", sent.retransmitted, world.network(publisher).0.lost_rtp);
}
