//! What makes a configuration unusable. Everything that clients do wrong is answered or counted, and is no error.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use thiserror::Error;

use super::config::{MAX_REALM_BYTES, MAX_SHARED_SECRETS, RelayAddress, TurnConfig};

/// The shortest lifetime that makes sense for a nonce or an allocation, in seconds. Below it clients would do nothing but refresh.
const MIN_LIFETIME_S: u64 = 10;
/// The longest, in seconds: what is forgotten after a day is not worth a place in memory.
const MAX_LIFETIME_S: u64 = 86_400;

/// Why a TURN engine does not take a configuration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TurnError {
    /// The realm is empty, too long, or has characters that a quoted string may not have.
    #[error("the realm needs 1 to {MAX_REALM_BYTES} printable ASCII characters without quotes and backslashes")]
    BadRealm,
    /// The range of ports is empty, begins with 0, or reaches beyond that of all engines.
    #[error("the relay ports {}-{} are no range of the process", .0.start(), .0.end())]
    BadPorts(RangeInclusive<u16>),
    /// A relay port is one that the server listens on.
    #[error("port {0} is one of the server's own and lies within the relay ports")]
    PortTaken(u16),
    /// An address of relays has the wrong family, or nobody could send to it.
    #[error("{0} cannot be an address of relays of its family")]
    BadRelayAddress(IpAddr),
    /// More secrets than are tried.
    #[error("at most {MAX_SHARED_SECRETS} shared secrets can be live")]
    TooManySecrets,
    /// A secret or a user's name is empty.
    #[error("a shared secret, or the name of a TURN user, is empty")]
    EmptySecret,
    /// A lifetime is too short or too long, or the default one is above the longest.
    #[error("lifetimes need {MIN_LIFETIME_S} to {MAX_LIFETIME_S} s, and the default must not be above the maximum")]
    BadLifetime,
    /// The crate is built without cryptography.
    #[error("no cryptography is built in")]
    NoCryptography,
}

impl TurnConfig {
    /// Checks what the types do not. Whatever passes makes an engine.
    pub fn check(&self) -> Result<(), TurnError> {
        check(self)
    }
}

fn check(config: &TurnConfig) -> Result<(), TurnError> {
    let is_printable = config.realm.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\');
    if config.realm.is_empty() || config.realm.len() > MAX_REALM_BYTES || !is_printable {
        return Err(TurnError::BadRealm);
    }
    let ports = &config.relay.ports;
    let all = &config.relay.all_ports;
    if ports.is_empty() || *ports.start() == 0 || !all.contains(ports.start()) || !all.contains(ports.end()) {
        return Err(TurnError::BadPorts(ports.clone()));
    }
    let sfu_ports = config.own.sfu.iter().map(|address| address.port());
    if let Some(port) = config.own.ports.iter().copied().chain(sfu_ports).find(|port| all.contains(port)) {
        return Err(TurnError::PortTaken(port));
    }
    check_relay(config.relay.v4.as_ref(), IpAddr::is_ipv4)?;
    check_relay(config.relay.v6.as_ref(), IpAddr::is_ipv6)?;
    if config.auth.shared_secrets.len() > MAX_SHARED_SECRETS {
        return Err(TurnError::TooManySecrets);
    }
    let is_empty = config.auth.shared_secrets.iter().any(|secret| secret.reveal().is_empty());
    if is_empty || config.auth.users.iter().any(|user| user.name.is_empty() || user.password.reveal().is_empty()) {
        return Err(TurnError::EmptySecret);
    }
    let limits = &config.limits;
    let shortest = config.auth.nonce_lifetime.min(limits.default_lifetime).as_secs();
    let longest = config.auth.nonce_lifetime.max(limits.max_lifetime).as_secs();
    if shortest < MIN_LIFETIME_S || longest > MAX_LIFETIME_S || limits.default_lifetime > limits.max_lifetime {
        return Err(TurnError::BadLifetime);
    }
    Ok(())
}

fn check_relay(relay: Option<&RelayAddress>, is_of_family: fn(&IpAddr) -> bool) -> Result<(), TurnError> {
    let Some(relay) = relay else { return Ok(()) };
    // Sockets may be bound to any address; clients have to be told one.
    let is_wrong = |ip: &IpAddr| !is_of_family(ip) || ip.is_multicast();
    match [relay.bind, relay.advertised].into_iter().find(is_wrong) {
        Some(ip) => Err(TurnError::BadRelayAddress(ip)),
        None if relay.advertised.is_unspecified() => Err(TurnError::BadRelayAddress(relay.advertised)),
        None => Ok(()),
    }
}
