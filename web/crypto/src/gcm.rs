//! AES-256-GCM (NIST SP 800-38D) with the tag behind the ciphertext. A pair of key and nonce seals once; each caller says why that holds.
//! GCM does not commit to its key (one ciphertext can open under two): whoever's keys others may choose checks a commitment first.

use aes_gcm::{AeadInPlace, Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

pub(crate) const TAG_BYTES: usize = 16;
/// For keys that seal one thing.
pub(crate) const ZERO_NONCE: [u8; 12] = [0; 12];

/// Seals `plaintext` where it is. Up to 64 GiB less 32 bytes, which no caller has in memory.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 12], associated: &[u8], mut plaintext: Vec<u8>) -> Vec<u8> {
    let cipher = Aes256Gcm::new(key.into());
    let tag = cipher.encrypt_in_place_detached(nonce.into(), associated, &mut plaintext);
    plaintext.extend_from_slice(&tag.expect("shorter than the limit of GCM"));
    plaintext
}

/// `None`: not sealed with this key, nonce and associated data, or changed since.
pub(crate) fn open(key: &[u8; 32], nonce: &[u8; 12], associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    Aes256Gcm::new(key.into()).decrypt_in_place_detached(nonce.into(), associated, &mut plaintext, tag.into()).ok()?;
    Some(plaintext)
}
