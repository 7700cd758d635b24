//! What the fuzz targets feed with bytes of anybody: STUN, the DTLS handshake and SRTP. Each function holds its own claims; none may panic.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rtc_crypto::SecretVec;

use super::dtls::DtlsServer;
use super::ice::{BindingOutcome, IceLite};
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
pub(crate) fn stun(datagram: &[u8]) {
    let mut ice = IceLite::new(Arc::clone(certificate().provider()), "them".to_owned()).expect("the provider has random numbers");
    let _ = username_local_part(datagram);
    let outcome = ice.handle_binding(Instant::now(), datagram, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
    assert!(!matches!(outcome, BindingOutcome::Respond { .. }));
    assert!(ice.consent_deadline().is_none());
}

/// The body of a ClientHello.
pub(crate) fn client_hello(body: &[u8]) {
    let _ = client_hello::best_srtp_profile(body);
}

/// Datagrams for the server's side of a handshake, each behind its length in one byte: none gives keys, and the library's parsers do
/// not panic on any.
pub(crate) fn dtls(input: &[u8]) {
    let certificate = certificate();
    let mut server = DtlsServer::new(Arc::clone(&certificate), certificate.fingerprint());
    let mut now = Instant::now();
    let mut rest = input;
    while let Some((&len, after)) = rest.split_first() {
        let (datagram, after) = after.split_at(usize::from(len).min(after.len()));
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
