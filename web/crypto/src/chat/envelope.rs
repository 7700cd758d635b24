//! The sealed form of a message.
//!
//! ```text
//! 0x01 | suite 0x01 | room 16 | epoch u64 | leaf u32 | device 16 | message 16 | commitment 32 | length u32 | ciphertext
//! ```
//!
//! Numbers are big-endian. Suite 1: HKDF-SHA256, AES-256-GCM, Ed25519. From the epoch key come, by HKDF with the label, device and message id,
//! 64 bytes: the message's key and the commitment to it. Since the key is of one message, the nonce is zero; [`super::OwnThread`] sees to it that
//! no id is sealed twice. Authenticated is all before the ciphertext. In it is, padded, `body | signature 64`: the device's, over
//! the label, all before the ciphertext and SHA-256 of the body, so that whoever has the epoch key still cannot write as somebody else.

use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{Certificate, DeviceId, Hash};
use zeroize::Zeroizing;

use super::body::Body;
use super::{ChatError, padding};
use crate::derive::{Purpose, derive};
use crate::{EpochKey, gcm};

const VERSION: u8 = 1;
const SUITE: u8 = 1;
const COMMITMENT_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
pub(super) const HEADER_BYTES: usize = 98;
/// The longest there is.
pub const MAX_ENVELOPE_BYTES: usize = HEADER_BYTES + padding::LARGEST_BYTES + gcm::TAG_BYTES;

/// The bytes of the room's UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct RoomId(pub [u8; 16]);

/// The bytes of the message's UUID, which its sender makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct MessageId(pub [u8; 16]);

/// Where and by whom a message is written. The server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Place {
    pub room: RoomId,
    /// Of the room's group.
    pub epoch: u64,
    /// Of the sender in that epoch.
    pub leaf: u32,
    pub device: DeviceId,
    pub message: MessageId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
struct Header {
    version: u8,
    suite: u8,
    place: Place,
    commitment: [u8; COMMITMENT_BYTES],
    length: u32,
}

/// An envelope whose form is checked and nothing else: what [`Envelope::place`] says is only claimed until [`Envelope::open`].
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    header: Header,
    header_bytes: &'a [u8],
    ciphertext: &'a [u8],
}

/// What the caller knows of the one who should have written: the leaf of that epoch's tree, and the certificate in it, which was checked
/// when the leaf came in.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub room: RoomId,
    pub leaf: u32,
    pub certificate: &'a Certificate,
}

/// A message, proven to be of the device in [`Expected`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub place: Place,
    pub body: Body,
    /// SHA-256 of the whole envelope: what later messages call it by.
    pub hash: Hash,
}

/// Seals under a key that must not have sealed this message id of this device before.
pub(super) fn seal(key: &EpochKey, device_key: &SigningKey, place: Place, body: &Body) -> Result<Vec<u8>, ChatError> {
    let body = Zeroizing::new(body.to_bytes());
    // Padded before it is signed, because its length is signed too. All at once: a buffer that grows would leave pieces behind.
    let mut plaintext = Vec::with_capacity(padding::LARGEST_BYTES + gcm::TAG_BYTES);
    plaintext.extend_from_slice(&body);
    plaintext.extend_from_slice(&[0; SIGNATURE_BYTES]);
    let mut plaintext = padding::pad(plaintext)?;
    let (message_key, commitment) = message_keys(key, &place);
    let length = u32::try_from(plaintext.len() + gcm::TAG_BYTES).map_err(|_| ChatError::TooLong)?;
    let header = Header { version: VERSION, suite: SUITE, place, commitment, length };
    let header = header.tls_serialize_detached().expect("writing to memory, of a fixed size");
    let signature = device_key.sign(&signed(&header, &body)).to_bytes();
    plaintext[body.len()..][..SIGNATURE_BYTES].copy_from_slice(&signature);
    let ciphertext = gcm::seal(&message_key, &gcm::ZERO_NONCE, &header, plaintext);
    Ok([header, ciphertext].concat())
}

impl<'a> Envelope<'a> {
    /// All of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ChatError> {
        let (header_bytes, ciphertext) = bytes.split_at_checked(HEADER_BYTES).ok_or(ChatError::Malformed)?;
        let mut unread = header_bytes;
        let header = Header::tls_deserialize(&mut unread).map_err(|_| ChatError::Malformed)?;
        match (header.version, header.suite) {
            (VERSION, SUITE) => {}
            (VERSION, _) => return Err(ChatError::UnknownSuite),
            _ => return Err(ChatError::UnknownVersion),
        }
        let padded = ciphertext.len().checked_sub(gcm::TAG_BYTES).ok_or(ChatError::Malformed)?;
        if usize::try_from(header.length) != Ok(ciphertext.len()) || !padding::is_bucket(padded) {
            return Err(ChatError::Malformed);
        }
        Ok(Self { header, header_bytes, ciphertext })
    }

    /// What it claims: by it the caller finds the epoch's key and the leaf's certificate.
    pub fn place(&self) -> &Place {
        &self.header.place
    }

    /// `key` is that of the epoch in [`Envelope::place`]. The order of checks: who, the commitment, the tag, the padding, the signature.
    pub fn open(&self, key: &EpochKey, expected: &Expected<'_>) -> Result<Opened, ChatError> {
        let place = self.header.place;
        let certificate = expected.certificate.statement();
        if place.room != expected.room {
            return Err(ChatError::OtherRoom);
        }
        if place.leaf != expected.leaf || place.device != certificate.device {
            return Err(ChatError::OtherSender);
        }
        let content = self.decrypt(key)?;
        let (body, signature) = content.split_last_chunk::<SIGNATURE_BYTES>().ok_or(ChatError::Malformed)?;
        let device_key = certificate.device_key.checked().map_err(|_| ChatError::BadSignature)?;
        let signature = Signature::from_bytes(signature);
        let verified = device_key.verify_strict(&signed(self.header_bytes, body), &signature);
        verified.map_err(|_| ChatError::BadSignature)?;
        Ok(Opened { place, body: Body::from_bytes(body)?, hash: self.hash() })
    }

    /// `body | signature`, of whoever had the epoch key.
    pub(super) fn decrypt(&self, key: &EpochKey) -> Result<Zeroizing<Vec<u8>>, ChatError> {
        let (message_key, commitment) = message_keys(key, &self.header.place);
        if !bool::from(commitment.ct_eq(&self.header.commitment)) {
            return Err(ChatError::WrongKey);
        }
        let opened = gcm::open(&message_key, &gcm::ZERO_NONCE, self.header_bytes, self.ciphertext);
        let mut content = opened.ok_or(ChatError::Tampered)?;
        padding::unpad(&mut content)?;
        Ok(content)
    }

    /// SHA-256 of all its bytes.
    pub fn hash(&self) -> Hash {
        Sha256::new().chain_update(self.header_bytes).chain_update(self.ciphertext).finalize().into()
    }
}

/// The key of a message, and the commitment to it: halves of one output, so that neither can be chosen for the other.
pub(super) fn message_keys(key: &EpochKey, place: &Place) -> (Zeroizing<[u8; 32]>, [u8; COMMITMENT_BYTES]) {
    let both = derive::<64>(Purpose::MessageKey, &[], key.as_bytes(), &[&place.device.0, &place.message.0]);
    let (message_key, commitment) = both.split_at(32);
    (Zeroizing::new(message_key.try_into().expect("half of 64")), commitment.try_into().expect("half of 64"))
}

fn signed(header: &[u8], body: &[u8]) -> Vec<u8> {
    [Purpose::MessageSignature.label(), header, &Sha256::digest(body)].concat()
}
