//! Commits from the server's log, in its order: verified by openmls, checked by the rules, applied.

use std::collections::BTreeSet;

use openmls::group::{ProcessMessageError, ValidationError};
use openmls::prelude::{KeyPackageVerifyError, ProcessedMessageContent, PublicMessageIn, Sender, StagedCommit};
use openmls::treesync::errors::LifetimeError;
use openmls_traits::OpenMlsProvider;
use webcall_trust::mls::{self, Change, Roster};
use webcall_trust::{Refusal, UserId};

use super::{Contacts, Group, Standing, Time};
use crate::Fault;

/// What a commit of the log was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processed {
    /// The one that waited here: it is in force now, as if the server's answer had come.
    Ours,
    Changed(Change),
    /// It took this device out. This value is to be dropped, and what was kept of the group to be deleted.
    Removed(Change),
}

impl Group {
    /// The next commit of the log, as it is made: by a device that counts now, or [`Fault::RevokedDevice`]. One's own that waits is dropped for
    /// another of the same epoch: the server took that one. Nothing changes on an error, so that it can be tried again after the newest records
    /// of its users have been fetched ([`Refusal::NotVouched`], [`Group::strangers`]). After [`Fault::BadCommit`] nobody can
    /// follow: the group is to be joined anew, from what the server has of it after that commit.
    pub fn process(&mut self, commit: &[u8], contacts: &impl Contacts) -> Result<Processed, Fault> {
        self.next_commit(commit, contacts, |change| contacts.counts(&change.by))
    }

    /// The next commit of what lay in the log already when this device asked for it. Who made it may have been revoked since, and the log is still
    /// to be followed. Only its order says what came before what, and the server makes that order: one that goes against its own rules
    /// can pass a commit of a revoked device off as an old one, to who was away. It brings in nobody by that, and
    /// [`Group::stale`] says afterwards who is to go.
    pub fn follow(&mut self, commit: &[u8], contacts: &impl Contacts) -> Result<Processed, Fault> {
        self.next_commit(commit, contacts, |_| true)
    }

    fn next_commit(
        &mut self,
        commit: &[u8],
        contacts: &impl Contacts,
        may: impl FnOnce(&Change) -> bool,
    ) -> Result<Processed, Fault> {
        let (id, message) = mls::handshake(commit)?;
        if id != self.id {
            return Err(Fault::OtherGroup);
        }
        if self.is_ours(commit) {
            self.accepted()?;
            return Ok(Processed::Ours);
        }
        self.in_order(message.epoch().as_u64())?;
        let (staged, sender) = self.verified(message)?;
        let judged = mls::commit(&staged, &sender, &self.roster, &self.within(contacts, Time::Past));
        let change = judged.inspect_err(|_| self.strangers = strangers_in(&staged, contacts))?;
        if !may(&change) {
            return Err(Fault::RevokedDevice);
        }
        self.all_have_place(&change, contacts)?;
        self.apply(staged, change)
    }

    fn is_ours(&self, commit: &[u8]) -> bool {
        let ours = self.outgoing.as_ref().and_then(|outgoing| outgoing.commit.as_ref());
        ours.is_some_and(|ours| ours.as_slice() == commit)
    }

