//! What a call must do, each test a sentence. Times in them are virtual.

mod chaos;
mod codecs;
mod crowd;
mod hostile;
mod loss;
mod moderation;
mod overload;
mod paths;
mod seats;
mod sound;
mod spread;
mod steady;
mod switches;

use std::time::Duration;

use super::world::CallerKey;
use super::{Bottleneck, Loss, Network, World};
use crate::id::FeedKind;
use crate::synthetic::{Camera, Faults, Numbering, Settings, VideoCodec, VideoReport};

const ROOM: u128 = 1;
/// A usual way to the server, one direction.
const NEAR: u64 = 15;

/// A caller with a camera that prefers one codec and can send all.
fn caller(source: u32, codec: VideoCodec, seats: usize) -> Settings {
    Settings::caller(source, &preferring(codec), seats)
}

fn preferring(codec: VideoCodec) -> Vec<VideoCodec> {
    let rest = VideoCodec::ALL.into_iter().filter(|other| *other != codec);
    std::iter::once(codec).chain(rest).collect()
}

/// The seat in which a viewer has somebody.
fn seat_of(world: &World, viewer: CallerKey, of: CallerKey) -> Option<usize> {
    let id = world.caller(of).id;
    world
        .caller(viewer)
        .seated
        .iter()
        .position(|feed| feed.as_ref().is_some_and(|feed| (feed.participant, feed.kind) == (id, FeedKind::Person)))
}

/// The picture that a viewer has of somebody who sits in one of its seats.
fn video_of(world: &World, viewer: CallerKey, of: CallerKey) -> VideoReport {
    let seat = seat_of(world, viewer, of).expect("seated");
    world.caller(viewer).synthetic.video(seat)
}

/// Frames that a viewer was shown of somebody in all its seats, judged by whom the seat last showed.
fn is_showing(world: &World, viewer: CallerKey, of: CallerKey, within: Duration) -> bool {
    let Some(seat) = seat_of(world, viewer, of) else { return false };
    let shown = world.caller(viewer).synthetic.video(seat).last_shown;
    shown.is_some_and(|shown| {
        shown.source == world.caller(of).synthetic.settings().source && world.now.saturating_duration_since(shown.at) <= within
    })
}

/// All that a viewer ever got of a source, in all seats: packets of picture and sound.
fn packets_from(world: &World, viewer: CallerKey, of: CallerKey) -> u64 {
    let source = world.caller(of).synthetic.settings().source;
    let viewer = &world.caller(viewer).synthetic;
    let seats = 0..viewer.seats();
    let tallies = seats.flat_map(|seat| viewer.video_sources(seat).iter().chain(viewer.audio_sources(seat)));
    tallies.filter(|tally| tally.source == source).map(|tally| tally.packets).sum()
}

/// Nothing was wrong with any seat that the server could be blamed for, whatever the network did.
fn assert_no_fault(world: &World, viewer: CallerKey) {
    let synthetic = &world.caller(viewer).synthetic;
    for seat in 0..synthetic.seats() {
        let (video, audio) = (synthetic.video(seat), synthetic.audio(seat));
        assert_eq!(video.faults, Faults::default(), "picture of seat {seat} of caller {viewer}: {video:#?}");
        assert_eq!(audio.faults, Faults::default(), "sound of seat {seat} of caller {viewer}: {audio:#?}");
        assert_eq!(audio.duplicates, 0, "sound of seat {seat}");
    }
    let transport = synthetic.transport();
    assert_eq!((transport.forged, transport.unknown), (0, 0), "caller {viewer}: {transport:?}");
}

/// Over a network that loses nothing, every number of every seat arrived once, and every frame could be shown.
fn assert_gapless(world: &World, viewer: CallerKey) {
    assert_no_fault(world, viewer);
    let synthetic = &world.caller(viewer).synthetic;
    for seat in 0..synthetic.seats() {
        let (video, audio) = (synthetic.video(seat), synthetic.audio(seat));
        assert_eq!((video.lost, video.duplicates, video.awaiting_keyframe), (0, 0, 0), "seat {seat} of {viewer}: {video:#?}");
        assert_eq!(audio.missing, 0, "seat {seat} of {viewer}: {audio:#?}");
    }
}

/// The wire says the same of who sits where as the events.
fn assert_seats_are_named_rightly(world: &World, viewer: CallerKey) {
    let synthetic = &world.caller(viewer).synthetic;
    for (seat, feed) in world.caller(viewer).seated.iter().enumerate() {
        let Some(feed) = feed else { continue };
        let source = u32::try_from(feed.participant.0).expect("made of a source");
        for tally in synthetic.video_sources(seat).iter().chain(synthetic.audio_sources(seat)) {
            assert_eq!(tally.source == source, tally.csrc == feed.feed.0, "seat {seat}: {tally:?} against {feed:?}");
        }
    }
}
