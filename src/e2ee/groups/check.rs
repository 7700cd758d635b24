//! Whether a group or a commit may be: pure functions over bytes, run on a thread of their own and with panics caught. Signatures, tree
//! and epoch are openmls's to check, what a commit may change is `webcall_trust::mls`'s; what only the server knows comes as an argument.

use std::collections::BTreeSet;

use openmls::group::StagedCommit;
use openmls::prelude::tls_codec::Serialize;
use openmls::prelude::{
    KeyPackageRef, LeafNodeIndex, OpenMlsProvider, OpenMlsSignaturePublicKey, ProcessedMessageContent, ProposalStore,
    PublicGroup, Sender, SignatureScheme, Verifiable,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use webcall_media::ParticipantId;
use webcall_trust::mls::{self, Change, GroupId, Knowledge, Roster, Session};
use webcall_trust::{Certificate, PublicKey, Refusal, UserId};

use super::state;
use crate::error::Error;
use crate::time::Timestamp;

/// What follows the extensions of a GroupInfo (RFC 9420 §12.4.3): a tag of 32 bytes with its length, the signer's leaf, a signature of 64
/// bytes with its length.
const TAG_BYTES: usize = 33;
const SIGNER_BYTES: usize = 4;
const SIGNATURE_BYTES: usize = 66;

/// What a commit may say beside what it does (RFC 9420 §6): the head of the log fits. It is kept as long as the commit.
const MAX_AUTHENTICATED_BYTES: usize = 128;

/// A group that is as new as it should be.
#[derive(Debug)]
pub(super) struct NewGroup {
    pub(super) id: GroupId,
    pub(super) by: Certificate,
    /// Of the one leaf; none in the group of a room.
    pub(super) session: Option<Session>,
    /// What its context says ([`mls::is_strict`]).
    pub(super) is_strict: bool,
    pub(super) state: Vec<u8>,
}

/// What somebody sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) commit: Vec<u8>,
    pub(super) welcome: Option<Vec<u8>>,
    pub(super) group_info: Vec<u8>,
}

/// What a commit leads to.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) change: Change,
    /// As whom who made it is in the call; nothing in the group of a room.
    pub(super) participant: Option<ParticipantId>,
    pub(super) state: Vec<u8>,
}

/// What a commit is held to beside [`Knowledge`].
pub(super) trait Rules: Knowledge {
    /// Looks at who is in the group before.
    fn look(&mut self, group: &PublicGroup, roster: &Roster) -> Result<(), Refusal>;
    /// Whether the commit fits; for a call, as whom who made it is in the call. `group` and `before` as they were before it.
    fn admits(
        &self,
        staged: &StagedCommit,
        change: &Change,
        group: &PublicGroup,
        before: &Roster,
    ) -> Result<Option<ParticipantId>, Error>;
}

/// The server's side of [`Knowledge`] for a room: the certificates of all devices that count in the room.
pub(super) struct Counting {
    certificates: BTreeSet<Vec<u8>>,
    /// Until when key packages are good that are added, at least; seconds.
    least_s: u64,
}

impl Counting {
    pub(super) fn new(certificates: Vec<Vec<u8>>) -> Self {
        Self { certificates: certificates.into_iter().collect(), least_s: 0 }
    }

    /// The same, with key packages added only that are good until then: those who read the commit later verify them by their own clock.
    pub(super) fn adding(self, until: Timestamp) -> Self {
        Self { least_s: until.as_millis().unsigned_abs() / 1_000, ..self }
    }
}

impl Knowledge for Counting {
    fn counts(&self, certificate: &Certificate) -> bool {
        self.certificates.contains(&certificate.to_bytes())
    }

    fn belongs(&self, _user: UserId, _identity: PublicKey) -> bool {
        false
    }

    fn may_lose(&self, certificate: &Certificate) -> bool {
        !self.counts(certificate)
    }
}

