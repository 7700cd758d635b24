//! Tells the protocols on a media port apart by their first bytes: RFC 7983 §7 (as updated by RFC 9443), RTCP by RFC 5761 §4.
//!
//! It looks at single bytes and lengths only, so that everything behind it may rely on the fixed headers being there; whether the
//! datagram means anything is for the protocol's own code. Called by `net` for every datagram; holds no state.

/// Bytes of a STUN header.
const STUN_HEADER_BYTES: usize = 20;
/// The STUN magic cookie, bytes 4 to 7 (RFC 8489 §5).
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// Bytes of a DTLS record header (RFC 6347 §4.1); a record without a body carries nothing.
const DTLS_HEADER_BYTES: usize = 13;
/// Bytes of an RTP header without CSRCs.
const RTP_HEADER_BYTES: usize = 12;
/// Bytes of an RTCP header with the sender's SSRC.
const RTCP_HEADER_BYTES: usize = 8;

/// What a datagram is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    /// STUN: at least a header with the magic cookie.
    Stun,
    /// DTLS: at least a record header and one byte.
    Dtls,
    /// RTP or SRTP: at least the fixed header.
    Rtp,
    /// RTCP or SRTCP: at least the header with the sender's SSRC.
    Rtcp,
    /// None of them, or too short to be. Counted and dropped.
    Unknown,
}

/// Classifies a datagram.
pub(crate) fn classify(datagram: &[u8]) -> Protocol {
    let &[first, second, ..] = datagram else { return Protocol::Unknown };
    match first {
        0..=3 if datagram.len() >= STUN_HEADER_BYTES && datagram[4..8] == STUN_COOKIE => Protocol::Stun,
        20..=63 if datagram.len() > DTLS_HEADER_BYTES => Protocol::Dtls,
        128..=191 if is_rtcp_type(second) && datagram.len() >= RTCP_HEADER_BYTES => Protocol::Rtcp,
        128..=191 if !is_rtcp_type(second) && datagram.len() >= RTP_HEADER_BYTES => Protocol::Rtp,
        _ => Protocol::Unknown,
    }
}

/// RTCP packet types are 192 to 223; an RTP marker bit and payload type never give these, as 64 to 95 are not assigned (RFC 5761 §4).
fn is_rtcp_type(second: u8) -> bool {
    (192..=223).contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn datagram(first: u8, second: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        bytes[0] = first;
        bytes[1] = second;
        bytes
    }

    fn stun() -> Vec<u8> {
        let mut bytes = datagram(0, 1, 20);
        bytes[4..8].copy_from_slice(&STUN_COOKIE);
        bytes
    }

    #[test]
    fn each_first_byte_has_the_protocol_of_rfc_7983() {
        for first in 0..=255u8 {
            let expected = match first {
                20..=63 => Protocol::Dtls,
                128..=191 => Protocol::Rtp,
                _ => Protocol::Unknown,
            };
            assert_eq!(classify(&datagram(first, 96, 60)), expected, "first byte {first}");
        }
    }

    #[test]
    fn each_second_byte_has_the_side_of_rfc_5761() {
        for second in 0..=255u8 {
            let expected = if (192..=223).contains(&second) { Protocol::Rtcp } else { Protocol::Rtp };
            assert_eq!(classify(&datagram(128, second, 60)), expected, "second byte {second}");
        }
    }

    #[test]
    fn stun_needs_its_cookie_and_its_whole_header() {
        assert_eq!(classify(&stun()), Protocol::Stun);
        assert_eq!(classify(&stun()[..19]), Protocol::Unknown);
        let mut wrong = stun();
        wrong[7] ^= 1;
        assert_eq!(classify(&wrong), Protocol::Unknown);
    }

    #[test]
    fn what_is_shorter_than_its_fixed_header_is_unknown() {
        assert_eq!(classify(&datagram(22, 254, 13)), Protocol::Unknown);
        assert_eq!(classify(&datagram(22, 254, 14)), Protocol::Dtls);
        assert_eq!(classify(&datagram(128, 96, 11)), Protocol::Unknown);
        assert_eq!(classify(&datagram(128, 96, 12)), Protocol::Rtp);
        assert_eq!(classify(&datagram(128, 200, 7)), Protocol::Unknown);
        assert_eq!(classify(&datagram(128, 200, 8)), Protocol::Rtcp);
        assert_eq!(classify(&[]), Protocol::Unknown);
    }

    proptest! {
        #[test]
        fn any_bytes_are_classified(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let least = match classify(&bytes) {
                Protocol::Stun => 20,
                Protocol::Dtls => 14,
                Protocol::Rtp => 12,
                Protocol::Rtcp => 8,
                Protocol::Unknown => 0,
            };
            prop_assert!(bytes.len() >= least);
        }
    }
}
