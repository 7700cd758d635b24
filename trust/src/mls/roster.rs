//! Who is in a group: every leaf of its tree, checked.

use std::collections::{BTreeMap, BTreeSet};

use openmls::group::GroupContext;
use openmls::prelude::{LeafNode, LeafNodeIndex, ProtocolVersion, PublicGroup};

use super::leaf::{leaf, leaf_known};
use super::{GroupId, GroupKind, MAX_LEAVES, SUITE, Session, is_strict};
use crate::{Certificate, DeviceId, PublicKey, Refusal, UserId};

/// The devices of a group by the number of their leaf. One leaf a device, and one identity a user: two would mean that one of them was
/// slipped in, or that the user's old identity was never taken out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    certificates: BTreeMap<u32, Certificate>,
    /// Of those leaves that are a stay in a call.
    sessions: BTreeMap<u32, Session>,
}

impl Roster {
    /// All of a tree. With a verified signature for each leaf.
    pub fn of(group: &PublicGroup) -> Result<Self, Refusal> {
        Self::default().next(group)
    }

    /// All of a tree that was this one a few commits ago: certificates that are the same are not verified again.
    pub fn next(&self, group: &PublicGroup) -> Result<Self, Refusal> {
        super::group(group.group_context())?;
        let mut next = Self::default();
        for member in group.members() {
            let index = member.index;
            within_bounds(index.u32())?;
            let node = group.leaf(index).ok_or(Refusal::Malformed)?;
            next.certificates.insert(index.u32(), self.checked(index, node)?);
            next.sessions.extend(Session::of(node)?.map(|session| (index.u32(), session)));
        }
        consistent(next.certificates.values())?;
        unique(next.sessions.values())?;
        Ok(next)
    }

    fn checked(&self, index: LeafNodeIndex, node: &LeafNode) -> Result<Certificate, Refusal> {
        match self.certificates.get(&index.u32()) {
            Some(known) => leaf_known(node, known),
            None => leaf(node),
        }
    }

    /// By rising number of the leaf.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Certificate)> {
        self.certificates.iter().map(|(index, certificate)| (*index, certificate))
    }

    /// The stays in a call, by rising number of the leaf.
    pub fn sessions(&self) -> impl Iterator<Item = (u32, Session)> {
        self.sessions.iter().map(|(index, session)| (*index, *session))
    }

    pub fn session(&self, leaf: u32) -> Option<Session> {
        self.sessions.get(&leaf).copied()
    }

    pub fn at(&self, leaf: u32) -> Option<&Certificate> {
        self.certificates.get(&leaf)
    }

    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The identity under which a user has leaves here.
    pub fn identity_of(&self, user: UserId) -> Option<PublicKey> {
        self.certificates.values().map(Certificate::statement).find(|of| of.user == user).map(|of| of.identity)
    }

    /// Who is here, each with the one identity: what a call's group asks of its room's.
    pub fn identities(&self) -> BTreeSet<(UserId, PublicKey)> {
        self.certificates.values().map(|certificate| (certificate.statement().user, certificate.statement().identity)).collect()
    }

    pub fn leaf_of(&self, user: UserId, device: DeviceId) -> Option<u32> {
        let is_it = |certificate: &Certificate| (certificate.statement().user, certificate.statement().device) == (user, device);
        self.iter().find(|(_, certificate)| is_it(certificate)).map(|(index, _)| index)
    }
}

/// The number of a leaf has 12 bits in the key ids of media. With no gaps there are no higher ones in a group of [`MAX_LEAVES`]; a tree that was
/// made so that there are would silence who is there.
fn within_bounds(leaf: u32) -> Result<(), Refusal> {
    if (leaf as usize) < MAX_LEAVES { Ok(()) } else { Err(Refusal::TooManyMembers) }
}

/// No participant of a call twice: whose media it is, is said by that.
pub(super) fn unique<'a>(sessions: impl Iterator<Item = &'a Session>) -> Result<(), Refusal> {
    let mut participants = BTreeSet::new();
    for session in sessions {
        if !participants.insert(session.participant) {
            return Err(Refusal::OtherParticipant);
        }
    }
    Ok(())
}

/// No device twice, no key twice, no user under two identities, no identity for two users.
pub(super) fn consistent<'a>(certificates: impl Iterator<Item = &'a Certificate>) -> Result<(), Refusal> {
    let (mut devices, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let (mut identities, mut users) = (BTreeMap::new(), BTreeMap::new());
    for of in certificates.map(Certificate::statement) {
        if !devices.insert((of.user, of.device)) || !keys.insert(of.device_key) {
            return Err(Refusal::DeviceReused);
        }
        let (identity, user) = (*identities.entry(of.user).or_insert(of.identity), *users.entry(of.identity).or_insert(of.user));
        if identity != of.identity {
            return Err(Refusal::IdentityChanged);
        }
        if user != of.user {
            return Err(Refusal::OtherUser);
        }
    }
    Ok(())
}

/// What a group must be at all: of our version and suite, named after a room or call, with nothing in its context but that its room is
/// strict. Any other extension could require what clients don't know, or let the server propose.
pub fn group(context: &GroupContext) -> Result<GroupId, Refusal> {
    if context.protocol_version() != ProtocolVersion::Mls10 || context.ciphersuite() != SUITE {
        return Err(Refusal::Suite);
    }
    let id = GroupId::from_bytes(context.group_id().as_slice())?;
    let may_be = context.extensions().iter().next().is_none() || (id.kind == GroupKind::Room && is_strict(context));
    if may_be { Ok(id) } else { Err(Refusal::ContextExtensions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_whose_number_has_no_place_in_key_ids_is_refused() {
        let last = u32::try_from(MAX_LEAVES).unwrap() - 1;
        assert_eq!(last, 4_095);
        assert_eq!(within_bounds(last), Ok(()));
        assert_eq!(within_bounds(last + 1), Err(Refusal::TooManyMembers));
    }
}
