//! The working group's vectors for RFC 9420, of the one suite that is used here: a client with given keys comes into a group by its welcome and
//! follows what others did, and has the authenticator of every epoch that they have. So the key schedule, TreeKEM, the transcript and message
//! protection of openmls, as it is built here, are what others have built.
//!
//! `vectors/passive-client-*.json` are those of suite 1 from github.com/mlswg/mls-implementations, `test-vectors/`, at commit cfd4502.

use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{
    KeyPackage, KeyPackageBundle, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, OpenMlsProvider, ProcessedMessageContent, ProtocolMessage, RatchetTreeIn, StagedWelcome,
};
use openmls::schedule::PreSharedKeyId;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::random::OpenMlsRand as _;
use openmls_traits::storage::StorageProvider as _;
use serde::Deserialize;
use serde_json::json;

const WELCOMES: &str = include_str!("vectors/passive-client-welcome.json");
const COMMITS: &str = include_str!("vectors/passive-client-handling-commit.json");

/// Bytes, as the vectors write them.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        bytes.collect::<Result<_, _>>().map(Self)
    }
}

#[derive(Deserialize)]
struct Psk {
    psk_id: Hex,
    psk: Hex,
}

#[derive(Deserialize)]
struct Epoch {
    proposals: Vec<Hex>,
    commit: Hex,
    epoch_authenticator: Hex,
}

#[derive(Deserialize)]
struct Vector {
    external_psks: Vec<Psk>,
    key_package: Hex,
    encryption_priv: Hex,
    init_priv: Hex,
    welcome: Hex,
    ratchet_tree: Option<Hex>,
    initial_epoch_authenticator: Hex,
    epochs: Vec<Epoch>,
}

fn vectors(text: &str) -> Vec<Vector> {
    serde_json::from_str(text).expect("as the vectors say")
}

fn message(bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(bytes).expect("as the vectors say").extract()
}

fn handshake(bytes: &[u8]) -> ProtocolMessage {
    MlsMessageIn::tls_deserialize_exact(bytes)
        .expect("as the vectors say")
        .try_into_protocol_message()
        .expect("as the vectors say")
}

/// A client with the keys of a vector, as openmls keeps them.
fn client(vector: &Vector) -> OpenMlsRustCrypto {
    let provider = OpenMlsRustCrypto::default();
    let MlsMessageBodyIn::KeyPackage(package) = message(&vector.key_package.0) else { panic!("no key package") };
    // Some of the vectors have expired since they were made, so it is not validated: it is taken as what it says.
    let package: KeyPackage =
        serde_json::from_value(serde_json::to_value(package).expect("as the vectors say")).expect("as the vectors say");
    let name = package.hash_ref(provider.crypto()).expect("as the vectors say");
    // A bundle is made from given keys by its stored form only.
    let key = |Hex(bytes): &Hex| json!({ "vec": bytes });
    let (init, encryption) = (key(&vector.init_priv), json!({ "key": key(&vector.encryption_priv) }));
    let bundle = json!({ "key_package": package, "private_init_key": init, "private_encryption_key": encryption });
    let bundle: KeyPackageBundle = serde_json::from_value(bundle).expect("as the vectors say");
    provider.storage().write_key_package(&name, &bundle).expect("as the vectors say");
    for Psk { psk_id, psk } in &vector.external_psks {
        let nonce = provider.rand().random_vec(32).expect("as the vectors say");
        let id = PreSharedKeyId::external(psk_id.0.clone(), nonce);
        id.store(&provider, &psk.0).expect("as the vectors say");
    }
    provider
}

/// Comes in by the welcome.
fn joined(vector: &Vector, provider: &OpenMlsRustCrypto) -> MlsGroup {
    let MlsMessageBodyIn::Welcome(welcome) = message(&vector.welcome.0) else { panic!("no welcome") };
    let config =
        MlsGroupJoinConfig::builder().wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY).number_of_resumption_psks(4).build();
    let tree =
        vector.ratchet_tree.as_ref().map(|tree| RatchetTreeIn::tls_deserialize_exact(&tree.0).expect("as the vectors say"));
    let builder =
        StagedWelcome::build_from_welcome(provider, &config, welcome).expect("as the vectors say").skip_lifetime_validation();
    let staged =
        tree.into_iter().fold(builder, |builder, tree| builder.with_ratchet_tree(tree)).build().expect("as the vectors say");
    staged.into_group(provider).expect("as the vectors say")
}

/// Follows one commit.
fn follow(group: &mut MlsGroup, provider: &OpenMlsRustCrypto, epoch: &Epoch) {
    for proposal in &epoch.proposals {
        match group.process_message(provider, handshake(&proposal.0)).expect("as the vectors say").into_content() {
            ProcessedMessageContent::ProposalMessage(proposal) => {
                group.store_pending_proposal(provider.storage(), *proposal).expect("as the vectors say");
            }
            _ => panic!("no proposal"),
        }
    }
    match group.process_message(provider, handshake(&epoch.commit.0)).expect("as the vectors say").into_content() {
        ProcessedMessageContent::StagedCommitMessage(staged) => {
            group.merge_staged_commit(provider, *staged).expect("as the vectors say");
        }
        _ => panic!("no commit"),
    }
}

#[test]
fn whoever_comes_in_by_a_welcome_agrees_with_those_who_made_it() {
    let vectors = vectors(WELCOMES);
    assert_eq!(vectors.len(), 8);
    for (number, vector) in vectors.iter().enumerate() {
        let group = joined(vector, &client(vector));
        assert_eq!(group.epoch_authenticator().as_slice(), vector.initial_epoch_authenticator.0, "{number}");
    }
}

#[test]
fn whoever_follows_the_commits_of_others_agrees_with_them_in_every_epoch() {
    let vectors = vectors(COMMITS);
    assert_eq!(vectors.len(), 13);
    for (number, vector) in vectors.iter().enumerate() {
        let provider = client(vector);
        let mut group = joined(vector, &provider);
        assert_eq!(group.epoch_authenticator().as_slice(), vector.initial_epoch_authenticator.0, "{number}");
        for (after, epoch) in vector.epochs.iter().enumerate() {
            let before = group.epoch_authenticator().as_slice().to_vec();
            follow(&mut group, &provider, epoch);
            assert_eq!(group.epoch_authenticator().as_slice(), epoch.epoch_authenticator.0, "{number}, {after}");
            assert_ne!(before, epoch.epoch_authenticator.0, "{number}, {after}");
        }
    }
}

#[test]
fn a_commit_of_which_a_bit_is_changed_is_not_followed() {
    let vector = &vectors(COMMITS)[0];
    let is_followed = |bytes: &[u8]| {
        let provider = client(vector);
        let mut group = joined(vector, &provider);
        let read = MlsMessageIn::tls_deserialize_exact(bytes).ok().and_then(|message| message.try_into_protocol_message().ok());
        read.is_some_and(|message| group.process_message(&provider, message).is_ok())
    };
    let commit = &vector.epochs[0].commit.0;
    assert!(is_followed(commit));
    for at in (0..commit.len()).step_by(37) {
        let mut changed = commit.clone();
        changed[at] ^= 1;
        assert!(!is_followed(&changed), "{at}");
    }
}
