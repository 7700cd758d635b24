//! The settings of handshakes: TLS 1.2 and 1.3 with ring's suites, sessions resumed by tickets, no early data (a replayed request
//! would be served twice), and the protocols that lie above by their ALPN names.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ResolvesServerCert;
use rustls_acme::acme::ACME_TLS_ALPN_NAME;

use super::challenges::Challenges;
use super::served::Served;

/// In order of preference: TURN and STUN (RFC 7443), HTTP/2, HTTP/1.1. TURN's come first because no page is asked for with them, while
/// coturn's client offers `http/1.1` beside them. Who names none of them, like a browser that uses TURN, gets none; who names only others
/// is refused.
const PROTOCOLS: [&[u8]; 4] = [b"stun.turn", b"stun.nat-discovery", b"h2", b"http/1.1"];

/// The one cryptography, for servers and for the ACME client.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Settings that serve whatever certificate `served` holds at the time.
pub(super) fn server_config(served: Arc<Served>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = with_certificate_of(served)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// Settings that prove to an authority that this server answers for a name (RFC 8737 §3).
pub(super) fn challenge_config(challenges: Arc<Challenges>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = with_certificate_of(challenges)?;
    config.alpn_protocols = vec![ACME_TLS_ALPN_NAME.to_vec()];
    Ok(Arc::new(config))
}

fn with_certificate_of(resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
}
