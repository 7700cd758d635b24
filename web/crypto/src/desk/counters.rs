//! The highest counters of sealed states that this desk has seen kept, by name: another page of the browser, or another hand, may have put an
//! older state back since, and going on from that would use keys a second time.
//!
//! What can be held where: here, for as long as the desk lives, those of all states that it read or wrote. Beyond a reload, of a room's
//! group, in the room's marks ([`super::marks`]), which are kept with every change of it. Of the others nothing outlives the desk:
//! whoever can put back all that a browser keeps, while no page is open, goes back to that time, and no place in that browser could tell.

use std::collections::BTreeMap;

use super::people::ASKING;
use super::shelves::GROUP;
use super::wire::Kept;
use crate::{Fault, state};

/// Names that are remembered, some ten a room and one for each device that wrote there. Those that come beyond it are not.
const MAX_NAMES: usize = 16_384;

#[derive(Default)]
pub(super) struct Counters {
    seen: BTreeMap<String, u64>,
    handed_out: Vec<(String, u64)>,
}

impl Counters {
    /// Of this name no state with a lower counter is to be opened.
    pub(super) fn least(&self, name: &str) -> u64 {
        self.seen.get(name).copied().unwrap_or(0)
    }

    /// A state that was read and is sound.
    pub(super) fn read(&mut self, name: &str, sealed: &[u8]) -> Result<(), Fault> {
        let counter = state::counter(sealed)?;
        self.note(name, counter);
        Ok(())
    }

    /// What is to be kept now, in place of what was before. Until the next request nobody knows whether it was.
    pub(super) fn hand_out(&mut self, keep: &[Kept]) {
        let counters = keep.iter().filter_map(|kept| {
            let counter = state::counter(&kept.sealed.as_ref()?.0).ok()?;
            Some((kept.name.clone(), counter))
        });
        self.handed_out = counters.collect();
    }

    /// Another request comes, and not one by which everything is read again: so it was.
    pub(super) fn kept(&mut self) {
        for (name, counter) in std::mem::take(&mut self.handed_out) {
            self.note(&name, counter);
        }
    }

    fn note(&mut self, name: &str, counter: u64) {
        if let Some(seen) = self.seen.get_mut(name) {
            *seen = counter.max(*seen);
        } else if self.seen.len() < MAX_NAMES && !begins_again(name) {
            self.seen.insert(name.to_owned(), counter);
        }
    }
}

/// What is deleted and made anew begins to count again. A room's group has its marks, and of who asks there is one state only.
fn begins_again(name: &str) -> bool {
    name == ASKING || name.starts_with(GROUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Bytes;
    use crate::state::StateKey;
    use webcall_trust::DeviceId;

    fn kept(name: &str, counter: u64) -> Kept {
        let sealed = state::seal(&StateKey::new([1; 32]), state::StateName::Backup(DeviceId([1; 16])), counter, &7_u8).unwrap();
        Kept { name: name.to_owned(), sealed: Some(Bytes(sealed)) }
    }

    #[test]
    fn what_was_handed_out_counts_when_it_was_kept_and_not_before() {
        let mut counters = Counters::default();
        counters.hand_out(&[kept("device", 5)]);
        assert_eq!(counters.least("device"), 0);
        counters.kept();
        assert_eq!(counters.least("device"), 5);
        counters.hand_out(&[kept("device", 6)]);
        counters.hand_out(&[]);
        counters.kept();
        counters.read("device", &kept("device", 4).sealed.unwrap().0).unwrap();
        assert_eq!(counters.least("device"), 5, "and never falls");
    }

    #[test]
    fn no_more_names_are_remembered_than_that() {
        let mut counters = Counters::default();
        for number in 0..=MAX_NAMES {
            counters.note(&format!("sent/{number}"), 1);
        }
        counters.note("sent/0", 2);
        assert_eq!((counters.seen.len(), counters.least("sent/0")), (MAX_NAMES, 2));
    }
}
