//! AEAD_AES_128_GCM for SRTP and SRTCP (RFC 7714 §§8, 9): where nonce, associated data, cipher text and tag lie in a packet.
//!
//! Works in place on slices whose bounds `srtp/mod.rs` has checked; knows nothing of replay or of whose packet it is.

use rtc_crypto::{AeadAlgorithm, AeadCipher, RTCCrypto};

use super::keys::{KeysFor, MasterKey, SessionKeys};
use super::{RTCP_HEADER_BYTES, RTCP_INDEX_BYTES, SrtpError};

/// Bytes of the authentication tag.
pub(super) const TAG_BYTES: usize = 16;
/// Bytes of the nonce and of the session salt.
const NONCE_BYTES: usize = 12;

/// The ciphers of one direction.
pub(super) struct Gcm {
    rtp: Keyed,
    rtcp: Keyed,
}

struct Keyed {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; NONCE_BYTES],
}

impl Gcm {
    pub(super) fn new(master: &MasterKey<'_>, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        Ok(Self { rtp: Keyed::new(master, KeysFor::Rtp, crypto)?, rtcp: Keyed::new(master, KeysFor::Rtcp, crypto)? })
    }

    /// `packet` is header, payload and room for the tag, nothing else.
    pub(super) fn seal_rtp(&mut self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let nonce = self.rtp.rtp_nonce(ssrc, index);
        let (header, rest) = packet.split_at_mut(header_len);
        let (payload, tag) = rest.split_at_mut(rest.len() - TAG_BYTES);
        self.rtp.cipher.seal_in_place(&nonce, header, payload, tag).map_err(|_| SrtpError::Cipher)
    }

    /// `packet` is header, cipher text and tag.
    pub(super) fn open_rtp(&mut self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let nonce = self.rtp.rtp_nonce(ssrc, index);
        let (header, rest) = packet.split_at_mut(header_len);
        let (payload, tag) = rest.split_at_mut(rest.len() - TAG_BYTES);
        self.rtp.cipher.open_in_place(&nonce, header, payload, tag).map_err(|_| SrtpError::Forged)
    }

    /// `packet` is an RTCP compound packet, room for the tag, and the index word.
    pub(super) fn seal_rtcp(&mut self, packet: &mut [u8], ssrc: u32, index_word: u32) -> Result<(), SrtpError> {
        let nonce = self.rtcp.rtcp_nonce(ssrc, index_word);
        let (associated, body, tag) = rtcp_parts(packet);
        self.rtcp.cipher.seal_in_place(&nonce, &associated, body, tag).map_err(|_| SrtpError::Cipher)
    }

    /// `packet` is an RTCP header, cipher text, tag and index word.
    pub(super) fn open_rtcp(&mut self, packet: &mut [u8], ssrc: u32, index_word: u32) -> Result<(), SrtpError> {
        let nonce = self.rtcp.rtcp_nonce(ssrc, index_word);
        let (associated, body, tag) = rtcp_parts(packet);
        self.rtcp.cipher.open_in_place(&nonce, &associated, body, tag).map_err(|_| SrtpError::Forged)
    }
}

impl Keyed {
    fn new(master: &MasterKey<'_>, keys_for: KeysFor, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        Self::with_session_keys(&SessionKeys::derive(master, keys_for, crypto)?, crypto)
    }

    fn with_session_keys(keys: &SessionKeys, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        let cipher =
            crypto.new_aead(AeadAlgorithm::Aes128Gcm, keys.encryption.as_ref()).map_err(|_| SrtpError::BadKeyingMaterial)?;
        let salt = keys.salt.as_ref().try_into().map_err(|_| SrtpError::BadKeyingMaterial)?;
        Ok(Self { cipher, salt })
    }

    /// Two zero bytes, SSRC, rollover counter, sequence number; salted (RFC 7714 §8.1).
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..12].copy_from_slice(&index.to_be_bytes()[2..]);
        self.salted(nonce)
    }

    /// Two zero bytes, SSRC, two zero bytes, index without the encryption flag; salted (RFC 7714 §9.1).
    fn rtcp_nonce(&self, ssrc: u32, index_word: u32) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[8..12].copy_from_slice(&(index_word & !super::RTCP_ENCRYPTED).to_be_bytes());
        self.salted(nonce)
    }

    fn salted(&self, mut nonce: [u8; NONCE_BYTES]) -> [u8; NONCE_BYTES] {
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        nonce
    }
}

/// The associated data (header and index word, which are not adjacent), the body and the tag of an SRTCP packet.
fn rtcp_parts(packet: &mut [u8]) -> ([u8; RTCP_HEADER_BYTES + RTCP_INDEX_BYTES], &mut [u8], &mut [u8]) {
    let (header, rest) = packet.split_at_mut(RTCP_HEADER_BYTES);
    let (rest, index_word) = rest.split_at_mut(rest.len() - RTCP_INDEX_BYTES);
    let (body, tag) = rest.split_at_mut(rest.len() - TAG_BYTES);
    let mut associated = [0; RTCP_HEADER_BYTES + RTCP_INDEX_BYTES];
    associated[..RTCP_HEADER_BYTES].copy_from_slice(header);
    associated[RTCP_HEADER_BYTES..].copy_from_slice(index_word);
    (associated, body, tag)
}

#[cfg(test)]
mod tests {
    use rtc_crypto::SecretVec;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// The session key and salt that RFC 7714 §§16, 17 use for every AES-128 vector.
    fn rfc_cipher() -> Gcm {
        let provider = rtc_crypto::default_provider().unwrap();
        let keyed = || {
            let keys = SessionKeys {
                encryption: SecretVec::new((0..16).collect()),
                authentication: SecretVec::new(Vec::new()),
                salt: SecretVec::new(b"Quid pro quo".to_vec()),
            };
            Keyed::with_session_keys(&keys, provider.crypto()).unwrap()
        };
        Gcm { rtp: keyed(), rtcp: keyed() }
    }

    #[test]
    fn rtp_is_sealed_and_opened_as_in_rfc_7714_section_16_1() {
        let plain = [&hex("8040f17b 8041f8d3 5501a0b2")[..], b"Gallia est omnis divisa in partes tres"].concat();
        let sealed = hex("8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b
            36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce");
        let mut packet = plain.clone();
        packet.resize(plain.len() + TAG_BYTES, 0);
        rfc_cipher().seal_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!(packet, sealed);
        rfc_cipher().open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!(packet[..plain.len()], plain);
    }

    #[test]
    fn rtcp_is_sealed_and_opened_as_in_rfc_7714_section_17_1() {
        let plain = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef
            deadbeef deadbeef");
        let sealed = hex("81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
            86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4");
        let mut packet = plain.clone();
        packet.resize(plain.len() + TAG_BYTES, 0);
        packet.extend(hex("800005d4"));
        rfc_cipher().seal_rtcp(&mut packet, 0x4d61_7273, 0x8000_05d4).unwrap();
        assert_eq!(packet, sealed);
        rfc_cipher().open_rtcp(&mut packet, 0x4d61_7273, 0x8000_05d4).unwrap();
        assert_eq!(packet[..plain.len()], plain);
    }
}
