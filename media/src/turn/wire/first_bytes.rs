//! Which protocol a connection to the shared TCP port speaks, by its first bytes; within TLS by ALPN (RFC 7443) or the same bytes.
//!
//! The ways to begin exclude each other: TLS with a handshake record, HTTP with a letter, TURN with STUN and its cookie, ICE-TCP with
//! the same behind a length (RFC 4571). Called by whoever accepts connections, for what it has peeked at.

use crate::turn::codec::{COOKIE, HEADER_BYTES};

/// With this many bytes a connection is always told. Fewer may do.
pub const FIRST_BYTES: usize = 10;
/// The largest first frame of an ICE-TCP connection: a connectivity check, about 100 bytes (RFC 6544 §3).
const MAX_CHECK_BYTES: usize = 1_280;
/// The first byte of a TLS handshake record, and the major version that all versions send (RFC 8446 §5.1).
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// What a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstBytes {
    /// Wait for more; never at [`FIRST_BYTES`] and beyond.
    TooFew,
    /// A TLS handshake.
    Tls,
    /// STUN behind a length: ICE-TCP to the SFU.
    IceTcp,
    /// STUN as it is: TURN over TCP, or over TLS when this is what was decrypted.
    Turn,
    /// HTTP/1 or HTTP/2.
    Http,
    /// None of them: close.
    Unknown,
}

/// Tells a connection by what it sent first.
pub fn first_bytes(bytes: &[u8]) -> FirstBytes {
    match bytes {
        [] => FirstBytes::TooFew,
        [b'A'..=b'Z' | b'a'..=b'z', ..] => FirstBytes::Http,
        [0x00..=0x3f, ..] => framed(bytes),
        _ => FirstBytes::Unknown,
    }
}

/// TLS, STUN, or STUN behind a length.
fn framed(bytes: &[u8]) -> FirstBytes {
    if bytes.starts_with(&TLS_HANDSHAKE) {
        return FirstBytes::Tls;
    }
    let may_be_turn = may_match(bytes, 4) && bytes.get(3).is_none_or(|low| low % 4 == 0);
    if may_be_turn && bytes.len() >= 8 {
        return FirstBytes::Turn;
    }
    let may_be_ice = may_match(bytes, 6)
        && bytes.get(2).is_none_or(|kind| *kind < 0x40)
        && bytes
            .get(..2)
            .is_none_or(|len| (HEADER_BYTES..=MAX_CHECK_BYTES).contains(&usize::from(u16::from_be_bytes([len[0], len[1]]))));
    match bytes.len() {
        FIRST_BYTES.. if may_be_ice => FirstBytes::IceTcp,
        1 => FirstBytes::TooFew,
        ..FIRST_BYTES if may_be_turn || may_be_ice => FirstBytes::TooFew,
        _ => FirstBytes::Unknown,
    }
}

/// Whether what is there of the cookie at `at` is right.
fn may_match(bytes: &[u8], at: usize) -> bool {
    bytes.iter().skip(at).zip(COOKIE).all(|(byte, expected)| *byte == expected)
}

/// A protocol that a client offers in TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alpn {
    /// `stun.turn` or `stun.nat-discovery` (RFC 7443 §2).
    Turn,
    /// `h2` or `http/1.1`.
    Http,
}

/// Tells what a name of the ALPN extension is for; `None` for others. Browsers offer none for TURN: then [`first_bytes`] of what is
/// decrypted tells.
pub fn alpn(name: &[u8]) -> Option<Alpn> {
    match name {
        b"stun.turn" | b"stun.nat-discovery" => Some(Alpn::Turn),
        b"h2" | b"http/1.1" => Some(Alpn::Http),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALLOCATE: [u8; 20] = [0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn framed_check() -> Vec<u8> {
        let mut bytes = vec![0, 108, 0, 1, 0, 88];
        bytes.extend(COOKIE);
        bytes
    }

    /// What the bytes are taken for when they arrive one after the other.
    fn settled(bytes: &[u8]) -> (FirstBytes, usize) {
        let first = (0..=bytes.len()).map(|len| (first_bytes(&bytes[..len]), len)).find(|(told, _)| *told != FirstBytes::TooFew);
        first.unwrap_or((FirstBytes::TooFew, bytes.len()))
    }

    #[test]
    fn each_protocol_is_told_as_soon_as_it_can_be() {
        assert_eq!(settled(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), (FirstBytes::Tls, 2));
        assert_eq!(settled(b"GET / HTTP/1.1\r\n"), (FirstBytes::Http, 1));
        assert_eq!(settled(b"PRI * HTTP/2.0\r\n"), (FirstBytes::Http, 1));
        assert_eq!(settled(&ALLOCATE), (FirstBytes::Turn, 8));
        assert_eq!(settled(&framed_check()), (FirstBytes::IceTcp, 10));
    }

    #[test]
    fn what_is_none_of_them_is_not_waited_for() {
        assert_eq!(settled(&[0x80, 1]), (FirstBytes::Unknown, 1));
        assert_eq!(settled(&[0x16, 0x04, 0, 0, 1]).0, FirstBytes::Unknown);
        assert_eq!(settled(b"\0\0\0\0\0\0\0\0\0\0\0\0").0, FirstBytes::Unknown);
        let mut too_long = framed_check();
        too_long[0] = 0x06;
        assert_eq!(settled(&too_long).0, FirstBytes::Unknown);
        assert_eq!(settled(b"\r\n\r\n").0, FirstBytes::Unknown);
    }

    #[test]
    fn alpn_names_turn_and_http() {
        assert_eq!(alpn(b"stun.turn"), Some(Alpn::Turn));
        assert_eq!(alpn(b"http/1.1"), Some(Alpn::Http));
        assert_eq!(alpn(b"webrtc"), None);
    }

    proptest! {
        #[test]
        fn any_connection_is_told_within_ten_bytes_and_more_bytes_do_not_change_it(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(COOKIE.to_vec()), 0u8..4], 10..16),
        ) {
            let (told, at) = settled(&bytes);
            prop_assert_ne!(told, FirstBytes::TooFew);
            for len in at..=bytes.len() {
                prop_assert_eq!(first_bytes(&bytes[..len]), told);
            }
        }
    }
}
