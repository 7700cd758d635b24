//! A group of MLS as one device holds it: what it sends to the server and what it takes from there.

use openmls::group::{GroupContext, MlsGroup, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, StagedWelcome};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{
    Extensions, LeafNodeIndex, LeafNodeParameters, MlsMessageOut, OpenMlsProvider as _, PreSharedKeyProposal,
    ProcessedMessageContent,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_rust_crypto::OpenMlsRustCrypto;
use webcall_trust::mls::{self, GroupId, Session};

use super::{Device, Key};

/// What is to be sent to the server.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) epoch: u64,
    pub(crate) commit: Vec<u8>,
    pub(crate) welcome: Option<Vec<u8>>,
    pub(crate) group_info: Vec<u8>,
}

/// A device in a group.
pub(crate) struct Member {
    pub(crate) mls: MlsGroup,
    pub(crate) key: Key,
    provider: OpenMlsRustCrypto,
}

fn written(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().expect("writing to memory")
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder().wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY).build()
}

impl Member {
    /// A new group with this device alone in it, and its GroupInfo.
    pub(crate) fn create(device: Device, id: GroupId) -> (Self, Vec<u8>) {
        Self::create_as(device, id, None)
    }

    /// The same for a strict room.
    pub(crate) fn create_strict(device: Device, id: GroupId) -> (Self, Vec<u8>) {
        Self::create_with(device, id, None, mls::strict())
    }

    /// The same for a call, with the session of this device.
    pub(crate) fn create_as(device: Device, id: GroupId, session: Option<Session>) -> (Self, Vec<u8>) {
        Self::create_with(device, id, session, Extensions::empty())
    }

    fn create_with(device: Device, id: GroupId, session: Option<Session>, context: Extensions<GroupContext>) -> (Self, Vec<u8>) {
        let extensions = session.map_or_else(Extensions::empty, Session::to_extensions);
        let mls = MlsGroup::builder()
            .with_leaf_node_extensions(extensions)
            .expect("a leaf may have them")
            .with_group_id(id.to_mls())
            .with_group_context_extensions(context)
            .ciphersuite(mls::SUITE)
            .with_capabilities(mls::capabilities())
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .build(&device.provider, &device.key, device.credential())
            .expect("a group");
        let info = mls.export_group_info(device.provider.crypto(), &device.key, true).expect("its description");
        (Self { mls, key: device.key, provider: device.provider }, written(&info))
    }

    /// The tree of the group, for a GroupInfo without it.
    pub(crate) fn tree(&self) -> Vec<u8> {
        self.mls.export_ratchet_tree().tls_serialize_detached().expect("writing to memory")
    }

