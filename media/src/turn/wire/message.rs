//! A reading view over a STUN message (RFC 8489 §5): framing, credentials and the attributes of TURN, without an allocation.
//!
//! What stands behind MESSAGE-INTEGRITY is not authenticated and is not looked at, but for FINGERPRINT (§14.5). Of attributes that
//! may appear once the first counts (§14). Whether an attribute's value makes sense is for `request.rs`: a message that merely asks for
//! nonsense is answered, one that is not STUN is not.

use std::net::SocketAddr;

use super::address::read_xored;
use crate::turn::codec::{COOKIE, Crypto, HEADER_BYTES, Key, SHA1_BYTES, TransactionId, attribute, fingerprint};

/// The most attributes that are looked at. A request has about eight, and as many more as it names peers.
const MAX_ATTRIBUTES: usize = 96;
/// Unknown attributes that an answer names. More are refused all the same.
const MAX_UNKNOWN: usize = 8;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// Attributes below this must be understood (RFC 8489 §14).
const FIRST_OPTIONAL: u16 = 0x8000;

/// The class of a message (RFC 8489 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::turn) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// A STUN message whose framing is right.
pub(in crate::turn) struct Message<'a> {
    bytes: &'a [u8],
    pub(in crate::turn) class: Class,
    pub(in crate::turn) method: u16,
    pub(in crate::turn) username: Option<&'a [u8]>,
    pub(in crate::turn) realm: Option<&'a [u8]>,
    pub(in crate::turn) nonce: Option<&'a [u8]>,
    /// Where MESSAGE-INTEGRITY begins.
    integrity_at: Option<usize>,
    pub(in crate::turn) has_fingerprint: bool,
    pub(in crate::turn) unknown: Unknown,
}

/// Attributes that must be understood and are not.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(in crate::turn) struct Unknown {
    types: [u16; MAX_UNKNOWN],
    count: usize,
}

impl Unknown {
    pub(in crate::turn) fn types(&self) -> &[u16] {
        &self.types[..self.count]
    }

    fn push(&mut self, kind: u16) {
        if let Some(place) = self.types.get_mut(self.count) {
            *place = kind;
            self.count += 1;
        }
    }
}

impl<'a> Message<'a> {
    /// Reads a whole message; `None` when it is not well-formed STUN, or ends with a wrong FINGERPRINT.
    pub(in crate::turn) fn read(bytes: &'a [u8]) -> Option<Self> {
        let attributes = Attributes::of(bytes)?;
        let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
        let mut message = Self {
            bytes,
            class: class(kind),
            method: method(kind),
            username: None,
            realm: None,
            nonce: None,
            integrity_at: None,
            has_fingerprint: false,
            unknown: Unknown::default(),
        };
        for (count, attribute) in attributes.enumerate() {
            if count == MAX_ATTRIBUTES || message.has_fingerprint {
                return None;
            }
            message.take(attribute?)?;
        }
        Some(message)
    }

    fn take(&mut self, Attribute { kind, value, at }: Attribute<'a>) -> Option<()> {
        match kind {
            attribute::FINGERPRINT => {
                let claimed = u32::from_be_bytes(value.try_into().ok()?);
                self.has_fingerprint = claimed == fingerprint(&self.bytes[..at]);
                // A wrong one means that this is something else, or was changed on the way.
                return self.has_fingerprint.then_some(());
            }
            _ if self.integrity_at.is_some() => {}
            attribute::MESSAGE_INTEGRITY if value.len() == SHA1_BYTES => self.integrity_at = Some(at),
            attribute::MESSAGE_INTEGRITY => return None,
            attribute::USERNAME => _ = self.username.get_or_insert(value),
            attribute::REALM => _ = self.realm.get_or_insert(value),
            attribute::NONCE => _ = self.nonce.get_or_insert(value),
            known if is_understood(known) => {}
            other if other < FIRST_OPTIONAL => self.unknown.push(other),
            _ => {}
        }
        Some(())
    }

