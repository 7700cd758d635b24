//! The one place of `turn/` that names the libraries of the webrtc-rs family: STUN messages are written, their checksums and MACs
//! computed here, and random secrets drawn. Reading is ours (`wire/message.rs`), because it must not allocate.
//!
//! RFC 8489 (messages, MESSAGE-INTEGRITY, FINGERPRINT), RFC 8656 §18 (attributes of TURN).

use std::net::SocketAddr;
use std::sync::Arc;

use rtc_crypto::{HashAlgorithm, HmacAlgorithm, RTCCryptoProvider};
use rtc_stun::attributes as known;
use rtc_stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message as stun;
use rtc_stun::message::Setter;
use rtc_stun::xoraddr::XorMappedAddress;

/// Attribute types, as they are on the wire.
pub(super) mod attribute {
    use super::known;

    pub(in crate::turn) const USERNAME: u16 = known::ATTR_USERNAME.0;
    pub(in crate::turn) const MESSAGE_INTEGRITY: u16 = known::ATTR_MESSAGE_INTEGRITY.0;
    pub(in crate::turn) const ERROR_CODE: u16 = known::ATTR_ERROR_CODE.0;
    pub(in crate::turn) const UNKNOWN_ATTRIBUTES: u16 = known::ATTR_UNKNOWN_ATTRIBUTES.0;
    pub(in crate::turn) const REALM: u16 = known::ATTR_REALM.0;
    pub(in crate::turn) const NONCE: u16 = known::ATTR_NONCE.0;
    pub(in crate::turn) const XOR_MAPPED_ADDRESS: u16 = known::ATTR_XORMAPPED_ADDRESS.0;
    pub(in crate::turn) const FINGERPRINT: u16 = known::ATTR_FINGERPRINT.0;
    pub(in crate::turn) const CHANNEL_NUMBER: u16 = known::ATTR_CHANNEL_NUMBER.0;
    pub(in crate::turn) const LIFETIME: u16 = known::ATTR_LIFETIME.0;
    pub(in crate::turn) const XOR_PEER_ADDRESS: u16 = known::ATTR_XOR_PEER_ADDRESS.0;
    pub(in crate::turn) const DATA: u16 = known::ATTR_DATA.0;
    pub(in crate::turn) const XOR_RELAYED_ADDRESS: u16 = known::ATTR_XOR_RELAYED_ADDRESS.0;
    pub(in crate::turn) const REQUESTED_ADDRESS_FAMILY: u16 = known::ATTR_REQUESTED_ADDRESS_FAMILY.0;
    pub(in crate::turn) const EVEN_PORT: u16 = known::ATTR_EVEN_PORT.0;
    pub(in crate::turn) const REQUESTED_TRANSPORT: u16 = known::ATTR_REQUESTED_TRANSPORT.0;
    pub(in crate::turn) const RESERVATION_TOKEN: u16 = known::ATTR_RESERVATION_TOKEN.0;
    /// RFC 8656 §18.11.
    pub(in crate::turn) const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
    /// RFC 8656 §18.12.
    pub(in crate::turn) const ADDRESS_ERROR_CODE: u16 = 0x8001;
    /// RFC 8016 §5.
    pub(in crate::turn) const MOBILITY_TICKET: u16 = 0x8030;
}

/// Methods, as they are on the wire (RFC 8489 §18.2, RFC 8656 §17).
pub(super) mod method {
    pub(in crate::turn) const BINDING: u16 = 0x001;
    pub(in crate::turn) const ALLOCATE: u16 = 0x003;
    pub(in crate::turn) const REFRESH: u16 = 0x004;
    pub(in crate::turn) const SEND: u16 = 0x006;
    pub(in crate::turn) const DATA: u16 = 0x007;
    pub(in crate::turn) const CREATE_PERMISSION: u16 = 0x008;
    pub(in crate::turn) const CHANNEL_BIND: u16 = 0x009;
}

/// The STUN magic cookie (RFC 8489 §5).
pub(super) const COOKIE: [u8; 4] = stun::MAGIC_COOKIE.to_be_bytes();
/// Bytes of a STUN header.
pub(super) const HEADER_BYTES: usize = stun::MESSAGE_HEADER_SIZE;
/// Bytes of a HMAC-SHA1, which is MESSAGE-INTEGRITY.
pub(super) const SHA1_BYTES: usize = 20;
/// Bytes of a HMAC-SHA256.
pub(super) const SHA256_BYTES: usize = 32;

