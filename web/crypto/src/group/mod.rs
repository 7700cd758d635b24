//! One MLS group (RFC 9420), of a room or of a call, as this device is in it: its state, who is in it, and the commit that waits for the
//! server's answer. Every change is checked by [`webcall_trust::mls`], one's own before it is sent, others' before they are applied.
//!
//! The order that makes a crash harmless: change, [`Group::save`], keep what that gave, only then send. A commit that was sent counts when the
//! server took it (201: [`Group::accepted`]); when another was faster (409: [`Group::lost`]) it is as if it had never been made. After a
//! reload [`Group::outgoing`] says what is open, and [`Group::process`] settles it with the server's log, in which one's own commit may stand.

mod changes;
mod contacts;
mod join;
mod keys;
mod messages;
mod process;
mod saved;

use std::collections::BTreeSet;

use openmls::group::{GroupContext, MlsGroup, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{Extensions, MlsMessageOut};
use openmls_traits::OpenMlsProvider;
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize, VLBytes};
use webcall_trust::mls::{self, Change, GroupId, GroupKind, Roster, Session};
use webcall_trust::{Certificate, DeviceId, Refusal, UserId};

pub use changes::Changes;
pub use contacts::Contacts;
use contacts::{Time, Within};
pub use join::{ExternalJoin, Joined};
pub use messages::Received;
pub use process::Processed;

use crate::provider::Provider;
use crate::{Device, Fault};

/// Epochs whose messages still open after they are over: one that was on its way during a commit. Each keeps the keys of its messages.
const PAST_EPOCHS: usize = 2;
/// Application messages are filled up to a multiple of this, so that their length says little.
const PADDING_BYTES: usize = 256;

/// How this device stands in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
#[repr(u8)]
pub enum Standing {
    /// It made the group, and the server has not answered yet.
    Creating = 1,
    /// It comes in by an external commit, and the server has not answered yet.
    Joining = 2,
    Member = 3,
    /// It was taken out. Nothing can be done with the group any more.
    Removed = 4,
}

/// What is to be sent to the server, as often as it takes to get an answer.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Outgoing {
    /// On which the commit is built; of a new group, its first.
    pub epoch: u64,
    /// None for a new group.
    pub commit: Option<VLBytes>,
    /// One for all devices that were added, with the tree in it.
    pub welcome: Option<VLBytes>,
    /// Of the group after the commit. With the tree for a new group and when devices were added.
    pub group_info: VLBytes,
}

pub struct Group {
    id: GroupId,
    device: DeviceId,
    mls: MlsGroup,
    provider: Provider,
    roster: Roster,
    standing: Standing,
    outgoing: Option<Outgoing>,
    counter: u64,
    /// Until this value is dropped, as it is for another one then.
    culprit: Option<UserId>,
    strangers: BTreeSet<UserId>,
}

impl Group {
    /// A new group with this device alone in it, which the server is to be told of. Another may have been faster: [`Fault::JoinAgain`].
    pub fn create(device: &Device, id: GroupId) -> Result<Self, Fault> {
        Self::create_with(device, id, None, Extensions::empty())
    }

    /// The group of a strict room, which says so for as long as there is the group.
    pub fn create_strict(device: &Device, id: GroupId) -> Result<Self, Fault> {
        Self::create_with(device, id, None, mls::strict())
    }

    /// The group of a call, with this device's stay in the call.
    pub fn create_call(device: &Device, id: GroupId, session: Session) -> Result<Self, Fault> {
        Self::create_with(device, id, Some(session), Extensions::empty())
    }

    fn create_with(
        device: &Device,
        id: GroupId,
        session: Option<Session>,
        context: Extensions<GroupContext>,
    ) -> Result<Self, Fault> {
        let provider = Provider::default();
        let builder = MlsGroup::builder();
        let builder = match session {
            Some(session) => builder.with_leaf_node_extensions(session.to_extensions()).map_err(|_| Fault::Library)?,
            None => builder,
        };
        let group = builder
            .with_group_id(id.to_mls())
            .with_group_context_extensions(context)
            .ciphersuite(mls::SUITE)
            .with_capabilities(mls::capabilities())
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(PAST_EPOCHS)
            .padding_size(PADDING_BYTES)
            .build(&provider, device.key(), device.credential())
            .map_err(|_| Fault::Library)?;
        let info = group.export_group_info(provider.crypto(), device.key(), true).map_err(|_| Fault::Library)?;
        let outgoing = Outgoing { epoch: 0, commit: None, welcome: None, group_info: bytes_of(&info)? };
        Self::of(device, group, provider, Standing::Creating, Some(outgoing))
    }

