//! What a synthetic participant saw. Plain values that only grow; compare two of them to judge a span of time.

use std::time::{Duration, Instant};

/// Sources told apart on one line; what further ones send is counted in no tally.
const MAX_SOURCES: usize = 512;

/// One seat's picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VideoReport {
    /// Packets that arrived, retransmissions not counted.
    pub packets: u64,
    /// Packets that only a retransmission brought.
    pub repaired: u64,
    /// Retransmissions of what had arrived already.
    pub useless_retransmissions: u64,
    /// Packets that arrived twice in spite of SRTP: the server numbered two packets alike.
    pub duplicates: u64,
    /// Sequence numbers asked for again, repetitions not counted.
    pub lost: u64,
    /// Sequence numbers asked for in vain.
    pub given_up: u64,
    /// Sequence numbers that are not there: asked for in vain, or not there yet.
    pub missing: u64,
    /// Keyframes asked for.
    pub keyframe_requests: u64,
    /// Frames that a decoder could show.
    pub shown: u64,
    /// Among them keyframes.
    pub keyframes: u64,
    /// The first frame shown.
    pub first_shown: Option<Shown>,
    /// The last frame shown.
    pub last_shown: Option<Shown>,
    /// The longest time between two frames shown.
    pub longest_gap: Duration,
    /// Times that were so long that a person would call the picture frozen.
    pub freezes: u64,
    /// Changes of source or layer.
    pub switches: u64,
    /// Frames dropped because a decoder waited for a keyframe.
    pub awaiting_keyframe: u64,
    /// Frames whose end never came, because the server switched in their middle.
    pub cut: u64,
    /// What is the server's fault.
    pub faults: Faults,
    /// How far the timestamps run ahead of the clock since the first frame, at worst, ms in either direction.
    pub worst_drift_ms: u32,
    /// Play-out moment by sender report minus moment of capture, ms.
    pub skew_ms: Option<i64>,
}

impl Faults {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self { undecodable, mixed, order, timestamps, picture_ids, wrong_source, unreadable } = self;
        undecodable + mixed + order + timestamps + picture_ids + wrong_source + unreadable
    }
}

/// Counts of what must not happen, whatever the network does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Frames without what they refer to, although no packet was missing.
    pub undecodable: u64,
    /// Frames made of packets that do not belong together.
    pub mixed: u64,
    /// Frames of one source in the wrong order.
    pub order: u64,
    /// Timestamps that do not grow.
    pub timestamps: u64,
    /// Picture ids or TL0PICIDX that do not run on.
    pub picture_ids: u64,
    /// Packets whose CSRC names another feed than its packets before did.
    pub wrong_source: u64,
    /// Packets that a decoder would not understand.
    pub unreadable: u64,
}

/// A frame that a decoder could show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// When its last packet arrived, or the packet that it waited for.
    pub at: Instant,
    /// Whose it is.
    pub source: u32,
    /// Of which simulcast layer.
    pub layer: u8,
    /// The codec's encoding name.
    pub codec: &'static str,
    /// Which frame of its source and layer.
    pub frame: u32,
}

/// One seat's sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AudioReport {
    /// Packets that arrived.
    pub packets: u64,
    /// Packets that arrived twice in spite of SRTP.
    pub duplicates: u64,
    /// Numbers that did not arrive so far.
    pub missing: i64,
    /// The longest time between two packets.
    pub longest_gap: Duration,
    /// When the last packet arrived.
    pub last_packet: Option<Instant>,
    /// What is the server's fault.
    pub faults: Faults,
    /// Source and frame of the newest packet.
    pub newest: Option<(u32, u32)>,
    /// Play-out moment by sender report minus moment of capture, ms.
    pub skew_ms: Option<i64>,
}

/// What arrived of one source on one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceTally {
    /// Whose.
    pub source: u32,
    /// The CSRC that all its packets carried.
    pub csrc: u32,
    /// Packets with its mark, retransmissions counted.
    pub packets: u64,
    /// When the last arrived.
    pub last_packet: Instant,
}

/// The newest frames that a participant sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestFrames {
    /// As they are marked.
    pub source: u32,
    /// Of the microphone.
    pub sound: Option<u32>,
    /// Of the camera's layers.
    pub layers: Vec<Option<u32>>,
}

/// What a participant sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendReport {
    /// Video packets of all layers, retransmissions not counted.
    pub video_packets: u64,
    /// Sound packets.
    pub audio_packets: u64,
    /// Retransmissions.
    pub retransmitted: u64,
    /// Keyframes of all layers.
    pub keyframes: u64,
    /// Keyframe requests received.
    pub keyframe_requests: u64,
    /// Transport-wide feedback packets received.
    pub transport_feedback: u64,
}

/// What arrived that was no good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TransportReport {
    /// Datagrams in all.
    pub datagrams: u64,
    /// Media from before the handshake was done on this side: its last datagram was lost.
    pub early: u64,
    /// Media that did not authenticate.
    pub forged: u64,
    /// Media that arrived twice; the network does that.
    pub replayed: u64,
    /// Media with an SSRC or payload type that was not negotiated.
    pub unknown: u64,
}

/// The sources seen on one line.
#[derive(Default)]
pub(super) struct Tallies(Vec<SourceTally>);

impl Tallies {
    /// Counts a packet; false when its CSRC is not the one that this source had before, or is another source's.
    pub(super) fn count(&mut self, now: Instant, source: u32, csrc: u32) -> bool {
        if let Some(tally) = self.0.iter_mut().find(|tally| tally.source == source && tally.csrc == csrc) {
            tally.packets += 1;
            tally.last_packet = now;
            return true;
        }
        let is_consistent = !self.0.iter().any(|tally| tally.source == source || tally.csrc == csrc);
        if self.0.len() < MAX_SOURCES {
            self.0.push(SourceTally { source, csrc, packets: 1, last_packet: now });
        }
        is_consistent
    }

    pub(super) fn as_slice(&self) -> &[SourceTally] {
        &self.0
    }
}
