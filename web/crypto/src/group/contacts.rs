//! Whom this device believes, as its groups ask it.

use webcall_trust::mls::{GroupId, GroupKind, Knowledge};
use webcall_trust::{Certificate, PublicKey, UserId};

/// What a device knows of others; [`crate::Directory`] is one.
pub trait Contacts {
    /// Whether its user vouches for this device now, under the identity that this device's person accepted.
    fn counts(&self, certificate: &Certificate) -> bool;
    /// Whether its user ever vouched for it, under an identity that was accepted. Of what lies back, this is all that can be asked: a device
    /// that was revoked since has made commits that are still in the log. [`Group::stale`] says which are to go.
    fn published(&self, certificate: &Certificate) -> bool;
    /// For the group of a call: whether the user is in its room's group, by identity.
    fn belongs(&self, user: UserId, identity: PublicKey) -> bool;
}

/// What the rules ask, answered from this device's contacts.
pub(super) struct Within<'a, C> {
    pub(super) group: GroupId,
    pub(super) contacts: &'a C,
    pub(super) time: Time,
}

#[derive(Clone, Copy)]
pub(super) enum Time {
    /// Of one's own commits.
    Now,
    /// Of what others have done, perhaps long ago.
    Past,
}

impl<C: Contacts> Knowledge for Within<'_, C> {
    fn counts(&self, certificate: &Certificate) -> bool {
        match self.time {
            Time::Now => self.contacts.counts(certificate),
            Time::Past => self.contacts.published(certificate),
        }
    }

    fn belongs(&self, user: UserId, identity: PublicKey) -> bool {
        self.group.kind == GroupKind::Call && self.contacts.belongs(user, identity)
    }

    fn may_lose(&self, _: &Certificate) -> bool {
        true
    }
}
