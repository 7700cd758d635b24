//! What can be read of a synthetic participant.

use std::net::SocketAddr;
use std::time::Instant;

use super::camera::CameraSender;
use super::latency::Latency;
use super::microphone::MicrophoneSender;
use super::participant::Participant;
use super::report::{AudioReport, NewestFrames, SendReport, SourceTally, TransportReport, VideoReport};
use super::settings::Settings;
use crate::codec::Codec;

impl Participant {
    /// What it is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether media can flow.
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// When the path was last found to work, and the participant's address as the server sees it.
    pub fn confirmed(&self) -> Option<(Instant, SocketAddr)> {
        self.link.confirmed()
    }

    /// Whether the handshake failed or the server closed the association.
    pub fn has_failed(&self) -> bool {
        self.link.has_failed
    }

    /// When media could flow first.
    pub fn connected_at(&self) -> Option<Instant> {
        self.connected_at
    }

    /// The codec that the camera sends.
    pub fn sends(&self) -> Option<&'static str> {
        self.camera.as_ref().and_then(CameraSender::codec).map(Codec::name)
    }

    /// Seats that an answer has opened.
    pub fn seats(&self) -> usize {
        self.seats.len()
    }

    /// What was seen in a seat.
    pub fn video(&self, seat: usize) -> VideoReport {
        self.seats.get(seat).map(|seat| seat.picture.content.report()).unwrap_or_default()
    }

    /// What was heard in a seat.
    pub fn audio(&self, seat: usize) -> AudioReport {
        self.seats.get(seat).map(|seat| seat.sound.content.report()).unwrap_or_default()
    }

    /// Whose packets arrived in a seat's picture.
    pub fn video_sources(&self, seat: usize) -> &[SourceTally] {
        self.seats.get(seat).map_or(&[], |seat| seat.picture.content.tallies.as_slice())
    }

    /// Whose packets arrived in a seat's sound.
    pub fn audio_sources(&self, seat: usize) -> &[SourceTally] {
        self.seats.get(seat).map_or(&[], |seat| seat.sound.content.tallies.as_slice())
    }

    /// What it sent.
    pub fn sent(&self) -> SendReport {
        let layers = || self.camera.iter().chain(&self.screen).flat_map(|camera| &camera.layers);
        SendReport {
            video_packets: layers().map(|layer| u64::from(layer.stream.packets)).sum(),
            audio_packets: self.microphone.as_ref().map_or(0, |microphone| u64::from(microphone.stream.packets)),
            retransmitted: layers().map(|layer| layer.stream.retransmitted).sum(),
            keyframes: self.camera.iter().chain(&self.screen).map(CameraSender::keyframes).sum(),
            ..self.sent
        }
    }

    /// The newest frames that it sent.
    pub fn newest_frames(&self) -> NewestFrames {
        NewestFrames {
            source: self.settings.source,
            sound: self.microphone.as_ref().and_then(MicrophoneSender::newest_frame),
            layers: self.camera.as_ref().map(CameraSender::newest_frames).unwrap_or_default(),
        }
    }

    /// How long media was under way, retransmissions not counted.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Begins to measure afresh.
    pub fn forget_latency(&mut self) {
        self.latency = Latency::default();
    }

    /// What arrived that was no good.
    pub fn transport(&self) -> TransportReport {
        self.transport
    }
}
