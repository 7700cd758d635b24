//! What a connection sent of late, so that a client whose socket broke gets what it missed. Pure. Numbers the messages.
//!
//! Kept until the client is known to have them, and bounded in messages and bytes; the oldest go first. A client that missed more than
//! is kept cannot resume: it is told `resumed: false` and starts afresh.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;

use super::protocol::{ServerFrame, ServerMessage};

/// Messages kept. In a large call somebody changes something about once a second: minutes' worth.
pub(super) const MAX_MESSAGES: usize = 512;
/// Bytes kept; at most the newest message more. An answer to 48 seats is 150 kB.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// Places kept for messages once all have arrived.
const SPARE_MESSAGES: usize = 8;

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) text: Utf8Bytes,
}

/// The numbered messages of one connection.
#[derive(Debug, Default)]
pub(super) struct Replay {
    last_seq: u64,
    kept: VecDeque<Frame>,
    kept_bytes: usize,
}

impl Replay {
    /// Numbers a message, keeps it and returns it as it is sent.
    pub(super) fn push(&mut self, message: ServerMessage) -> Frame {
        self.last_seq += 1;
        self.keep(encode(self.last_seq, message))
    }

    /// The same for a message that many connections get.
    pub(super) fn push_encoded(&mut self, message: &Encoded) -> Frame {
        self.last_seq += 1;
        self.keep(message.numbered(self.last_seq))
    }

    fn keep(&mut self, frame: Frame) -> Frame {
        self.kept_bytes += frame.text.len();
        self.kept.push_back(frame.clone());
        while self.kept.len() > MAX_MESSAGES || (self.kept_bytes > MAX_BYTES && self.kept.len() > 1) {
            self.drop_oldest();
        }
        frame
    }

    /// Whether half of the places are free, so that what is of the moment pushes out nothing that must be replayed.
    pub(super) fn is_roomy(&self) -> bool {
        self.kept.len() < MAX_MESSAGES / 2 && self.kept_bytes < MAX_BYTES / 2
    }

    /// The client has everything up to `seq`.
    pub(super) fn confirm(&mut self, seq: u64) {
        while self.kept.front().is_some_and(|oldest| oldest.seq <= seq) {
            self.drop_oldest();
        }
        if self.kept.is_empty() {
            self.kept.shrink_to(SPARE_MESSAGES);
        }
    }

    fn drop_oldest(&mut self) {
        let dropped = self.kept.pop_front();
        self.kept_bytes -= dropped.map_or(0, |frame| frame.text.len());
    }

    /// Everything after `seen`, oldest first; `None` when some of it is no longer kept, or `seen` was never sent.
    pub(super) fn after(&self, seen: u64) -> Option<impl Iterator<Item = Frame>> {
        let missed = usize::try_from(self.last_seq.checked_sub(seen)?).ok()?;
        let skipped = self.kept.len().checked_sub(missed)?;
        Some(self.kept.iter().skip(skipped).cloned())
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
        Frame { seq, text: format!("{{\"seq\":{seq},{fields}").into() }
    }
}

/// A message as it is sent.
pub(super) fn encode(seq: u64, message: ServerMessage) -> Frame {
    let mut text = serde_json::to_string(&ServerFrame { seq, message }).expect("every message is a map with string keys");
    // A large call keeps hundreds for each participant, and the writer leaves up to half of a buffer empty.
    text.shrink_to_fit();
    Frame { seq, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(id: u32) -> ServerMessage {
        ServerMessage::Ok { id }
    }

    fn after(replay: &Replay, seen: u64) -> Option<Vec<String>> {
        replay.after(seen).map(|frames| frames.map(|frame| frame.text.to_string()).collect())
    }

    #[test]
    fn messages_are_numbered_from_one() {
        let mut replay = Replay::default();
        assert_eq!(replay.push(ok(7)).text.as_str(), r#"{"seq":1,"type":"ok","id":7}"#);
        assert_eq!(replay.push(ok(8)).text.as_str(), r#"{"seq":2,"type":"ok","id":8}"#);
    }

    #[test]
    fn a_message_encoded_once_reads_like_one_of_the_connection_s_own() {
        let (mut own, mut shared) = (Replay::default(), Replay::default());
        assert_eq!(own.push(ok(7)), shared.push_encoded(&Encoded::of(&ok(7))));
        assert_eq!(own.push(ok(8)), shared.push_encoded(&Encoded::of(&ok(8))));
    }

    #[test]
    fn exactly_what_was_missed_is_replayed() {
        let mut replay = Replay::default();
        for id in 1..=3 {
            replay.push(ok(id));
        }
        assert_eq!(after(&replay, 3), Some(vec![]));
        assert_eq!(after(&replay, 2), Some(vec![r#"{"seq":3,"type":"ok","id":3}"#.to_owned()]));
        assert_eq!(after(&replay, 0).unwrap().len(), 3);
    }

    #[test]
    fn a_number_that_was_never_sent_cannot_be_continued() {
        let mut replay = Replay::default();
        replay.push(ok(1));
        assert_eq!(after(&replay, 2), None);
        assert_eq!(after(&replay, u64::MAX), None);
    }

    #[test]
    fn what_arrived_is_no_longer_kept_and_the_rest_is_still_replayed() {
        let mut replay = Replay::default();
        for id in 1..=4 {
            replay.push(ok(id));
        }
        replay.confirm(2);
        assert_eq!(after(&replay, 1), None);
        assert_eq!(after(&replay, 2).unwrap().len(), 2);
        replay.confirm(u64::MAX);
        assert_eq!(after(&replay, 4), Some(vec![]), "numbers that were never sent confirm what was");
        assert_eq!(replay.kept_bytes, 0);
        assert_eq!(replay.push(ok(9)).seq, 5);
        assert_eq!(after(&replay, 4).unwrap().len(), 1);
    }

    #[test]
    fn who_missed_more_messages_than_are_kept_cannot_resume() {
        let mut replay = Replay::default();
        for _ in 0..=MAX_MESSAGES {
            replay.push(ok(1));
        }
        assert_eq!(after(&replay, 0), None);
        assert_eq!(after(&replay, 1).unwrap().len(), MAX_MESSAGES);
    }

    #[test]
    fn no_more_bytes_are_kept_than_allowed_but_always_the_newest_message() {
        let mut replay = Replay::default();
        let answer = |bytes| ServerMessage::Answer { id: 1, sdp: "x".repeat(bytes) };
        for _ in 0..10 {
            replay.push(answer(200_000));
            assert!(replay.kept_bytes <= MAX_BYTES);
            assert_eq!(replay.kept_bytes, replay.kept.iter().map(|frame| frame.text.len()).sum::<usize>());
        }
        assert_eq!(replay.kept.len(), 5);
        replay.push(answer(2 * MAX_BYTES));
        assert_eq!(replay.kept.len(), 1);
    }
}
