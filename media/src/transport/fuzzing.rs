//! What the fuzz targets feed with bytes of anybody: STUN, the DTLS handshake and SRTP. Each function holds its own claims; none may panic.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rtc_crypto::SecretVec;

use super::dtls::DtlsServer;
use super::ice::{BindingOutcome, IceLite, IcePlace};
use super::srtp::{DtlsRole, InboundIndex, KeyingMaterial, SrtpProfile, from_keying_material};
use super::{Certificate, DtlsError, client_hello, username_local_part};

/// One certificate for all runs: making one costs more than a run.
fn certificate() -> Arc<Certificate> {
    static CERTIFICATE: OnceLock<Arc<Certificate>> = OnceLock::new();
    let certificate =
        CERTIFICATE.get_or_init(|| Arc::new(Certificate::with_default_provider().expect("the crate has a provider")));
    Arc::clone(certificate)
}

/// A STUN datagram: nobody who does not know the password is answered with success.
pub(crate) fn stun(now: Instant, datagram: &[u8]) {
    let mut ice = IceLite::new(Arc::clone(certificate().provider()), IcePlace::default(), "them".to_owned())
        .expect("the provider has random numbers");
    let _ = username_local_part(datagram);
    let outcome = ice.handle_binding(now, datagram, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
    assert!(!matches!(outcome, BindingOutcome::Respond { .. }));
    assert!(ice.consent_deadline().is_none());
}

/// The body of a ClientHello.
pub(crate) fn client_hello(body: &[u8]) {
    let _ = client_hello::best_srtp_profile(body);
}

/// Datagrams for the server's side of a handshake, each behind its length in two bytes: none gives keys, and the library's parsers do
/// not panic on any.
pub(crate) fn dtls(mut now: Instant, input: &[u8]) {
    let certificate = certificate();
    let mut server = DtlsServer::new(Arc::clone(&certificate), certificate.fingerprint());
    let mut rest = input;
    while let Some((&len, after)) = rest.split_first_chunk() {
        let (datagram, after) = after.split_at(usize::from(u16::from_be_bytes(len)).min(after.len()));
        rest = after;
        now += Duration::from_millis(300);
        let outcome = server.handle_datagram(now, datagram);
        assert!(!matches!(outcome, Ok(Some(_)) | Err(DtlsError::Crashed)));
        let _ = server.handle_timeout(now);
        while server.poll_transmit().is_some() {}
    }
}

/// An SRTP and an SRTCP packet: neither authenticates. The first byte says how long the header is taken to be.
pub(crate) fn srtp(input: &[u8]) {
    let Some((&header_len, packet)) = input.split_first() else { return };
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80] {
        let material = KeyingMaterial { profile, bytes: SecretVec::new(vec![7; profile.keying_material_bytes()]) };
        let crypto = certificate();
        let (_, mut opener) =
            from_keying_material(&material, DtlsRole::Server, crypto.provider().crypto()).expect("the material has its length");
        let mut state = InboundIndex::default();
        assert!(opener.open_rtp(&mut packet.to_vec(), usize::from(header_len), &mut state).is_err());
        assert!(opener.open_rtcp(&mut packet.to_vec()).is_err());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Datagrams that look like DTLS up to the handshake header, so that what is behind it is read.
    fn dtls_input() -> impl Strategy<Value = Vec<u8>> {
        let message = (any::<u8>(), 0u8..4, proptest::collection::vec(any::<u8>(), 0..100)).prop_map(|(kind, sequence, body)| {
            let len = body.len() as u8;
            let mut datagram = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, len + 12];
            datagram.extend([kind % 21, 0, 0, len, 0, sequence, 0, 0, 0, 0, 0, len]);
            datagram.extend(body);
            [&[0, datagram.len() as u8], &datagram[..]].concat()
        });
        proptest::collection::vec(message, 0..6).prop_map(|messages| messages.concat())
    }

    proptest! {
        #[test]
        fn the_claims_of_the_fuzz_targets_hold_for_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            stun(Instant::now(), &bytes);
            client_hello(&bytes);
            dtls(Instant::now(), &bytes);
            srtp(&bytes);
        }

        #[test]
        fn any_handshake_messages_give_no_keys_and_crash_nothing(input in dtls_input()) {
            dtls(Instant::now(), &input);
        }
    }
}