    /// Bytes of the whole message.
    pub(in crate::turn) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(in crate::turn) fn transaction(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_BYTES]);
        id
    }

    /// Whether it carries MESSAGE-INTEGRITY at all.
    pub(in crate::turn) fn has_integrity(&self) -> bool {
        self.integrity_at.is_some()
    }

    /// Whether MESSAGE-INTEGRITY was made with this key (RFC 8489 §14.5), compared in constant time.
    pub(in crate::turn) fn is_signed_with(&self, key: &Key, crypto: &Crypto) -> bool {
        let Some(at) = self.integrity_at else { return false };
        let end = at + ATTRIBUTE_HEADER_BYTES + SHA1_BYTES;
        // The length that was signed ends with MESSAGE-INTEGRITY, whatever follows.
        let Ok(signed_length) = u16::try_from(end - HEADER_BYTES) else { return false };
        let parts: [&[u8]; 3] = [&self.bytes[..2], &signed_length.to_be_bytes(), &self.bytes[4..at]];
        crypto.is_hmac_sha1(key, &parts, &self.bytes[at + ATTRIBUTE_HEADER_BYTES..end])
    }

    /// The first attribute of a kind, in front of MESSAGE-INTEGRITY.
    pub(in crate::turn) fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// Every XOR-PEER-ADDRESS; `None` for one that cannot be read.
    pub(in crate::turn) fn peers(&self) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let id = self.transaction();
        let addresses = self.attributes().filter(|attribute| attribute.kind == attribute::XOR_PEER_ADDRESS);
        addresses.map(move |attribute| read_xored(attribute.value, &id))
    }

    /// The first XORed address of a kind; `None` when there is none that can be read.
    pub(in crate::turn) fn address(&self, kind: u16) -> Option<SocketAddr> {
        read_xored(self.attribute(kind)?, &self.transaction())
    }

    /// The value of DATA.
    pub(in crate::turn) fn data(&self) -> Option<&'a [u8]> {
        self.attribute(attribute::DATA)
    }

    fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let end = self.integrity_at.unwrap_or(self.bytes.len());
        Attributes::of(self.bytes)
            .into_iter()
            .flatten()
            .map_while(|attribute| attribute)
            .take_while(move |attribute| attribute.at < end)
    }
}

/// What TURN over UDP relays knows. DONT-FRAGMENT is not among them: the relay cannot honour it, and says so (RFC 8656 §7.2).
fn is_understood(kind: u16) -> bool {
    matches!(
        kind,
        attribute::CHANNEL_NUMBER
            | attribute::LIFETIME
            | attribute::XOR_PEER_ADDRESS
            | attribute::DATA
            | attribute::REQUESTED_ADDRESS_FAMILY
            | attribute::EVEN_PORT
            | attribute::REQUESTED_TRANSPORT
            | attribute::RESERVATION_TOKEN
    )
}

/// The class bits lie between those of the method (RFC 8489 §5).
fn class(kind: u16) -> Class {
    match kind & 0x0110 {
        0x0000 => Class::Request,
        0x0010 => Class::Indication,
        0x0100 => Class::Success,
        _ => Class::Error,
    }
}

fn method(kind: u16) -> u16 {
    kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
}

struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    /// Where its header begins in the message.
    at: usize,
}

/// Walks the attributes. Yields `None` once, as the last, when an attribute reaches beyond the message.
struct Attributes<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_framed = bytes.len() >= HEADER_BYTES
            && bytes[0] < 0x40
            && bytes[4..8] == COOKIE
            && HEADER_BYTES + usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) == bytes.len();
        is_framed.then(|| Self { rest: &bytes[HEADER_BYTES..], at: HEADER_BYTES })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Option<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let Some((&[kind_high, kind_low, len_high, len_low], values)) = rest.split_first_chunk() else { return Some(None) };
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let Some((padded, rest)) = values.split_at_checked(len.next_multiple_of(4)) else { return Some(None) };
        let attribute = Attribute { kind: u16::from_be_bytes([kind_high, kind_low]), value: &padded[..len], at: self.at };
        self.rest = rest;
        self.at += ATTRIBUTE_HEADER_BYTES + padded.len();
        Some(Some(attribute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::codec::Writer;

    #[test]
    fn nothing_may_stand_behind_the_fingerprint() {
        let mut writer = Writer::new(0x0001, [3; 12]);
        writer.attribute(0x8022, b"name");
        let mut bytes = writer.finish();
        // As long as it will be with both, so that the fingerprint itself is right.
        bytes[3] += 8 + 8;
        let value = fingerprint(&bytes);
        bytes.extend([0x80, 0x28, 0, 4]);
        bytes.extend(value.to_be_bytes());
        let with_fingerprint_last = {
            let mut whole = bytes.clone();
            whole[3] -= 8;
            let value = fingerprint(&whole[..whole.len() - 8]).to_be_bytes();
            let at = whole.len() - 4;
            whole[at..].copy_from_slice(&value);
            whole
        };
        assert!(Message::read(&with_fingerprint_last).is_some_and(|message| message.has_fingerprint));
        bytes.extend([0x80, 0x22, 0, 4, 1, 2, 3, 4]);
        assert!(Message::read(&bytes).is_none());
    }
}
