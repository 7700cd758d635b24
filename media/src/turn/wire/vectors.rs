//! The sample messages of RFC 5769, read and written. Group 26 of the security tests.

use super::address::read_xored;
use super::*;
use crate::turn::codec::{Crypto, Writer, attribute};

const SAMPLE_REQUEST: &str = "
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1
    51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf";
const SAMPLE_IPV4_RESPONSE: &str = "
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643 00080014 2b91f599
    fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96";
const SAMPLE_IPV6_RESPONSE: &str = "
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5
    bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c";
const SAMPLE_LONG_TERM_REQUEST: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000 0015001c 662f2f34 39396b39
    35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700 00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2
    8ca89666";
/// The user name of §2.4.
const USERNAME: &str = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_samples_are_read_and_their_fingerprints_are_right() {
    let request = bytes(SAMPLE_REQUEST);
    let message = Message::read(&request).unwrap();
    assert_eq!((message.class, message.method, message.username), (Class::Request, 1, Some(&b"evtj:h6vY"[..])));
    assert!(message.has_fingerprint && message.has_integrity());
    assert_eq!(message.unknown.types(), [0x0024], "PRIORITY is for ICE");
    for (sample, family) in
        [(SAMPLE_IPV4_RESPONSE, "192.0.2.1:32853"), (SAMPLE_IPV6_RESPONSE, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let response = bytes(sample);
        let message = Message::read(&response).unwrap();
        assert_eq!(message.class, Class::Success);
        let value = message.attribute(attribute::XOR_MAPPED_ADDRESS).unwrap();
        assert_eq!(read_xored(value, &message.transaction()), Some(family.parse().unwrap()));
    }
}

#[test]
fn a_sample_with_any_byte_changed_has_no_right_fingerprint() {
    let request = bytes(SAMPLE_REQUEST);
    for at in 0..request.len() {
        let mut changed = request.clone();
        changed[at] ^= 1;
        assert!(Message::read(&changed).is_none_or(|message| !message.has_fingerprint), "byte {at}");
    }
}

#[test]
fn the_long_term_sample_authenticates_with_its_key_and_with_no_other() {
    let crypto = Crypto::new().unwrap();
    let request = bytes(SAMPLE_LONG_TERM_REQUEST);
    let message = Message::read(&request).unwrap();
    assert_eq!(message.username, Some(USERNAME.as_bytes()));
    assert_eq!(message.realm, Some(&b"example.org"[..]));
    assert_eq!(message.nonce, Some(&b"f//499k954d6OL34oL9FSTvy64sA"[..]));
    let key = crypto.long_term_key(USERNAME, "example.org", "TheMatrIX").unwrap();
    assert!(message.is_signed_with(&key, &crypto));
    assert!(!message.is_signed_with(&crypto.long_term_key(USERNAME, "example.org", "TheMatrix").unwrap(), &crypto));
}

#[test]
fn the_long_term_sample_is_written_byte_for_byte() {
    let crypto = Crypto::new().unwrap();
    let expected = bytes(SAMPLE_LONG_TERM_REQUEST);
    let mut writer = Writer::new(0x0001, expected[8..20].try_into().unwrap());
    writer.attribute(attribute::USERNAME, USERNAME.as_bytes());
    writer.attribute(attribute::NONCE, b"f//499k954d6OL34oL9FSTvy64sA");
    writer.attribute(attribute::REALM, b"example.org");
    assert!(writer.integrity(&crypto.long_term_key(USERNAME, "example.org", "TheMatrIX").unwrap(), &crypto));
    assert_eq!(writer.finish(), expected);
}
