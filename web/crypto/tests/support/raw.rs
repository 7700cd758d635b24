//! A member who does what it likes: openmls without our rules.

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::group::{GroupContext, MlsGroup, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, StagedWelcome};
use openmls::prelude::tls_codec::{Serialize as _, VLBytes};
use openmls::prelude::{
    BasicCredential, CredentialWithKey, KeyPackage, LeafNodeParameters, MlsMessageOut, PreSharedKeyProposal, Proposal,
};
use openmls::prelude::{Extensions, LeafNodeIndex};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use webcall_trust::{Certificate, DeviceCertificate, DeviceId, PublicKey, Record, Signed, UserId, mls};

use super::{NOW_MS, User};

pub(crate) struct Key(pub(crate) SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Key {
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// As RFC 9420 §5.1.2 signs.
    pub(crate) fn sign_labelled(&self, label: &str, content: &[u8]) -> [u8; 64] {
        let mut signed = Vec::new();
        for part in [format!("MLS 1.0 {label}").into_bytes(), content.to_vec()] {
            signed.extend(VLBytes::from(part).tls_serialize_detached().expect("memory"));
        }
        self.0.sign(&signed).to_bytes()
    }
}

pub(crate) struct Raw {
    pub(crate) key: Key,
    pub(crate) certificate: Certificate,
    pub(crate) provider: OpenMlsRustCrypto,
}

/// A certificate by whatever identity, for whatever user.
pub(crate) fn certificate(identity: &SigningKey, user: UserId, device: DeviceId, key: &Key, previous: [u8; 32]) -> Certificate {
    let identity_key = PublicKey(identity.verifying_key().to_bytes());
    Signed::sign(DeviceCertificate::new(user, identity_key, device, key.public(), previous, NOW_MS), identity)
}

impl Raw {
    /// A device that its user did publish.
    pub(crate) fn of(user: &mut User, seed: u8) -> Self {
        let (key, identity) = (Key(SigningKey::from_bytes(&[seed; 32])), SigningKey::from_bytes(&user.identity.to_bytes()));
        let certificate = certificate(&identity, user.id, DeviceId([seed; 16]), &key, user.keys().head());
        user.publish(Record::Device(certificate));
        Self { key, certificate, provider: OpenMlsRustCrypto::default() }
    }

    /// A device that says to be of a user, under an identity that somebody made up.
    pub(crate) fn ghost_of(user: UserId, seed: u8) -> Self {
        let (key, identity) = (Key(SigningKey::from_bytes(&[seed; 32])), SigningKey::from_bytes(&[seed ^ 0xff; 32]));
        let certificate = certificate(&identity, user, DeviceId([seed; 16]), &key, [0; 32]);
        Self { key, certificate, provider: OpenMlsRustCrypto::default() }
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.certificate.to_bytes()).into(),
            signature_key: self.key.public().0.to_vec().into(),
        }
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        let builder = KeyPackage::builder().leaf_node_capabilities(mls::capabilities());
        let bundle = builder.build(mls::SUITE, &self.provider, &self.key, self.credential()).expect("a key package");
        bytes(&MlsMessageOut::from(bundle.key_package().clone()))
    }

    /// With a stay in a call.
    pub(crate) fn key_package_with(&self, session: mls::Session) -> Vec<u8> {
        let builder = KeyPackage::builder().leaf_node_capabilities(mls::capabilities());
        let builder = builder.leaf_node_extensions(session.to_extensions());
        let bundle = builder.build(mls::SUITE, &self.provider, &self.key, self.credential()).expect("a key package");
        bytes(&MlsMessageOut::from(bundle.key_package().clone()))
    }

    /// A group of its own with these extensions, and one other in it: the welcome, and a description.
    pub(crate) fn found(&self, id: mls::GroupId, extensions: Extensions<GroupContext>, other: KeyPackage) -> (Vec<u8>, Vec<u8>) {
        let provider = OpenMlsRustCrypto::default();
        let mut group = MlsGroup::builder()
            .with_group_id(id.to_mls())
            .ciphersuite(mls::SUITE)
            .with_capabilities(mls::capabilities())
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .with_group_context_extensions(extensions)
            .build(&provider, &self.key, self.credential())
            .expect("openmls lets it");
        let (_, welcome, info) = group.add_members(&provider, &self.key, &[other]).expect("openmls lets it");
        (bytes(&welcome), bytes(&MlsMessageOut::from(info.expect("with the tree"))))
    }

    pub(crate) fn config() -> MlsGroupJoinConfig {
        MlsGroupJoinConfig::builder().wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY).build()
    }

    pub(crate) fn join(&self, welcome: &[u8]) -> MlsGroup {
        let welcome = mls::welcome(welcome).expect("a welcome");
        let staged = StagedWelcome::new_from_welcome(&self.provider, &Self::config(), welcome, None).expect("for it");
        staged.into_group(&self.provider).expect("whole")
    }

    /// A commit to this wish, whatever it is; nothing is merged.
    pub(crate) fn commit(&self, group: &mut MlsGroup, wish: Wish) -> Vec<u8> {
        let builder = group
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_adds(wish.add)
            .propose_removals(wish.remove.into_iter().map(LeafNodeIndex::new))
            .add_proposals(wish.other)
            .leaf_node_parameters(wish.leaf);
        let builder = match wish.context {
            Some(extensions) => builder.propose_group_context_extensions(extensions).expect("a proposal"),
            None => builder,
        };
        let bundle = builder
            .load_psks(self.provider.storage())
            .expect("known keys")
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .expect("openmls lets it")
            .stage_commit(&self.provider)
            .expect("memory");
        let commit = bytes(bundle.commit());
        group.clear_pending_commit(self.provider.storage()).expect("memory");
        commit
    }

    /// An external commit, and its group info.
    pub(crate) fn external(&self, group_info: &[u8], tree: &[u8], psk: Option<PreSharedKeyProposal>) -> (Vec<u8>, Vec<u8>) {
        let (_, info) = mls::group_info(group_info).expect("a group info");
        let leaf = LeafNodeParameters::builder().with_capabilities(mls::capabilities()).build();
        let (_, bundle) = MlsGroup::external_commit_builder()
            .with_config(Self::config())
            .with_ratchet_tree(mls::tree(tree).expect("a tree"))
            .build_group(&self.provider, info, self.credential())
            .expect("a sound group")
            .leaf_node_parameters(leaf)
            .add_psk_proposals(psk)
            .load_psks(self.provider.storage())
            .expect("known keys")
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .expect("a commit")
            .finalize(&self.provider)
            .expect("memory");
        let (commit, _, info) = bundle.into_messages();
        (bytes(&commit), bytes(&info.expect("asked for")))
    }
}

/// What a commit is to contain.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) add: Vec<KeyPackage>,
    pub(crate) remove: Vec<u32>,
    pub(crate) other: Vec<Proposal>,
    pub(crate) context: Option<Extensions<GroupContext>>,
    pub(crate) leaf: LeafNodeParameters,
}

pub(crate) fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().expect("memory")
}
