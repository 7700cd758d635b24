//! Coming in: by a welcome (RFC 9420 §12.4.3.1) of a member who added this device, or by an external commit (§12.4.3.2).
//! All of the tree is checked before this device says anything to it.

use std::collections::BTreeSet;

use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::{LeafNodeParameters, MlsGroup, MlsMessageOut, RatchetTreeIn, StagedWelcome, Welcome};
use openmls_traits::OpenMlsProvider;
use webcall_trust::mls::{self, GroupId, Roster, Session};
use webcall_trust::{Refusal, UserId};

use super::changes::outgoing;
use super::{Contacts, Group, Standing, join_config};
use crate::device::Package;
use crate::provider::Provider;
use crate::{Device, Fault, PackageName};

/// A group that was joined, and the key package that was used for it: to be told to [`Device::used`] after the group has been kept.
pub struct Joined {
    pub group: Group,
    pub package: PackageName,
}

/// What an external commit needs.
#[derive(Clone, Copy)]
pub struct ExternalJoin<'a> {
    pub group: GroupId,
    pub group_info: &'a [u8],
    /// Unless it is in the group info.
    pub tree: Option<&'a [u8]>,
    /// Of a call's group: this device's stay in the call.
    pub session: Option<Session>,
    /// The newest epoch of this group that this device knows of. An older group info would have members who have left.
    pub at_least_epoch: u64,
}

/// `GroupInfo` ends with the signer's number, and an Ed25519 signature with its length before it.
const SIGNATURE: usize = 2 + 64;

impl Group {
    /// By a welcome to one of this device's key packages. Every device of the tree must have been published by its user, as in
    /// [`Group::join_external`], and the one that sent the welcome must count. Welcomes wait for days: who was revoked or began anew since is
    /// in the tree as they were, and [`Group::stale`] says that they are to go. What it adds to is the caller's to judge: a welcome to a last
    /// resort can come again.
    pub fn join(device: &Device, welcome: &[u8], contacts: &impl Contacts) -> Result<Joined, Fault> {
        Self::join_where(|_| true, device, welcome, contacts)
    }

    /// The same; whether it leads where it should is judged before anybody in it.
    pub(crate) fn join_where(
        leads_there: impl FnOnce(&Self) -> bool,
        device: &Device,
        welcome: &[u8],
        contacts: &impl Contacts,
    ) -> Result<Joined, Fault> {
        let (joined, sender) = welcomed(device, welcome)?;
        if !leads_there(&joined.group) {
            return Err(Fault::BadWelcome);
        }
        let roster = &joined.group.roster;
        let sent_by = roster.at(sender).ok_or(Fault::BadWelcome)?;
        if !contacts.counts(sent_by) || !roster.iter().all(|(_, certificate)| contacts.published(certificate)) {
            return Err(Refusal::NotVouched.into());
        }
        Ok(joined)
    }

    /// Whether this commit led into the epoch that the group is in: who has followed it has the same confirmation tag (RFC 9420 §6.1), which nobody has
    /// who made another group.
    pub(crate) fn began_with(&self, commit: &[u8]) -> bool {
        let read = mls::handshake(commit);
        read.is_ok_and(|(_, message)| message.confirmation_tag() == Some(self.mls.confirmation_tag()))
    }

    /// Users with a device in the tree of a welcome that is not known here. They may have left since. Of whoever sent it alone, as long as they are
    /// not known themselves; [`Refusal::NotVouched`] of a device that does not count: it names whom it likes.
    pub fn strangers_in(device: &Device, welcome: &[u8], contacts: &impl Contacts) -> Result<BTreeSet<UserId>, Fault> {
        let (Joined { group, .. }, sender) = welcomed(device, welcome)?;
        let sent_by = group.roster.at(sender).ok_or(Fault::BadWelcome)?;
        if !contacts.published(sent_by) {
            return Ok([sent_by.statement().user].into());
        }
        if !contacts.counts(sent_by) {
            return Err(Refusal::NotVouched.into());
        }
        let strangers = group.roster.iter().filter(|(_, certificate)| !contacts.published(certificate));
        Ok(strangers.map(|(_, certificate)| certificate.statement().user).collect())
    }

