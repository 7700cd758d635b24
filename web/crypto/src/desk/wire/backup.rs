//! What is said about the backup.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Bytes;

/// A text that opens something: not shown by `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(pub Zeroizing<String>);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(secret)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What opens an unlocker.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", content = "secret", rename_all = "snake_case")]
pub enum UnlockSecret {
    RecoveryCode(SecretText),
    Passphrase(SecretText),
    /// The 32 bytes that the passkey's `prf` extension gave for the unlocker's salt.
    Passkey(Bytes),
}

/// A new device that comes in by an unlocker, without any other device of its user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    pub user: Uuid,
    pub blob: Bytes,
    pub secret: UnlockSecret,
    /// All that the user published.
    pub records: Vec<Bytes>,
    pub now_ms: u64,
}

/// A block of a room's epoch keys.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub room: Uuid,
    pub block: u64,
}

/// What may be known of an unlocker before its secret is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnlockerLook {
    pub id: Bytes,
    pub kind: &'static str,
    /// Of a passkey: which, and what its `prf` extension is asked with.
    pub credential: Option<Bytes>,
    pub salt: Option<Bytes>,
}