    fn in_order(&self, epoch: u64) -> Result<(), Fault> {
        match self.standing {
            Standing::Removed => return Err(Fault::NotMember),
            // A join is one epoch ahead of the log until it is accepted.
            Standing::Creating | Standing::Joining => return self.overtaken(epoch),
            Standing::Member => {}
        }
        match epoch.cmp(&self.epoch()) {
            std::cmp::Ordering::Less => Err(Fault::PastEpoch),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Fault::MissingCommits),
        }
    }

    fn overtaken(&self, epoch: u64) -> Result<(), Fault> {
        let built_on = self.outgoing.as_ref().map_or(0, |outgoing| outgoing.epoch);
        Err(if epoch < built_on { Fault::PastEpoch } else { Fault::JoinAgain })
    }

    fn verified(&mut self, message: PublicMessageIn) -> Result<(StagedCommit, Sender), Fault> {
        let claimed = message.sender().clone();
        let processed = self.mls.process_message(&self.provider, message).map_err(|error| {
            self.culprit = self.culprit_of(&error, &claimed);
            fault_of(&error)
        })?;
        let sender = processed.sender().clone();
        match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => Ok((*staged, sender)),
            // Its bytes would have been ours.
            ProcessedMessageContent::OwnPendingCommit => Err(Fault::BadCommit),
            _ => Err(Refusal::Proposal.into()),
        }
    }

    /// openmls looks at what a commit does once its tag of membership and its signature hold (RFC 9420 §6.2, §6.1). Who comes from outside has no such
    /// tag, and the server could change what is not signed.
    fn culprit_of<E>(&self, error: &ProcessMessageError<E>, claimed: &Sender) -> Option<UserId> {
        let (ProcessMessageError::InvalidCommit(_), Sender::Member(leaf)) = (error, claimed) else { return None };
        self.roster.at(leaf.u32()).filter(|_| fault_of(error) == Fault::BadCommit).map(|of| of.statement().user)
    }

    fn apply(&mut self, staged: StagedCommit, change: Change) -> Result<Processed, Fault> {
        let out = staged.self_removed();
        if self.outgoing.take().is_some() {
            self.mls.clear_pending_commit(self.provider.storage()).map_err(|_| Fault::Library)?;
        }
        self.mls.merge_staged_commit(&self.provider, staged).map_err(|_| Fault::Library)?;
        if out {
            self.standing = Standing::Removed;
            return Ok(Processed::Removed(change));
        }
        self.roster = Roster::next(&self.roster, self.mls.public_group())?;
        Ok(Processed::Changed(change))
    }
}

/// Whoever has been in the group since this device followed it last may be gone by now: only the commit says whose records are to be fetched.
fn strangers_in(staged: &StagedCommit, contacts: &impl Contacts) -> BTreeSet<UserId> {
    let added = staged.add_proposals().map(|add| mls::leaf(add.add_proposal().key_package().leaf_node()));
    let named = added.chain(staged.update_path_leaf_node().map(mls::leaf)).flatten();
    named.filter(|certificate| !contacts.published(certificate)).map(|certificate| certificate.statement().user).collect()
}

fn fault_of<E>(error: &ProcessMessageError<E>) -> Fault {
    let expired = |error: &ValidationError| {
        matches!(
            error,
            ValidationError::KeyPackageVerifyError(KeyPackageVerifyError::LifetimeError(LifetimeError::Expired { .. }))
        )
    };
    match error {
        ProcessMessageError::ValidationError(error) if expired(error) => Fault::ExpiredCommit,
        ProcessMessageError::LibraryError(_) | ProcessMessageError::StorageError(_) => Fault::Library,
        _ => Fault::BadCommit,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use openmls::prelude::Lifetime;

    use super::*;

    /// No commit with an expired key package can be made without turning the clock, so that only the telling apart is tried.
    #[test]
    fn a_key_package_that_has_expired_is_told_from_a_bad_commit() {
        let at = |now_s: u64| Lifetime::init(1_000, 2_000).validate_with_time(UNIX_EPOCH + Duration::from_secs(now_s));
        let fault = |error: LifetimeError| {
            let error = ValidationError::KeyPackageVerifyError(KeyPackageVerifyError::LifetimeError(error));
            fault_of(&ProcessMessageError::<()>::ValidationError(error))
        };
        assert_eq!(at(1_500), Ok(()));
        assert_eq!(fault(at(3_000).unwrap_err()), Fault::ExpiredCommit);
        assert_eq!(fault(at(500).unwrap_err()), Fault::BadCommit, "from the future is another matter");
    }
}
