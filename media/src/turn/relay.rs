//! The data path (RFC 8656 §11 and §12): from a client to its peer, from a peer to its client, and the short-cut to the SFU.
//!
//! A packet costs a first byte, a hash of the 5-tuple, a place in a slab, a search in a small sorted array and comparisons of time; it is
//! copied once, into the batch. Nothing is allocated, locked or logged. What has ended is as good as gone, whether it was swept or not.

use std::net::SocketAddr;
use std::time::Instant;

use super::Turn;
use super::allocation::Allocation;
use super::auth::Scope;
use super::batch::{Batch, To};
use super::channels::Route;
use super::codec::TransactionId;
use super::config::LimitsConfig;
use super::counters::{DropReason, PacketPath};
use super::link::Link;
use super::pace::{Bandwidth, Direction, Meter};
use super::peers::{DeniedRange, Verdict};
use super::table::{AllocationKey, RelayId};
use super::wire::{
    ChannelNumber, DATA_INDICATION_BYTES, Family, Message, channel_header, data_indication_head, read_channel_data,
    send_indication,
};

const PADDING: [u8; 4] = [0; 4];

/// Where a client's payload goes, and how it came.
#[derive(Clone, Copy)]
struct Upward {
    key: AllocationKey,
    peer: SocketAddr,
    route: Route,
    path: PacketPath,
}

impl Turn {
    /// Takes one datagram that came in on a relay's socket.
    pub fn handle_peer(&mut self, now: Instant, relay: RelayId, from: SocketAddr, payload: &[u8], out: &mut Batch) {
        // Without what the system adds to an IPv6 address.
        let from = SocketAddr::new(from.ip(), from.port());
        if let Err(reason) = self.relay_down(now, relay, (from, Route::Socket), payload, out) {
            self.counters.drop(reason);
        }
    }

    /// Takes one datagram that the SFU sends from its media address `from` to `to`; false when `to` is no relayed address of this engine
    /// and the datagram has to take the way through the network.
    pub fn from_sfu(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, payload: &[u8], out: &mut Batch) -> bool {
        let Some(relay) = self.table.of_relayed(to) else { return false };
        if let Err(reason) = self.relay_down(now, relay, (from, Route::Sfu), payload, out) {
            self.counters.drop(reason);
        }
        true
    }

    /// Whether this is a relayed address of this engine.
    pub fn is_relayed(&self, address: SocketAddr) -> bool {
        self.table.of_relayed(address).is_some()
    }

    /// How a peer is reached by whoever has this scope, or why not.
    pub(super) fn route(&self, scope: Scope, peer: SocketAddr) -> Result<Route, DeniedRange> {
        match (self.filter.judge(peer), scope) {
            (Verdict::Sfu, _) => Ok(Route::Sfu),
            (Verdict::Denied(range), _) => Err(range),
            (Verdict::Open | Verdict::SelfRelay, Scope::Any) => Ok(Route::Socket),
            (Verdict::Open | Verdict::SelfRelay, Scope::Sfu) => Err(DeniedRange::Scope),
        }
    }

    pub(super) fn relay_channel_data(&mut self, now: Instant, link: &Link, message: &[u8], out: &mut Batch) {
        let relayed = read_channel_data(message).ok_or(DropReason::Malformed).and_then(|(number, payload)| {
            let key = self.table.of_link(link).ok_or(DropReason::NoAllocation)?;
            let allocation = self.table.get(key).ok_or(DropReason::NoAllocation)?;
            let channel = *allocation.channels.of_number(now, number).ok_or(DropReason::NoChannel)?;
            let way = Upward { key, peer: channel.peer, route: channel.route, path: PacketPath::Channel };
            self.relay_up(now, way, payload, out)
        });
        if let Err(reason) = relayed {
            self.counters.drop(reason);
        }
    }

    pub(super) fn relay_send_indication(&mut self, now: Instant, link: &Link, message: &Message<'_>, out: &mut Batch) {
        if let Err(reason) = self.try_send_indication(now, link, message, out) {
            self.counters.drop(reason);
        }
    }

    fn try_send_indication(
        &mut self,
        now: Instant,
        link: &Link,
        message: &Message<'_>,
        out: &mut Batch,
    ) -> Result<(), DropReason> {
        let (peer, payload) = send_indication(message).ok_or(DropReason::Malformed)?;
        let key = self.table.of_link(link).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get(key).ok_or(DropReason::NoAllocation)?;
        let route = self.route(allocation.scope, peer).ok().filter(|_| peer.port() != 0).ok_or(DropReason::Denied)?;
        if !allocation.permissions.is_live(now, peer.ip()) {
            return Err(DropReason::NoPermission);
        }
        self.relay_up(now, Upward { key, peer, route, path: PacketPath::Indication }, payload, out)
    }

