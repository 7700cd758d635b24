//! A track offered to the room: its codec, its simulcast layers, and the routes to those who receive it.

use std::time::{Duration, Instant};

use super::keyframe::KeyframeRequests;
use super::nack::NackTracker;
use super::receive_stats::ReceiveStats;
use super::ring::PacketRing;
use super::shedding::Step;
use super::speaker::SilenceGate;
use crate::codec::Codec;
use crate::handover::{MAX_LAYERS, Packets, Place, Status, WorkerId};
use crate::id::{FeedId, Source};
use crate::units::RtpTimestamp;

/// A layer without a packet for this long does not flow: nobody is switched to it. Chromium stops a layer within 100 ms of running
/// out of bandwidth; a screen that does not change sends a frame a second.
const FLOWING_FOR: Duration = Duration::from_millis(1500);

pub(crate) struct Publication {
    pub(crate) origin: Origin,
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
    /// Since when it is neither; nothing while it is one of them.
    pub(crate) on_since: Option<Instant>,
    pub(crate) silence: SilenceGate,
    /// Whether its packets say how loud they are (RFC 6464). Without, nobody can tell whether it is among the loudest.
    pub(crate) has_levels: bool,
    /// What this turn has received of it and not forwarded yet.
    pub(crate) staged: Packets,
}

/// Where a publication's packets come from.
pub(crate) enum Origin {
    /// From a participant here, by key.
    Here {
        owner: usize,
        /// What the other workers of the room were told last.
        announced: Option<Status>,
        /// The mirrors that take its packets.
        mirrors: Vec<(WorkerId, Place)>,
    },
    /// From another worker, which knows it by this serial: a mirror.
    There {
        worker: WorkerId,
        serial: u32,
        /// Where it is kept here.
        at: Place,
        /// Whether the worker was told to hand its packets over.
        is_wanted: bool,
        /// Which layers flow there.
        flowing: [bool; MAX_LAYERS],
    },
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
    pub(crate) fn new(serial: u32, origin: Origin, source: Source, feed: FeedId, codec: Codec, rids: &[String]) -> Self {
        let layers = match rids {
            [] => vec![Layer::new(None, codec)],
            rids => rids.iter().map(|rid| Layer::new(Some(rid.clone()), codec)).collect(),
        };
        Self {
            origin,
            serial,
            source,
            feed,
            codec,
            layers,
            routes: Vec::new(),
            is_muted: false,
            is_forbidden: false,
            on_since: None,
            silence: SilenceGate::default(),
            has_levels: false,
            staged: Packets::default(),
        }
    }

    /// Whether each layer flows, lowest first.
    pub(crate) fn flowing(&self, now: Instant) -> Flowing {
        let layers = if let Origin::There { flowing, .. } = self.origin { flowing } else { [false; MAX_LAYERS] };
        let mut flowing = Flowing { layers, count: self.layers.len().min(MAX_LAYERS) };
        for (flag, layer) in flowing.layers.iter_mut().zip(&self.layers) {
            *flag |= layer.is_flowing(now);
        }
        flowing
    }

    /// Whether somebody here publishes it; else it is a mirror.
    pub(crate) fn is_from_here(&self) -> bool {
        matches!(self.origin, Origin::Here { .. })
    }

    /// Whether it is of this participant here.
    pub(crate) fn is_of(&self, participant: usize) -> bool {
        matches!(self.origin, Origin::Here { owner, .. } if owner == participant)
    }

    /// Whether it mirrors that publication of that worker.
    pub(crate) fn mirrors(&self, of: WorkerId, its: u32) -> bool {
        matches!(self.origin, Origin::There { worker, serial, .. } if worker == of && serial == its)
    }

    pub(crate) fn status(&self, now: Instant) -> Status {
        let Self { is_muted, is_forbidden, on_since, has_levels, .. } = *self;
        Status { is_muted, is_forbidden, on_since, has_levels, flowing: self.flowing(now).layers }
    }

    /// Gives a mirror the status of what it mirrors.
    pub(crate) fn set_status(&mut self, status: Status) {
        (self.is_muted, self.is_forbidden, self.has_levels) = (status.is_muted, status.is_forbidden, status.has_levels);
        self.on_since = status.on_since;
        if let Origin::There { flowing, .. } = &mut self.origin {
            *flowing = status.flowing;
        }
    }

    /// Takes over what its owner and the moderators switched.
    pub(crate) fn switch(&mut self, now: Instant, is_muted: bool, is_forbidden: bool) {
        (self.is_muted, self.is_forbidden) = (is_muted, is_forbidden);
        self.on_since = self.is_on().then(|| self.on_since.unwrap_or(now));
    }

    /// Whether packets may be expected at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.is_muted && !self.is_forbidden
    }
}

/// Which layers flow.
pub(crate) struct Flowing {
    layers: [bool; MAX_LAYERS],
    count: usize,
}

impl Flowing {
    /// Those that may be sent; the lowest that flows always.
    pub(crate) fn limited_by(mut self, shedding: Step) -> Self {
        let lowest = self.layers.iter().position(|flows| *flows).unwrap_or(0);
        let allowed = shedding.layers(self.count).max(lowest + 1);
        self.layers[allowed.min(MAX_LAYERS)..].fill(false);
        self
    }

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
            let is_another = self.ssrc.replace(ssrc).is_some();
            self.repair = None;
            // A mirror may hear of the clock before the first packet.
            self.sender_report = self.sender_report.filter(|_| !is_another);
        }
    }

    /// Notes that a packet came; whether the layer begins to flow with it.
    pub(crate) fn touch(&mut self, now: Instant) -> bool {
        let was_flowing = self.is_flowing(now);
        self.last_packet = Some(now);
        !was_flowing
    }

    /// Whether a packet or a keyframe is waited for, which is to be asked for again when it is time.
    pub(crate) fn is_waiting(&self) -> bool {
        self.keyframes.is_waiting() || self.repair.as_ref().is_some_and(|repair| repair.nack.is_waiting())
    }

    pub(crate) fn is_flowing(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|at| now.saturating_duration_since(at) < FLOWING_FOR)
    }
}
