//! A forwarded packet allocates nothing: counted by an allocator that counts, over seconds of a call in virtual time.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::alloc::System;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use webcall_media::load::Rehearsal;
use webcall_media::synthetic::{Camera, Settings, VideoCodec};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The only test of its binary: another thread's allocations would be counted too.
#[test]
fn a_forwarded_packet_allocates_nothing() {
    for codec in VideoCodec::ALL {
        let camera = Some(Camera::simulcast(&[codec]));
        let publisher = |source| Settings { camera: camera.clone(), ..Settings::caller(source, &[codec], 3) };
        let mut people: Vec<Settings> = (1..=3).map(publisher).collect();
        people.extend((10..30).map(|source| Settings::viewer(source, 3)));
        let mut call = Rehearsal::new(people).unwrap();
        // Buffers grow to what the call needs, layers are aimed at, keyframes come.
        call.run(Duration::from_secs(6), |act| act());
        let (mut allocations, before) = (0, call.forwarded());
        call.run(Duration::from_secs(4), |act| {
            let region = Region::new(ALLOCATOR);
            act();
            let change = region.change();
            allocations += change.allocations + change.reallocations;
        });
        let forwarded = call.forwarded() - before;
        assert!(forwarded > 30_000, "{codec:?}: {forwarded}");
        assert_eq!(allocations, 0, "{codec:?}: for {forwarded} packets");
        assert!(call.people()[5].video(0).shown > 100, "{:?}", call.people()[5].video(0));
    }
}