    fn of(
        device: &Device,
        mls: MlsGroup,
        provider: Provider,
        standing: Standing,
        outgoing: Option<Outgoing>,
    ) -> Result<Self, Fault> {
        let roster = Roster::of(mls.public_group())?;
        let id = GroupId::from_bytes(mls.group_id().as_slice())?;
        if roster.at(mls.own_leaf_index().u32()) != Some(device.certificate()) {
            return Err(Fault::OtherDevice);
        }
        let (device, counter) = (device.id(), 0);
        Ok(Self { id, device, mls, provider, roster, standing, outgoing, counter, culprit: None, strangers: BTreeSet::new() })
    }

    pub fn id(&self) -> GroupId {
        self.id
    }

    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What the server has not answered yet.
    pub fn outgoing(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// From where on the server's log is to be processed: the epoch of the commit that waits, if one does, for it may stand there.
    pub fn next_in_log(&self) -> u64 {
        self.outgoing.as_ref().map_or(self.epoch(), |outgoing| outgoing.epoch)
    }

    /// The number of this device's leaf.
    pub fn leaf(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// Whether its room is strict: whoever comes in was let in by a person.
    pub fn is_strict(&self) -> bool {
        mls::is_strict(self.mls.public_group().group_context())
    }

    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Leaves that no longer count: revoked devices, replaced identities; in a call, those whose user is not in its room. They are to be
    /// removed before anything else is said here.
    pub fn stale(&self, contacts: &impl Contacts) -> Vec<u32> {
        let counts = |certificate: &Certificate| contacts.counts(certificate) && self.has_place_for(certificate, contacts);
        self.roster.iter().filter(|(_, certificate)| !counts(certificate)).map(|(leaf, _)| leaf).collect()
    }

    /// In a call is nobody but who is in its room.
    fn has_place_for(&self, certificate: &Certificate, contacts: &impl Contacts) -> bool {
        let of = certificate.statement();
        self.id.kind == GroupKind::Room || contacts.belongs(of.user, of.identity)
    }

    fn all_have_place(&self, change: &Change, contacts: &impl Contacts) -> Result<(), Fault> {
        let mut newcomers = change.added.iter().chain(change.joined.as_ref().map(|joined| &joined.certificate));
        let all = newcomers.all(|certificate| self.has_place_for(certificate, contacts));
        if all { Ok(()) } else { Err(Refusal::Uninvited.into()) }
    }

    /// Whose device made the commit that [`Group::process`] could not follow ([`Fault::BadCommit`]): certainly, for it is signed by that member and
    /// has the tag that members alone can make. Nothing where it may have been anybody, the server among them.
    pub fn culprit(&self) -> Option<UserId> {
        self.culprit
    }

    /// Whose devices the commit names that [`Group::process`] refused last, where they are not known here.
    pub fn strangers(&self) -> &BTreeSet<UserId> {
        &self.strangers
    }

    /// Of the newest sealed state.
    pub(crate) fn counter(&self) -> u64 {
        self.counter
    }

    /// Takes the place of another state of the same group, with this counter.
    pub(crate) fn goes_on_from(&mut self, counter: u64) {
        self.counter = self.counter.max(counter);
    }

    fn within<'a, C>(&'a self, contacts: &'a C, time: Time) -> Within<'a, C> {
        Within { group: self.id, contacts, time }
    }

    fn member(&self) -> Result<(), Fault> {
        if self.standing == Standing::Member { Ok(()) } else { Err(Fault::NotMember) }
    }
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .padding_size(PADDING_BYTES)
        .build()
}

fn bytes_of(message: &MlsMessageOut) -> Result<VLBytes, Fault> {
    message.tls_serialize_detached().map(VLBytes::from).map_err(|_| Fault::Library)
}