/// What matches an answer with its request (RFC 8489 §5).
pub(super) type TransactionId = [u8; 12];
/// The key of a long-term credential (RFC 8489 §9.2.2).
pub(super) type Key = [u8; 16];

/// The value of FINGERPRINT over the bytes in front of it (RFC 8489 §14.7).
pub(super) fn fingerprint(covered: &[u8]) -> u32 {
    fingerprint_value(covered)
}

/// Cryptography and secret random bytes.
#[derive(Clone)]
pub(super) struct Crypto(Arc<dyn RTCCryptoProvider>);

impl Crypto {
    /// What the crate is built with; `None` when it is built without.
    pub(super) fn new() -> Option<Self> {
        rtc_crypto::default_provider().ok().map(Self)
    }

    /// HMAC-SHA1 over the concatenation of `parts`.
    pub(super) fn hmac_sha1(&self, key: &[u8], parts: &[&[u8]]) -> Option<[u8; SHA1_BYTES]> {
        let mut tag = [0; SHA1_BYTES];
        self.0.crypto().new_hmac(HmacAlgorithm::Sha1, key).ok()?.sign(parts, &mut tag).ok()?;
        Some(tag)
    }

    /// Whether `tag` is the HMAC-SHA1 over the concatenation of `parts`, in constant time.
    pub(super) fn is_hmac_sha1(&self, key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
        self.0.crypto().new_hmac(HmacAlgorithm::Sha1, key).is_ok_and(|mut mac| mac.verify(parts, tag).is_ok())
    }

    /// HMAC-SHA256 over the concatenation of `parts`.
    pub(super) fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> Option<[u8; SHA256_BYTES]> {
        let mut tag = [0; SHA256_BYTES];
        self.0.crypto().new_hmac(HmacAlgorithm::Sha256, key).ok()?.sign(parts, &mut tag).ok()?;
        Some(tag)
    }

    /// The key of a long-term credential: MD5 over `username:realm:password` (RFC 8489 §9.2.2).
    pub(super) fn long_term_key(&self, username: &str, realm: &str, password: &str) -> Option<Key> {
        let text = [username, realm, password].join(":");
        self.0.crypto().hash(HashAlgorithm::Md5, text.as_bytes()).ok()?.try_into().ok()
    }

    /// Fills with bytes that nobody can guess; false when there are none.
    #[must_use]
    pub(super) fn fill(&self, bytes: &mut [u8]) -> bool {
        self.0.random().fill(bytes).is_ok()
    }
}

/// Whether two byte strings are the same, in a time that tells nothing of where they differ.
pub(super) fn is_same(left: &[u8], right: &[u8]) -> bool {
    rtc_crypto::constant_time_eq(left, right)
}

/// Writes one STUN message. Attributes are added in their order on the wire.
pub(super) struct Writer(stun::Message);

impl Writer {
    /// Begins a message with its type (method and class, as on the wire).
    pub(super) fn new(kind: u16, id: TransactionId) -> Self {
        let mut message = stun::Message::new();
        message.transaction_id = stun::TransactionId(id);
        message.typ.read_value(kind);
        message.write_header();
        Self(message)
    }

    /// Adds an attribute as it is.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.0.add(known::AttrType(kind), value);
    }

    /// Adds an address, XORed as RFC 8489 §14.2 has it.
    pub(super) fn address(&mut self, kind: u16, address: SocketAddr) {
        let xored = XorMappedAddress { ip: address.ip(), port: address.port() };
        // Any address fits.
        let _ = xored.add_to_as(&mut self.0, known::AttrType(kind));
    }

    /// Adds MESSAGE-INTEGRITY; false when it cannot be computed.
    #[must_use]
    pub(super) fn integrity(&mut self, key: &Key, crypto: &Crypto) -> bool {
        MessageIntegrity::new_raw_integrity_with_provider(*key, crypto.0.crypto()).add_to(&mut self.0).is_ok()
    }

    /// Ends with FINGERPRINT.
    pub(super) fn fingerprint(&mut self) {
        // Four bytes fit.
        let _ = FINGERPRINT.add_to(&mut self.0);
    }

    /// The message.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0.raw
    }
}
