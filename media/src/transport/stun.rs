//! STUN messages as ICE needs them (RFC 8489, RFC 8445 §7): a reading view over a datagram without an allocation, and the few
//! messages that are written. Integrity and fingerprint are computed by `rtc-stun`.
//!
//! The view is made from bytes of anybody, so its work is bounded by the datagram, which is refused beyond [`MAX_STUN_BYTES`], and it
//! takes attributes only from in front of MESSAGE-INTEGRITY, because what stands behind it is not authenticated (§14.5).

use std::net::SocketAddr;

use rtc_crypto::RTCCrypto;
use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_MESSAGE_INTEGRITY, ATTR_PRIORITY,
    ATTR_USE_CANDIDATE, ATTR_USERNAME, ATTR_XORMAPPED_ADDRESS, AttrType,
};
use rtc_stun::error_code::ErrorCode;
use rtc_stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::BINDING_REQUEST;
use rtc_stun::message::{BINDING_ERROR, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;

/// The largest STUN message that is looked at. Connectivity checks are about 100 bytes; RFC 8489 §6.1 asks senders to stay below the
/// path's MTU.
pub(super) const MAX_STUN_BYTES: usize = 1_280;
/// The most attributes that are looked at; checks of browsers have about eight.
const MAX_ATTRIBUTES: usize = 32;
/// Unknown attributes that an error response names. More are refused all the same.
const MAX_UNKNOWN: usize = 8;
const HEADER_BYTES: usize = 20;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const FINGERPRINT_BYTES: usize = 4;
const INTEGRITY_BYTES: usize = 20;

/// Which STUN message, among those that ICE exchanges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BindingKind {
    Request,
    Success,
    Error,
    /// An indication (a keep-alive that is not answered) or another method.
    Other,
}

/// A STUN message whose framing is right, and of its attributes those that ICE uses.
#[derive(Clone, Debug)]
pub(super) struct BindingView<'a> {
    datagram: &'a [u8],
    pub(super) kind: BindingKind,
    pub(super) username: Option<&'a str>,
    pub(super) has_integrity: bool,
    pub(super) use_candidate: bool,
    /// The sender says that it is in the controlled role, and its tie-breaker.
    pub(super) is_controlled: bool,
    pub(super) unknown: Unknown,
    fingerprint: Option<u32>,
}

/// Attributes that must be understood and are not.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Unknown {
    types: [u16; MAX_UNKNOWN],
    count: usize,
}

impl Unknown {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, kind: u16) {
        if let Some(place) = self.types.get_mut(self.count) {
            *place = kind;
            self.count += 1;
        }
    }
}

