//! One's own commits: add, remove, renew. Each renews the path of this device too, so that whoever read its state before reads no further.

use openmls::prelude::{KeyPackage, LeafNodeIndex, MlsMessageOut, Sender};
use openmls_traits::OpenMlsProvider;
use tls_codec::VLBytes;
use webcall_trust::Refusal;
use webcall_trust::mls::{self, Change, Roster};

use super::{Contacts, Group, Outgoing, Standing, Time, bytes_of};
use crate::{Device, Fault};

/// What one commit is to change. Nothing of both: it only renews this device's keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// Key packages as the server handed them out, at most [`mls::MAX_ADDED`].
    pub add: &'a [Vec<u8>],
    /// Numbers of leaves.
    pub remove: &'a [u32],
}

impl Group {
    /// A commit on the newest epoch that this device knows. It waits in [`Group::outgoing`].
    pub fn change(&mut self, device: &Device, changes: Changes<'_>, contacts: &impl Contacts) -> Result<(), Fault> {
        self.member()?;
        if self.outgoing.is_some() {
            return Err(Fault::Pending);
        }
        if changes.add.len() > mls::MAX_ADDED {
            return Err(Fault::Full);
        }
        let packages = changes.add.iter().map(|bytes| Ok(mls::key_package(bytes)?.0)).collect::<Result<Vec<_>, Fault>>()?;
        let outgoing = self.stage(device, packages, changes.remove)?;
        if let Err(fault) = fits(&outgoing).and_then(|()| self.staged_change(contacts)) {
            self.mls.clear_pending_commit(self.provider.storage()).map_err(|_| Fault::Library)?;
            return Err(fault);
        }
        self.outgoing = Some(outgoing);
        Ok(())
    }

    fn stage(&mut self, device: &Device, add: Vec<KeyPackage>, remove: &[u32]) -> Result<Outgoing, Fault> {
        let (epoch, with_tree) = (self.epoch(), !add.is_empty());
        let provider = &self.provider;
        let bundle = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_adds(add)
            .propose_removals(remove.iter().map(|leaf| LeafNodeIndex::new(*leaf)))
            .load_psks(provider.storage())
            .map_err(|_| Fault::Library)?
            .create_group_info(true)
            .use_ratchet_tree_extension(with_tree)
            .build(provider.rand(), provider.crypto(), device.key(), |_| true)
            .map_err(|_| Fault::BadCommit)?
            .stage_commit(provider)
            .map_err(|_| Fault::Library)?;
        outgoing(epoch, bundle.into_messages())
    }

    /// Whether the others would take it, and what it changes.
    fn staged_change(&self, contacts: &impl Contacts) -> Result<Change, Fault> {
        let staged = self.mls.pending_commit().ok_or(Fault::NothingPending)?;
        let sender = Sender::Member(self.mls.own_leaf_index());
        let change = mls::commit(staged, &sender, &self.roster, &self.within(contacts, Time::Now))?;
        self.all_have_place(&change, contacts)?;
        Ok(change)
    }

    /// The server took what was sent (201). For a new group or a join this device is a member from here on.
    pub fn accepted(&mut self) -> Result<(), Fault> {
        if self.outgoing.is_none() {
            return Err(Fault::NothingPending);
        }
        if self.standing == Standing::Member {
            self.mls.merge_pending_commit(&self.provider).map_err(|_| Fault::Library)?;
            self.roster = Roster::next(&self.roster, self.mls.public_group())?;
        }
        self.standing = Standing::Member;
        self.outgoing = None;
        Ok(())
    }

    /// Another was faster (409). The commit is as if it had never been made; the winner is to be processed next, and what is still wanted
    /// decided anew. A new group or a join has nothing to go back to: [`Fault::JoinAgain`], and this state is to be thrown away.
    pub fn lost(&mut self) -> Result<(), Fault> {
        if self.outgoing.is_none() {
            return Err(Fault::NothingPending);
        }
        if self.standing != Standing::Member {
            return Err(Fault::JoinAgain);
        }
        self.mls.clear_pending_commit(self.provider.storage()).map_err(|_| Fault::Library)?;
        self.outgoing = None;
        Ok(())
    }
}

/// Others would not read a larger one.
fn fits(outgoing: &Outgoing) -> Result<(), Fault> {
    let within = |bytes: Option<&VLBytes>, max: usize| bytes.is_none_or(|bytes| bytes.as_slice().len() <= max);
    let fit = within(outgoing.commit.as_ref(), mls::MAX_HANDSHAKE_BYTES)
        && within(outgoing.welcome.as_ref(), mls::MAX_TREE_BYTES)
        && within(Some(&outgoing.group_info), mls::MAX_TREE_BYTES);
    if fit { Ok(()) } else { Err(Refusal::TooLarge.into()) }
}

/// Commit, welcome, group info: in openmls's order.
pub(super) fn outgoing(
    epoch: u64,
    (commit, welcome, info): (MlsMessageOut, Option<MlsMessageOut>, Option<MlsMessageOut>),
) -> Result<Outgoing, Fault> {
    let group_info = bytes_of(&info.ok_or(Fault::Library)?)?;
    let welcome = welcome.as_ref().map(bytes_of).transpose()?;
    Ok(Outgoing { epoch, commit: Some(bytes_of(&commit)?), welcome, group_info })
}