    pub(crate) fn group_info(&self, with_tree: bool) -> Vec<u8> {
        written(&self.mls.export_group_info(self.provider.crypto(), &self.key, with_tree).expect("its description"))
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    pub(crate) fn authenticator(&self) -> Vec<u8> {
        self.mls.epoch_authenticator().as_slice().to_vec()
    }

    /// A commit that waits for the server's word.
    pub(crate) fn change(&mut self, add: &[Vec<u8>], remove: &[u32], context: Option<Extensions<GroupContext>>) -> Outgoing {
        let packages = add.iter().map(|bytes| mls::key_package(bytes).expect("a key package").0);
        let epoch = self.epoch();
        let builder = self.mls.commit_builder().force_self_update(true);
        let builder = match context {
            Some(extensions) => builder.propose_group_context_extensions(extensions).expect("they are known"),
            None => builder,
        };
        let bundle = builder
            .propose_adds(packages)
            .propose_removals(remove.iter().map(|leaf| LeafNodeIndex::new(*leaf)))
            .load_psks(self.provider.storage())
            .expect("no keys are missing")
            .create_group_info(true)
            .use_ratchet_tree_extension(!add.is_empty())
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("a pending commit");
        let (commit, welcome, group_info) = bundle.into_messages();
        let group_info = written(&group_info.expect("it was asked for"));
        Outgoing { epoch, commit: written(&commit), welcome: welcome.as_ref().map(written), group_info }
    }

    pub(crate) fn update(&mut self) -> Outgoing {
        self.change(&[], &[], None)
    }

    pub(crate) fn accepted(&mut self) {
        self.mls.merge_pending_commit(&self.provider).expect("the server took it");
    }

    /// Another was faster.
    pub(crate) fn lost(&mut self) {
        self.mls.clear_pending_commit(self.provider.storage()).expect("it was pending");
    }

    /// Takes somebody else's commit.
    pub(crate) fn process(&mut self, commit: &[u8]) {
        let (_, message) = mls::handshake(commit).expect("a commit");
        let processed = self.mls.process_message(&self.provider, message).expect("it verifies");
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else { panic!("no commit") };
        self.mls.merge_staged_commit(&self.provider, *staged).expect("it fits");
    }

    pub(crate) fn joined(device: Device, welcome: &[u8]) -> Self {
        let welcome = mls::welcome(welcome).expect("a welcome");
        let staged = StagedWelcome::new_from_welcome(&device.provider, &config(), welcome, None).expect("it is for this device");
        let mls = staged.into_group(&device.provider).expect("a group");
        Self { mls, key: device.key, provider: device.provider }
    }

    /// Comes in by an external commit, which takes out the device's old leaf if it has one.
    pub(crate) fn from_outside(device: Device, group_info: &[u8], tree: Option<&[u8]>, psk: Option<&[u8]>) -> (Self, Outgoing) {
        let leaf = LeafNodeParameters::builder().with_capabilities(mls::capabilities()).build();
        Self::comes_in(device, (group_info, tree), psk, leaf)
    }

    /// The same into the group of a call, as `session` says.
    pub(crate) fn into_call(
        device: Device,
        (group_info, tree): (&[u8], Option<&[u8]>),
        session: Option<Session>,
    ) -> (Self, Outgoing) {
        let extensions = session.map_or_else(Extensions::empty, Session::to_extensions);
        let leaf = LeafNodeParameters::builder().with_capabilities(mls::capabilities()).with_extensions(extensions).build();
        Self::comes_in(device, (group_info, tree), None, leaf)
    }

    fn comes_in(
        device: Device,
        (group_info, tree): (&[u8], Option<&[u8]>),
        psk: Option<&[u8]>,
        leaf: LeafNodeParameters,
    ) -> (Self, Outgoing) {
        let (_, info) = mls::group_info(group_info).expect("a group's description");
        let epoch = info.epoch().as_u64();
        let mut builder = MlsGroup::external_commit_builder().with_config(config());
        if let Some(tree) = tree {
            builder = builder.with_ratchet_tree(mls::tree(tree).expect("a tree"));
        }
        let provider = device.provider;
        let credential = super::credential(&device.key, device.certificate.to_bytes());
        let psk = psk.map(|name| {
            let id = PreSharedKeyId::new(mls::SUITE, provider.rand(), Psk::External(ExternalPsk::new(name.to_vec())));
            let id = id.expect("random numbers");
            id.store(&provider, &[7; 32]).expect("memory");
            PreSharedKeyProposal::new(id)
        });
        let (mls, bundle) = builder
            .build_group(&provider, info, credential)
            .expect("the description of a group")
            .leaf_node_parameters(leaf)
            .add_psk_proposals(psk)
            .load_psks(provider.storage())
            .expect("the key is there")
            .create_group_info(true)
            .build(provider.rand(), provider.crypto(), &device.key, |_| true)
            .expect("a commit")
            .finalize(&provider)
            .expect("a group");
        let (commit, _, group_info) = bundle.into_messages();
        let group_info = written(&group_info.expect("it was asked for"));
        (Self { mls, key: device.key, provider }, Outgoing { epoch, commit: written(&commit), welcome: None, group_info })
    }

    pub(crate) fn application(&mut self, text: &[u8]) -> Vec<u8> {
        written(&self.mls.create_message(&self.provider, &self.key, text).expect("a member"))
    }

    pub(crate) fn open(&mut self, message: &[u8]) -> Vec<u8> {
        let (_, message) = mls::application(message).expect("a message");
        let processed = self.mls.process_message(&self.provider, message).expect("it opens");
        let ProcessedMessageContent::ApplicationMessage(text) = processed.into_content() else { panic!("no message") };
        text.into_bytes()
    }

    /// The leaf of a device.
    pub(crate) fn leaf_of(&self, certificate: &webcall_trust::Certificate) -> u32 {
        let of = certificate.statement();
        mls::Roster::of(self.mls.public_group()).expect("a sound tree").leaf_of(of.user, of.device).expect("it is in the group")
    }
}
