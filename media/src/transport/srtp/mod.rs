//! SRTP and SRTCP of one transport: RFC 3711 and RFC 7714, in place, without an allocation for a packet.
//!
//! `SrtpSealer` protects what we send, `SrtpOpener` checks and decrypts what we receive. Neither holds state for an RTP SSRC: the
//! caller owns the extended sequence number of each stream it sends and an [`InboundIndex`] for each SSRC it has negotiated, so a
//! forged SSRC costs no memory. Nothing is remembered before a packet has authenticated. Driven by `Transport`.
//!
//! A (SSRC, index) pair must never be sealed twice with different bytes: under GCM that gives the authentication key away. A
//! retransmission is therefore the same bytes again, or goes out on an RTX stream of its own.

mod cm_sha1;
mod gcm;
mod keys;
mod replay;

use std::ops::Range;

use rtc_crypto::{RTCCrypto, SecretVec};
use thiserror::Error;

use self::cm_sha1::CmSha1;
use self::gcm::Gcm;
use self::keys::MasterKey;
pub(crate) use self::keys::{DtlsRole, KeyingMaterial, SrtpProfile};
pub(crate) use self::replay::InboundIndex;
use self::replay::ReplayWindow;

/// The most bytes that protection adds to an RTP packet. Buffers keep this much room behind the payload.
pub(crate) const MAX_RTP_OVERHEAD_BYTES: usize = gcm::TAG_BYTES;
/// The most bytes that protection adds to an RTCP packet.
pub(crate) const MAX_RTCP_OVERHEAD_BYTES: usize = gcm::TAG_BYTES + RTCP_INDEX_BYTES;
/// Bytes of an RTP header without CSRCs.
const RTP_HEADER_BYTES: usize = 12;
/// Bytes of an RTCP packet that stay clear: the first header and the sender's SSRC.
const RTCP_HEADER_BYTES: usize = 8;
/// Bytes of the SRTCP index with its encryption flag.
const RTCP_INDEX_BYTES: usize = 4;
/// The encryption flag in front of the 31-bit SRTCP index.
const RTCP_ENCRYPTED: u32 = 1 << 31;
/// RTP indices are 48 bits wide: 32 of rollover counter, 16 of sequence number.
const RTP_INDEX_LIMIT: u64 = 1 << 48;
/// RTCP sender SSRCs remembered for a transport. A browser sends RTCP from each SSRC it sends media with, about a dozen; beyond
/// this the one heard longest ago is forgotten, and with it its replay window.
const MAX_RTCP_SENDERS: usize = 32;
/// 128 RTCP packets of reordering for each sender SSRC.
const RTCP_WINDOW_WORDS: usize = 2;

/// Why a packet was not sealed or opened. On an error its bytes are unspecified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum SrtpError {
    /// The exported keying material has a wrong length, or the provider lacks an algorithm.
    #[error("the keying material cannot be used")]
    BadKeyingMaterial,
    /// There are no keys (yet).
    #[error("there are no keys")]
    NoKeys,
    /// The packet is shorter than its header and its tag.
    #[error("the packet is too short")]
    TooShort,
    /// The buffer has no room for the tag.
    #[error("the buffer has no room for the authentication tag")]
    NoRoom,
    /// The index does not end with the packet's sequence number, or the indices are used up.
    #[error("the packet's index is wrong or used up")]
    BadIndex,
    /// The packet was received before.
    #[error("the packet was received before")]
    Replayed,
    /// The packet is older than the replay window.
    #[error("the packet is too old to tell whether it was received before")]
    TooOld,
    /// The packet does not authenticate.
    #[error("the packet does not authenticate")]
    Forged,
    /// An SRTCP packet without encryption, which RFC 5764 does not allow.
    #[error("the RTCP packet is not encrypted")]
    NotEncrypted,
    /// The cipher refused, which it does for impossible lengths only.
    #[error("the cipher failed")]
    Cipher,
}

enum Cipher {
    Gcm(Gcm),
    CmSha1(CmSha1),
}

impl Cipher {
    fn new(profile: SrtpProfile, master: &MasterKey<'_>, crypto: &dyn RTCCrypto) -> Result<Self, SrtpError> {
        Ok(match profile {
            SrtpProfile::AeadAes128Gcm => Self::Gcm(Gcm::new(master, crypto)?),
            SrtpProfile::Aes128CmSha1_80 => Self::CmSha1(CmSha1::new(master, crypto)?),
        })
    }

