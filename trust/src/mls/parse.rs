//! Bytes from outside to messages of openmls: each bounded before it is read, and read to its end. Nothing is verified here.

use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    ContentType, MlsMessageBodyIn, MlsMessageIn, PrivateMessageIn, ProtocolMessage, PublicMessageIn, RatchetTreeIn, Sender,
    Welcome,
};

use super::{GroupId, MAX_APPLICATION_BYTES, MAX_HANDSHAKE_BYTES, MAX_TREE_BYTES};
use crate::Refusal;

/// Room for the header, the signature and the padding around an application message.
const FRAMING_BYTES: usize = 1_024;

/// A commit, of a member or from outside (RFC 9420 §12.4): the only handshake there is here. Proposals of their own, external ones too, are
/// [`Refusal::Proposal`], encrypted handshakes [`Refusal::WireFormat`].
pub fn handshake(bytes: &[u8]) -> Result<(GroupId, PublicMessageIn), Refusal> {
    let MlsMessageBodyIn::PublicMessage(message) = body(bytes, MAX_HANDSHAKE_BYTES)? else { return Err(Refusal::WireFormat) };
    let group = GroupId::from_bytes(message.group_id().as_slice())?;
    if message.content_type() != ContentType::Commit {
        return Err(Refusal::Proposal);
    }
    match message.sender() {
        Sender::Member(_) | Sender::NewMemberCommit => Ok((group, message)),
        Sender::External(_) | Sender::NewMemberProposal => Err(Refusal::Proposal),
    }
}

/// An application message (RFC 9420 §6.3), the only thing that is encrypted to a group.
pub fn application(bytes: &[u8]) -> Result<(GroupId, PrivateMessageIn), Refusal> {
    let MlsMessageBodyIn::PrivateMessage(message) = body(bytes, MAX_APPLICATION_BYTES + FRAMING_BYTES)? else {
        return Err(Refusal::WireFormat);
    };
    let message = ProtocolMessage::from(message);
    let group = GroupId::from_bytes(message.group_id().as_slice())?;
    match message {
        ProtocolMessage::PrivateMessage(message) if message.content_type() == ContentType::Application => Ok((group, message)),
        _ => Err(Refusal::WireFormat),
    }
}

/// RFC 9420 §12.4.3.1. It may carry its tree.
pub fn welcome(bytes: &[u8]) -> Result<Welcome, Refusal> {
    match body(bytes, MAX_TREE_BYTES)? {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(Refusal::WireFormat),
    }
}

/// RFC 9420 §12.4.3. It may carry its tree.
pub fn group_info(bytes: &[u8]) -> Result<(GroupId, VerifiableGroupInfo), Refusal> {
    let MlsMessageBodyIn::GroupInfo(info) = body(bytes, MAX_TREE_BYTES)? else { return Err(Refusal::WireFormat) };
    let context = info.group_context();
    super::group(context).map(|group| (group, info))
}

/// The nodes of a tree, as the `ratchet_tree` extension has them (RFC 9420 §12.4.3.3).
pub fn tree(bytes: &[u8]) -> Result<RatchetTreeIn, Refusal> {
    read(bytes, MAX_TREE_BYTES)
}

pub(super) fn body(bytes: &[u8], max_bytes: usize) -> Result<MlsMessageBodyIn, Refusal> {
    read::<MlsMessageIn>(bytes, max_bytes).map(MlsMessageIn::extract)
}

fn read<T: Deserialize + Serialize>(mut bytes: &[u8], max_bytes: usize) -> Result<T, Refusal> {
    if bytes.len() > max_bytes {
        return Err(Refusal::TooLarge);
    }
    let value = T::tls_deserialize(&mut bytes).map_err(|_| Refusal::Malformed)?;
    if bytes.is_empty() { Ok(value) } else { Err(Refusal::Malformed) }
}