    /// By an external commit, which waits in [`Group::outgoing`]. Replaces this device's old leaf if it has one.
    pub fn join_external(device: &Device, join: ExternalJoin<'_>, contacts: &impl Contacts) -> Result<Self, Fault> {
        let (id, info) = mls::group_info(join.group_info)?;
        if id != join.group {
            return Err(Fault::BadGroupInfo);
        }
        if info.epoch().as_u64() < join.at_least_epoch {
            return Err(Fault::PastEpoch);
        }
        let (epoch, signer) = (info.epoch().as_u64(), signer(join.group_info)?);
        let tree = join.tree.map(mls::tree).transpose()?;
        let provider = Provider::default();
        let (mls, messages) = external(device, &provider, info, tree, &join)?;
        let group = Self::of(device, mls, provider, Standing::Joining, Some(outgoing(epoch, messages)?))?;
        // Of all others the leaves are those of the group info's tree; who signed it is among them, or this device itself did, whose new leaf
        // stands in for the old one.
        all_published(&group.roster, contacts)?;
        group.roster.at(signer).ok_or(Fault::BadGroupInfo)?;
        if !group.roster.iter().all(|(_, certificate)| group.has_place_for(certificate, contacts)) {
            return Err(Refusal::Uninvited.into());
        }
        Ok(group)
    }
}

impl Device {
    /// Which of its key packages a welcome is for: when a crash came between keeping the group and [`Device::used`], the welcome comes a second
    /// time to a device that is in the group already.
    pub fn package_of(&self, welcome: &[u8]) -> Result<PackageName, Fault> {
        addressee(self, &mls::welcome(welcome)?).map(Package::name)
    }
}

/// The group that a welcome leads to, and the leaf that sent it; nothing is believed of it yet.
fn welcomed(device: &Device, welcome: &[u8]) -> Result<(Joined, u32), Fault> {
    let welcome = mls::welcome(welcome)?;
    let package = addressee(device, &welcome)?;
    let provider = package.provider();
    let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
        .and_then(|builder| builder.skip_lifetime_validation().build())
        .map_err(|_| Fault::BadWelcome)?;
    mls::group(staged.group_context())?;
    let sender = staged.welcome_sender_index().u32();
    let mls = staged.into_group(&provider).map_err(|_| Fault::BadWelcome)?;
    let group = Group::of(device, mls, provider, Standing::Member, None)?;
    Ok((Joined { group, package: package.name() }, sender))
}

/// The one of this device's key packages that the welcome is for.
fn addressee<'a>(device: &'a Device, welcome: &Welcome) -> Result<&'a Package, Fault> {
    let is_for = |package: &&Package| welcome.secrets().iter().any(|secret| package.is_called(secret.new_member().as_slice()));
    device.packages.iter().find(is_for).ok_or(Fault::BadWelcome)
}

type Messages = (MlsMessageOut, Option<MlsMessageOut>, Option<MlsMessageOut>);

fn external(
    device: &Device,
    provider: &Provider,
    info: VerifiableGroupInfo,
    tree: Option<RatchetTreeIn>,
    join: &ExternalJoin<'_>,
) -> Result<(MlsGroup, Messages), Fault> {
    let builder = MlsGroup::external_commit_builder().with_config(join_config()).skip_lifetime_validation();
    let builder = match tree {
        Some(tree) => builder.with_ratchet_tree(tree),
        None => builder,
    };
    let leaf = LeafNodeParameters::builder().with_capabilities(mls::capabilities());
    let leaf = match join.session {
        Some(session) => leaf.with_extensions(session.to_extensions()),
        None => leaf,
    };
    let (group, bundle) = builder
        .build_group(provider, info, device.credential())
        .map_err(|_| Fault::BadGroupInfo)?
        .leaf_node_parameters(leaf.build())
        .load_psks(provider.storage())
        .map_err(|_| Fault::Library)?
        .create_group_info(true)
        .build(provider.rand(), provider.crypto(), device.key(), |_| true)
        .map_err(|_| Fault::BadGroupInfo)?
        .finalize(provider)
        .map_err(|_| Fault::Library)?;
    Ok((group, bundle.into_messages()))
}

/// openmls verifies the signature of a group info but does not show whose it is.
fn signer(group_info: &[u8]) -> Result<u32, Fault> {
    let end = group_info.len().checked_sub(SIGNATURE).ok_or(Fault::BadGroupInfo)?;
    let index = end.checked_sub(4).and_then(|start| group_info.get(start..end)).ok_or(Fault::BadGroupInfo)?;
    index.try_into().map(u32::from_be_bytes).map_err(|_| Fault::BadGroupInfo)
}

/// No stranger is in the tree. Whether all of them still count, [`Group::stale`] asks: if a device that was just revoked kept others out, nobody
/// could come in to remove it.
fn all_published(roster: &Roster, contacts: &impl Contacts) -> Result<(), Fault> {
    let strangers = roster.iter().any(|(_, certificate)| !contacts.published(certificate));
    if strangers { Err(Refusal::NotVouched.into()) } else { Ok(()) }
}
