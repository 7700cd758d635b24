//! What the workers of one call hand to one another: packets, once for all viewers of a worker, and the words that keep them informed
//! of each other's part. Plain values; the SFU makes and reads them, the workers carry them.
//!
//! A call starts on one worker and spreads when that has enough to do. Each worker then holds the participants that joined through it,
//! and a *mirror* of each publication of the others. Words arrive in the order in which they were sent, packets in theirs; a packet that
//! overtakes a word, or is overtaken by one, is for a mirror that is not there, and is dropped.

mod packets;

pub(crate) use packets::{Body, MediaPacket, Packets};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use crate::codec::{Codec, CodecSet};
use crate::id::{FeedId, ParticipantId, RoomId, Source};
use crate::units::RtpTimestamp;

/// Simulcast layers of one publication.
pub(crate) const MAX_LAYERS: usize = 3;
/// More media threads than this are not started: a set of workers is one machine word.
pub(crate) const MAX_WORKERS: usize = 64;

/// A worker by its index, below [`MAX_WORKERS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u8);

/// Some of the workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WorkerSet(u64);

/// Something that a worker says to another about one room.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) room: RoomId,
    pub(crate) from: WorkerId,
    pub(crate) word: Word,
}

/// What there is to say.
#[derive(Debug)]
pub(crate) enum Word {
    /// "I take part in this room now." Answered by everything that the receiver would have said until now.
    Hello,
    /// "I am here already": the beginning of that answer.
    Welcome,
    /// "I have nobody in this room any more."
    Gone,
    /// What everybody can decode who receives through the sender.
    Decodes(CodecSet),
    /// A publication, or what changed of it.
    Announce(Box<Announcement>),
    /// A publication ended.
    Withdraw { serial: u32 },
    /// "Hand me the packets of this publication, for this place."
    Want { serial: u32, at: Place },
    /// "No more of them."
    Unwant { serial: u32 },
    /// Somebody waits for a keyframe.
    Keyframe { serial: u32, layer: usize },
    /// The publisher's clock, from its last sender report.
    Clock { serial: u32, layer: usize, at: Instant, rtp_timestamp: RtpTimestamp },
    /// The loudest voices of the sender's part, to the worker that judges.
    Voices(Vec<Heard>),
    /// The judgement.
    Loudest(Vec<FeedId>),
}

/// A publication as the others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Never given twice by a worker in a room.
    pub(crate) serial: u32,
    pub(crate) participant: ParticipantId,
    pub(crate) source: Source,
    pub(crate) feed: FeedId,
    /// Since when the feed is there: who came first is seated first.
    pub(crate) since: Instant,
    pub(crate) codec: Codec,
    pub(crate) rids: Vec<String>,
    pub(crate) status: Status,
}

/// What may change of a publication while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) is_muted: bool,
    pub(crate) is_forbidden: bool,
    /// Since when it is switched on, if it is.
    pub(crate) on_since: Option<Instant>,
    pub(crate) has_levels: bool,
    /// Which layers flow, lowest first: a mirror without viewers gets no packets that would show it.
    pub(crate) flowing: [bool; MAX_LAYERS],
}

/// How loud a voice is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heard {
    pub(crate) feed: FeedId,
    pub(crate) below_full_db: f32,
}

/// Where a mirror is kept, so that its packets need no search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) room: usize,
    pub(crate) publication: usize,
}

/// What one turn of a worker received of a publication, for a mirror of it.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) at: Place,
    pub(crate) serial: u32,
    pub(crate) packets: Packets,
}

/// A datagram between a TURN relay of one worker and the media address of another: it takes no way through the network.
#[derive(Debug)]
pub(crate) struct Stray {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Default for Stray {
    fn default() -> Self {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self { from: nowhere, to: nowhere, bytes: Vec::new() }
    }
}

impl Stray {
    /// Becomes this datagram, in the memory that it has.
    pub(crate) fn set(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        (self.from, self.to) = (from, to);
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }
}

impl WorkerId {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl WorkerSet {
    pub(crate) fn insert(&mut self, worker: WorkerId) {
        self.0 |= 1 << worker.0;
    }

    pub(crate) fn contains(self, worker: WorkerId) -> bool {
        self.0 & (1 << worker.0) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = WorkerId> {
        (0..MAX_WORKERS as u8).map(WorkerId).filter(move |worker| self.contains(*worker))
    }
}

impl Word {
    /// Whether it may be left out when the receiver drowns: it is said again soon, or helps only at once.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Voices(_) | Self::Keyframe { .. } | Self::Clock { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_workers_holds_what_was_put_in() {
        let mut set = WorkerSet::default();
        assert_eq!(set.iter().count(), 0);
        for worker in [63, 0, 3] {
            set.insert(WorkerId(worker));
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 3, 63].map(WorkerId));
        assert!(set.contains(WorkerId(63)) && !set.contains(WorkerId(4)));
    }
}