    /// To a peer that was found allowed.
    fn relay_up(&mut self, now: Instant, way: Upward, payload: &[u8], out: &mut Batch) -> Result<(), DropReason> {
        let Upward { key, peer, route, path } = way;
        let family = Family::of(peer);
        let relay = self.table.relay(key, family).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get_mut(key).ok_or(DropReason::NoAllocation)?;
        let relayed = allocation.live_leg(now, family).ok_or(DropReason::NoAllocation)?.relayed;
        let [of_user, of_network] = self.quotas.meters(allocation.share);
        let meters = [Some(&mut allocation.meter), of_user, of_network, Some(&mut self.total)];
        spend(now, Direction::Up, payload.len(), &self.config.limits, meters)?;
        let (to, path) = match route {
            Route::Sfu => (To::Sfu { from: relayed, to: peer }, PacketPath::Shortcut),
            Route::Socket => (To::Peer { relay, remote: peer }, path),
        };
        out.push(to, [payload, &[], &[]]);
        self.counters.relayed(Direction::Up, path, payload.len());
        if route == Route::Socket && self.filter.is_own_relay(peer) {
            self.counters.went_to_own_relay();
        }
        Ok(())
    }

    fn relay_down(
        &mut self,
        now: Instant,
        relay: RelayId,
        (from, came): (SocketAddr, Route),
        payload: &[u8],
        out: &mut Batch,
    ) -> Result<(), DropReason> {
        let key = self.table.of_relay(relay).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get(key).ok_or(DropReason::NoAllocation)?;
        allocation.live_leg(now, relay.family()).ok_or(DropReason::NoAllocation)?;
        if !allocation.permissions.is_live(now, from.ip()) {
            return Err(DropReason::NoPermission);
        }
        let number = allocation.channels.of_peer(now, from);
        // The SFU sends within the process: with its address on a socket it is somebody else. What a channel is bound to was judged then.
        let expected = match number.and_then(|number| allocation.channels.of_number(now, number)) {
            Some(channel) => Some(channel.route),
            None => self.route(allocation.scope, from).ok(),
        };
        if expected != Some(came) || from.port() == 0 {
            return Err(DropReason::Denied);
        }
        let id = number.is_none().then(|| self.transaction());
        let allocation = self.table.get_mut(key).ok_or(DropReason::NoAllocation)?;
        let [of_user, of_network] = self.quotas.meters(allocation.share);
        let meters = [Some(&mut allocation.meter), of_user, of_network, Some(&mut self.total)];
        spend(now, Direction::Down, payload.len(), &self.config.limits, meters)?;
        match (number, id) {
            (Some(number), _) => deliver_on_channel(allocation, number, payload, out)?,
            (None, Some(id)) => deliver_as_indication(allocation, &id, from, payload, out)?,
            (None, None) => return Err(DropReason::Unsendable),
        }
        let path = match (came, number) {
            (Route::Sfu, _) => PacketPath::Shortcut,
            (Route::Socket, Some(_)) => PacketPath::Channel,
            (Route::Socket, None) => PacketPath::Indication,
        };
        self.counters.relayed(Direction::Down, path, payload.len());
        Ok(())
    }

    /// An indication is not answered, so its id need not be hard to guess.
    fn transaction(&mut self) -> TransactionId {
        let mut id = [0; 12];
        id.chunks_exact_mut(4).for_each(|part| part.copy_from_slice(&self.random.next_u32().to_be_bytes()));
        id
    }
}

fn deliver_on_channel(allocation: &Allocation, number: ChannelNumber, payload: &[u8], out: &mut Batch) -> Result<(), DropReason> {
    let header = channel_header(number, payload.len()).ok_or(DropReason::Unsendable)?;
    let padding = if allocation.link.is_padded() { padding(payload.len()) } else { &[] };
    out.push(allocation.link.to(), [&header, payload, padding]);
    Ok(())
}

fn deliver_as_indication(
    allocation: &Allocation,
    id: &TransactionId,
    from: SocketAddr,
    payload: &[u8],
    out: &mut Batch,
) -> Result<(), DropReason> {
    let mut head = [0; DATA_INDICATION_BYTES];
    let len = data_indication_head(&mut head, id, from, payload.len()).ok_or(DropReason::Unsendable)?;
    out.push(allocation.link.to(), [&head[..len], payload, padding(payload.len())]);
    Ok(())
}

fn padding(payload_bytes: usize) -> &'static [u8] {
    &PADDING[..payload_bytes.next_multiple_of(4) - payload_bytes]
}

/// Takes the bandwidth of a packet from its allocation, its user, its address and all together, or from none of them.
fn spend(
    now: Instant,
    direction: Direction,
    bytes: usize,
    limits: &LimitsConfig,
    meters: [Option<&mut Meter>; 4],
) -> Result<(), DropReason> {
    let LimitsConfig { bandwidth_per_allocation_bps, bandwidth_per_user_bps, bandwidth_per_ip_bps, bandwidth_total_bps, .. } =
        *limits;
    let bandwidths =
        [bandwidth_per_allocation_bps, bandwidth_per_user_bps, bandwidth_per_ip_bps, bandwidth_total_bps].map(Bandwidth);
    let is_admitted =
        |(meter, limit): (&Option<&mut Meter>, Bandwidth)| meter.as_ref().is_none_or(|m| m.admits(now, direction, limit));
    if !meters.iter().zip(bandwidths).all(is_admitted) {
        return Err(DropReason::Rate);
    }
    for (meter, limit) in meters.into_iter().zip(bandwidths) {
        if let Some(meter) = meter {
            meter.spend(now, direction, limit, bytes);
        }
    }
    Ok(())
}
