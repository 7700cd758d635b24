//! What the server knows of a call when it checks a commit of its group: who is in it, by its own knowledge. A leaf says in its application id
//! which participant it is ([`Session`]); it belongs in the group as long as that participant is in the call.

use std::collections::{BTreeMap, BTreeSet};

use openmls::group::StagedCommit;
use openmls::prelude::PublicGroup;
use webcall_media::ParticipantId;
use webcall_trust::mls::{Change, Knowledge, Roster, Session};
use webcall_trust::{Certificate, PublicKey, Refusal, UserId};

use super::check::{Counting, Rules};
use crate::e2ee::named;
use crate::error::Error;
use crate::id;

/// The server's side of [`Knowledge`] for a call.
pub(super) struct InCall {
    counting: Counting,
    participants: BTreeMap<[u8; 8], UserId>,
    /// Certificates of leaves whose participant is no longer in the call.
    gone: BTreeSet<Vec<u8>>,
}

impl InCall {
    /// `certificates`: those that count in the call's room.
    pub(super) fn new(certificates: Vec<Vec<u8>>, participants: &[(ParticipantId, id::UserId)]) -> Self {
        let participants = participants.iter().map(|(id, user)| (id.0.to_be_bytes(), named(*user))).collect();
        Self { counting: Counting::new(certificates), participants, gone: BTreeSet::new() }
    }
}

impl Knowledge for InCall {
    fn counts(&self, certificate: &Certificate) -> bool {
        self.counting.counts(certificate)
    }

    /// Under which identity is asked by [`Knowledge::counts`] before: a device counts under the one that its user has.
    fn belongs(&self, user: UserId, _identity: PublicKey) -> bool {
        self.participants.values().any(|one| *one == user)
    }

    fn may_lose(&self, certificate: &Certificate) -> bool {
        !self.counts(certificate) || self.gone.contains(&certificate.to_bytes())
    }
}

impl Rules for InCall {
    fn look(&mut self, group: &PublicGroup, roster: &Roster) -> Result<(), Refusal> {
        for (leaf, certificate) in roster.iter() {
            let participant = participant(group, leaf)?;
            if participant.is_none_or(|participant| !self.participants.contains_key(&participant)) {
                self.gone.insert(certificate.to_bytes());
            }
        }
        Ok(())
    }

    /// Nobody is added: whoever is in the call comes in by themselves, with a session of their own. The leaf of who commits says which
    /// participant of theirs it is, and no other leaf that stays says the same.
    fn admits(
        &self,
        staged: &StagedCommit,
        change: &Change,
        group: &PublicGroup,
        before: &Roster,
    ) -> Result<Option<ParticipantId>, Error> {
        let Some(path) = staged.update_path_leaf_node().filter(|_| change.added.is_empty()) else {
            return Err(Refusal::Proposal.into());
        };
        let session = Session::of(path)?.ok_or(INVALID_PARTICIPANT)?;
        if self.participants.get(&session.participant) != Some(&change.by.statement().user) {
            return Err(INVALID_PARTICIPANT);
        }
        for (leaf, certificate) in before.iter() {
            let goes = *certificate == change.by || change.removed.iter().any(|(removed, _)| *removed == leaf);
            if !goes && participant(group, leaf)? == Some(session.participant) {
                return Err(INVALID_PARTICIPANT);
            }
        }
        Ok(Some(ParticipantId(u64::from_be_bytes(session.participant))))
    }
}

fn participant(group: &PublicGroup, leaf: u32) -> Result<Option<[u8; 8]>, Refusal> {
    let node = group.leaf(openmls::prelude::LeafNodeIndex::new(leaf)).ok_or(Refusal::Malformed)?;
    Ok(Session::of(node)?.map(|session| session.participant))
}

pub(super) const INVALID_PARTICIPANT: Error = Error::Invalid {
    code: "invalid_participant",
    detail: "the leaf names no participant of yours in this call, or one that another leaf names",
};
