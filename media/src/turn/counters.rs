//! Figures of one engine, plain numbers that its thread alone writes and reads; the host copies them to where they are read. There is no
//! label with a user or an address in it.

use super::link::Transport;
use super::pace::Direction;
use super::peers::DeniedRange;
use super::wire::{Code, Family};
use crate::counters::CounterRow;

/// How a packet crossed the engine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PacketPath {
    /// ChannelData and a relay's socket.
    Channel,
    /// Send or Data indication and a relay's socket.
    Indication,
    /// To or from the SFU of this process.
    Shortcut,
}

/// Why a packet was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DropReason {
    /// Neither STUN nor ChannelData, or not as it should be.
    Malformed,
    /// A response, an unknown method: nothing that a server is sent.
    NotForServers,
    /// From an address that no client can have: port 0, multicast, our own.
    BadSource,
    /// From a client without allocation, or on a relay that is gone.
    NoAllocation,
    /// On a channel that is not bound.
    NoChannel,
    /// To or from a peer without permission.
    NoPermission,
    /// To or from a peer that is refused.
    Denied,
    /// More than the bandwidth that is allowed.
    Rate,
    /// It fits into no message.
    Unsendable,
    /// An answer to a stranger who had enough of them.
    StrangerRate,
    /// An answer to a stranger that would have been more than twice what came.
    Reflection,
}

/// How a request was authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuthResult {
    /// It was.
    Accepted,
    /// It did not say who it is: the usual first request.
    Challenged,
    /// Wrong user or password.
    Refused,
    /// Its nonce has ended.
    StaleNonce,
    /// It said some things and not others.
    Malformed,
}

const PATHS: [(PacketPath, &str); 3] =
    [(PacketPath::Channel, "channel"), (PacketPath::Indication, "indication"), (PacketPath::Shortcut, "shortcut")];
const DIRECTIONS: [(Direction, &str); 2] = [(Direction::Up, "up"), (Direction::Down, "down")];
const TRANSPORTS: [(Transport, &str); 3] = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")];
const FAMILIES: [(Family, &str); 2] = [(Family::V4, "ipv4"), (Family::V6, "ipv6")];
const DROPS: [(DropReason, &str); 11] = [
    (DropReason::Malformed, "malformed"),
    (DropReason::NotForServers, "not_for_servers"),
    (DropReason::BadSource, "bad_source"),
    (DropReason::NoAllocation, "no_allocation"),
    (DropReason::NoChannel, "no_channel"),
    (DropReason::NoPermission, "no_permission"),
    (DropReason::Denied, "denied"),
    (DropReason::Rate, "rate"),
    (DropReason::Unsendable, "unsendable"),
    (DropReason::StrangerRate, "stranger_rate"),
    (DropReason::Reflection, "reflection"),
];
const AUTHS: [(AuthResult, &str); 5] = [
    (AuthResult::Accepted, "accepted"),
    (AuthResult::Challenged, "challenged"),
    (AuthResult::Refused, "refused"),
    (AuthResult::StaleNonce, "stale_nonce"),
    (AuthResult::Malformed, "malformed"),
];
const RANGES: [(DeniedRange, &str); 13] = [
    (DeniedRange::Unspecified, "unspecified"),
    (DeniedRange::Loopback, "loopback"),
    (DeniedRange::Private, "private"),
    (DeniedRange::Shared, "shared"),
    (DeniedRange::LinkLocal, "link_local"),
    (DeniedRange::Multicast, "multicast"),
    (DeniedRange::Documentation, "documentation"),
    (DeniedRange::Reserved, "reserved"),
    (DeniedRange::Embedded, "embedded_ipv4"),
    (DeniedRange::Own, "own"),
    (DeniedRange::LowPort, "low_port"),
    (DeniedRange::Rule, "rule"),
    (DeniedRange::Scope, "scope"),
];
const CODES: [(Code, &str); 13] = [
    (Code::BadRequest, "400"),
    (Code::Unauthorized, "401"),
    (Code::Forbidden, "403"),
    (Code::MobilityForbidden, "405"),
    (Code::UnknownAttribute, "420"),
    (Code::AllocationMismatch, "437"),
    (Code::StaleNonce, "438"),
    (Code::UnsupportedFamily, "440"),
    (Code::WrongCredentials, "441"),
    (Code::UnsupportedTransport, "442"),
    (Code::FamilyMismatch, "443"),
    (Code::QuotaReached, "486"),
    (Code::InsufficientCapacity, "508"),
];

/// The figures.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct TurnCounters {
    packets: [[u64; PATHS.len()]; 2],
    bytes: [u64; 2],
    self_relay: u64,
    dropped: [u64; DROPS.len()],
    denied: [u64; RANGES.len()],
    auth: [u64; AUTHS.len()],
    errors: [u64; CODES.len()],
    bindings: u64,
    allocated: u64,
    ended: u64,
    revoked: u64,
    allocations: [[u64; FAMILIES.len()]; TRANSPORTS.len()],
    ports_in_use: u64,
}

impl TurnCounters {
    /// Packets relayed.
    pub fn packets(&self, direction: Direction, path: PacketPath) -> u64 {
        self.packets[direction as usize][path as usize]
    }

