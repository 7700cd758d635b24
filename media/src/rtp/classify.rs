//! Tells the protocols that share one port apart by their first bytes (RFC 7983 §7, RFC 9443; RTP from RTCP by RFC 5761 §4).
//!
//! Called once for every datagram, before anything is authenticated; looks at two bytes and a length and nothing else.

/// What a datagram claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Datagram {
    /// First byte 0 to 3.
    Stun,
    /// First byte 20 to 63.
    Dtls,
    /// First byte 64 to 79: TURN ChannelData.
    TurnChannel,
    /// First byte 128 to 191 and a payload type that is not RTCP's.
    Rtp,
    /// First byte 128 to 191 and packet type 192 to 223.
    Rtcp,
    /// Anything else, or shorter than its protocol's header.
    Unknown,
}

/// Classifies a datagram.
pub(crate) fn classify(datagram: &[u8]) -> Datagram {
    let (Some(&first), len) = (datagram.first(), datagram.len()) else { return Datagram::Unknown };
    match first {
        0..=3 if len >= 20 => Datagram::Stun,
        20..=63 if len >= 13 => Datagram::Dtls,
        64..=79 if len >= 4 => Datagram::TurnChannel,
        128..=191 => classify_rtp(datagram),
        _ => Datagram::Unknown,
    }
}

/// RFC 5761 §4: the second byte of RTCP is its packet type; RTP payload types 64 to 95 are not used, marker or not.
fn classify_rtp(datagram: &[u8]) -> Datagram {
    match datagram.get(1) {
        Some(192..=223) if datagram.len() >= 8 => Datagram::Rtcp,
        Some(192..=223) | None => Datagram::Unknown,
        Some(_) if datagram.len() >= 12 => Datagram::Rtp,
        Some(_) => Datagram::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(first: u8, second: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        for (slot, value) in bytes.iter_mut().zip([first, second]) {
            *slot = value;
        }
        bytes
    }

    #[test]
    fn every_first_byte_goes_where_rfc_7983_says() {
        for first in 0..=255_u8 {
            let expected = match first {
                0..=3 => Datagram::Stun,
                20..=63 => Datagram::Dtls,
                64..=79 => Datagram::TurnChannel,
                128..=191 => Datagram::Rtp,
                _ => Datagram::Unknown,
            };
            assert_eq!(classify(&datagram(first, 96, 40)), expected, "first byte {first}");
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_packet_type() {
        assert_eq!(classify(&datagram(0x80, 200, 40)), Datagram::Rtcp);
        assert_eq!(classify(&datagram(0x81, 206, 40)), Datagram::Rtcp);
        assert_eq!(classify(&datagram(0x80, 0x80 | 96, 40)), Datagram::Rtp, "a marker bit with a dynamic payload type");
        assert_eq!(classify(&datagram(0x80, 0x80 | 111, 40)), Datagram::Rtp);
        assert_eq!(classify(&datagram(0x80, 0, 40)), Datagram::Rtp);
    }

    #[test]
    fn a_datagram_shorter_than_its_header_is_unknown() {
        for (first, second, shortest) in [(0, 1, 20), (22, 1, 13), (64, 0, 4), (0x80, 96, 12), (0x80, 200, 8)] {
            assert_eq!(classify(&datagram(first, second, shortest - 1)), Datagram::Unknown, "first byte {first}");
            assert_ne!(classify(&datagram(first, second, shortest)), Datagram::Unknown, "first byte {first}");
        }
        assert_eq!(classify(&[]), Datagram::Unknown);
        assert_eq!(classify(&[0x80]), Datagram::Unknown);
    }
}
