//! A microphone: a marked Opus packet every 20 ms with its level.

use std::time::{Duration, Instant};

use super::mark::Mark;
use super::offer::MICROPHONE_MID;
use super::stream::{Outgoing, Stream, Wire};
use crate::codec::Codec;

const FRAME: Duration = Duration::from_millis(20);
const FRAME_TICKS: u32 = 960;
/// 32 kbit/s.
const PAYLOAD_BYTES: usize = 80;
/// Louder than this, in dB below the loudest possible, counts as voice.
const VOICE_BELOW_FULL_DB: u8 = 60;

pub(super) struct MicrophoneSender {
    pub(super) stream: Stream,
    source: u32,
    /// `None` while switched off.
    below_full_db: Option<u8>,
    next: Option<Instant>,
    frame: u32,
    timestamp: u32,
    scratch: Vec<u8>,
}

impl MicrophoneSender {
    pub(super) fn new(source: u32, below_full_db: u8, ssrc: u32, first_seq: u16, first_timestamp: u32) -> Self {
        Self {
            stream: Stream::new(ssrc, 0, first_seq, MICROPHONE_MID, ""),
            source,
            below_full_db: Some(below_full_db),
            next: None,
            frame: 0,
            timestamp: first_timestamp,
            scratch: Vec::with_capacity(PAYLOAD_BYTES),
        }
    }

    pub(super) fn set_level(&mut self, below_full_db: Option<u8>) {
        self.below_full_db = below_full_db;
    }

    /// The newest frame.
    pub(super) fn newest_frame(&self) -> Option<u32> {
        self.frame.checked_sub(1)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Begins to send; the first packet leaves at once.
    pub(super) fn start(&mut self, now: Instant) {
        self.next.get_or_insert(now);
    }

    /// The RTP timestamp of a moment, for sender reports.
    pub(super) fn timestamp_at(&self, now: Instant) -> u32 {
        let ahead = self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        self.timestamp.wrapping_sub(Codec::Opus.clock_rate().ticks(ahead) as u32)
    }

    /// Sends what is due. `unix_us` is the wall clock.
    pub(super) fn handle_timeout(&mut self, now: Instant, unix_us: u64, wire: &mut Wire<'_>) {
        while let Some(next) = self.next.filter(|next| *next <= now) {
            self.next = Some(next + FRAME);
            let timestamp = self.timestamp;
            self.timestamp = timestamp.wrapping_add(FRAME_TICKS);
            let Some(below_full_db) = self.below_full_db else { continue };
            let source = self.source;
            let mark = Mark {
                source,
                layer: 0,
                is_keyframe: false,
                frame: self.frame,
                reference: 0,
                index: 0,
                count: 1,
                captured_us: unix_us,
            };
            self.frame = self.frame.wrapping_add(1);
            self.scratch.clear();
            self.scratch.push(0x78);
            mark.write(&mut self.scratch);
            self.scratch.resize(PAYLOAD_BYTES, 0x5a);
            let voice = if below_full_db < VOICE_BELOW_FULL_DB { 0x80 } else { 0 };
            let level = Some(voice | below_full_db & 0x7f);
            let packet = Outgoing { codec: Codec::Opus, timestamp, marker: false, level, payload: &self.scratch };
            self.stream.send(&packet, wire);
        }
    }
}
