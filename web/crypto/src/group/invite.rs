//! Invite links: who has the secret in the link's fragment, which no server sees, may come in by an external commit with a pre-shared key
//! that was made from it (RFC 9420 §8.4). Members must know the link too, or they could not follow.

use hkdf::Hkdf;
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::StorageProvider;
use sha2::Sha256;
use webcall_trust::mls;
use zeroize::Zeroizing;

use super::Group;
use crate::Fault;

/// Links of a room that are good at the same time.
pub const MAX_INVITES: usize = 8;

/// One link of a room, good for the room's group and those of its calls.
pub struct Invite {
    name: [u8; 32],
    key: Zeroizing<[u8; 32]>,
}

impl Invite {
    /// From the secret in the link and the room's UUID: a link of one room opens no other.
    pub fn of_room(room: [u8; 16], secret: &[u8; 32]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"WebCall 1 invite"), secret);
        let (mut name, mut key) = ([0; 32], Zeroizing::new([0; 32]));
        hkdf.expand_multi_info(&[b"name", &room], &mut name).expect("32 bytes are less than 255 blocks");
        hkdf.expand_multi_info(&[b"key", &room], key.as_mut_slice()).expect("32 bytes are less than 255 blocks");
        Self { name, key }
    }

    /// Public: by it commits say which link they show.
    pub fn name(&self) -> [u8; 32] {
        self.name
    }

    fn psk(&self) -> Psk {
        psk(self.name)
    }

    /// With a fresh nonce, stored where openmls looks for it.
    pub(super) fn put(&self, provider: &crate::provider::Provider) -> Result<PreSharedKeyId, Fault> {
        let id = PreSharedKeyId::new(mls::SUITE, provider.rand(), self.psk()).map_err(|_| Fault::Entropy)?;
        id.store(provider, self.key.as_slice()).map_err(|_| Fault::Library)?;
        Ok(id)
    }
}

fn psk(name: [u8; 32]) -> Psk {
    Psk::External(ExternalPsk::new(name.to_vec()))
}

impl Group {
    /// From here on who shows this link may come in.
    pub fn open_to(&mut self, invite: &Invite) -> Result<(), Fault> {
        if self.invites.contains(&invite.name) {
            return Ok(());
        }
        if self.invites.len() >= MAX_INVITES {
            return Err(Fault::Full);
        }
        invite.put(&self.provider)?;
        self.invites.push(invite.name);
        Ok(())
    }

    /// The link was revoked.
    pub fn close_to(&mut self, name: [u8; 32]) -> Result<(), Fault> {
        self.invites.retain(|known| *known != name);
        self.provider.storage().delete_psk(&psk(name)).map_err(|_| Fault::Library)
    }
}
