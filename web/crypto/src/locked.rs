//! Something kept with the server that only the holder of a key can open: a box of its own key (HKDF of the key and a random salt), with
//! a commitment to it that is compared first. So a box never meets a nonce twice, and never opens under two keys: with GCM alone,
//! a server could plant boxes that open under many passphrases at once and learn from each attempt (Len, Grubbs and Ristenpart,
//! "Partitioning Oracle Attacks", USENIX Security 2021).
//!
//! `0x01 | salt 32 | commitment 32 | AES-256-GCM(plaintext)`; authenticated with it are all bytes before and the context.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::derive::{Purpose, derive};
use crate::{gcm, random};

const VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;
const HEADER_BYTES: usize = 1 + SALT_BYTES + COMMITMENT_BYTES;
/// By how much a box is longer than what is in it.
pub(crate) const OVERHEAD_BYTES: usize = HEADER_BYTES + gcm::TAG_BYTES;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not the form, or of a version that is not known.
    Malformed,
    /// Another key, purpose or context.
    WrongKey,
    /// Bytes were changed.
    Tampered,
}

/// `context` is of a fixed length for each purpose.
pub(crate) fn seal(key: &[u8; 32], purpose: Purpose, context: &[u8], plaintext: Vec<u8>) -> Vec<u8> {
    let salt = random::bytes::<SALT_BYTES>();
    let (box_key, commitment) = keys(key, purpose, context, &salt);
    let header = [&[VERSION][..], &salt, &commitment].concat();
    let sealed = gcm::seal(&box_key, &gcm::ZERO_NONCE, &[&header, context].concat(), plaintext);
    [header, sealed].concat()
}

pub(crate) fn open(key: &[u8; 32], purpose: Purpose, context: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let (header, sealed) = bytes.split_at_checked(HEADER_BYTES).ok_or(Refused::Malformed)?;
    let (salt, shown) = header[1..].split_at(SALT_BYTES);
    if header[0] != VERSION || sealed.len() < gcm::TAG_BYTES {
        return Err(Refused::Malformed);
    }
    let (box_key, commitment) = keys(key, purpose, context, salt);
    if !bool::from(commitment.ct_eq(shown)) {
        return Err(Refused::WrongKey);
    }
    gcm::open(&box_key, &gcm::ZERO_NONCE, &[header, context].concat(), sealed).ok_or(Refused::Tampered)
}

/// The key of the box, and the commitment to it: halves of one output, so that neither can be chosen for the other.
fn keys(key: &[u8; 32], purpose: Purpose, context: &[u8], salt: &[u8]) -> (Zeroizing<[u8; 32]>, [u8; COMMITMENT_BYTES]) {
    let both = derive::<64>(purpose, salt, key, &[context]);
    let (box_key, commitment) = both.split_at(32);
    (Zeroizing::new(box_key.try_into().expect("half of 64")), commitment.try_into().expect("half of 64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salamander;

    const CONTEXT: &[u8] = b"of whom";

    #[test]
    fn a_box_opens_with_its_key_for_its_purpose_in_its_context_only() {
        let sealed = seal(&[1; 32], Purpose::Unlocker, CONTEXT, b"kept".to_vec());
        assert_eq!(sealed.len(), 4 + OVERHEAD_BYTES);
        let open = |key, purpose, context| open(key, purpose, context, &sealed).map(|opened| opened.to_vec());
        assert_eq!(open(&[1; 32], Purpose::Unlocker, CONTEXT), Ok(b"kept".to_vec()));
        assert_eq!(open(&[2; 32], Purpose::Unlocker, CONTEXT), Err(Refused::WrongKey));
        assert_eq!(open(&[1; 32], Purpose::IdentityKey, CONTEXT), Err(Refused::WrongKey));
        assert_eq!(open(&[1; 32], Purpose::Unlocker, b"of others"), Err(Refused::WrongKey));
    }

    #[test]
    fn t7_whatever_byte_of_a_box_is_changed_cut_or_added_is_noticed() {
        let sealed = seal(&[1; 32], Purpose::Unlocker, CONTEXT, b"kept".to_vec());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&[1; 32], Purpose::Unlocker, CONTEXT, &changed).is_err(), "{at}");
            assert!(open(&[1; 32], Purpose::Unlocker, CONTEXT, &sealed[..at]).is_err(), "{at}");
        }
        assert!(open(&[1; 32], Purpose::Unlocker, CONTEXT, &[&sealed[..], &[0]].concat()).is_err());
    }

    #[test]
    fn t13_a_box_made_for_two_keys_opens_under_one_at_most() {
        let (first, second, salt) = ([1; 32], [2; 32], [9; SALT_BYTES]);
        let [(one, commitment), (two, _)] = [first, second].map(|key| keys(&key, Purpose::Unlocker, CONTEXT, &salt));
        let header = [&[VERSION][..], &salt, &commitment].concat();
        let associated = [&header, CONTEXT].concat();
        let crafted = salamander::for_both(&one, &two, &associated, &[7; 64], 1);
        for key in [&one, &two] {
            assert!(gcm::open(key, &gcm::ZERO_NONCE, &associated, &crafted).is_some(), "GCM alone takes it under both");
        }
        let whole = [header, crafted].concat();
        assert!(open(&first, Purpose::Unlocker, CONTEXT, &whole).is_ok());
        assert_eq!(open(&second, Purpose::Unlocker, CONTEXT, &whole), Err(Refused::WrongKey));
    }
}
