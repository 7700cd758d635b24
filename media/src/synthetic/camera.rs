//! A camera, or a shared screen: marked frames of the negotiated codec, all layers at the same moment, each frame's packets in one burst.

use std::time::{Duration, Instant};

use super::mark::Mark;
use super::payload::{Frame, Ids, packetise};
use super::settings::Camera;
use super::stream::{Outgoing, Stream, Wire};
use crate::codec::Codec;
use crate::random::Random;
use crate::units::ClockRate;

/// From a request to the frame that answers it; with the wait for the next frame 30 to 80 ms, as measured on Chromium.
const KEYFRAME_DELAY: Duration = Duration::from_millis(30);
/// How many times larger than others keyframes are.
const KEYFRAME_FACTOR: usize = 4;

pub(super) struct CameraSender {
    pub(super) layers: Vec<LayerSender>,
    source: u32,
    interval: Duration,
    /// `None` until an answer names it.
    codec: Option<Codec>,
    is_on: bool,
    next: Option<Instant>,
    timestamp: u32,
    timestamp_at: Option<Instant>,
    scratch: Vec<u8>,
}

pub(super) struct LayerSender {
    pub(super) stream: Stream,
    encoder: Encoder,
    frame_bytes: usize,
    is_enabled: bool,
}

/// The state of one encoder. Every second frame of simulcast is of the upper temporal layer, to which nothing refers.
struct Encoder {
    layer: u8,
    has_temporal_layers: bool,
    next_frame: u32,
    /// The last frame that others may refer to.
    base_frame: u32,
    since_keyframe: u32,
    picture_id: u16,
    tl0: u8,
    key_index: u8,
    keyframe_due: Option<Instant>,
    keyframes: u64,
}

impl CameraSender {
    pub(super) fn new(source: u32, camera: &Camera, mid: &'static str, random: &mut Random) -> Self {
        let is_simulcast = camera.layers.len() > 1;
        let layer = |(index, layer): (usize, &super::settings::Layer)| {
            let (ssrc, rtx_ssrc) = (random.fresh_ssrc(), random.fresh_ssrc());
            let rid = if is_simulcast { layer.rid } else { "" };
            let stream = Stream::new(ssrc, rtx_ssrc, random.first_seq(), mid, rid);
            let encoder = Encoder {
                layer: index as u8,
                has_temporal_layers: is_simulcast,
                next_frame: 0,
                base_frame: 0,
                since_keyframe: 0,
                picture_id: random.next_u32() as u16 & 0x7fff,
                tl0: random.next_u32() as u8,
                key_index: 0,
                keyframe_due: None,
                keyframes: 0,
            };
            let frame_bytes = (layer.bitrate_bps / 8 / camera.frame_rate.max(1)) as usize;
            LayerSender { stream, encoder, frame_bytes, is_enabled: true }
        };
        Self {
            layers: camera.layers.iter().enumerate().map(layer).collect(),
            source,
            interval: Duration::from_secs(1) / camera.frame_rate.max(1),
            codec: None,
            is_on: true,
            next: None,
            timestamp: random.next_u32(),
            timestamp_at: None,
            scratch: Vec::with_capacity(1_500),
        }
    }

    pub(super) fn codec(&self) -> Option<Codec> {
        self.codec
    }

    /// Sends this codec from the next frame on, which is then a keyframe.
    pub(super) fn set_codec(&mut self, now: Instant, codec: Codec) {
        if self.codec.replace(codec) != Some(codec) {
            self.layers.iter_mut().for_each(|layer| layer.encoder.keyframe_due = Some(now));
        }
    }

    /// Switches the camera off or on. Switched on again it begins with a keyframe.
    pub(super) fn set_on(&mut self, now: Instant, is_on: bool) {
        if is_on && !self.is_on {
            self.layers.iter_mut().for_each(|layer| layer.encoder.keyframe_due = Some(now));
        }
        self.is_on = is_on;
    }

