//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;

use crate::turn::quota::network;

/// How many connections, and how long each phase of one may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdmissionLimits {
    /// Connections at a time. Each costs a file, and up to 80 kB when its client reads slowly.
    pub max_connections: usize,
    /// Connections from one address (IPv6: one /64) at a time.
    pub max_connections_per_ip: u32,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From there to the first whole message.
    pub first_message: Duration,
    /// From there to an allocation; also what is left after one has ended.
    pub allocation: Duration,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            max_connections: 5_000,
            max_connections_per_ip: 50,
            handshake: Duration::from_secs(5),
            first_message: Duration::from_secs(5),
            allocation: Duration::from_secs(10),
        }
    }
}

/// Why a connection is closed at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// There are as many as there may be.
    #[error("too many connections")]
    Full,
    /// There are as many from this address as there may be.
    #[error("too many connections from one address")]
    TooManyFromAddress,
}

/// The connections that are open.
#[derive(Default)]
pub struct Admission {
    total: usize,
    /// An entry lives as long as its connections.
    by_network: HashMap<IpAddr, u32>,
}

impl Admission {
    /// Counts a connection, before a byte of it is read.
    pub fn admit(&mut self, ip: IpAddr, limits: &AdmissionLimits) -> Result<(), Refused> {
        if self.total >= limits.max_connections {
            return Err(Refused::Full);
        }
        let network = network(ip);
        if self.by_network.get(&network).is_some_and(|count| *count >= limits.max_connections_per_ip) {
            return Err(Refused::TooManyFromAddress);
        }
        *self.by_network.entry(network).or_default() += 1;
        self.total += 1;
        Ok(())
    }

    /// Takes back what [`Self::admit`] counted, when the connection is closed, for whatever reason.
    pub fn release(&mut self, ip: IpAddr) {
        let network = network(ip);
        let Some(count) = self.by_network.get_mut(&network) else { return };
        *count -= 1;
        self.total -= 1;
        if *count == 0 {
            self.by_network.remove(&network);
        }
    }

    /// Connections now.
    pub fn connections(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Group 16 of the security tests.
    #[test]
    fn connections_are_bounded_in_all_and_for_each_address_and_their_end_makes_room() {
        let limits = AdmissionLimits { max_connections: 4, max_connections_per_ip: 2, ..AdmissionLimits::default() };
        let mut admission = Admission::default();
        admission.admit(ip("1.1.1.1"), &limits).unwrap();
        admission.admit(ip("::ffff:1.1.1.1"), &limits).unwrap();
        assert_eq!(admission.admit(ip("1.1.1.1"), &limits), Err(Refused::TooManyFromAddress));
        admission.admit(ip("2a00::1"), &limits).unwrap();
        admission.admit(ip("2a00::2"), &limits).unwrap();
        assert_eq!(admission.admit(ip("2.2.2.2"), &limits), Err(Refused::Full));
        admission.release(ip("2a00::2"));
        assert_eq!(admission.admit(ip("2a00::3"), &limits), Ok(()));
        for open in ["1.1.1.1", "1.1.1.1", "2a00::1", "2a00::3", "3.3.3.3"] {
            admission.release(ip(open));
        }
        assert_eq!((admission.connections(), admission.by_network.len()), (0, 0));
    }
}
