//! The unlockers of one user.

use webcall_trust::UserId;

use super::{Effort, UnlockError, Unlocker, UnlockerId, Way};
use crate::MasterKey;

/// More ways in are more ways for others.
pub const MAX_UNLOCKERS: usize = 16;
/// From how many on a user may rely on them.
pub const ENOUGH: usize = 2;

/// Of these, passphrases: each one costs a try.
pub const MAX_PASSPHRASES: usize = 4;
/// What trying all passphrases costs, in KiB filled: as much as the dearest one alone, so that a list that a server made up holds a browser
/// for no longer than that.
pub const MAX_COST_KIB: u64 = Effort::MOST_COST_KIB;

/// Whether a list is short and cheap enough to be tried from its beginning to its end.
pub fn affordable<'a>(unlockers: impl Iterator<Item = &'a Unlocker>) -> Result<(), UnlockError> {
    let (mut all, mut passphrases, mut cost_kib) = (0, 0, 0_u64);
    for unlocker in unlockers {
        all += 1;
        if let Way::Passphrase(effort) = unlocker.way() {
            passphrases += 1;
            cost_kib = cost_kib.saturating_add(effort.cost_kib());
        }
        if all > MAX_UNLOCKERS || passphrases > MAX_PASSPHRASES {
            return Err(UnlockError::TooMany);
        }
    }
    if cost_kib > MAX_COST_KIB { Err(UnlockError::EffortOutOfBounds) } else { Ok(()) }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlockers {
    user: UserId,
    unlockers: Vec<Unlocker>,
}

impl Unlockers {
    pub fn new(user: UserId) -> Self {
        Self { user, unlockers: Vec::new() }
    }

    /// One that was made now, or that the server has. Two of one passkey would go away together.
    pub fn add(&mut self, unlocker: Unlocker) -> Result<(), UnlockError> {
        affordable(self.iter().chain([&unlocker]))?;
        if self.unlockers.iter().any(|known| known.id() == unlocker.id() || shares_passkey(known, &unlocker)) {
            return Err(UnlockError::AlreadyThere);
        }
        self.unlockers.push(unlocker);
        Ok(())
    }

    pub fn remove(&mut self, id: UnlockerId) -> Result<Unlocker, UnlockError> {
        let at = self.unlockers.iter().position(|unlocker| unlocker.id() == id).ok_or(UnlockError::NotThere)?;
        Ok(self.unlockers.remove(at))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Unlocker> {
        self.unlockers.iter()
    }

    /// Whether there are enough that really open to this master key. What a server made up does not count; one that was taken away and
    /// that a server shows again does, so a device should remember which it took away.
    pub fn is_backed_up(&self, master: &MasterKey) -> bool {
        self.unlockers.iter().filter(|unlocker| unlocker.is_of(master, self.user)).count() >= ENOUGH
    }
}

fn shares_passkey(one: &Unlocker, other: &Unlocker) -> bool {
    match (one.way(), other.way()) {
        (Way::Passkey(one), Way::Passkey(other)) => one.credential() == other.credential(),
        _ => false,
    }
}