    /// Stops or starts one layer, as an encoder out of bandwidth does.
    pub(super) fn set_layer(&mut self, now: Instant, layer: usize, is_enabled: bool) {
        if let Some(layer) = self.layers.get_mut(layer) {
            if is_enabled && !layer.is_enabled {
                layer.encoder.keyframe_due = Some(now);
            }
            layer.is_enabled = is_enabled;
        }
    }

    /// A keyframe of this SSRC is asked for.
    pub(super) fn request_keyframe(&mut self, now: Instant, ssrc: u32) {
        if let Some(layer) = self.layers.iter_mut().find(|layer| layer.stream.ssrc == ssrc) {
            layer.encoder.keyframe_due.get_or_insert(now + KEYFRAME_DELAY);
        }
    }

    /// The newest frame of each layer.
    pub(super) fn newest_frames(&self) -> Vec<Option<u32>> {
        self.layers.iter().map(|layer| layer.encoder.next_frame.checked_sub(1)).collect()
    }

    /// Keyframes sent so far, of all layers.
    pub(super) fn keyframes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.encoder.keyframes).sum()
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.next.get_or_insert(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The RTP timestamp of a moment, for sender reports.
    pub(super) fn timestamp_at(&self, now: Instant) -> u32 {
        let since = self.timestamp_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.timestamp.wrapping_add(ClockRate::VIDEO.ticks(since) as u32)
    }

    /// Sends what is due. `unix_us` is the wall clock.
    pub(super) fn handle_timeout(&mut self, now: Instant, unix_us: u64, random: &mut Random, wire: &mut Wire<'_>) {
        let Some(next) = self.next.filter(|next| *next <= now) else { return };
        self.timestamp = self.timestamp_at(now);
        self.timestamp_at = Some(now);
        self.next = Some((next + self.interval).max(now));
        let Some(codec) = self.codec.filter(|_| self.is_on) else { return };
        for layer in self.layers.iter_mut().filter(|layer| layer.is_enabled) {
            // Frames differ in size by half, as those of a talking head do.
            let size_bytes = layer.frame_bytes * (75 + random.next_u32() as usize % 50) / 100;
            let frame = layer.encoder.encode(now, codec, self.source, size_bytes, unix_us);
            let timestamp = self.timestamp;
            packetise(&frame, &mut self.scratch, |payload, marker| {
                layer.stream.send(&Outgoing { codec, timestamp, marker, level: None, payload }, wire);
            });
        }
    }
}

impl Encoder {
    fn encode(&mut self, now: Instant, codec: Codec, source: u32, size_bytes: usize, captured_us: u64) -> Frame {
        let is_keyframe = self.keyframes == 0 || self.keyframe_due.is_some_and(|due| due <= now);
        if is_keyframe {
            self.keyframe_due = None;
            self.since_keyframe = 0;
            self.keyframes += 1;
            self.key_index = self.key_index.wrapping_add(1) & 0x1f;
        } else {
            self.since_keyframe += 1;
        }
        let frame = self.next_frame;
        self.next_frame += 1;
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7fff;
        let temporal = u8::from(self.has_temporal_layers && self.since_keyframe % 2 == 1);
        let reference = if is_keyframe { 0 } else { (frame - self.base_frame) as u8 };
        if temporal == 0 {
            self.base_frame = frame;
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let has_ids = matches!(codec, Codec::Vp8 | Codec::Vp9);
        Frame {
            codec,
            mark: Mark { source, layer: self.layer, is_keyframe, frame, reference, index: 0, count: 0, captured_us },
            ids: Ids {
                picture_id: has_ids.then_some(self.picture_id),
                tl0: has_ids.then_some(self.tl0),
                temporal: if has_ids { temporal } else { 0 },
            },
            key_index: self.key_index,
            size_bytes: if is_keyframe { size_bytes * KEYFRAME_FACTOR } else { size_bytes },
        }
    }
}
