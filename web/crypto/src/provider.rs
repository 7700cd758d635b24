//! What openmls needs around it: cryptography, randomness, and a place for what it keeps. The place is memory, one for each group, from
//! which [`crate::state`] makes sealed bytes.

use std::fmt;

use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use openmls_traits::OpenMlsProvider;
use tls_codec::{SecretVLBytes, TlsDeserialize, TlsSerialize, TlsSize, VLBytes};
use zeroize::Zeroize;

/// One thing that openmls keeps.
#[derive(Clone, TlsSize, TlsSerialize, TlsDeserialize)]
pub(crate) struct Entry {
    key: VLBytes,
    value: SecretVLBytes,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

#[derive(Default)]
pub(crate) struct Provider {
    crypto: RustCrypto,
    storage: MemoryStorage,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}

impl Provider {
    pub(crate) fn of(entries: Vec<Entry>) -> Self {
        let provider = Self::default();
        provider.put(entries);
        provider
    }

    fn put(&self, entries: Vec<Entry>) {
        // A poisoned lock means that openmls panicked in the middle: what is in there is kept, for it is what was written.
        let mut values = self.storage.values.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        values.extend(entries.into_iter().map(|entry| (entry.key.into(), entry.value.as_slice().to_vec())));
    }

    /// A copy of all, in the order of the keys.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let values = self.storage.values.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut entries: Vec<Entry> =
            values.iter().map(|(key, value)| Entry { key: key.clone().into(), value: value.clone().into() }).collect();
        entries.sort_by(|a, b| a.key.as_slice().cmp(b.key.as_slice()));
        entries
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        let mut values = self.storage.values.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (_, mut value) in values.drain() {
            value.zeroize();
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.clear();
    }
}
