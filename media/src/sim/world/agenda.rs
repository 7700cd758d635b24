//! What is to come, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Instant;

use super::CallerKey;

#[derive(Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<Entry>>,
    next_order: u64,
}

/// Something to come. Ordered by time, then by when it was planned.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Instant,
    order: u64,
    happening: Happening,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    ToServer { worker: usize, from: SocketAddr, datagram: Vec<u8> },
    ToCaller { caller: CallerKey, datagram: Vec<u8> },
    Wake { caller: CallerKey },
    Offer { caller: CallerKey },
}

impl Agenda {
    pub(super) fn plan(&mut self, at: Instant, happening: Happening) {
        self.next_order += 1;
        self.entries.push(Reverse(Entry { at, order: self.next_order, happening }));
    }

    /// When the next thing happens.
    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// What happens by now, the earliest first.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Happening> {
        self.next().filter(|at| *at <= now)?;
        self.entries.pop().map(|Reverse(entry)| entry.happening)
    }
}