    fn tag_bytes(&self) -> usize {
        match self {
            Self::Gcm(_) => gcm::TAG_BYTES,
            Self::CmSha1(_) => cm_sha1::TAG_BYTES,
        }
    }
}

/// Makes the two directions from what DTLS exported.
pub(crate) fn from_keying_material(
    material: &KeyingMaterial,
    role: DtlsRole,
    crypto: &dyn RTCCrypto,
) -> Result<(SrtpSealer, SrtpOpener), SrtpError> {
    let [client, server] = keys::master_keys(material)?;
    let (ours, theirs) = match role {
        DtlsRole::Client => (client, server),
        DtlsRole::Server => (server, client),
    };
    let sealer = SrtpSealer { cipher: Cipher::new(material.profile, &ours, crypto)?, next_rtcp_index: 0 };
    let opener = SrtpOpener { cipher: Cipher::new(material.profile, &theirs, crypto)?, rtcp_senders: Vec::new() };
    Ok((sealer, opener))
}

/// Bytes of [`direct_keys`]: keys and salts of AES-128-GCM for both directions.
pub(crate) const DIRECT_KEY_BYTES: usize = SrtpProfile::AeadAes128Gcm.keying_material_bytes();

/// The two directions from keys that no handshake made: for the raw loop of the benchmark.
pub(crate) fn direct_keys(bytes: &[u8; DIRECT_KEY_BYTES], role: DtlsRole) -> Result<(SrtpSealer, SrtpOpener), SrtpError> {
    let provider = rtc_crypto::default_provider().map_err(|_| SrtpError::BadKeyingMaterial)?;
    let material = KeyingMaterial { profile: SrtpProfile::AeadAes128Gcm, bytes: SecretVec::new(bytes.to_vec()) };
    from_keying_material(&material, role, provider.crypto())
}

/// Protects what we send.
pub(crate) struct SrtpSealer {
    cipher: Cipher,
    /// One index for all our sender SSRCs: with the SSRC it is unique, and the other side only needs it to grow.
    next_rtcp_index: u32,
}

impl SrtpSealer {
    /// Seals the first `len` bytes of `packet`, of which `header_len` are header, and returns the length with the tag behind.
    ///
    /// `index` is the stream's extended sequence number: rollovers times 65,536 plus the sequence number in the header.
    pub(crate) fn seal_rtp(&mut self, packet: &mut [u8], header_len: usize, len: usize, index: u64) -> Result<usize, SrtpError> {
        if header_len < RTP_HEADER_BYTES || len < header_len {
            return Err(SrtpError::TooShort);
        }
        let total = len + self.cipher.tag_bytes();
        let packet = packet.get_mut(..total).ok_or(SrtpError::NoRoom)?;
        if index >= RTP_INDEX_LIMIT || packet[2..4] != (index as u16).to_be_bytes() {
            return Err(SrtpError::BadIndex);
        }
        let ssrc = be32(packet, 8);
        match &mut self.cipher {
            Cipher::Gcm(gcm) => gcm.seal_rtp(packet, header_len, ssrc, index)?,
            Cipher::CmSha1(cm) => cm.seal_rtp(packet, header_len, ssrc, index)?,
        }
        Ok(total)
    }

    /// Seals the compound RTCP packet in the first `len` bytes of `packet` and returns the length with index and tag behind.
    pub(crate) fn seal_rtcp(&mut self, packet: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        if len < RTCP_HEADER_BYTES {
            return Err(SrtpError::TooShort);
        }
        let tag_bytes = self.cipher.tag_bytes();
        let total = len + RTCP_INDEX_BYTES + tag_bytes;
        let packet = packet.get_mut(..total).ok_or(SrtpError::NoRoom)?;
        if self.next_rtcp_index >= RTCP_ENCRYPTED {
            return Err(SrtpError::BadIndex);
        }
        let index_word = self.next_rtcp_index | RTCP_ENCRYPTED;
        self.next_rtcp_index += 1;
        let index_at = match self.cipher {
            Cipher::Gcm(_) => len + tag_bytes,
            Cipher::CmSha1(_) => len,
        };
        packet[index_at..index_at + RTCP_INDEX_BYTES].copy_from_slice(&index_word.to_be_bytes());
        let ssrc = be32(packet, 4);
        match &mut self.cipher {
            Cipher::Gcm(gcm) => gcm.seal_rtcp(packet, ssrc, index_word)?,
            Cipher::CmSha1(cm) => cm.seal_rtcp(packet, ssrc, index_word)?,
        }
        Ok(total)
    }
}

