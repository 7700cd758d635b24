//! From the keying material that DTLS exports to the session keys of one direction: RFC 5764 §4.2 (how the material is cut) and
//! RFC 3711 §4.3 (how session keys are derived, with a key derivation rate of zero; RFC 7714 §11 for the 96-bit salt).
//!
//! Owns no state; every key it makes is overwritten when dropped.

use rtc_crypto::{RTCCrypto, SecretVec, StreamCipherAlgorithm};

use super::SrtpError;

/// Bytes of a master key and of a session key: both profiles use AES-128.
pub(super) const KEY_BYTES: usize = 16;
/// Bytes of an HMAC-SHA1 session key.
const AUTHENTICATION_KEY_BYTES: usize = 20;
/// Bytes of the block that the key derivation encrypts.
const BLOCK_BYTES: usize = 16;
/// Where the label stands in that block: 48 bits of packet index (zero here) and 16 bits of counter follow.
const LABEL_AT: usize = 7;

/// How SRTP and SRTCP packets are protected. One is chosen in each DTLS handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM` (RFC 7714). Preferred: at 1,200 bytes it costs a third of the other.
    AeadAes128Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80` (RFC 5764 §4.1.2), which every implementation has.
    Aes128CmSha1_80,
}

impl SrtpProfile {
    /// The profile's number in the `use_srtp` extension.
    pub(crate) const fn wire(self) -> u16 {
        match self {
            Self::AeadAes128Gcm => 0x0007,
            Self::Aes128CmSha1_80 => 0x0001,
        }
    }

    /// Bytes that DTLS must export: a key and a salt for each direction.
    pub(crate) const fn keying_material_bytes(self) -> usize {
        2 * (KEY_BYTES + self.salt_bytes())
    }

    const fn salt_bytes(self) -> usize {
        match self {
            Self::AeadAes128Gcm => 12,
            Self::Aes128CmSha1_80 => 14,
        }
    }
}

/// What DTLS exports for SRTP (RFC 5764 §4.2).
pub(crate) struct KeyingMaterial {
    pub(crate) profile: SrtpProfile,
    pub(crate) bytes: SecretVec,
}

/// Which side of the DTLS handshake this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DtlsRole {
    Client,
    Server,
}

/// The master key and salt of one direction.
pub(super) struct MasterKey<'a> {
    key: &'a [u8],
    salt: &'a [u8],
}

/// The master keys of what the client writes and of what the server writes.
pub(super) fn master_keys(material: &KeyingMaterial) -> Result<[MasterKey<'_>; 2], SrtpError> {
    let bytes = material.bytes.as_ref();
    if bytes.len() != material.profile.keying_material_bytes() {
        return Err(SrtpError::BadKeyingMaterial);
    }
    let (keys, salts) = bytes.split_at(2 * KEY_BYTES);
    let (client_key, server_key) = keys.split_at(KEY_BYTES);
    let (client_salt, server_salt) = salts.split_at(material.profile.salt_bytes());
    Ok([MasterKey { key: client_key, salt: client_salt }, MasterKey { key: server_key, salt: server_salt }])
}

/// Which packets the session keys are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeysFor {
    Rtp,
    Rtcp,
}

/// The session keys of one direction for either RTP or RTCP.
pub(super) struct SessionKeys {
    pub(super) encryption: SecretVec,
    pub(super) authentication: SecretVec,
    pub(super) salt: SecretVec,
}

impl SessionKeys {
    pub(super) fn derive(master: &MasterKey<'_>, keys_for: KeysFor, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        let first_label = match keys_for {
            KeysFor::Rtp => 0,
            KeysFor::Rtcp => 3,
        };
        Ok(Self {
            encryption: derive(master, first_label, KEY_BYTES, crypto)?,
            authentication: derive(master, first_label + 1, AUTHENTICATION_KEY_BYTES, crypto)?,
            salt: derive(master, first_label + 2, master.salt.len(), crypto)?,
        })
    }
}

/// The pseudo-random function of RFC 3711 §4.3.3: the AES counter-mode key stream that starts at the salted label.
fn derive(master: &MasterKey<'_>, label: u8, len: usize, crypto: &dyn RTCCrypto) -> Result<SecretVec, SrtpError> {
    let mut start = [0; BLOCK_BYTES];
    start[..master.salt.len()].copy_from_slice(master.salt);
    start[LABEL_AT] ^= label;
    let mut out = vec![0; len];
    crypto
        .new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, master.key)
        .and_then(|mut cipher| cipher.apply_keystream(&start, &mut out))
        .map_err(|_| SrtpError::BadKeyingMaterial)?;
    Ok(SecretVec::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn session_keys_are_those_of_rfc_3711_appendix_b_3() {
        let provider = rtc_crypto::default_provider().unwrap();
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let master = MasterKey { key: &key, salt: &salt };
        let keys = SessionKeys::derive(&master, KeysFor::Rtp, provider.crypto()).unwrap();
        assert_eq!(keys.encryption.as_ref(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(keys.salt.as_ref(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(keys.authentication.as_ref(), &hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")[..]);
    }

    #[test]
    fn material_of_a_wrong_length_is_refused() {
        for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80] {
            for len in [0, profile.keying_material_bytes() - 1, profile.keying_material_bytes() + 1] {
                let material = KeyingMaterial { profile, bytes: SecretVec::new(vec![0; len]) };
                assert!(matches!(master_keys(&material), Err(SrtpError::BadKeyingMaterial)));
            }
        }
    }

    #[test]
    fn the_four_parts_of_the_material_are_cut_in_the_order_of_rfc_5764() {
        let bytes: Vec<u8> = (0..SrtpProfile::AeadAes128Gcm.keying_material_bytes() as u8).collect();
        let material = KeyingMaterial { profile: SrtpProfile::AeadAes128Gcm, bytes: SecretVec::new(bytes) };
        let [client, server] = master_keys(&material).unwrap();
        assert_eq!((client.key[0], server.key[0], client.salt[0], server.salt[0]), (0, 16, 32, 44));
        assert_eq!((client.salt.len(), server.salt.len()), (12, 12));
    }
}
