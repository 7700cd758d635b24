//! An independent participant: the peer connection of the `rtc` crate over a UDP socket of its own, driven by a task.
//!
//! It knows the server only by [`webcall_media::Media`] and by what comes over the socket; no code of ours reads or writes its packets.
//! The tests that use it wait for events, each for at most [`BOUND`].

#![allow(dead_code, unused_imports)] // each of the test programs uses another part of it

mod call;
mod connection;
mod driver;
mod packets;
mod participant;
mod tap;

use std::future::Future;
use std::time::Duration;

pub(crate) use call::{Call, SeatIds, address_of, local_config};
pub(crate) use connection::{Manner, Ssrcs};
pub(crate) use packets::{Losses, Received, Sending, interframe, keyframe, sound};
pub(crate) use participant::Participant;

/// How long anything may take. Generous: the machine may be busy, and nothing here measures time.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// Awaits something that must happen within [`BOUND`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, future).await {
        Ok(value) => value,
        Err(_) => panic!("did not happen within {BOUND:?}: {what}"),
    }
}

/// Both hear and see each other, and nobody else says anything meanwhile.
pub(crate) async fn converse(one: &mut Participant, other: &mut Participant, seq: u16) {
    for frame in [sound, keyframe] {
        one.send(frame(seq)).await;
        assert_eq!(other.receive().await.packet.payload, frame(seq).payload);
        other.send(frame(seq)).await;
        assert_eq!(one.receive().await.packet.payload, frame(seq).payload);
    }
}
