//! What a device keeps of the messages that one other device wrote to one room, to notice what the server does to their order (T23).
//!
//! Every envelope names the sender's envelope before it. Fed with a room's log from some point on, in the log's order, a thread says of
//! each message whether it follows, whether something is missing, or whether it was there before. Nothing is taken twice, whatever the
//! server does: what a thread can no longer remember it refuses by its epoch. It takes what comes after a gap, because withholding one
//! message must not silence those that follow; the gap is for people to see.

use std::collections::VecDeque;

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{DeviceId, Hash};

use super::ChatError;
use super::envelope::{MessageId, Opened, RoomId};
use super::own_thread::MAX_SEALED_PER_EPOCH;

/// As many as an honest device seals in an epoch, so that what is forgotten is of epochs before. 56 bytes each, for every device of every
/// room that writes that much.
pub const MAX_REMEMBERED: usize = MAX_SEALED_PER_EPOCH;
/// Messages known to be missing. Of more the oldest are no longer awaited: should they come, they count as a gap of their own.
pub const MAX_AWAITED: usize = 64;

const NOTHING: Hash = [0; 32];
const VERSION: u8 = 1;

/// What is to be made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first one of this sender that is known here. Show it.
    First,
    /// It follows the one before. Show it.
    Next,
    /// What it follows never came: the server left something out, or holds it back. Show it, and that something is missing.
    Gap,
    /// It was missing until now. Show it in its place.
    Late,
    /// It follows one that another followed before: the sender went on from an older state, or more than one message was held back. Show it,
    /// and that the order is not sure.
    Fork,
    /// The same envelope again. Drop it.
    Repeated,
    /// Another envelope with an id that was there. Drop it.
    IdReused,
    /// As old as what is forgotten here: it may have been there before. Drop it.
    Stale,
}

impl Verdict {
    pub fn is_taken(self) -> bool {
        matches!(self, Self::First | Self::Next | Self::Gap | Self::Late | Self::Fork)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    room: RoomId,
    device: DeviceId,
    last: Option<Hash>,
    remembered: VecDeque<Remembered>,
    awaited: VecDeque<Hash>,
    /// The newest epoch of anything that is remembered no longer.
    forgotten: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
struct Remembered {
    message: MessageId,
    hash: Hash,
    epoch: u64,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Kept {
    version: u8,
    room: RoomId,
    device: DeviceId,
    last: Option<Hash>,
    remembered: Vec<Remembered>,
    awaited: Vec<Hash>,
    forgotten: Option<u64>,
}

impl Thread {
    pub fn new(room: RoomId, device: DeviceId) -> Self {
        let (remembered, awaited) = (VecDeque::new(), VecDeque::new());
        Self { room, device, last: None, remembered, awaited, forgotten: None }
    }

    /// Judges a message and, if it is taken, remembers it.
    pub fn observe(&mut self, opened: &Opened) -> Result<Verdict, ChatError> {
        if opened.place.room != self.room {
            return Err(ChatError::OtherRoom);
        }
        if opened.place.device != self.device {
            return Err(ChatError::OtherSender);
        }
        let verdict = self.judge(opened);
        if verdict.is_taken() {
            self.take(opened, verdict);
        }
        Ok(verdict)
    }

    fn judge(&self, opened: &Opened) -> Verdict {
        if self.knows(&opened.hash) {
            return Verdict::Repeated;
        }
        if self.remembered.iter().any(|one| one.message == opened.place.message) {
            return Verdict::IdReused;
        }
        if self.forgotten.is_some_and(|epoch| opened.place.epoch <= epoch) {
            return Verdict::Stale;
        }
        if self.awaited.contains(&opened.hash) {
            return Verdict::Late;
        }
        let previous = opened.body.previous;
        match self.last {
            None => Verdict::First,
            Some(last) if last == previous => Verdict::Next,
            Some(_) if previous == NOTHING || self.knows(&previous) => Verdict::Fork,
            Some(_) => Verdict::Gap,
        }
    }

    fn take(&mut self, opened: &Opened, verdict: Verdict) {
        self.awaited.retain(|awaited| *awaited != opened.hash);
        let previous = opened.body.previous;
        if previous != NOTHING && !self.knows(&previous) && !self.awaited.contains(&previous) {
            if self.awaited.len() >= MAX_AWAITED {
                self.awaited.pop_front();
            }
            self.awaited.push_back(previous);
        }
        if verdict != Verdict::Late {
            self.last = Some(opened.hash);
        }
        if self.remembered.len() >= MAX_REMEMBERED {
            let oldest = self.remembered.pop_front().map(|one| one.epoch);
            self.forgotten = self.forgotten.max(oldest);
        }
        self.remembered.push_back(Remembered { message: opened.place.message, hash: opened.hash, epoch: opened.place.epoch });
    }

    fn knows(&self, hash: &Hash) -> bool {
        self.remembered.iter().any(|one| one.hash == *hash)
    }

    /// To be kept sealed: it shows when the other device wrote.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { room, device, last, forgotten, .. } = *self;
        let (remembered, awaited) = (self.remembered.iter().copied().collect(), self.awaited.iter().copied().collect());
        let kept = Kept { version: VERSION, room, device, last, remembered, awaited, forgotten };
        kept.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, ChatError> {
        let kept = Kept::tls_deserialize(&mut bytes).map_err(|_| ChatError::Malformed)?;
        if kept.version != VERSION {
            return Err(ChatError::UnknownVersion);
        }
        if !bytes.is_empty() || kept.remembered.len() > MAX_REMEMBERED || kept.awaited.len() > MAX_AWAITED {
            return Err(ChatError::Malformed);
        }
        let Kept { room, device, last, remembered, awaited, forgotten, .. } = kept;
        Ok(Self { room, device, last, remembered: remembered.into(), awaited: awaited.into(), forgotten })
    }
}
