//! A track offered to the room: its codec, its simulcast layers, and the routes to those who receive it.

use std::time::{Duration, Instant};

use super::keyframe::KeyframeRequests;
use super::nack::NackTracker;
use super::receive_stats::ReceiveStats;
use super::ring::PacketRing;
use super::speaker::SilenceGate;
use super::staged::Staged;
use crate::codec::Codec;
use crate::id::{FeedId, Source};
use crate::units::RtpTimestamp;

/// A layer without a packet for this long does not flow: nobody is switched to it. Chromium stops a layer within 100 ms of running
/// out of bandwidth; a screen that does not change sends a frame a second.
const FLOWING_FOR: Duration = Duration::from_millis(1500);

pub(crate) struct Publication {
    /// The participant's key in the room.
    pub(crate) owner: usize,
    /// Never given twice in a room.
    pub(crate) serial: u32,
    pub(crate) source: Source,
    pub(crate) feed: FeedId,
    /// The codec of the packets that flow now.
    pub(crate) codec: Codec,
    /// Lowest first; one for audio and for video without simulcast.
    pub(crate) layers: Vec<Layer>,
    /// Who receives it. Compiled by the room; packets only follow them.
    pub(crate) routes: Vec<Route>,
    /// Switched off by its owner: nobody waits for it.
    pub(crate) is_muted: bool,
    /// Switched off by a moderator: none of it is forwarded.
    pub(crate) is_forbidden: bool,
    pub(crate) silence: SilenceGate,
    /// Whether its packets say how loud they are (RFC 6464). Without, nobody can tell whether it is among the loudest.
    pub(crate) has_levels: bool,
    /// What this turn has received of it and not forwarded yet.
    pub(crate) staged: Staged,
}

/// Where a publication's packets go: a seat of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) participant: usize,
    pub(crate) seat: usize,
}

/// One encoding of a publication.
pub(crate) struct Layer {
    pub(crate) rid: Option<String>,
    /// Known once declared or seen.
    pub(crate) ssrc: Option<u32>,
    pub(crate) last_packet: Option<Instant>,
    pub(crate) stats: ReceiveStats,
    pub(crate) keyframes: KeyframeRequests,
    pub(crate) sender_report: Option<SenderReport>,
    /// Video only: made with the first packet.
    pub(crate) repair: Option<Box<Repair>>,
}

/// What it takes to mend losses of one layer, on the way in and on the way out.
#[derive(Default)]
pub(crate) struct Repair {
    pub(crate) nack: NackTracker,
    pub(crate) ring: PacketRing,
}

/// The publisher's last sender report (RFC 3550 §6.4.1): where its RTP clock stood when it arrived. Its own wall clock is of no use:
/// subscribers are told the server's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SenderReport {
    pub(crate) at: Instant,
    pub(crate) rtp_timestamp: RtpTimestamp,
}

impl Publication {
    pub(crate) fn new(serial: u32, owner: usize, source: Source, feed: FeedId, codec: Codec, rids: &[String]) -> Self {
        let layers = match rids {
            [] => vec![Layer::new(None, codec)],
            rids => rids.iter().map(|rid| Layer::new(Some(rid.clone()), codec)).collect(),
        };
        Self {
            owner,
            serial,
            source,
            feed,
            codec,
            layers,
            routes: Vec::new(),
            is_muted: false,
            is_forbidden: false,
            silence: SilenceGate::default(),
            has_levels: false,
            staged: Staged::default(),
        }
    }

    /// Whether each layer flows, lowest first.
    pub(crate) fn flowing(&self, now: Instant) -> Flowing {
        let mut flowing = Flowing { layers: [false; 3], count: self.layers.len().min(3) };
        for (flag, layer) in flowing.layers.iter_mut().zip(&self.layers) {
            *flag = layer.is_flowing(now);
        }
        flowing
    }

    /// Whether packets may be expected at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.is_muted && !self.is_forbidden
    }
}

/// Which layers flow.
pub(crate) struct Flowing {
    layers: [bool; 3],
    count: usize,
}

impl Flowing {
    pub(crate) fn as_slice(&self) -> &[bool] {
        &self.layers[..self.count]
    }
}

impl Layer {
    fn new(rid: Option<String>, codec: Codec) -> Self {
        Self {
            rid,
            ssrc: None,
            last_packet: None,
            stats: ReceiveStats::new(codec.clock_rate()),
            keyframes: KeyframeRequests::default(),
            sender_report: None,
            repair: None,
        }
    }

    /// Takes an SSRC as the layer's own. Another one than before starts the layer's numbers afresh.
    pub(crate) fn begin(&mut self, ssrc: u32) {
        if self.ssrc != Some(ssrc) {
            self.ssrc = Some(ssrc);
            self.repair = None;
            self.sender_report = None;
        }
    }

    /// Whether a packet or a keyframe is waited for, which is to be asked for again when it is time.
    pub(crate) fn is_waiting(&self) -> bool {
        self.keyframes.is_waiting() || self.repair.as_ref().is_some_and(|repair| repair.nack.is_waiting())
    }

    pub(crate) fn is_flowing(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|at| now.saturating_duration_since(at) < FLOWING_FOR)
    }
}