/// An RTP packet that has authenticated and is decrypted in place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OpenedRtp {
    /// Where the payload lies in the packet.
    pub(crate) payload: Range<usize>,
    /// The extended sequence number.
    pub(crate) index: u64,
    /// Whether it is the newest packet of its SSRC so far.
    pub(crate) is_newest: bool,
}

/// Checks and decrypts what we receive.
pub(crate) struct SrtpOpener {
    cipher: Cipher,
    /// In order of when they were heard last.
    rtcp_senders: Vec<RtcpSender>,
}

struct RtcpSender {
    ssrc: u32,
    window: ReplayWindow<RTCP_WINDOW_WORDS>,
}

impl SrtpOpener {
    /// Opens an RTP packet, of which `header_len` bytes are header. `state` is that of the packet's SSRC, and changes only when the
    /// packet authenticates.
    pub(crate) fn open_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        state: &mut InboundIndex,
    ) -> Result<OpenedRtp, SrtpError> {
        let tag_bytes = self.cipher.tag_bytes();
        if header_len < RTP_HEADER_BYTES || packet.len() < header_len + tag_bytes {
            return Err(SrtpError::TooShort);
        }
        let index = state.estimate(u16::from_be_bytes([packet[2], packet[3]]))?;
        if index >= RTP_INDEX_LIMIT {
            return Err(SrtpError::BadIndex);
        }
        let ssrc = be32(packet, 8);
        match &mut self.cipher {
            Cipher::Gcm(gcm) => gcm.open_rtp(packet, header_len, ssrc, index)?,
            Cipher::CmSha1(cm) => cm.open_rtp(packet, header_len, ssrc, index)?,
        }
        let is_newest = state.commit(index);
        Ok(OpenedRtp { payload: header_len..packet.len() - tag_bytes, index, is_newest })
    }

    /// Opens a compound RTCP packet and returns its length without index and tag.
    pub(crate) fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let tag_bytes = self.cipher.tag_bytes();
        let len = packet.len().checked_sub(RTCP_INDEX_BYTES + tag_bytes).ok_or(SrtpError::TooShort)?;
        if len < RTCP_HEADER_BYTES {
            return Err(SrtpError::TooShort);
        }
        let index_at = match self.cipher {
            Cipher::Gcm(_) => len + tag_bytes,
            Cipher::CmSha1(_) => len,
        };
        let index_word = be32(packet, index_at);
        if index_word & RTCP_ENCRYPTED == 0 {
            return Err(SrtpError::NotEncrypted);
        }
        let index = u64::from(index_word & !RTCP_ENCRYPTED);
        let ssrc = be32(packet, 4);
        let sender = self.rtcp_senders.iter().position(|sender| sender.ssrc == ssrc);
        if let Some(at) = sender {
            self.rtcp_senders[at].window.check(index)?;
        }
        match &mut self.cipher {
            Cipher::Gcm(gcm) => gcm.open_rtcp(packet, ssrc, index_word)?,
            Cipher::CmSha1(cm) => cm.open_rtcp(packet, ssrc, index_word)?,
        }
        self.commit_rtcp(sender, ssrc, index);
        Ok(len)
    }

    fn commit_rtcp(&mut self, sender: Option<usize>, ssrc: u32, index: u64) {
        let at = match sender {
            Some(at) => at,
            None => {
                if self.rtcp_senders.len() == MAX_RTCP_SENDERS {
                    self.rtcp_senders.remove(0);
                }
                self.rtcp_senders.push(RtcpSender { ssrc, window: ReplayWindow::new() });
                self.rtcp_senders.len() - 1
            }
        };
        self.rtcp_senders[at].window.commit(index);
        self.rtcp_senders[at..].rotate_left(1);
    }
}

/// Four bytes, which the caller has checked to be there, as a number.
fn be32(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

#[cfg(test)]
mod tests;
