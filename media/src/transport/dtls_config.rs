//! What a DTLS handshake of ours asks for: DTLS 1.2, ECDHE with an AEAD suite, extended master secret, an SRTP profile, and a certificate
//! with the fingerprint of the signalling. The server's is made once the ClientHello is there, to choose the profile by its offer.

use std::sync::Arc;
use std::time::Duration;

use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig, VerifyPeerCertificateFn};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::error::Error;

use super::certificate::{Certificate, Fingerprint};
use super::client_hello;
use super::dtls::DtlsError;
use super::dtls_inbox::Message;
use super::srtp::SrtpProfile;

/// Handshake messages are cut to fit into a datagram of this size with their headers.
const MTU_BYTES: usize = 1_100;
/// The handshake type of a ClientHello.
const CLIENT_HELLO: u8 = 1;
/// The library's own repetition is put out of the way: see `dtls_flight.rs`.
const NEVER: Duration = Duration::from_secs(24 * 3_600);

/// The configuration of a server for the client that sent this first message.
pub(super) fn answering(first: &Message, certificate: &Certificate, remote: Fingerprint) -> Result<HandshakeConfig, DtlsError> {
    let offered = (first.kind == CLIENT_HELLO).then(|| client_hello::best_srtp_profile(&first.body)).flatten();
    let profile = offered.ok_or(DtlsError::NoSrtpProfile)?;
    let builder = builder(certificate, remote, &[profile]).with_client_auth(ClientAuthType::RequireAnyClientCert);
    builder.build(false, None).map_err(|error| DtlsError::from_library(&error))
}

/// What both roles ask for.
pub(super) fn builder(certificate: &Certificate, remote: Fingerprint, profiles: &[SrtpProfile]) -> ConfigBuilder {
    let provider = Arc::clone(&certificate.provider);
    let verify: VerifyPeerCertificateFn = Arc::new(move |chain, _| {
        let is_right = remote.matches(chain, provider.as_ref());
        if is_right { Ok(()) } else { Err(Error::ErrNoMatchingCertificateFingerprint) }
    });
    ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&certificate.provider))
        .with_certificates(vec![certificate.certificate.clone()])
        .with_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        ])
        .with_srtp_protection_profiles(profiles.iter().map(|profile| SrtpProtectionProfile::from(profile.wire())).collect())
        // The library does not compare the client's Finished; the extended master secret binds the keys to the whole handshake instead.
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        // There is no certificate authority to ask: the fingerprint is the authentication.
        .with_insecure_skip_verify(true)
        .with_verify_peer_certificate(Some(verify))
        .with_flight_interval(NEVER)
        .with_mtu(MTU_BYTES)
}
