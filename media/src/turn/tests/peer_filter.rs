//! Groups 1 to 7: no entry point leads where the filter says no. The ranges by themselves are tested beside the filter.

use std::net::SocketAddr;

use super::client::Client;
use super::net::{BOUND, Net, RELAY, addr, config, udp};
use crate::turn::peers::tests::CLOSED;
use crate::turn::{DropReason, Scope, To};

/// A client with relayed addresses of both families.
fn dual(net: &mut Net) -> Client {
    let mut client = Client::bob(udp("8.8.8.8:40000"));
    let reply = client.allocate(net, &[super::client::At::Raw(super::client::ADDITIONAL_FAMILY, vec![2, 0, 0, 0])]);
    assert_eq!(reply.addresses(super::client::XOR_RELAYED).len(), 2);
    client
}

/// Group 1: every entry point for every range.
#[test]
fn every_entry_point_refuses_every_closed_range_and_no_packet_leaves() {
    let mut net = Net::new();
    let mut client = dual(&mut net);
    for (number, ip) in CLOSED.into_iter().enumerate() {
        let peer = SocketAddr::new(ip.parse().unwrap(), 5_000);
        assert_eq!(client.permit(&mut net, &[peer]), Some(403), "CreatePermission {ip}");
        assert_eq!(client.bind(&mut net, 0x4000 + number as u16, peer), Some(403), "ChannelBind {ip}");
        let indication = client.indicate(peer, b"x");
        assert_eq!(net.send(&client.link, &indication), [], "Send {ip}");
    }
    assert_eq!(net.turn.counters().dropped(DropReason::Denied), CLOSED.len() as u64);
    let denied: u64 = crate::turn::DeniedRange::ALL.iter().map(|range| net.turn.counters().denied(*range)).sum();
    assert_eq!(denied, 2 * CLOSED.len() as u64);
}

#[test]
fn one_closed_peer_among_open_ones_refuses_the_whole_request() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5"), addr("10.0.0.9:5000")]), Some(403));
    assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), relayed, b"x"), [], "not even the open one is permitted");
}

/// Group 3.
#[test]
fn a_peer_of_the_other_family_is_refused_at_every_entry_point() {
    let mut net = Net::new();
    let (mut client, _) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    let peer = addr("[2a00:1450::1]:5000");
    assert_eq!(client.permit(&mut net, &[peer]), Some(443));
    assert_eq!(client.bind(&mut net, 0x4000, peer), Some(443));
    let indication = client.indicate(peer, b"x");
    assert_eq!(net.send(&client.link, &indication), []);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5000"), peer]), Some(443), "one of them is enough");
}

/// Group 4.
#[test]
fn own_addresses_and_ports_are_closed_at_every_entry_point() {
    let mut net = Net::new();
    let (mut client, _) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    for peer in [
        format!("{RELAY}:3478"),
        format!("{RELAY}:443"),
        format!("{RELAY}:8080"),
        format!("{BOUND}:8080"),
        format!("{RELAY}:50001"),
    ] {
        let peer = addr(&peer);
        assert_eq!(client.permit(&mut net, &[peer]), Some(403), "{peer}");
        assert_eq!(client.bind(&mut net, 0x4000, peer), Some(403), "{peer}");
        let indication = client.indicate(peer, b"x");
        assert_eq!(net.send(&client.link, &indication), [], "{peer}");
    }
}

/// Group 5.
#[test]
fn what_a_refused_peer_sends_is_not_forwarded_even_with_a_permission_for_its_address() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5000")]), None);
    assert_eq!(net.peer_sends(addr("1.1.1.1:5001"), relayed, b"x").len(), 1, "a permission has no port");
    assert_eq!(net.peer_sends(addr("1.1.1.1:53"), relayed, b"x"), [], "the port is refused");
    assert_eq!(net.peer_sends(addr("1.1.1.1:0"), relayed, b"x"), [], "nobody has port 0");
    assert_eq!(net.peer_sends(addr("10.0.0.9:5000"), relayed, b"x"), []);
    assert_eq!(net.turn.counters().dropped(DropReason::Denied), 2);
    assert_eq!(net.turn.counters().dropped(DropReason::NoPermission), 1);
}

/// Group 6.
#[test]
fn an_allow_rule_opens_its_network_at_every_entry_point() {
    let mut config = config();
    config.peers.allow = vec!["10.0.0.0/8:5000-5999".parse().unwrap()];
    let mut net = Net::with(config);
    let (mut client, relayed) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    let peer = addr("10.0.0.9:5000");
    assert_eq!(client.permit(&mut net, &[peer]), None);
    assert_eq!(client.bind(&mut net, 0x4000, peer), None);
    assert_eq!(client.bind(&mut net, 0x4001, addr("10.0.0.9:6000")), Some(403));
    let indication = client.indicate(addr("10.0.0.9:5001"), b"x");
    let sent = net.send(&client.link, &indication);
    assert!(matches!(sent[..], [ref one] if matches!(one.to, To::Peer { remote, .. } if remote == addr("10.0.0.9:5001"))));
    assert_eq!(net.peer_sends(peer, relayed, b"x").len(), 1);
    assert_eq!(client.permit(&mut net, &[addr(&format!("{BOUND}:5000"))]), Some(403), "the server itself is in that network");
}

/// Group 7.
#[test]
fn low_ports_are_refused_at_every_entry_point_but_for_the_exceptions() {
    let mut net = Net::new();
    let (mut client, _) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    for (number, port) in [53, 25, 123, 161].into_iter().enumerate() {
        let peer = SocketAddr::from(([1, 1, 1, 1], port));
        assert_eq!(client.permit(&mut net, &[peer]), Some(403));
        assert_eq!(client.bind(&mut net, 0x4000 + number as u16, peer), Some(403));
    }
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:443")]), None);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.2:0")]), None, "a permission has no port, and some clients send none");
    for port in [53, 0] {
        let indication = client.indicate(SocketAddr::from(([1, 1, 1, 1], port)), b"x");
        assert_eq!(net.send(&client.link, &indication), []);
    }
    assert_eq!(client.bind(&mut net, 0x4000, addr("1.1.1.1:0")), Some(400));
}

#[test]
fn a_credential_for_the_sfu_reaches_nobody_else_by_any_entry_point() {
    let mut net = Net::new();
    let mut client = Client::issued(udp("8.8.8.8:40000"), "anna", Scope::Sfu, 3_600);
    client.allocate(&mut net, &[]);
    let peer = addr("1.1.1.1:5000");
    assert_eq!(client.permit(&mut net, &[peer]), Some(403));
    assert_eq!(client.bind(&mut net, 0x4000, peer), Some(403));
    let indication = client.indicate(peer, b"x");
    assert_eq!(net.send(&client.link, &indication), []);
    assert_eq!(net.sockets.asked, 0, "nor has it a socket");
}
