//! AES128_CM_HMAC_SHA1_80 for SRTP and SRTCP (RFC 3711 §§4.1.1, 4.2.1): counter-mode encryption, then a truncated HMAC-SHA1.
//!
//! Works in place on slices whose bounds `srtp/mod.rs` has checked; knows nothing of replay or of whose packet it is.

use rtc_crypto::{HmacAlgorithm, Mac, RTCCrypto, StreamCipher, StreamCipherAlgorithm, constant_time_eq};

use super::keys::{KeysFor, MasterKey, SessionKeys};
use super::{RTCP_HEADER_BYTES, SrtpError};

/// Bytes of the authentication tag.
pub(super) const TAG_BYTES: usize = 10;
/// Bytes of a whole HMAC-SHA1.
const MAC_BYTES: usize = 20;
/// Bytes of the session salt.
const SALT_BYTES: usize = 14;
/// Bytes of the counter block.
const BLOCK_BYTES: usize = 16;

/// The ciphers of one direction.
pub(super) struct CmSha1 {
    rtp: Keyed,
    rtcp: Keyed,
}

struct Keyed {
    cipher: Box<dyn StreamCipher>,
    mac: Box<dyn Mac>,
    salt: [u8; SALT_BYTES],
}

impl CmSha1 {
    pub(super) fn new(master: &MasterKey<'_>, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        Ok(Self { rtp: Keyed::new(master, KeysFor::Rtp, crypto)?, rtcp: Keyed::new(master, KeysFor::Rtcp, crypto)? })
    }

    /// `packet` is header, payload and room for the tag, nothing else.
    pub(super) fn seal_rtp(&mut self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_BYTES);
        self.rtp.apply(ssrc, index, &mut message[header_len..])?;
        let mac = self.rtp.mac(&[message, &rollover_counter(index)])?;
        tag.copy_from_slice(&mac[..TAG_BYTES]);
        Ok(())
    }

    /// `packet` is header, cipher text and tag.
    pub(super) fn open_rtp(&mut self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_BYTES);
        self.rtp.authenticate(&[message, &rollover_counter(index)], tag)?;
        self.rtp.apply(ssrc, index, &mut message[header_len..])
    }

    /// `packet` is an RTCP compound packet, the index word, and room for the tag.
    pub(super) fn seal_rtcp(&mut self, packet: &mut [u8], ssrc: u32, index_word: u32) -> Result<(), SrtpError> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_BYTES);
        self.rtcp.apply_rtcp(ssrc, index_word, message)?;
        let mac = self.rtcp.mac(&[message])?;
        tag.copy_from_slice(&mac[..TAG_BYTES]);
        Ok(())
    }

    /// `packet` is an RTCP header, cipher text, index word and tag.
    pub(super) fn open_rtcp(&mut self, packet: &mut [u8], ssrc: u32, index_word: u32) -> Result<(), SrtpError> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_BYTES);
        self.rtcp.authenticate(&[message], tag)?;
        self.rtcp.apply_rtcp(ssrc, index_word, message)
    }
}

impl Keyed {
    fn new(master: &MasterKey<'_>, keys_for: KeysFor, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        let keys = SessionKeys::derive(master, keys_for, crypto)?;
        let bad = |_| SrtpError::BadKeyingMaterial;
        Ok(Self {
            cipher: crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, keys.encryption.as_ref()).map_err(bad)?,
            mac: crypto.new_hmac(HmacAlgorithm::Sha1, keys.authentication.as_ref()).map_err(bad)?,
            salt: keys.salt.as_ref().try_into().map_err(|_| SrtpError::BadKeyingMaterial)?,
        })
    }

    /// Encrypts or decrypts: salt, SSRC and index give the first counter block (RFC 3711 §4.1.1).
    fn apply(&mut self, ssrc: u32, index: u64, bytes: &mut [u8]) -> Result<(), SrtpError> {
        let mut block = [0; BLOCK_BYTES];
        block[4..8].copy_from_slice(&ssrc.to_be_bytes());
        block[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in block.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        self.cipher.apply_keystream(&block, bytes).map_err(|_| SrtpError::Cipher)
    }

    /// As `apply`, on what lies between header and index word.
    fn apply_rtcp(&mut self, ssrc: u32, index_word: u32, message: &mut [u8]) -> Result<(), SrtpError> {
        let end = message.len() - super::RTCP_INDEX_BYTES;
        self.apply(ssrc, u64::from(index_word & !super::RTCP_ENCRYPTED), &mut message[RTCP_HEADER_BYTES..end])
    }

    fn mac(&mut self, input: &[&[u8]]) -> Result<[u8; MAC_BYTES], SrtpError> {
        let mut mac = [0; MAC_BYTES];
        self.mac.sign(input, &mut mac).map_err(|_| SrtpError::Cipher)?;
        Ok(mac)
    }

    fn authenticate(&mut self, input: &[&[u8]], tag: &[u8]) -> Result<(), SrtpError> {
        let mac = self.mac(input)?;
        if constant_time_eq(&mac[..TAG_BYTES], tag) { Ok(()) } else { Err(SrtpError::Forged) }
    }
}

fn rollover_counter(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}
