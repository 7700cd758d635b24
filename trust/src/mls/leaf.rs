//! One device: the key package by which it can be added, and the leaf that it then is.

use openmls::prelude::tls_codec::{Deserialize, Serialize, VLBytes};
use openmls::prelude::{
    CredentialType, KeyPackage, KeyPackageVerifyError, LeafNode, Lifetime, MlsMessageBodyIn, ProtocolVersion,
};
use openmls::treesync::LeafNodeSource;
use openmls_rust_crypto::RustCrypto;

use super::{MAX_CAPABILITIES, MAX_KEY_PACKAGE_BYTES, MAX_LIFETIME_S, SUITE, Session, least_capabilities, parse};
use crate::{Certificate, Refusal, is_contributory};

/// A key package (RFC 9420 §10) framed as a message, with its signatures verified and alive by this machine's clock. Whether its certificate
/// still counts with its user is not asked here.
pub fn key_package(bytes: &[u8]) -> Result<(KeyPackage, Certificate), Refusal> {
    let MlsMessageBodyIn::KeyPackage(read) = parse::body(bytes, MAX_KEY_PACKAGE_BYTES)? else { return Err(Refusal::WireFormat) };
    let package = read.validate(&RustCrypto::default(), ProtocolVersion::Mls10).map_err(|error| refusal(&error))?;
    let certificate = checked_package(&package)?;
    Ok((package, certificate))
}

/// Not alive by this machine's clock is said apart: the clock of whoever made it may be wrong.
fn refusal(error: &KeyPackageVerifyError) -> Refusal {
    match error {
        KeyPackageVerifyError::LifetimeError(_) => Refusal::Lifetime,
        _ => Refusal::KeyPackage,
    }
}

/// The same rules for a key package that openmls has verified: one that a commit adds.
pub(super) fn checked_package(package: &KeyPackage) -> Result<Certificate, Refusal> {
    if package.ciphersuite() != SUITE {
        return Err(Refusal::Suite);
    }
    if !is_contributory(package.hpke_init_key().as_slice()) {
        return Err(Refusal::WeakKey);
    }
    leaf(package.leaf_node())
}

/// A leaf of a tree (RFC 9420 §7.2): whose device it is, by its own certificate.
pub fn leaf(leaf: &LeafNode) -> Result<Certificate, Refusal> {
    let certificate = certificate(leaf)?;
    shape(leaf)?;
    Ok(certificate)
}

/// A leaf whose certificate was read before: `known` is believed when the leaf has the very same bytes.
pub(super) fn leaf_known(node: &LeafNode, known: &Certificate) -> Result<Certificate, Refusal> {
    if node.credential().serialized_content() != known.to_bytes() {
        return leaf(node);
    }
    signs_with(node, known)?;
    shape(node)?;
    Ok(*known)
}

fn certificate(leaf: &LeafNode) -> Result<Certificate, Refusal> {
    if leaf.credential().credential_type() != CredentialType::Basic {
        return Err(Refusal::Credential);
    }
    let certificate = Certificate::checked(leaf.credential().serialized_content())?;
    signs_with(leaf, &certificate)?;
    Ok(certificate)
}

fn signs_with(leaf: &LeafNode, certificate: &Certificate) -> Result<(), Refusal> {
    let same = leaf.signature_key().as_slice() == certificate.statement().device_key.0;
    if same { Ok(()) } else { Err(Refusal::Credential) }
}

/// All but whose it is.
fn shape(leaf: &LeafNode) -> Result<(), Refusal> {
    if !is_contributory(&encryption_key(leaf)?) {
        return Err(Refusal::WeakKey);
    }
    if let LeafNodeSource::KeyPackage(lifetime) = leaf.leaf_node_source() {
        bounded(lifetime)?;
    }
    Session::of(leaf)?;
    if knows_ours(leaf) { Ok(()) } else { Err(Refusal::Capabilities) }
}

/// openmls shows it only as it is sent (RFC 9420 §5.1.1): its length, then the bytes.
fn encryption_key(leaf: &LeafNode) -> Result<Vec<u8>, Refusal> {
    let sent = leaf.encryption_key().tls_serialize_detached().map_err(|_| Refusal::Malformed)?;
    VLBytes::tls_deserialize(&mut sent.as_slice()).map(Vec::from).map_err(|_| Refusal::Malformed)
}

fn bounded(lifetime: &Lifetime) -> Result<(), Refusal> {
    match lifetime.not_after().checked_sub(lifetime.not_before()) {
        Some(1..=MAX_LIFETIME_S) => Ok(()),
        _ => Err(Refusal::Lifetime),
    }
}

fn knows_ours(leaf: &LeafNode) -> bool {
    fn covers<T: PartialEq>(theirs: &[T], ours: &[T]) -> bool {
        theirs.len() <= MAX_CAPABILITIES && ours.iter().all(|one| theirs.contains(one))
    }
    let (theirs, ours) = (leaf.capabilities(), least_capabilities());
    covers(theirs.versions(), ours.versions())
        && covers(theirs.ciphersuites(), ours.ciphersuites())
        && covers(theirs.extensions(), ours.extensions())
        && covers(theirs.proposals(), ours.proposals())
        && covers(theirs.credentials(), ours.credentials())
}
