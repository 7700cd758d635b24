//! What each worker's TURN engine is told at start: its share of the relay ports, where relays are, and what no peer may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::Media;
use crate::config::TurnSettings;
use crate::error::StartError;
use crate::net::{Command, Owners, TurnListener};
use crate::turn::{OwnAddresses, RelayAddress, RelayConfig, Turn, TurnConfig};

/// The TURN server of all workers, its ports opened.
pub(super) struct Relaying {
    pub(super) port: u16,
    pub(super) owners: Arc<Owners>,
    /// Worker by worker.
    pub(super) engines: Vec<(TurnListener, TurnConfig)>,
}

/// What relays rest on.
pub(super) struct Grounds<'a> {
    /// The addresses of all interfaces, whether told or not.
    pub(super) own: Vec<IpAddr>,
    /// What is told, best first.
    pub(super) addresses: &'a [IpAddr],
    pub(super) buffer_bytes: usize,
}

/// Opens the TURN port for each worker. `media` are their media addresses as they are told, `media_ports` the ports that they have.
pub(super) fn start(
    settings: &TurnSettings,
    grounds: &Grounds<'_>,
    media: &[Vec<SocketAddr>],
    media_ports: &[u16],
) -> Result<Relaying, StartError> {
    let mut listeners = Vec::new();
    let mut port = settings.udp_port;
    for _ in media {
        let failed = |source| StartError::TurnPort { port, source };
        let listener = TurnListener::bind(port, grounds.buffer_bytes).map_err(failed)?;
        port = listener.port().map_err(failed)?;
        listeners.push(listener);
    }
    let Grounds { own: interfaces, addresses, .. } = grounds;
    let all_ports = settings.common.relay.all_ports.clone();
    let shares = shares(&all_ports, media.len());
    let relay = |is_of_family: fn(&&IpAddr) -> bool, any: IpAddr| {
        let advertised = *addresses.iter().find(is_of_family)?;
        // Behind a 1:1 NAT no interface has the address that is told.
        let bind = if interfaces.contains(&advertised) { advertised } else { any };
        Some(RelayAddress { bind, advertised })
    };
    let v4 = relay(|ip| ip.is_ipv4(), Ipv4Addr::UNSPECIFIED.into());
    let v6 = relay(|ip| ip.is_ipv6(), Ipv6Addr::UNSPECIFIED.into());
    let own = OwnAddresses {
        ips: interfaces.iter().chain(*addresses).copied().collect(),
        ports: media_ports.iter().chain(&settings.own_tcp_ports).copied().chain([port]).filter(|port| *port != 0).collect(),
        sfu: media.iter().flatten().copied().collect(),
    };
    let owners = Owners {
        relay_ips: [v4, v6].into_iter().flatten().map(|relay| relay.advertised).collect(),
        relay_ports: shares.clone(),
        media: media.to_vec(),
    };
    let engine = |(listener, ports): (TurnListener, RangeInclusive<u16>)| {
        // The next allocation of a client comes from another port, and so perhaps to another worker.
        let has_reservations = media.len() == 1;
        let relay = RelayConfig { v4, v6, ports, all_ports: all_ports.clone(), has_reservations };
        let config = TurnConfig { relay, own: own.clone(), ..settings.common.clone() };
        // Made once to see that it can be.
        Turn::new(config.clone(), std::time::Instant::now(), std::time::Duration::ZERO, 0)
            .map_err(|error| StartError::Turn(error.to_string()))?;
        Ok((listener, config))
    };
    let engines = listeners.into_iter().zip(shares).map(engine).collect::<Result<_, _>>()?;
    Ok(Relaying { port, owners: Arc::new(owners), engines })
}

impl Media {
    /// Gives the TURN server new settings: credentials, limits and rules; ports and addresses stay those of the start. Allocations stay,
    /// but for permissions and channels whose peers are now refused. An error changes nothing.
    pub fn reload_turn(&self, common: &TurnConfig) -> Result<(), StartError> {
        common.check().map_err(|error| StartError::Turn(error.to_string()))?;
        for worker in &self.0.workers {
            // Taken even by a full mailbox; a worker that is gone has nothing to change.
            let _ = worker.mailbox.send(Command::ReloadTurn(Box::new(common.clone())));
        }
        Ok(())
    }
}

/// A range cut into so many, one behind the other.
fn shares(all: &RangeInclusive<u16>, count: usize) -> Vec<RangeInclusive<u16>> {
    let (first, len) = (u32::from(*all.start()), all.len() as u32);
    let cut = |index: usize| first + len * index as u32 / count as u32;
    (0..count).map(|index| cut(index) as u16..=(cut(index + 1) - 1) as u16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_has_ports_of_its_own_and_together_they_have_all() {
        assert_eq!(shares(&(100..=109), 3), [100..=102, 103..=105, 106..=109]);
        assert_eq!(shares(&(49_152..=65_535), 1), [49_152..=65_535]);
        let many = shares(&(52_000..=65_535), 64);
        assert!(many.windows(2).all(|pair| *pair[0].end() + 1 == *pair[1].start()));
        assert_eq!((*many[0].start(), *many[63].end()), (52_000, 65_535));
    }
}
