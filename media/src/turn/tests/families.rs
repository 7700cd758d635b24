//! Group 26: IPv4 and IPv6 relays, both in one allocation, one alone when the other cannot be had (RFC 8656 §7.2).

use super::client::{ADDITIONAL_FAMILY, ADDRESS_ERROR, At, Client, EVEN_PORT, REFRESH, XOR_RELAYED, family, lifetime, read_data};
use super::net::{Net, addr, config, udp};
use crate::turn::OpenError;

const CLIENT: &str = "8.8.8.8:40000";

fn both() -> At {
    At::Raw(ADDITIONAL_FAMILY, vec![2, 0, 0, 0])
}

#[test]
fn one_family_is_allocated_as_it_is_asked_for_and_ipv4_unasked() {
    for (wish, is_ipv4) in [(vec![], true), (vec![family(1)], true), (vec![family(2)], false)] {
        let mut net = Net::new();
        let relayed = Client::bob(udp(CLIENT)).allocate(&mut net, &wish).addresses(XOR_RELAYED);
        assert!(matches!(relayed[..], [one] if one.is_ipv4() == is_ipv4));
    }
}

#[test]
fn a_family_that_the_server_does_not_have_is_refused_with_440() {
    let mut config = config();
    config.relay.v6 = None;
    let mut net = Net::with(config);
    assert_eq!(Client::bob(udp(CLIENT)).allocate(&mut net, &[family(2)]).code, Some(440));
    assert_eq!(Client::bob(udp(CLIENT)).allocate(&mut net, &[family(3)]).code, Some(440), "nobody has it");
    net.assert_empty();
}

#[test]
fn a_client_over_ipv6_relays_to_ipv4() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp("[2a00:1450::9]:40000")).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5000")]), None);
    assert_eq!(read_data(&net.peer_sends(addr("1.1.1.1:5000"), relayed, b"x")[0].bytes).1, b"x");
}

#[test]
fn both_families_in_one_allocation_each_carry_their_own() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let reply = client.allocate(&mut net, &[both()]);
    let relayed = reply.addresses(XOR_RELAYED);
    assert!(matches!(relayed[..], [v4, v6] if v4.is_ipv4() && v6.is_ipv6()));
    assert_eq!(reply.get(ADDRESS_ERROR), None);
    let peers = [addr("1.1.1.1:5000"), addr("[2a00:1450::1]:5000")];
    assert_eq!(client.permit(&mut net, &peers), None);
    for (peer, relayed) in peers.into_iter().zip(relayed) {
        assert_eq!(read_data(&net.peer_sends(peer, relayed, b"x")[0].bytes), (peer, b"x".to_vec()));
    }
}

#[test]
fn one_family_alone_is_a_success_that_says_why_there_is_no_other() {
    let mut config = config();
    config.relay.v6 = None;
    let mut net = Net::with(config);
    let reply = Client::bob(udp(CLIENT)).allocate(&mut net, &[both()]);
    assert_eq!((reply.code, reply.addresses(XOR_RELAYED).len()), (None, 1));
    assert_eq!(reply.get(ADDRESS_ERROR), Some(&[2, 0, 4, 40][..]));
    let mut net = Net::new();
    net.sockets.errors = vec![OpenError::Unavailable];
    let reply = Client::bob(udp(CLIENT)).allocate(&mut net, &[both()]);
    assert!(reply.addresses(XOR_RELAYED)[0].is_ipv6());
    assert_eq!(reply.get(ADDRESS_ERROR), Some(&[1, 0, 5, 8][..]));
    let mut net = Net::new();
    net.sockets.errors = vec![OpenError::Unavailable; 2];
    assert_eq!(Client::bob(udp(CLIENT)).allocate(&mut net, &[both()]).code, Some(508));
    net.assert_empty();
}

#[test]
fn wishes_for_families_that_contradict_each_other_are_bad() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    for wish in [
        vec![family(1), both()],
        vec![At::Raw(ADDITIONAL_FAMILY, vec![1, 0, 0, 0])],
        vec![both(), At::Raw(EVEN_PORT, vec![0x80])],
    ] {
        assert_eq!(client.allocate(&mut net, &wish).code, Some(400), "{wish:?}");
    }
    net.assert_empty();
}

#[test]
fn one_family_is_ended_alone_with_its_permissions_and_channels() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let relayed = client.allocate(&mut net, &[both()]).addresses(XOR_RELAYED);
    let peers = [addr("1.1.1.1:5000"), addr("[2a00:1450::1]:5000")];
    assert_eq!(client.bind(&mut net, 0x4000, peers[0]), None);
    assert_eq!(client.bind(&mut net, 0x4001, peers[1]), None);
    assert_eq!(net.ask(&mut client, REFRESH, &[lifetime(0), family(1)]).code, None);
    assert_eq!(net.peer_sends(peers[0], relayed[0], b"x"), []);
    let key = net.turn.table.of_link(&client.link).unwrap();
    let allocation = net.turn.table.get(key).unwrap();
    assert_eq!((allocation.permissions.len(), allocation.channels.len()), (1, 1), "they take no room");
    assert_eq!(net.send(&client.link, &super::client::channel_data(0x4000, b"x", 0)), []);
    assert_eq!(net.send(&client.link, &super::client::channel_data(0x4001, b"x", 0)).len(), 1);
    assert_eq!(net.ask(&mut client, REFRESH, &[lifetime(0), family(1)]).code, Some(443), "there is no such address");
    assert_eq!(net.ask(&mut client, REFRESH, &[lifetime(0)]).code, None);
    net.assert_empty();
}
