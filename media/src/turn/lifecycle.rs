//! How things end: by time, by the client, with its connection, by an administrator; and how a new configuration meets what lives.
//!
//! Every way goes through [`Turn::close_leg`] or `close`, which give back port, socket and quota.

use std::time::Instant;

use super::Turn;
use super::allocation::{Leg, LegSocket};
use super::auth::UserId;
use super::channels::Route;
use super::config::{RelayAddress, TurnConfig};
use super::error::TurnError;
use super::link::{Link, Transport};
use super::peers::PeerFilter;
use super::sockets::RelaySockets;
use super::table::{AllocationKey, RelayId};
use super::wire::Family;

impl Turn {
    /// When [`Turn::handle_timeout`] wants to be called; `None` while there is no allocation.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.table.next_end()
    }

    /// Ends what has ended by time.
    pub fn handle_timeout(&mut self, now: Instant, sockets: &mut dyn RelaySockets) {
        while let Some(key) = self.table.due(now) {
            let has_ended = |family: &Family| {
                self.table.get(key).and_then(|allocation| allocation.leg(*family)).is_some_and(|leg| leg.ends <= now)
            };
            let ended = Family::BOTH.map(|family| Some(family).filter(has_ended));
            if ended == [None, None] {
                // Cannot be: the table says that something has. Without this it would be asked for ever.
                self.close(now, key, sockets);
            }
            for family in ended.into_iter().flatten() {
                self.close_leg(now, key, family, sockets);
            }
        }
    }

    /// A client's connection is gone, and its allocation with it (RFC 8656 §7.2: 5-tuple).
    pub fn link_closed(&mut self, now: Instant, link: &Link, sockets: &mut dyn RelaySockets) {
        if let Some(key) = self.table.of_link(link) {
            self.close(now, key, sockets);
        }
    }

    /// Whether a client has an allocation.
    pub fn has_allocation(&self, now: Instant, link: &Link) -> bool {
        self.table.of_link(link).and_then(|key| self.table.get(key)).is_some_and(|allocation| allocation.is_live(now))
    }

    /// Ends all allocations that were made with time-limited credentials of this id; how many.
    pub fn close_issued(&mut self, now: Instant, id: &str, sockets: &mut dyn RelaySockets) -> usize {
        let user = UserId::Issued(id.into());
        let is_theirs = |key: &AllocationKey| self.table.get(*key).is_some_and(|allocation| allocation.user == user);
        let keys: Vec<_> = self.table.keys().into_iter().filter(is_theirs).collect();
        keys.iter().for_each(|key| self.close(now, *key, sockets));
        keys.len()
    }

    /// Ends everything.
    pub fn close_all(&mut self, now: Instant, sockets: &mut dyn RelaySockets) {
        self.table.keys().into_iter().for_each(|key| self.close(now, key, sockets));
    }

    /// Takes a new configuration. Allocations stay, also where there would be none now; permissions and channels whose peers are now
    /// refused are taken back. An error changes nothing.
    pub fn reload(&mut self, config: TurnConfig) -> Result<(), TurnError> {
        config.check()?;
        self.auth.reload(&config);
        self.filter = PeerFilter::new(&config);
        self.strangers.reload(&config.limits);
        for ports in &mut self.ports {
            ports.set_range(config.relay.ports.clone(), &config.own.ports);
        }
        self.config = config;
        self.apply_filter();
        Ok(())
    }

    fn apply_filter(&mut self) {
        for key in self.table.keys() {
            let Some(allocation) = self.table.get_mut(key) else { continue };
            let scope = allocation.scope;
            let (mut permissions, mut channels) =
                (std::mem::take(&mut allocation.permissions), std::mem::take(&mut allocation.channels));
            let mut revoked = permissions.keep(|ip| self.filter.may_reach(ip, scope));
            revoked += channels.keep(|channel| self.route(scope, channel.peer).is_ok());
            channels.reroute(|peer| self.route(scope, peer).unwrap_or(Route::Socket));
            self.counters.revoke(revoked);
            if let Some(allocation) = self.table.get_mut(key) {
                (allocation.permissions, allocation.channels) = (permissions, channels);
            }
        }
    }

    /// Ends an allocation.
    pub(super) fn close(&mut self, now: Instant, key: AllocationKey, sockets: &mut dyn RelaySockets) {
        let relays = Family::BOTH.map(|family| self.table.relay(key, family));
        let Some(allocation) = self.table.remove(key) else { return };
        for (family, relay) in Family::BOTH.into_iter().zip(relays) {
            if let Some((leg, relay)) = allocation.leg(family).zip(relay) {
                self.give_back(now, allocation.link.transport(), relay, leg, sockets);
            }
        }
        self.quotas.release(allocation.share);
        self.counters.allocation_ended();
        self.count_ports();
    }

    /// Ends one relayed address, and the allocation with its last.
    pub(super) fn close_leg(&mut self, now: Instant, key: AllocationKey, family: Family, sockets: &mut dyn RelaySockets) {
        let Some(relay) = self.table.relay(key, family) else { return };
        let Some(allocation) = self.table.get_mut(key) else { return };
        let Some(leg) = allocation.legs[family as usize] else { return };
        if allocation.legs.iter().flatten().count() == 1 {
            return self.close(now, key, sockets);
        }
        let is_other = |is_ipv4: bool| is_ipv4 != (family == Family::V4);
        allocation.permissions.keep(|ip| is_other(ip.is_ipv4()));
        allocation.channels.keep(|channel| is_other(channel.peer.is_ipv4()));
        let transport = allocation.link.transport();
        self.table.remove_leg(key, family);
        self.give_back(now, transport, relay, &leg, sockets);
        self.count_ports();
    }

    fn give_back(&mut self, now: Instant, transport: Transport, relay: RelayId, leg: &Leg, sockets: &mut dyn RelaySockets) {
        if leg.socket == LegSocket::Open {
            sockets.close(relay);
        }
        self.ports[relay.family() as usize].give_back(now, leg.relayed.port());
        self.counters.leg_closed(transport, relay.family());
    }

    /// Where relays of a family are opened.
    pub(super) fn relay_address(&self, family: Family) -> Option<RelayAddress> {
        match family {
            Family::V4 => self.config.relay.v4,
            Family::V6 => self.config.relay.v6,
        }
    }

    pub(super) fn count_ports(&mut self) {
        self.counters.set_ports_in_use(self.ports.iter().map(|ports| ports.in_use()).sum());
    }
}