impl<'a> BindingView<'a> {
    /// Reads a datagram; `None` when it is not a well-formed STUN message.
    pub(super) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let attributes = Attributes::of(datagram)?;
        let kind = match u16::from_be_bytes([datagram[0], datagram[1]]) {
            0x0001 => BindingKind::Request,
            0x0101 => BindingKind::Success,
            0x0111 => BindingKind::Error,
            _ => BindingKind::Other,
        };
        let mut view = Self {
            datagram,
            kind,
            username: None,
            has_integrity: false,
            use_candidate: false,
            is_controlled: false,
            unknown: Unknown::default(),
            fingerprint: None,
        };
        for (number, attribute) in attributes.enumerate() {
            if number == MAX_ATTRIBUTES || view.fingerprint.is_some() {
                return None;
            }
            view.take(attribute?)?;
        }
        Some(view)
    }

    fn take(&mut self, (kind, value): (u16, &'a [u8])) -> Option<()> {
        match AttrType(kind) {
            ATTR_FINGERPRINT => self.fingerprint = Some(u32::from_be_bytes(value.try_into().ok()?)),
            _ if self.has_integrity => {}
            ATTR_MESSAGE_INTEGRITY if value.len() == INTEGRITY_BYTES => self.has_integrity = true,
            ATTR_MESSAGE_INTEGRITY => return None,
            ATTR_USERNAME => self.username = Some(str::from_utf8(value).ok()?),
            ATTR_USE_CANDIDATE => self.use_candidate = true,
            ATTR_ICE_CONTROLLED => self.is_controlled = true,
            ATTR_ICE_CONTROLLING | ATTR_PRIORITY | ATTR_XORMAPPED_ADDRESS | ATTR_ERROR_CODE => {}
            other if other.required() => self.unknown.push(kind),
            _ => {}
        }
        Some(())
    }

    pub(super) fn len(&self) -> usize {
        self.datagram.len()
    }

    pub(super) fn transaction(&self) -> TransactionId {
        let mut id = TransactionId::default();
        id.0.copy_from_slice(&self.datagram[8..HEADER_BYTES]);
        id
    }

    /// Whether the message ends with a FINGERPRINT and that is right. Telling STUN from media on one port rests on it (RFC 8445 §7.1).
    pub(super) fn has_right_fingerprint(&self) -> bool {
        let covered = self.datagram.len() - (ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES).min(self.datagram.len());
        self.fingerprint == Some(fingerprint_value(&self.datagram[..covered]))
    }

    /// Whether the message authenticates with this password.
    pub(super) fn authenticates(&self, password: &str, crypto: &dyn RTCCrypto) -> bool {
        let mut message = Message::new();
        self.has_integrity
            && message.unmarshal_binary(self.datagram).is_ok()
            && MessageIntegrity::check(&mut message, password.as_bytes(), crypto).is_ok()
    }

    /// The address that a success response says our request came from.
    pub(super) fn mapped_address(&self) -> Option<SocketAddr> {
        let mut message = Message::new();
        message.unmarshal_binary(self.datagram).ok()?;
        let mut mapped = XorMappedAddress::default();
        mapped.get_from_as(&message, ATTR_XORMAPPED_ADDRESS).ok()?;
        Some(SocketAddr::new(mapped.ip, mapped.port))
    }
}

/// The part of the USERNAME in front of the colon: the user fragment of whom the message is for. It finds the transport of the first
/// packet of a path; nothing is authenticated by it.
pub(crate) fn username_local_part(datagram: &[u8]) -> Option<&str> {
    let username = Attributes::of(datagram)?
        .take(MAX_ATTRIBUTES)
        .map_while(|attribute| attribute)
        .find(|(kind, _)| AttrType(*kind) == ATTR_USERNAME)?;
    let (local, _) = str::from_utf8(username.1).ok()?.split_once(':')?;
    Some(local)
}

/// The answer to a Binding request of somebody who is no participant (RFC 8489 §7.3.1): the address it came from, and nothing more, so
/// that it is smaller than twice the request. `None` for anything else, above all for what names a user.
pub(crate) fn plain_answer(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let view = BindingView::parse(datagram)?;
    let is_damaged = view.fingerprint.is_some() && !view.has_right_fingerprint();
    let is_plain = view.kind == BindingKind::Request && view.username.is_none() && !view.has_integrity && view.unknown.is_empty();
    if !is_plain || is_damaged {
        return None;
    }
    let mapped = XorMappedAddress { ip: from.ip().to_canonical(), port: from.port() };
    write(&[&BINDING_SUCCESS, &view.transaction(), &mapped], None)
}

/// Walks the attributes. Yields `None` once, as the last, when an attribute reaches beyond the message.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    fn of(datagram: &'a [u8]) -> Option<Self> {
        let framed = (HEADER_BYTES..=MAX_STUN_BYTES).contains(&datagram.len())
            && datagram[0] < 0x40
            && datagram[4..8] == COOKIE
            && HEADER_BYTES + usize::from(u16::from_be_bytes([datagram[2], datagram[3]])) == datagram.len();
        framed.then(|| Self { rest: &datagram[HEADER_BYTES..] })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Option<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let Some((&[kind_high, kind_low, len_high, len_low], values)) = rest.split_first_chunk() else { return Some(None) };
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let Some((padded, rest)) = values.split_at_checked(len.next_multiple_of(ATTRIBUTE_HEADER_BYTES)) else {
            return Some(None);
        };
        self.rest = rest;
        Some(Some((u16::from_be_bytes([kind_high, kind_low]), &padded[..len])))
    }
}

/// The key with which a message is authenticated and what computes it.
#[derive(Clone, Copy)]
pub(super) struct Integrity<'a> {
    pub(super) password: &'a str,
    pub(super) crypto: &'a dyn RTCCrypto,
}

