//! One stay of a device in a call. It stands in the device's leaf as the application id (RFC 9420 §5.3.3), so that whoever is in the group
//! knows, by the signature of that leaf, which participant it is and under which nonce its media is sealed. Nothing has to be said afterwards.

use openmls::extensions::{ApplicationIdExtension, Extensions};
use openmls::prelude::{Extension, LeafNode};
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};

use crate::Refusal;

const VERSION: u8 = 1;

/// A stay in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Session {
    version: u8,
    /// The number of the participant at the server, big-endian.
    pub participant: [u8; 8],
    /// Random, new for each stay: two of them would count frames under one key.
    pub nonce: [u8; 16],
}

impl Session {
    pub fn new(participant: [u8; 8], nonce: [u8; 16]) -> Self {
        Self { version: VERSION, participant, nonce }
    }

    /// What the leaf carries.
    pub fn to_extensions(self) -> Extensions<LeafNode> {
        let bytes = self.tls_serialize_detached().expect("writing to memory, of a fixed size");
        let id = Extension::ApplicationId(ApplicationIdExtension::new(&bytes));
        Extensions::single(id).expect("a leaf may have an application id")
    }

    /// Of a leaf; none in the group of a room. Any other extension is refused: clients would not know what it means.
    pub fn of(leaf: &LeafNode) -> Result<Option<Self>, Refusal> {
        let mut extensions = leaf.extensions().iter();
        let (first, second) = (extensions.next(), extensions.next());
        match (first, second) {
            (None, _) => Ok(None),
            (Some(Extension::ApplicationId(id)), None) => Self::read(id.as_slice()).map(Some),
            _ => Err(Refusal::Capabilities),
        }
    }

    fn read(mut bytes: &[u8]) -> Result<Self, Refusal> {
        let session = Self::tls_deserialize(&mut bytes).map_err(|_| Refusal::Malformed)?;
        match (bytes.is_empty(), session.version) {
            (false, _) => Err(Refusal::Malformed),
            (true, VERSION) => Ok(session),
            (true, _) => Err(Refusal::UnknownVersion),
        }
    }
}
