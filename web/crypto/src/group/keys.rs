//! What an epoch gives to others (RFC 9420 §8.5): the key of a room's messages, those of a call's media, and a number by which people can
//! tell that they are in the same group. Only of the newest epoch: secrets of past ones are not kept.

use openmls_traits::OpenMlsProvider;
use webcall_trust::mls::GroupKind;
use zeroize::{Zeroize, Zeroizing};

use super::{Group, Standing};
use crate::Fault;

const CHAT: &str = "webcall/chat/1";
const MEDIA: &str = "webcall/sframe/1";

impl Group {
    /// Of a room: what the keys of its messages in this epoch are made from.
    pub fn chat_key(&self) -> Result<Zeroizing<[u8; 32]>, Fault> {
        self.is_a(GroupKind::Room)?;
        let context = [self.id.uuid.as_slice(), &self.epoch().to_be_bytes()].concat();
        self.export(CHAT, &context)
    }

    /// Of a call: the base key (RFC 9605 §4.4.2) of one leaf in this epoch and one session of it. The nonce is new for each join of the call, or
    /// two of them would count frames under one key.
    pub fn media_key(&self, leaf: u32, session_nonce: &[u8; 16]) -> Result<Zeroizing<[u8; 16]>, Fault> {
        self.is_a(GroupKind::Call)?;
        let context = [self.id.uuid.as_slice(), &leaf.to_be_bytes(), session_nonce].concat();
        self.export(MEDIA, &context)
    }

    /// The same for all who are in the same epoch of the same group (RFC 9420 §8.7).
    pub fn epoch_authenticator(&self) -> Result<Vec<u8>, Fault> {
        self.in_force()?;
        Ok(self.mls.epoch_authenticator().as_slice().to_vec())
    }

    fn export<const N: usize>(&self, label: &str, context: &[u8]) -> Result<Zeroizing<[u8; N]>, Fault> {
        self.in_force()?;
        let mut exported = self.mls.export_secret(self.provider.crypto(), label, context, N).map_err(|_| Fault::Library)?;
        let key = exported.as_slice().try_into().map(Zeroizing::new).map_err(|_| Fault::Library);
        exported.zeroize();
        key
    }

    fn is_a(&self, kind: GroupKind) -> Result<(), Fault> {
        if self.id.kind == kind { Ok(()) } else { Err(Fault::WrongKind) }
    }

    /// Before the server has taken a join there is nobody to share a key with; its epoch may never be.
    fn in_force(&self) -> Result<(), Fault> {
        if self.standing == Standing::Member { Ok(()) } else { Err(Fault::NotMember) }
    }
}
