//! What a message says of a file: enough to open it and to see that it is the one that was sent.

use std::fmt;

use tls_codec::{Deserialize, Serialize, TlsByteVecU16, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::Hash;
use zeroize::{Zeroize, Zeroizing};

use super::{FileError, Layout};
use crate::FileKey;

/// As long as the longest name that the chat shows (255 UTF-16 units).
pub const MAX_NAME_BYTES: usize = 765;
pub const MAX_TYPE_BYTES: usize = 100;
/// Of [`Attachment::to_bytes`].
pub const MAX_ATTACHMENT_BYTES: usize = 1 + 32 + 32 + 8 + 2 + MAX_NAME_BYTES + 2 + MAX_TYPE_BYTES;
const VERSION: u8 = 1;

/// Name and type are what the sender says: hostile input to whoever shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    key: FileKey,
    digest: Hash,
    layout: Layout,
    name: String,
    media_type: String,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Written {
    version: u8,
    key: [u8; 32],
    digest: Hash,
    size: u64,
    name: TlsByteVecU16,
    media_type: TlsByteVecU16,
}

impl Attachment {
    /// `digest` is SHA-256 of the file.
    pub fn new(key: FileKey, digest: Hash, layout: Layout, name: String, media_type: String) -> Result<Self, FileError> {
        if name.len() > MAX_NAME_BYTES || media_type.len() > MAX_TYPE_BYTES {
            return Err(FileError::TooLong);
        }
        Ok(Self { key, digest, layout, name, media_type })
    }

    pub(super) fn key(&self) -> &FileKey {
        &self.key
    }

    pub fn digest(&self) -> Hash {
        self.digest
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// `version u8 | key 32 | digest 32 | size u64 | name | media type`, each text with its length as u16: for the content of a sealed message.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut written = Written {
            version: VERSION,
            key: *self.key.as_bytes(),
            digest: self.digest,
            size: self.layout.size_bytes(),
            name: self.name.as_bytes().into(),
            media_type: self.media_type.as_bytes().into(),
        };
        let bytes = written.tls_serialize_detached().expect("writing to memory, of lengths that fit");
        written.key.zeroize();
        Zeroizing::new(bytes)
    }

    /// Reads all of `bytes`.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, FileError> {
        if bytes.len() > MAX_ATTACHMENT_BYTES {
            return Err(FileError::TooLong);
        }
        let mut written = Written::tls_deserialize(&mut bytes).map_err(|_| FileError::Malformed)?;
        let key = FileKey::new(written.key);
        written.key.zeroize();
        if written.version != VERSION {
            return Err(FileError::UnknownVersion);
        }
        if !bytes.is_empty() {
            return Err(FileError::Malformed);
        }
        let text = |bytes: TlsByteVecU16| String::from_utf8(bytes.into_vec()).map_err(|_| FileError::Malformed);
        Self::new(key, written.digest, Layout::of(written.size)?, text(written.name)?, text(written.media_type)?)
    }
}

/// Without the key, and without what is the sender's affair.
impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("layout", &self.layout).finish_non_exhaustive()
    }
}
