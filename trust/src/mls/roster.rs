//! Who is in a group: every leaf of its tree, checked.

use std::collections::{BTreeMap, BTreeSet};

use openmls::group::GroupContext;
use openmls::prelude::{LeafNode, LeafNodeIndex, ProtocolVersion, PublicGroup};

use super::leaf::{leaf, leaf_known};
use super::{GroupId, MAX_LEAVES, SUITE};
use crate::{Certificate, DeviceId, PublicKey, Refusal, UserId};

/// The devices of a group by the number of their leaf. One leaf a device, and one identity a user: two would mean that one of them was
/// slipped in, or that the user's old identity was never taken out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster(BTreeMap<u32, Certificate>);

impl Roster {
    /// All of a tree. With a verified signature for each leaf.
    pub fn of(group: &PublicGroup) -> Result<Self, Refusal> {
        Self::default().next(group)
    }

    /// All of a tree that was this one a few commits ago: certificates that are the same are not verified again.
    pub fn next(&self, group: &PublicGroup) -> Result<Self, Refusal> {
        super::group(group.group_context())?;
        let mut next = BTreeMap::new();
        for member in group.members() {
            let index = member.index;
            let node = group.leaf(index).ok_or(Refusal::Malformed)?;
            next.insert(index.u32(), self.checked(index, node)?);
            if next.len() > MAX_LEAVES {
                return Err(Refusal::TooManyMembers);
            }
        }
        let next = Self(next);
        next.consistent()?;
        Ok(next)
    }

    fn checked(&self, index: LeafNodeIndex, node: &LeafNode) -> Result<Certificate, Refusal> {
        match self.0.get(&index.u32()) {
            Some(known) => leaf_known(node, known),
            None => leaf(node),
        }
    }

    pub(super) fn consistent(&self) -> Result<(), Refusal> {
        consistent(self.0.values())
    }

    /// By rising number of the leaf.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Certificate)> {
        self.0.iter().map(|(index, certificate)| (*index, certificate))
    }

    pub fn at(&self, leaf: u32) -> Option<&Certificate> {
        self.0.get(&leaf)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The identity under which a user has leaves here.
    pub fn identity_of(&self, user: UserId) -> Option<PublicKey> {
        self.0.values().map(Certificate::statement).find(|of| of.user == user).map(|of| of.identity)
    }

    /// Who is here, each with the one identity: what a call's group asks of its room's.
    pub fn identities(&self) -> BTreeSet<(UserId, PublicKey)> {
        self.0.values().map(|certificate| (certificate.statement().user, certificate.statement().identity)).collect()
    }

    pub fn leaf_of(&self, user: UserId, device: DeviceId) -> Option<u32> {
        let is_it = |certificate: &Certificate| (certificate.statement().user, certificate.statement().device) == (user, device);
        self.iter().find(|(_, certificate)| is_it(certificate)).map(|(index, _)| index)
    }
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

/// What a group must be at all: of our version and suite, named after a room or call, with no extension in its context. One could
/// require what clients don't know, or let the server propose.
pub fn group(context: &GroupContext) -> Result<GroupId, Refusal> {
    if context.protocol_version() != ProtocolVersion::Mls10 || context.ciphersuite() != SUITE {
        return Err(Refusal::Suite);
    }
    if context.extensions().iter().next().is_some() {
        return Err(Refusal::ContextExtensions);
    }
    GroupId::from_bytes(context.group_id().as_slice())
}
