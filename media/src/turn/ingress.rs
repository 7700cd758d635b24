//! What comes from a client, told apart by its first byte (RFC 8656 §12.4) and by who can have sent it.
//!
//! Nothing is ever said to a response, to an address that no client can have, or to ourselves: two servers, or one, would answer each other
//! for ever.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Turn;
use super::allocation::LegSocket;
use super::batch::Batch;
use super::codec::method;
use super::counters::DropReason;
use super::link::Link;
use super::sockets::RelaySockets;
use super::wire::{Class, Message};

impl Turn {
    /// Takes one datagram of a client, or one message of its TCP connection as [`super::TcpFraming`] cut it.
    pub fn handle_client(&mut self, now: Instant, link: &Link, bytes: &[u8], sockets: &mut dyn RelaySockets, out: &mut Batch) {
        match bytes.first() {
            Some(0x40..=0x7f) => self.relay_channel_data(now, link, bytes, out),
            Some(0x00..=0x3f) => self.handle_stun(now, link, bytes, sockets, out),
            _ => self.counters.drop(DropReason::Malformed),
        }
    }

    fn handle_stun(&mut self, now: Instant, link: &Link, bytes: &[u8], sockets: &mut dyn RelaySockets, out: &mut Batch) {
        if !self.may_be_client(link.remote()) {
            return self.counters.drop(DropReason::BadSource);
        }
        let Some(message) = Message::read(bytes) else { return self.counters.drop(DropReason::Malformed) };
        match (message.class, message.method) {
            (Class::Indication, method::SEND) => self.relay_send_indication(now, link, &message, out),
            // Keeps a NAT open (RFC 8489 §2).
            (Class::Indication, method::BINDING) => {}
            (
                Class::Request,
                method::BINDING | method::ALLOCATE | method::REFRESH | method::CREATE_PERMISSION | method::CHANNEL_BIND,
            ) => self.handle_request(now, link, &message, sockets, out),
            _ => self.counters.drop(DropReason::NotForServers),
        }
    }

    /// Whether somebody can be there. A relay of ours is nobody: what comes from it was sent by a client to our own listener.
    fn may_be_client(&self, remote: SocketAddr) -> bool {
        let ip = remote.ip().to_canonical();
        let is_nobody = match ip {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
        };
        !is_nobody && remote.port() != 0 && !self.filter.is_own_port(remote) && !self.is_own_relay(ip, remote.port())
    }

    fn is_own_relay(&self, ip: IpAddr, port: u16) -> bool {
        let relays = [self.config.relay.v4, self.config.relay.v6];
        relays.into_iter().flatten().any(|relay| {
            // What a relay sends comes from the address that it is bound to, or back from the NAT with the other.
            let relayed = self.table.of_relayed(SocketAddr::new(relay.advertised, port));
            (ip == relay.bind || ip == relay.advertised)
                && relayed.is_some_and(|relayed| {
                    let allocation = self.table.of_relay(relayed).and_then(|key| self.table.get(key));
                    allocation
                        .and_then(|allocation| allocation.leg(relayed.family()))
                        .is_some_and(|leg| leg.socket == LegSocket::Open)
                })
        })
    }
}
