//! All allocations of an engine, found by client, by relay and by relayed address, and in the order in which they end.
//!
//! The maps are keyed with a random seed (SipHash), because the keys are chosen by whoever sends packets.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use slab::Slab;

use super::allocation::Allocation;
use super::link::Link;
use super::wire::Family;

/// A relay of an allocation: what the host opens a socket for, and names when something comes in on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RelayId {
    key: u32,
    family: Family,
    /// Tells a relay from a former one in the same place.
    generation: u32,
}

impl RelayId {
    /// A small number that no other relay of this engine has at the same time.
    pub fn index(self) -> usize {
        self.key as usize * 2 + self.family as usize
    }

    pub(super) fn family(self) -> Family {
        self.family
    }
}

/// Where an allocation is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct AllocationKey(u32);

struct Entry {
    generation: u32,
    /// What stands for it in `ends`.
    timer: Instant,
    allocation: Allocation,
}

#[derive(Default)]
pub(super) struct Table {
    entries: Slab<Entry>,
    by_link: HashMap<Link, AllocationKey>,
    by_relayed: HashMap<SocketAddr, RelayId>,
    ends: BTreeSet<(Instant, AllocationKey)>,
    generation: u32,
}

impl Table {
    /// What the relay of this family will be called in the allocation that is added next.
    pub(super) fn next_relay(&self, family: Family) -> RelayId {
        RelayId { key: self.entries.vacant_key() as u32, family, generation: self.generation.wrapping_add(1) }
    }

    pub(super) fn insert(&mut self, allocation: Allocation) {
        let Some(timer) = allocation.next_end() else { return };
        let relays = Family::BOTH.map(|family| (allocation.leg(family).map(|leg| leg.relayed), self.next_relay(family)));
        self.generation = self.generation.wrapping_add(1);
        let key = AllocationKey(self.entries.vacant_key() as u32);
        self.by_link.insert(allocation.link, key);
        for (relayed, relay) in relays {
            if let Some(relayed) = relayed {
                self.by_relayed.insert(relayed, relay);
            }
        }
        self.ends.insert((timer, key));
        self.entries.insert(Entry { generation: self.generation, timer, allocation });
    }

    pub(super) fn remove(&mut self, key: AllocationKey) -> Option<Allocation> {
        let entry = self.entries.try_remove(key.0 as usize)?;
        self.by_link.remove(&entry.allocation.link);
        for leg in entry.allocation.legs.iter().flatten() {
            self.by_relayed.remove(&leg.relayed);
        }
        self.ends.remove(&(entry.timer, key));
        Some(entry.allocation)
    }

    /// Takes one relayed address from an allocation that keeps another.
    pub(super) fn remove_leg(&mut self, key: AllocationKey, family: Family) {
        if let Some(leg) = self.get_mut(key).and_then(|allocation| allocation.legs[family as usize].take()) {
            self.by_relayed.remove(&leg.relayed);
        }
        self.reschedule(key);
    }

    /// To be called when the end of an allocation has changed.
    pub(super) fn reschedule(&mut self, key: AllocationKey) {
        let Some(entry) = self.entries.get_mut(key.0 as usize) else { return };
        let Some(timer) = entry.allocation.next_end() else { return };
        self.ends.remove(&(entry.timer, key));
        entry.timer = timer;
        self.ends.insert((timer, key));
    }

    pub(super) fn of_link(&self, link: &Link) -> Option<AllocationKey> {
        self.by_link.get(link).copied()
    }

    pub(super) fn of_relay(&self, relay: RelayId) -> Option<AllocationKey> {
        let entry = self.entries.get(relay.key as usize)?;
        (entry.generation == relay.generation).then_some(AllocationKey(relay.key))
    }

    pub(super) fn of_relayed(&self, relayed: SocketAddr) -> Option<RelayId> {
        self.by_relayed.get(&relayed).copied()
    }

    pub(super) fn get(&self, key: AllocationKey) -> Option<&Allocation> {
        self.entries.get(key.0 as usize).map(|entry| &entry.allocation)
    }

    pub(super) fn get_mut(&mut self, key: AllocationKey) -> Option<&mut Allocation> {
        self.entries.get_mut(key.0 as usize).map(|entry| &mut entry.allocation)
    }

    /// What the relay of an allocation is called.
    pub(super) fn relay(&self, key: AllocationKey, family: Family) -> Option<RelayId> {
        let entry = self.entries.get(key.0 as usize)?;
        Some(RelayId { key: key.0, family, generation: entry.generation })
    }

    /// When the next relayed address ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(at, _)| *at)
    }

    /// An allocation of which something has ended.
    pub(super) fn due(&self, now: Instant) -> Option<AllocationKey> {
        self.ends.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key)
    }

    pub(super) fn keys(&self) -> Vec<AllocationKey> {
        self.entries.iter().map(|(key, _)| AllocationKey(key as u32)).collect()
    }

    /// What a link hashes to in this table.
    #[cfg(test)]
    pub(super) fn hash_of(&self, link: &Link) -> u64 {
        std::hash::BuildHasher::hash_one(self.by_link.hasher(), link)
    }

    /// Entries of each index: allocations, links, relayed addresses, ends.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        [self.entries.len(), self.by_link.len(), self.by_relayed.len(), self.ends.len()]
    }
}
