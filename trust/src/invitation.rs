//! What lets somebody into a room's group without a person's word: a member's device signs for the key of a link, whose secret stands in the part of
//! the link that no server sees, and whoever was given the link signs with it for themselves. The server carries both signatures and can make neither.

use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};

use crate::certificate::{VERSION, known};
use crate::{DeviceId, Hash, PublicKey, Refusal, Statement, UserId};

/// "Whoever has the secret of this link may come into this room", signed by a device that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Invitation {
    version: u8,
    /// The bytes of the room's UUID.
    pub room: [u8; 16],
    /// SHA-256 of the code in the link: with another code it is another link.
    pub code: Hash,
    pub device: DeviceId,
    pub device_key: PublicKey,
    /// The public key of the link.
    pub link: PublicKey,
}

/// "I was given the link", signed with the link's key: of this user under this identity and of nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Acceptance {
    version: u8,
    /// The public key of the link; of which room, the invitation says.
    pub link: PublicKey,
    pub user: UserId,
    pub identity: PublicKey,
}

impl Invitation {
    pub fn new(room: [u8; 16], code: Hash, device: DeviceId, device_key: PublicKey, link: PublicKey) -> Self {
        Self { version: VERSION, room, code, device, device_key, link }
    }
}

impl Acceptance {
    pub fn new(link: PublicKey, user: UserId, identity: PublicKey) -> Self {
        Self { version: VERSION, link, user, identity }
    }
}

impl Statement for Invitation {
    const LABEL: &'static str = "invitation";
    fn signer(&self) -> PublicKey {
        self.device_key
    }
    fn check(&self) -> Result<(), Refusal> {
        known(self.version)?;
        // One key for two purposes would let what whoever has the link signs pass for what the device signed.
        if self.link == self.device_key { Err(Refusal::WeakKey) } else { Ok(()) }
    }
}

impl Statement for Acceptance {
    const LABEL: &'static str = "invitation accepted";
    fn signer(&self) -> PublicKey {
        self.link
    }
    fn check(&self) -> Result<(), Refusal> {
        known(self.version)
    }
}