impl Rules for Counting {
    fn look(&mut self, _group: &PublicGroup, _roster: &Roster) -> Result<(), Refusal> {
        Ok(())
    }

    fn admits(&self, staged: &StagedCommit, _: &Change, _: &PublicGroup, _: &Roster) -> Result<Option<ParticipantId>, Error> {
        let mut added = staged.add_proposals().map(|add| add.add_proposal().key_package().life_time().not_after());
        if added.all(|until_s| until_s >= self.least_s) { Ok(None) } else { Err(Refusal::Lifetime.into()) }
    }
}

/// A group of one device in its first epoch. `tree`: unless it is in the GroupInfo.
pub(super) fn new_group(group_info: &[u8], tree: Option<&[u8]>) -> Result<NewGroup, Error> {
    let (id, info) = mls::group_info(group_info)?;
    if info.epoch().as_u64() != 0 || info.extensions().external_pub().is_none() {
        return Err(INVALID_GROUP_INFO);
    }
    let inside = info.extensions().ratchet_tree().map(|extension| extension.ratchet_tree().clone());
    let tree = match tree {
        Some(tree) => mls::tree(tree)?,
        None => inside.ok_or(INVALID_GROUP_INFO)?,
    };
    let provider = OpenMlsRustCrypto::default();
    let made = PublicGroup::from_external(provider.crypto(), provider.storage(), tree, info, ProposalStore::new());
    let (group, _info) = made.map_err(|_| INVALID_GROUP_INFO)?;
    let roster = Roster::of(&group)?;
    let mut members = roster.iter();
    let (Some((leaf, by)), None) = (members.next(), members.next()) else { return Err(INVALID_GROUP_INFO) };
    let session = group.leaf(LeafNodeIndex::new(leaf)).map(Session::of).transpose()?.flatten();
    Ok(NewGroup { id, by: *by, session, is_strict: mls::is_strict(group.group_context()), state: state::write(&provider) })
}

/// The certificates of all leaves of a group, which were verified as each came in.
pub(super) fn leaves(state: &[u8], id: GroupId) -> Result<BTreeSet<Vec<u8>>, Error> {
    let (group, _provider) = state::read(state, id).ok_or_else(damaged)?;
    Ok(group.members().map(|member| member.credential.serialized_content().to_vec()).collect())
}

/// The ratchet tree of a group (RFC 9420 §12.4.3.3); `None` when it is in its GroupInfo.
pub(super) fn tree(state: &[u8], id: GroupId, group_info: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    if mls::group_info(group_info)?.1.extensions().ratchet_tree().is_some() {
        return Ok(None);
    }
    let (group, _provider) = state::read(state, id).ok_or_else(damaged)?;
    group.export_ratchet_tree().tls_serialize_detached().map(Some).map_err(|_| damaged())
}

/// Whether a user may make this commit now, and what it leads to.
pub(super) fn commit(state: &[u8], id: GroupId, sent: &Sent, user: UserId, mut rules: impl Rules) -> Result<Next, Error> {
    let (mut group, provider) = state::read(state, id).ok_or_else(damaged)?;
    let (of, message) = mls::handshake(&sent.commit)?;
    if of != id {
        return Err(INVALID_COMMIT);
    }
    let (staged, sender) = staged(&group, &provider, message)?;
    let before = Roster::of(&group)?;
    rules.look(&group, &before)?;
    let change = mls::commit(&staged, &sender, &before, &rules)?;
    if change.by.statement().user != user {
        return Err(Refusal::OtherUser.into());
    }
    let participant = rules.admits(&staged, &change, &group, &before)?;
    welcomes(sent.welcome.as_deref(), &staged, &provider)?;
    group.merge_commit(provider.storage(), *staged).map_err(|_| INVALID_COMMIT)?;
    let leaf = before.next(&group)?.leaf_of(change.by.statement().user, change.by.statement().device);
    describes(&sent.group_info, &group, (&change, leaf.ok_or(INVALID_GROUP_INFO)?), &provider)?;
    Ok(Next { change, participant, state: state::write(&provider) })
}