    /// Payload bytes relayed.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.bytes[direction as usize]
    }

    /// Packets dropped.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Peers refused, by why.
    pub fn denied(&self, range: DeniedRange) -> u64 {
        self.denied[range as usize]
    }

    /// Requests authenticated, or not.
    pub fn auth(&self, result: AuthResult) -> u64 {
        self.auth[result as usize]
    }

    /// Requests refused.
    pub fn errors(&self, code: Code) -> u64 {
        self.errors[code as usize]
    }

    /// Packets that went to a relay of this server.
    pub fn self_relay(&self) -> u64 {
        self.self_relay
    }

    /// Relayed addresses now.
    pub fn relays(&self) -> u64 {
        self.allocations.iter().flatten().sum()
    }

    /// Ports in use now.
    pub fn ports_in_use(&self) -> u64 {
        self.ports_in_use
    }

    /// Permissions and channels that a reload took back.
    pub fn revoked(&self) -> u64 {
        self.revoked
    }

    pub(super) fn relayed(&mut self, direction: Direction, path: PacketPath, bytes: usize) {
        self.packets[direction as usize][path as usize] += 1;
        self.bytes[direction as usize] += bytes as u64;
    }

    pub(super) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(super) fn deny(&mut self, range: DeniedRange) {
        self.denied[range as usize] += 1;
    }

    pub(super) fn authenticated(&mut self, result: AuthResult) {
        self.auth[result as usize] += 1;
    }

    pub(super) fn error(&mut self, code: Code) {
        self.errors[code as usize] += 1;
    }

    pub(super) fn binding(&mut self) {
        self.bindings += 1;
    }

    pub(super) fn went_to_own_relay(&mut self) {
        self.self_relay += 1;
    }

    pub(super) fn revoke(&mut self, count: usize) {
        self.revoked += count as u64;
    }

    pub(super) fn leg_opened(&mut self, transport: Transport, family: Family) {
        self.allocations[transport as usize][family as usize] += 1;
    }

    pub(super) fn leg_closed(&mut self, transport: Transport, family: Family) {
        self.allocations[transport as usize][family as usize] -= 1;
    }

    pub(super) fn allocation_made(&mut self) {
        self.allocated += 1;
    }

    pub(super) fn allocation_ended(&mut self) {
        self.ended += 1;
    }

    pub(super) fn set_ports_in_use(&mut self, count: usize) {
        self.ports_in_use = count as u64;
    }

    /// Everything, as rows of the metrics page.
    pub fn rows(&self) -> Vec<CounterRow> {
        let mut rows = Vec::with_capacity(80);
        let mut add = |name, help, is_gauge, labels: &[(&'static str, &'static str)], value| {
            rows.push(CounterRow { name, help, is_gauge, labels: labels.to_vec(), value });
        };
        for (direction, way) in DIRECTIONS {
            for (path, label) in PATHS {
                let labels = [("direction", way), ("path", label)];
                add("turn_packets", "Packets relayed.", false, &labels, self.packets(direction, path));
            }
            add("turn_bytes", "Payload bytes relayed.", false, &[("direction", way)], self.bytes(direction));
        }
        for (reason, label) in DROPS {
            add("turn_dropped", "Packets dropped, by reason.", false, &[("reason", label)], self.dropped(reason));
        }
        for (range, label) in RANGES {
            add("turn_peer_denied", "Peers refused, by range.", false, &[("range", label)], self.denied(range));
        }
        for (result, label) in AUTHS {
            add("turn_auth", "Requests authenticated, or not.", false, &[("result", label)], self.auth(result));
        }
        for (code, label) in CODES {
            add("turn_errors", "Requests refused, by code.", false, &[("code", label)], self.errors(code));
        }
        for (transport, by) in TRANSPORTS {
            for (family, label) in FAMILIES {
                let value = self.allocations[transport as usize][family as usize];
                add("turn_allocations", "Relayed addresses now.", true, &[("transport", by), ("family", label)], value);
            }
        }
        add("turn_bindings", "STUN Binding requests answered.", false, &[], self.bindings);
        add("turn_allocations_made", "Allocations made.", false, &[], self.allocated);
        add("turn_allocations_ended", "Allocations ended, for whatever reason.", false, &[], self.ended);
        add("turn_self_relay_packets", "Packets from a relay to a relay of this server.", false, &[], self.self_relay);
        add("turn_revoked", "Permissions and channels taken back by a reload.", false, &[], self.revoked);
        add("turn_ports_in_use", "Ports of relays in use now.", true, &[], self.ports_in_use);
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_figure_has_one_row_and_every_list_the_order_of_its_numbers() {
        let rows = TurnCounters::default().rows();
        let different: HashSet<_> = rows.iter().map(|row| (row.name, row.labels.clone())).collect();
        assert_eq!(different.len(), rows.len());
        assert!(DROPS.iter().enumerate().all(|(at, (reason, _))| *reason as usize == at));
        assert!(AUTHS.iter().enumerate().all(|(at, (result, _))| *result as usize == at));
        assert!(RANGES.iter().enumerate().all(|(at, (range, _))| *range as usize == at && DeniedRange::ALL[at] == *range));
        assert!(
            CODES.iter().enumerate().all(|(at, (code, label))| Code::ALL[at] == *code && code.number().to_string() == *label)
        );
        assert!(PATHS.iter().enumerate().all(|(at, (path, _))| *path as usize == at));
    }
}
