//! Who speaks, and silence.

use super::*;
use crate::api::MediaEvent;
use crate::counters::Counter;
use crate::id::Source;
use crate::synthetic::{Microphone, SourceTally};

fn voice(source: u32, below_full_db: u8) -> Settings {
    Settings { microphone: Some(Microphone { below_full_db }), camera: None, ..Settings::caller(source, &[], 4) }
}

#[test]
fn the_speakers_are_told_loudest_first_and_on_change_only() {
    let mut world = World::new(111);
    let keys: Vec<CallerKey> = [(10, 127), (20, 35), (30, 25)]
        .map(|(source, below_full_db)| world.join(ROOM, voice(source, below_full_db), Network::delay_ms(NEAR)))
        .to_vec();
    world.run_ms(3_000);
    let ids: Vec<_> = keys.iter().map(|key| world.caller(*key).id).collect();
    assert_eq!(world.speakers, [ids[2], ids[1]]);
    let told = |world: &World| world.events.iter().filter(|event| matches!(event, MediaEvent::Speakers { .. })).count();
    let before = told(&world);
    world.run_ms(5_000);
    assert_eq!(told(&world), before, "nothing changed");
    world.with(keys[2], |caller, _| caller.set_microphone(None));
    world.run_ms(2_000);
    assert_eq!(world.speakers, [ids[1]]);
    world.leave(keys[1]);
    world.run_ms(1_000);
    assert!(world.speakers.is_empty(), "{:?}", world.speakers);
}

#[test]
fn silence_is_kept_off_the_wire_without_a_gap_and_speech_comes_back_at_once() {
    let mut world = World::new(112);
    let a = world.join(ROOM, voice(10, 30), Network::delay_ms(NEAR));
    let b = world.join(ROOM, voice(20, 30), Network::delay_ms(NEAR));
    world.run_ms(2_000);
    let heard = |world: &World| world.caller(b).synthetic.audio(0).packets;
    let before = heard(&world);
    world.with(a, |a, _| a.set_microphone(Some(127)));
    world.run_ms(5_000);
    assert!(heard(&world) - before < 12, "{} packets of silence", heard(&world) - before);
    let silent = heard(&world);
    world.with(a, |a, _| a.set_microphone(Some(30)));
    world.run_ms(1_000);
    assert!(heard(&world) >= silent + 48);
    assert_gapless(&world, b);
}

#[test]
fn a_crowd_is_heard_by_its_loudest_three_and_a_round_of_people_whole() {
    let mut world = World::new(113);
    let levels = [45, 25, 48, 26, 47, 27];
    let keys: Vec<CallerKey> = levels
        .iter()
        .enumerate()
        .map(|(n, level)| {
            let settings = Settings { seats: 5, ..voice(10 + n as u32, *level) };
            world.join(ROOM, settings, Network::delay_ms(NEAR))
        })
        .collect();
    let listener = world.join(ROOM, Settings::viewer(90, 4), Network::delay_ms(NEAR));
    world.run_ms(2_000);
    let heard = |world: &World, key: CallerKey, seats: usize| -> u64 {
        (0..seats).map(|seat| world.caller(key).synthetic.audio(seat).packets).sum()
    };
    let (crowd, round) = (heard(&world, listener, 4), heard(&world, keys[0], 5));
    world.run_ms(2_000);
    let expected = |voices: u64| voices * 98..=voices * 102;
    assert!(expected(3).contains(&(heard(&world, listener, 4) - crowd)), "{} in 2 s", heard(&world, listener, 4) - crowd);
    assert!(expected(5).contains(&(heard(&world, keys[0], 5) - round)), "{} in 2 s", heard(&world, keys[0], 5) - round);
    world.with(keys[1], |loud, _| loud.set_microphone(Some(127)));
    world.with(keys[0], |quiet, _| quiet.set_microphone(Some(20)));
    world.run_ms(3_000);
    let sources = |world: &World| -> Vec<u32> {
        let recent = |tally: &&SourceTally| world.now.saturating_duration_since(tally.last_packet) < Duration::from_millis(100);
        let mut sources: Vec<u32> = (0..4)
            .flat_map(|seat| world.caller(listener).synthetic.audio_sources(seat).iter().filter(recent).map(|tally| tally.source))
            .collect();
        sources.sort_unstable();
        sources
    };
    assert_eq!(sources(&world), [10, 13, 15], "whoever speaks up takes the place of who fell silent");
    assert_gapless(&world, listener);
}

