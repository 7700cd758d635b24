//! The section `[turn]` of `turn.toml`: the TURN server that the media threads run.

use std::time::Duration;

use serde::Deserialize;
use webcall_media::TurnSettings;
use webcall_media::turn::{
    AuthConfig, LimitsConfig, PeerRule, PeersConfig, RelayConfig, Secret, SelfRelay, StaticUser, TurnConfig, TurnError,
};

/// Allocations that no machine this was measured on would carry.
const MAX_ALLOCATIONS: usize = 100_000;

/// Permissions or channels of one allocation: each is looked through at a reload, and kept in memory.
const MAX_PER_ALLOCATION: usize = 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TurnSection {
    enabled: bool,
    udp_port: u16,
    realm: String,
    relay_port_min: u16,
    relay_port_max: u16,
    max_allocations: usize,
    max_allocations_per_user: u32,
    max_allocations_per_ip: u32,
    max_permissions: usize,
    max_channels: usize,
    max_lifetime_s: u64,
    default_lifetime_s: u64,
    nonce_lifetime_s: u64,
    unauthenticated_per_second: u32,
    unauthenticated_burst: u32,
    bandwidth_per_allocation_bps: u64,
    bandwidth_per_user_bps: u64,
    bandwidth_per_ip_bps: u64,
    bandwidth_total_bps: u64,
    users: Vec<User>,
    peers_allow: Vec<String>,
    peers_deny: Vec<String>,
    allow_low_ports: Vec<u16>,
    allow_self_relay: bool,
}

/// An outside device with a password of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    password: String,
}

impl Default for TurnSection {
    fn default() -> Self {
        let limits = LimitsConfig::default();
        Self {
            enabled: true,
            udp_port: 3478,
            realm: TurnConfig::default().realm.into(),
            // Above the media ports, however many workers there are.
            relay_port_min: 52_000,
            relay_port_max: 65_535,
            max_allocations: limits.max_allocations,
            max_allocations_per_user: limits.max_allocations_per_user,
            max_allocations_per_ip: limits.max_allocations_per_ip,
            max_permissions: limits.max_permissions,
            max_channels: limits.max_channels,
            max_lifetime_s: limits.max_lifetime.as_secs(),
            default_lifetime_s: limits.default_lifetime.as_secs(),
            nonce_lifetime_s: AuthConfig::default().nonce_lifetime.as_secs(),
            unauthenticated_per_second: limits.unauthenticated_per_second,
            unauthenticated_burst: limits.unauthenticated_burst,
            bandwidth_per_allocation_bps: limits.bandwidth_per_allocation_bps,
            bandwidth_per_user_bps: limits.bandwidth_per_user_bps,
            bandwidth_per_ip_bps: limits.bandwidth_per_ip_bps,
            bandwidth_total_bps: limits.bandwidth_total_bps,
            users: Vec::new(),
            peers_allow: Vec::new(),
            peers_deny: Vec::new(),
            allow_low_ports: PeersConfig::default().allow_low_ports,
            allow_self_relay: true,
        }
    }
}

/// The key that makes a configuration unusable.
fn key_of(error: &TurnError) -> &'static str {
    match error {
        TurnError::BadRealm => "turn.realm",
        TurnError::EmptySecret => "turn.users",
        TurnError::BadLifetime => "turn.max_lifetime_s",
        _ => "turn.relay_port_min",
    }
}

impl TurnSection {
    /// The settings for so many workers, `None` when TURN is off. Totals are for the server: each worker gets its share.
    pub(super) fn settings(&self, workers: usize) -> Result<Option<TurnSettings>, String> {
        if !self.enabled {
            return Ok(None);
        }
        if self.relay_port_max < self.relay_port_min || usize::from(self.relay_port_max - self.relay_port_min) + 1 < workers {
            return Err("turn.relay_port_max must leave each worker a port from turn.relay_port_min on".to_owned());
        }
        if !(1..=MAX_ALLOCATIONS).contains(&self.max_allocations) {
            return Err(format!("turn.max_allocations must be from 1 to {MAX_ALLOCATIONS}, not {}", self.max_allocations));
        }
        for (key, value) in [("max_permissions", self.max_permissions), ("max_channels", self.max_channels)] {
            if !(1..=MAX_PER_ALLOCATION).contains(&value) {
                return Err(format!("turn.{key} must be from 1 to {MAX_PER_ALLOCATION}, not {value}"));
            }
        }
        let limits = LimitsConfig {
            max_allocations: self.max_allocations.div_ceil(workers),
            max_allocations_per_user: self.max_allocations_per_user,
            max_allocations_per_ip: self.max_allocations_per_ip,
            max_permissions: self.max_permissions,
            max_channels: self.max_channels,
            max_lifetime: Duration::from_secs(self.max_lifetime_s),
            default_lifetime: Duration::from_secs(self.default_lifetime_s),
            unauthenticated_per_second: self.unauthenticated_per_second,
            unauthenticated_burst: self.unauthenticated_burst,
            bandwidth_per_allocation_bps: self.bandwidth_per_allocation_bps,
            bandwidth_per_user_bps: self.bandwidth_per_user_bps,
            bandwidth_per_ip_bps: self.bandwidth_per_ip_bps,
            bandwidth_total_bps: self.bandwidth_total_bps.div_ceil(workers as u64),
        };
        let ports = self.relay_port_min..=self.relay_port_max;
        let relay = RelayConfig { ports: ports.clone(), all_ports: ports, ..RelayConfig::default() };
        let (realm, auth, peers) = (self.realm.as_str().into(), self.auth(), self.peers()?);
        let common = TurnConfig { realm, relay, limits, auth, peers, ..TurnConfig::default() };
        common.check().map_err(|error| format!("{}: {error}", key_of(&error)))?;
        Ok(Some(TurnSettings { udp_port: self.udp_port, common, own_tcp_ports: Vec::new() }))
    }

    fn auth(&self) -> AuthConfig {
        let user = |user: &User| StaticUser { name: user.name.as_str().into(), password: Secret::new(user.password.as_str()) };
        let nonce_lifetime = Duration::from_secs(self.nonce_lifetime_s);
        AuthConfig { users: self.users.iter().map(user).collect(), nonce_lifetime, ..AuthConfig::default() }
    }

    fn peers(&self) -> Result<PeersConfig, String> {
        let rules = |key: &str, texts: &[String]| -> Result<Vec<PeerRule>, String> {
            texts.iter().map(|text| text.parse().map_err(|error| format!("turn.{key}: `{text}`: {error}"))).collect()
        };
        Ok(PeersConfig {
            allow: rules("peers_allow", &self.peers_allow)?,
            deny: rules("peers_deny", &self.peers_deny)?,
            allow_low_ports: self.allow_low_ports.clone(),
            self_relay: if self.allow_self_relay { SelfRelay::Allowed } else { SelfRelay::Forbidden },
        })
    }
}