/// A success response that says which address the request came from; IPv4 as IPv4 even on a socket that maps it into IPv6.
pub(super) fn success(id: TransactionId, from: SocketAddr, integrity: Integrity<'_>) -> Option<Vec<u8>> {
    let mapped = XorMappedAddress { ip: from.ip().to_canonical(), port: from.port() };
    write(&[&BINDING_SUCCESS, &id, &mapped], Some(integrity))
}

/// An error response. Without integrity when the request was not authenticated (RFC 8489 §9.1.3).
pub(super) fn error(id: TransactionId, code: ErrorCode, unknown: Unknown, integrity: Option<Integrity<'_>>) -> Option<Vec<u8>> {
    let types = UnknownAttributes(unknown.types[..unknown.count].iter().map(|&kind| AttrType(kind)).collect());
    if unknown.is_empty() {
        write(&[&BINDING_ERROR, &id, &code], integrity)
    } else {
        write(&[&BINDING_ERROR, &id, &code, &types], integrity)
    }
}

/// A connectivity check of a controlling agent.
pub(super) fn check(
    id: TransactionId,
    username: String,
    attributes: &[&dyn Setter],
    integrity: Integrity<'_>,
) -> Option<Vec<u8>> {
    let username = TextAttribute::new(ATTR_USERNAME, username);
    let mut setters: Vec<&dyn Setter> = vec![&BINDING_REQUEST, &id, &username];
    setters.extend(attributes);
    write(&setters, Some(integrity))
}

/// `None` when something does not fit into STUN, which the callers' values always do.
fn write(setters: &[&dyn Setter], integrity: Option<Integrity<'_>>) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.write_header();
    for setter in setters {
        setter.add_to(&mut message).ok()?;
    }
    if let Some(Integrity { password, crypto }) = integrity {
        MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto).add_to(&mut message).ok()?;
    }
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A Binding request without attributes.
    const PLAIN: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    #[test]
    fn a_plain_request_is_answered_with_its_address_and_what_is_not_plain_is_not() {
        let from: SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
        let answer = plain_answer(&PLAIN, from).unwrap();
        let view = BindingView::parse(&answer).unwrap();
        assert_eq!((view.kind, view.transaction().0), (BindingKind::Success, PLAIN[8..].try_into().unwrap()));
        assert_eq!(view.mapped_address(), Some("192.0.2.1:5".parse().unwrap()));
        assert!(view.has_right_fingerprint());
        let with = |attribute: &[u8]| {
            let mut request = [&PLAIN, attribute].concat();
            request[3] = attribute.len() as u8;
            request
        };
        assert!(plain_answer(&with(&[0x80, 0x22, 0, 1, b'x', 0, 0, 0]), from).is_some(), "a name of the software");
        for (attribute, what) in [
            (&[0, 6, 0, 3, b'a', b':', b'b', 0][..], "a user"),
            (&[0, 3, 0, 4, 0, 0, 0, 6], "CHANGE-REQUEST, which would send the answer elsewhere (RFC 5780)"),
            (&[0x80, 0x28, 0, 4, 1, 2, 3, 4], "a wrong fingerprint"),
        ] {
            assert_eq!(plain_answer(&with(attribute), from), None, "{what}");
        }
        for kind in [[0, 3], [1, 1], [0, 0x11], [1, 0x11]] {
            let request = [&kind[..], &PLAIN[2..]].concat();
            assert_eq!(plain_answer(&request, from), None, "an answer to {kind:?} would be a loop or a lie");
        }
        assert_eq!(plain_answer(&answer, from), None, "two servers would answer each other for ever");
    }

    proptest! {
        #[test]
        fn an_answer_to_a_stranger_is_smaller_than_twice_the_question(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut request = [&PLAIN[..], &tail].concat();
            request[2..4].copy_from_slice(&(tail.len() as u16).to_be_bytes());
            for (from, headers) in [("192.0.2.1:5", 28), ("[2001:db8::1]:5", 48)] {
                let answer = plain_answer(&request, from.parse().unwrap()).map_or(0, |answer| answer.len());
                prop_assert!(answer == 0 || headers + answer < 2 * (headers + request.len()));
            }
        }
    }
}