/// Six voices, the first switched on first, and a viewer with two seats. With several workers the call is spread.
fn crowd(seed: u64, hides_levels: bool) -> (World, Vec<CallerKey>, CallerKey) {
    let mut world = World::new(seed);
    if hides_levels {
        world.hide_levels();
    }
    let levels = [20, 25, 30, 35, 40, 45];
    let join = |(n, level): (u32, &u8)| world.join(ROOM, voice(10 + n, *level), Network::delay_ms(NEAR));
    let keys: Vec<CallerKey> = (0..).zip(&levels).map(join).collect();
    for key in &keys {
        world.set_muted(*key, Source::Microphone, true);
    }
    let listener = world.join(ROOM, Settings::viewer(90, 2), Network::delay_ms(NEAR));
    world.run_ms(1_000);
    for key in &keys {
        world.set_muted(*key, Source::Microphone, false);
        world.run_ms(200);
    }
    world.run_ms(2_000);
    (world, keys, listener)
}

fn seated(world: &World, viewer: CallerKey, of: &[CallerKey]) -> Vec<usize> {
    (0..of.len()).filter(|n| seat_of(world, viewer, of[*n]).is_some()).collect()
}

#[test]
fn where_levels_are_hidden_nobody_is_told_who_speaks_and_none_that_comes_is_read() {
    for hides_levels in [false, true] {
        let (world, _, _) = crowd(114, hides_levels);
        let is_told = world.events.iter().any(|event| matches!(event, MediaEvent::Speakers { .. }));
        assert_eq!(is_told, !hides_levels, "hidden: {hides_levels}");
        // The synthetic callers say how loud they are whatever was negotiated.
        assert_eq!(world.count(Counter::LevelsIgnored) > 0, hides_levels, "hidden: {hides_levels}");
    }
}

#[test]
fn where_levels_are_hidden_whoever_switched_on_last_is_heard_not_the_loudest() {
    let (world, keys, listener) = crowd(115, false);
    assert_eq!(seated(&world, listener, &keys), [0, 1], "the loudest, where levels are told");
    let (mut world, keys, listener) = crowd(115, true);
    assert_eq!(seated(&world, listener, &keys), [4, 5]);
    world.set_muted(keys[0], Source::Microphone, true);
    world.run_ms(200);
    world.set_muted(keys[0], Source::Microphone, false);
    world.run_ms(1_000);
    assert_eq!(seated(&world, listener, &keys), [0, 5], "who switches on again is the last");
    let heard = |world: &World, of: CallerKey| {
        let seat = seat_of(world, listener, of).expect("seated");
        world.caller(listener).synthetic.audio(seat).packets
    };
    let before = [keys[0], keys[5]].map(|key| heard(&world, key));
    world.run_ms(1_000);
    for (key, before) in [keys[0], keys[5]].into_iter().zip(before) {
        assert!((49..=51).contains(&(heard(&world, key) - before)), "all of what is seated is heard");
    }
    world.set_forbidden(keys[5], Source::Microphone, true);
    world.run_ms(1_000);
    assert_eq!(seated(&world, listener, &keys), [0, 4], "nor does it help to be on against a moderator's word");
    assert_gapless(&world, listener);
}

#[test]
fn a_worker_that_cannot_carry_all_of_a_call_that_hides_levels_sends_the_three_last_switched_on() {
    let (mut world, keys, _) = crowd(116, true);
    let listener = keys[0];
    assert_eq!(seated(&world, listener, &keys), [2, 3, 4, 5], "four seats");
    let heard = |world: &World, n: usize| {
        let seat = seat_of(world, listener, keys[n]).expect("seated");
        world.caller(listener).synthetic.audio(seat).packets
    };
    let in_a_second = |world: &mut World, busy: u64| {
        let before = [2, 3, 4, 5].map(|n| heard(world, n));
        world.run_busy_ms(1_000, busy);
        let after = [2, 3, 4, 5].map(|n| heard(world, n));
        [0, 1, 2, 3].map(|n| after[n] - before[n] >= 48)
    };
    assert_eq!(in_a_second(&mut world, 0), [true; 4]);
    world.run_busy_ms(10_000, 1_000);
    assert_eq!(in_a_second(&mut world, 1_000), [false, true, true, true]);
}