fn staged(
    group: &PublicGroup,
    provider: &OpenMlsRustCrypto,
    message: openmls::prelude::PublicMessageIn,
) -> Result<(Box<StagedCommit>, Sender), Error> {
    let processed = group.process_message(provider.crypto(), message).map_err(|_| INVALID_COMMIT)?;
    if processed.aad().len() > MAX_AUTHENTICATED_BYTES {
        return Err(Refusal::TooLarge.into());
    }
    let sender = processed.sender().clone();
    match processed.into_content() {
        ProcessedMessageContent::StagedCommitMessage(staged) => Ok((staged, sender)),
        _ => Err(INVALID_COMMIT),
    }
}

/// A welcome is for exactly those whom the commit adds; without them there is none.
fn welcomes(welcome: Option<&[u8]>, staged: &StagedCommit, provider: &OpenMlsRustCrypto) -> Result<(), Error> {
    let added = staged.add_proposals().map(|add| add.add_proposal().key_package().hash_ref(provider.crypto()));
    let mut added = added.collect::<Result<Vec<KeyPackageRef>, _>>().map_err(|_| INVALID_COMMIT)?;
    let mut welcomed = match welcome {
        Some(bytes) => mls::welcome(bytes)?.secrets().iter().map(|secrets| secrets.new_member()).collect(),
        None => Vec::new(),
    };
    for references in [&mut added, &mut welcomed] {
        references.sort_by(|one, other| one.as_slice().cmp(other.as_slice()));
    }
    if added == welcomed && welcome.is_some() != added.is_empty() { Ok(()) } else { Err(INVALID_WELCOME) }
}

/// Whether a GroupInfo is of the group as the server has it and signed by who made the commit: another one would keep out everybody who
/// comes by it.
fn describes(
    bytes: &[u8],
    group: &PublicGroup,
    (change, leaf): (&Change, u32),
    provider: &OpenMlsRustCrypto,
) -> Result<(), Error> {
    let (_, info) = mls::group_info(bytes)?;
    let by = change.by.statement();
    let mut tail = group.confirmation_tag().tls_serialize_detached().map_err(|_| INVALID_GROUP_INFO)?;
    tail.extend(leaf.to_be_bytes());
    let at = bytes.len().checked_sub(TAG_BYTES + SIGNER_BYTES + SIGNATURE_BYTES).ok_or(INVALID_GROUP_INFO)?;
    let other_tree = match info.extensions().ratchet_tree() {
        Some(inside) => {
            let bytes = (inside.ratchet_tree().tls_serialize_detached(), group.export_ratchet_tree().tls_serialize_detached());
            !matches!(bytes, (Ok(inside), Ok(own)) if inside == own)
        }
        None => false,
    };
    let is_of_it = info.group_context() == group.group_context()
        && info.extensions().external_pub().is_some()
        && !other_tree
        && bytes[at..].starts_with(&tail);
    let key = OpenMlsSignaturePublicKey::new(by.device_key.0.to_vec().into(), SignatureScheme::ED25519);
    let key = key.map_err(|_| INVALID_GROUP_INFO)?;
    if is_of_it && info.verify(provider.crypto(), &key).is_ok() { Ok(()) } else { Err(INVALID_GROUP_INFO) }
}

const INVALID_GROUP_INFO: Error = Error::Invalid {
    code: "invalid_group_info",
    detail: "the group info is not of this group in this epoch, not signed by who sent it, or has no external key or another tree",
};
const INVALID_COMMIT: Error =
    Error::Invalid { code: "invalid_commit", detail: "the commit does not verify in this group and epoch" };
const INVALID_WELCOME: Error =
    Error::Invalid { code: "invalid_welcome", detail: "a welcome is for exactly those whom the commit adds" };

fn damaged() -> Error {
    Error::Internal("the state of a group cannot be read".into())
}
