//! The section `[tcp]` of `turn.toml`: media and TURN over TCP, for networks that let no UDP through.

use serde::Deserialize;
use webcall_media::turn::AdmissionLimits;

/// Connections that no machine this was measured on would carry.
const MAX_CONNECTIONS: usize = 100_000;

/// How media and TURN are reached over TCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpConfig {
    /// Which port takes them.
    pub port: TcpPort,
    /// The port told to browsers instead, for a port mapping.
    pub advertised_port: Option<u16>,
    /// How many connections.
    pub limits: AdmissionLimits,
}

/// Which TCP port takes media and TURN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpPort {
    /// None.
    Off,
    /// That of the pages.
    Shared,
    /// One of its own.
    Own(u16),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TcpSection {
    enabled: bool,
    port: u16,
    advertised_port: u16,
    max_connections: usize,
    max_connections_per_ip: u32,
}

impl Default for TcpSection {
    fn default() -> Self {
        let limits = AdmissionLimits::default();
        Self {
            enabled: true,
            port: 0,
            advertised_port: 0,
            max_connections: limits.max_connections,
            max_connections_per_ip: limits.max_connections_per_ip,
        }
    }
}

impl TcpSection {
    pub(super) fn settings(&self) -> Result<TcpConfig, String> {
        if !(1..=MAX_CONNECTIONS).contains(&self.max_connections) {
            return Err(format!("tcp.max_connections must be from 1 to {MAX_CONNECTIONS}, not {}", self.max_connections));
        }
        if self.max_connections_per_ip == 0 {
            return Err("tcp.max_connections_per_ip must be 1 at least".to_owned());
        }
        let port = match (self.enabled, self.port) {
            (false, _) => TcpPort::Off,
            (true, 0) => TcpPort::Shared,
            (true, port) => TcpPort::Own(port),
        };
        let limits = AdmissionLimits {
            max_connections: self.max_connections,
            max_connections_per_ip: self.max_connections_per_ip,
            ..AdmissionLimits::default()
        };
        Ok(TcpConfig { port, advertised_port: (self.advertised_port != 0).then_some(self.advertised_port), limits })
    }
}
