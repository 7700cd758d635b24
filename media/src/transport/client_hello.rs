//! Reads which SRTP profiles a DTLS ClientHello offers (RFC 5764 §4.1.1), because `rtc-dtls` would follow the client's order and
//! Chromium puts the dearest profile first. Only looks: the handshake itself is for `rtc-dtls`.
//!
//! The message comes whole from `dtls_inbox.rs`; it is from anybody, so every length in it is checked.

use super::srtp::SrtpProfile;

/// The `use_srtp` extension.
const USE_SRTP: u16 = 14;
/// Version and random in front of the session id.
const FIXED_BYTES: usize = 34;

/// Ours, best first.
const PREFERENCE: [SrtpProfile; 2] = [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];

/// The best profile that a ClientHello body offers; `None` when it offers none of ours or is malformed.
pub(super) fn best_srtp_profile(body: &[u8]) -> Option<SrtpProfile> {
    let offered = offered_srtp_profiles(body)?;
    PREFERENCE.into_iter().find(|profile| offered.chunks_exact(2).any(|pair| pair == profile.wire().to_be_bytes()))
}

/// The offered profiles as they are in the message: two bytes each.
fn offered_srtp_profiles(body: &[u8]) -> Option<&[u8]> {
    let mut hello = Reader(body);
    hello.take(FIXED_BYTES)?;
    let _session_id = hello.vector8()?;
    let _cookie = hello.vector8()?;
    let _cipher_suites = hello.vector16()?;
    let _compression_methods = hello.vector8()?;
    let mut extensions = Reader(hello.vector16()?);
    loop {
        let kind = extensions.number16()?;
        let content = extensions.vector16()?;
        if kind == USE_SRTP {
            return Reader(content).vector16();
        }
    }
}

/// Takes TLS's length-prefixed vectors off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let len = self.take(1)?[0];
        self.take(usize::from(len))
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let len = self.number16()?;
        self.take(usize::from(len))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend([7; 32]);
        body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        let mut block = Vec::new();
        for (kind, content) in extensions {
            block.extend(kind.to_be_bytes());
            block.extend((content.len() as u16).to_be_bytes());
            block.extend(*content);
        }
        body.extend((block.len() as u16).to_be_bytes());
        body.extend(block);
        body
    }

    #[test]
    fn gcm_is_chosen_wherever_it_stands_in_the_offer() {
        // As Chromium offers: SHA1-80, GCM-256, GCM-128.
        let chromium = hello(&[(10, &[0, 2, 0, 29]), (USE_SRTP, &[0, 6, 0, 1, 0, 8, 0, 7, 0]), (23, &[])]);
        assert_eq!(best_srtp_profile(&chromium), Some(SrtpProfile::AeadAes128Gcm));
    }

    #[test]
    fn sha1_80_is_chosen_when_gcm_is_not_offered() {
        assert_eq!(best_srtp_profile(&hello(&[(USE_SRTP, &[0, 4, 0, 2, 0, 1, 0])])), Some(SrtpProfile::Aes128CmSha1_80));
    }

    #[test]
    fn an_offer_without_a_profile_of_ours_has_none() {
        for extensions in [&[(USE_SRTP, &[0u8, 4, 0, 2, 0, 8, 0][..])][..], &[(USE_SRTP, &[][..])], &[(23, &[][..])], &[]] {
            assert_eq!(best_srtp_profile(&hello(extensions)), None);
        }
    }

    #[test]
    fn a_message_cut_anywhere_has_no_profile() {
        let whole = hello(&[(10, &[0, 2, 0, 29]), (USE_SRTP, &[0, 2, 0, 7, 0])]);
        for end in 0..whole.len() {
            assert_eq!(best_srtp_profile(&whole[..end]), None, "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = best_srtp_profile(&body);
        }
    }
}
