//! Group 25: what is read here against what `rtc-stun` reads, for any bytes that look like STUN.

use proptest::prelude::*;
use rtc_stun::attributes::AttrType;
use rtc_stun::message as theirs;

use super::Message;
use crate::turn::codec::{Crypto, attribute, method};

/// A message with attributes of TURN and others, some cut, some twice, perhaps with an end that is wrong.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let kinds = vec![
        attribute::USERNAME,
        attribute::REALM,
        attribute::NONCE,
        attribute::XOR_PEER_ADDRESS,
        attribute::DATA,
        attribute::LIFETIME,
        attribute::CHANNEL_NUMBER,
        0x001a,
        0x7777,
        0x8022,
    ];
    let one = (prop::sample::select(kinds), proptest::collection::vec(any::<u8>(), 0..24));
    let message = (any::<u16>(), any::<[u8; 12]>(), proptest::collection::vec(one, 0..10), 0usize..40, any::<u8>());
    message.prop_map(|(kind, id, attributes, at, flip)| {
        let mut message = theirs::Message::new();
        message.typ.read_value(kind & 0x3fff);
        message.transaction_id = theirs::TransactionId(id);
        message.write_header();
        attributes.iter().for_each(|(kind, value)| message.add(AttrType(*kind), value));
        // Every other one is damaged.
        if flip.is_multiple_of(2) {
            let at = (at + 2) % message.raw.len();
            message.raw[at] ^= flip;
        }
        message.raw
    })
}

proptest! {
    #[test]
    fn what_both_read_is_the_same_and_what_we_read_they_read_too(bytes in bytes()) {
        let mut message = theirs::Message::new();
        let their_reading = message.unmarshal_binary(&bytes);
        if let Some(ours) = Message::read(&bytes) {
            prop_assert!(their_reading.is_ok());
            prop_assert_eq!(ours.transaction(), message.transaction_id.0);
            prop_assert_eq!(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x3fff, message.typ.value());
            prop_assert_eq!(theirs::MessageType::new(theirs::METHOD_SEND, message.typ.class).value() & 0x0110, message.typ.value() & 0x0110);
            for (kind, value) in [(attribute::USERNAME, ours.username), (attribute::REALM, ours.realm), (attribute::NONCE, ours.nonce)] {
                let (theirs, is_there) = message.attributes.get(AttrType(kind));
                prop_assert_eq!(value, is_there.then_some(&theirs.value[..]));
            }
            for kind in [attribute::DATA, attribute::LIFETIME, attribute::CHANNEL_NUMBER, attribute::XOR_PEER_ADDRESS] {
                let (theirs, is_there) = message.attributes.get(AttrType(kind));
                prop_assert_eq!(ours.attribute(kind), is_there.then_some(&theirs.value[..]));
            }
        }
    }

    #[test]
    fn what_they_sign_we_verify_and_a_fingerprint_behind_it_changes_nothing(key: [u8; 16], realm in "[a-z]{0,30}", has_fingerprint: bool) {
        use rtc_stun::fingerprint::FINGERPRINT;
        use rtc_stun::integrity::MessageIntegrity;
        use rtc_stun::message::Setter;
        let provider = rtc_crypto::default_provider().unwrap();
        let mut message = theirs::Message::new();
        message.typ = theirs::MessageType::new(theirs::METHOD_REFRESH, theirs::CLASS_REQUEST);
        message.write_header();
        message.add(AttrType(attribute::REALM), realm.as_bytes());
        MessageIntegrity::new_raw_integrity_with_provider(key, provider.crypto()).add_to(&mut message).unwrap();
        if has_fingerprint {
            FINGERPRINT.add_to(&mut message).unwrap();
        }
        let ours = Message::read(&message.raw).unwrap();
        let crypto = Crypto::new().unwrap();
        prop_assert_eq!((ours.method, ours.has_fingerprint), (method::REFRESH, has_fingerprint));
        prop_assert!(ours.is_signed_with(&key, &crypto));
        let mut other = key;
        other[15] ^= 1;
        prop_assert!(!ours.is_signed_with(&other, &crypto));
    }
}

#[test]
fn methods_have_the_numbers_of_the_family() {
    let numbers = [
        (method::BINDING, theirs::METHOD_BINDING),
        (method::ALLOCATE, theirs::METHOD_ALLOCATE),
        (method::REFRESH, theirs::METHOD_REFRESH),
        (method::SEND, theirs::METHOD_SEND),
        (method::DATA, theirs::METHOD_DATA),
        (method::CREATE_PERMISSION, theirs::METHOD_CREATE_PERMISSION),
        (method::CHANNEL_BIND, theirs::METHOD_CHANNEL_BIND),
    ];
    for (ours, family) in numbers {
        assert_eq!(theirs::MessageType::new(family, theirs::CLASS_REQUEST).value(), ours);
    }
}
