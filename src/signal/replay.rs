//! What a connection sent of late, so that a client whose socket broke gets what it missed. Pure. Numbers the messages.
//!
//! Kept until the client is known to have them, and bounded in messages and bytes, those of each class by themselves. Of what the client can
//! look up the oldest go first, and a `resync` takes their place: numbers before it may be missing. A client that missed more of the rest than
//! is kept cannot resume: it is told `resumed: false` and starts afresh.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;

use super::protocol::{ServerFrame, ServerMessage};

/// Messages of calls kept, and answers. In a large call somebody changes something about once a second: minutes' worth.
pub(super) const MAX_CALL_MESSAGES: usize = 512;
/// Bytes of those; at most the newest message more. An answer to 48 seats is 150 kB.
pub(super) const MAX_CALL_BYTES: usize = 1 << 20;
/// Messages of chat kept: what a client with a lost socket would else fetch. More is looked up as fast.
const MAX_CHAT_MESSAGES: usize = 256;
/// Bytes of those.
const MAX_CHAT_BYTES: usize = 256 << 10;
/// Places kept for messages once all have arrived.
const SPARE_MESSAGES: usize = 8;

/// Whether a client could find out in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It could not: answers, and what happens in calls.
    Call,
    /// It could look: what is written in rooms, what becomes of them, who is there.
    Chat,
}

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) class: Class,
    pub(super) text: Utf8Bytes,
}

/// The numbered messages of one connection.
#[derive(Debug)]
pub(super) struct Replay {
    last_seq: u64,
    /// What the client is known to have, and is therefore no longer kept.
    confirmed_seq: u64,
    call: Kept,
    chat: Kept,
}

impl Default for Replay {
    fn default() -> Self {
        let call = Kept::at_most(MAX_CALL_MESSAGES, MAX_CALL_BYTES);
        Self { last_seq: 0, confirmed_seq: 0, call, chat: Kept::at_most(MAX_CHAT_MESSAGES, MAX_CHAT_BYTES) }
    }
}

impl Replay {
    /// Numbers a message, keeps it and returns it as it is sent.
    pub(super) fn push(&mut self, message: ServerMessage) -> Frame {
        self.last_seq += 1;
        let frame = encode(self.last_seq, message);
        self.call.keep(frame.clone());
        frame
    }

    /// The same for a message that many connections get, and can look up.
    pub(super) fn push_encoded(&mut self, message: &Encoded) -> Frame {
        self.last_seq += 1;
        let frame = message.numbered(self.last_seq);
        self.chat.keep(frame.clone());
        frame
    }

    /// The number of the next message.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Whether half of the places are free, so that what is of the moment pushes out nothing that must be replayed.
    pub(super) fn is_roomy(&self) -> bool {
        self.call.frames.len() < MAX_CALL_MESSAGES / 2 && self.call.bytes < MAX_CALL_BYTES / 2
    }

    /// The client has everything up to `seq`.
    pub(super) fn confirm(&mut self, seq: u64) {
        self.confirmed_seq = self.confirmed_seq.max(seq.min(self.last_seq));
        self.call.confirm(seq);
        self.chat.confirm(seq);
    }

    /// Everything after `seen`, oldest first; `None` when some of it is no longer kept and cannot be looked up, or `seen` was never sent.
    pub(super) fn after(&self, seen: u64) -> Option<Vec<Frame>> {
        if seen > self.last_seq || seen < self.confirmed_seq.max(self.call.lost_seq) {
            return None;
        }
        // Lost are the oldest: what is kept of chat has higher numbers than the `resync` for the rest.
        let resync = (self.chat.lost_seq > seen).then(|| encode(self.chat.lost_seq, ServerMessage::Resync {}));
        let mut missed: Vec<_> = self.call.after(seen).chain(self.chat.after(seen)).cloned().chain(resync).collect();
        missed.sort_unstable_by_key(|frame| frame.seq);
        Some(missed)
    }
}

/// What is kept of one class, in ascending order.
#[derive(Debug)]
struct Kept {
    frames: VecDeque<Frame>,
    bytes: usize,
    max_frames: usize,
    max_bytes: usize,
    /// The last one that was given up.
    lost_seq: u64,
}

impl Kept {
    fn at_most(max_frames: usize, max_bytes: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, max_frames, max_bytes, lost_seq: 0 }
    }

    fn keep(&mut self, frame: Frame) {
        self.bytes += frame.text.len();
        self.frames.push_back(frame);
        while self.frames.len() > self.max_frames || (self.bytes > self.max_bytes && self.frames.len() > 1) {
            self.lost_seq = self.drop_oldest().unwrap_or(self.lost_seq);
        }
    }

    fn confirm(&mut self, seq: u64) {
        while self.frames.front().is_some_and(|oldest| oldest.seq <= seq) {
            self.drop_oldest();
        }
        if self.frames.is_empty() {
            self.frames.shrink_to(SPARE_MESSAGES);
        }
    }

    fn drop_oldest(&mut self) -> Option<u64> {
        let dropped = self.frames.pop_front()?;
        self.bytes -= dropped.text.len();
        Some(dropped.seq)
    }

    fn after(&self, seen: u64) -> impl Iterator<Item = &Frame> {
        let skipped = self.frames.partition_point(|frame| frame.seq <= seen);
        self.frames.iter().skip(skipped)
    }
}

/// A message for many connections, encoded once; each gives it a number of its own.
#[derive(Debug, Clone)]
pub(super) struct Encoded(Arc<str>);

impl Encoded {
    pub(super) fn of(message: &ServerMessage) -> Self {
        Self(serde_json::to_string(message).expect("every message is a map with string keys").into())
    }

    fn numbered(&self, seq: u64) -> Frame {
        let fields = self.0.strip_prefix('{').expect("a message is a JSON object");
        Frame { seq, class: Class::Chat, text: format!("{{\"seq\":{seq},{fields}").into() }
    }

    /// Its size without a number.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A message as it is sent.
pub(super) fn encode(seq: u64, message: ServerMessage) -> Frame {
    let mut text = serde_json::to_string(&ServerFrame { seq, message }).expect("every message is a map with string keys");
    // A large call keeps hundreds for each participant, and the writer leaves up to half of a buffer empty.
    text.shrink_to_fit();
    Frame { seq, class: Class::Call, text: text.into() }
}

#[cfg(test)]
mod tests;
