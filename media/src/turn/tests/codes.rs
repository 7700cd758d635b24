//! Group 26: every error code, each produced by what it is for. 446 and 447 belong to RFC 6062, which is not built: a TCP relay is
//! refused with 442, and its methods are no requests that this server knows.

use super::client::{
    ADDITIONAL_FAMILY, ALLOCATE, At, BINDING, CHANNEL_BIND, CREATE_PERMISSION, Client, DONT_FRAGMENT, REFRESH, TOKEN, TRANSPORT,
    UNKNOWN_ATTRIBUTES, channel, family, udp_transport,
};
use super::net::{Net, addr, config, udp};
use crate::turn::{Code, DropReason};

const CLIENT: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

fn raw(kind: u16, value: &[u8]) -> At {
    At::Raw(kind, value.to_vec())
}

#[test]
fn requests_that_make_no_sense_are_400() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let peer = At::Peer(addr(PEER));
    for (method, attributes) in [
        (CREATE_PERMISSION, vec![]),
        (CREATE_PERMISSION, vec![raw(0x0012, &[0, 1, 2])]),
        (CHANNEL_BIND, vec![channel(0x4000)]),
        (CHANNEL_BIND, vec![peer.clone()]),
        (CHANNEL_BIND, vec![raw(0x000c, &[0x40, 0]), peer.clone()]),
        (CHANNEL_BIND, vec![channel(0x8000), peer.clone()]),
        (CHANNEL_BIND, vec![channel(0x3fff), peer.clone()]),
        (CHANNEL_BIND, vec![channel(0xffff), peer]),
        (REFRESH, vec![raw(0x0017, &[1])]),
    ] {
        assert_eq!(net.ask(&mut client, method, &attributes).code, Some(400), "{method} {attributes:?}");
    }
    let mut other = Client::bob(udp("8.8.8.8:40001"));
    for attributes in [
        vec![],
        vec![raw(TRANSPORT, &[17])],
        vec![udp_transport(), raw(TOKEN, &[1; 7])],
        vec![udp_transport(), raw(TOKEN, &[1; 8]), family(1)],
        vec![udp_transport(), raw(TOKEN, &[1; 8]), raw(0x0018, &[0])],
        vec![udp_transport(), raw(ADDITIONAL_FAMILY, &[2])],
    ] {
        assert_eq!(net.ask(&mut other, ALLOCATE, &attributes).code, Some(400), "{attributes:?}");
    }
}

#[test]
fn a_channel_or_peer_that_is_bound_otherwise_is_400() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    assert_eq!(client.bind(&mut net, 0x4000, addr(PEER)), None);
    assert_eq!(client.bind(&mut net, 0x4000, addr("1.1.1.1:5001")), Some(400));
    assert_eq!(client.bind(&mut net, 0x4001, addr(PEER)), Some(400));
    assert_eq!(client.bind(&mut net, 0x4000, addr("2.2.2.2:5000")), Some(400));
    let indication = client.indicate(addr("2.2.2.2:5000"), b"x");
    assert_eq!(net.send(&client.link, &indication), [], "what is refused leaves no permission");
    assert_eq!(client.bind(&mut net, 0x4000, addr(PEER)), None, "again is a refresh");
}

#[test]
fn attributes_that_must_be_understood_and_are_not_are_420_and_named() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let reply = client.allocate(&mut net, &[raw(DONT_FRAGMENT, &[]), raw(0x7777, b"x"), raw(0x8777, b"optional")]);
    assert_eq!((reply.code, reply.is_signed), (Some(420), true));
    assert_eq!(reply.get(UNKNOWN_ATTRIBUTES), Some(&[0x00, 0x1a, 0x77, 0x77][..]));
    let request = client.unsigned(BINDING, &[raw(0x0003, &[0; 4])]);
    assert_eq!(net.ask_once(&mut client, &request).unwrap().code, Some(420), "CHANGE-REQUEST is of RFC 5780");
    assert_eq!(client.allocate(&mut net, &[]).code, None, "without it is granted");
    client.permit(&mut net, &[addr(PEER)]);
    let mut indication = client.indicate(addr(PEER), b"x");
    assert_eq!(net.send(&client.link, &indication).len(), 1);
    indication.extend([0x00, 0x1a, 0, 0]);
    let length = (indication.len() - 20) as u16;
    indication[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(net.send(&client.link, &indication), [], "an indication that asks for the impossible is dropped");
}

#[test]
fn what_a_server_does_not_offer_has_its_code() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    for protocol in [6, 0, 255] {
        assert_eq!(net.ask(&mut client, ALLOCATE, &[raw(TRANSPORT, &[protocol, 0, 0, 0])]).code, Some(442));
    }
    assert_eq!(client.allocate(&mut net, &[raw(0x8030, &[])]).code, Some(405), "mobility (RFC 8016)");
    assert_eq!(client.allocate(&mut net, &[raw(TOKEN, &[7; 8])]).code, Some(508), "a token that nobody gave");
    net.assert_empty();
}

#[test]
fn methods_of_tcp_relays_are_dropped() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    for method in [0x000a, 0x000b, 0x0002, 0x00ee] {
        let request = client.signed(method, &[At::Peer(addr(PEER))]);
        assert_eq!(net.send(&client.link, &request), []);
    }
    assert_eq!(net.turn.counters().dropped(DropReason::NotForServers), 4);
}

#[test]
fn every_code_is_produced_and_counted() {
    let mut config = config();
    config.limits.max_allocations_per_user = 1;
    config.relay.v6 = None;
    let mut net = Net::with(config);
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let mut other = Client::bob(udp("8.8.8.8:40001"));
    let mut anna = Client::issued(client.link, "anna", crate::turn::Scope::Any, 3_600);
    anna.transactions = 1_000;
    client.permit(&mut net, &[addr("10.0.0.9:5000")]);
    client.permit(&mut net, &[addr("[2a00:1450::1]:5000")]);
    client.permit(&mut net, &[]);
    client.allocate(&mut net, &[]);
    client.allocate(&mut net, &[raw(0x8030, &[])]);
    client.allocate(&mut net, &[raw(0x7777, &[])]);
    anna.refresh(&mut net, 600);
    other.allocate(&mut net, &[]);
    net.ask(&mut other, ALLOCATE, &[raw(TRANSPORT, &[6, 0, 0, 0])]);
    Client::issued(udp("8.8.8.8:40002"), "carl", crate::turn::Scope::Any, 3_600).allocate(&mut net, &[family(2)]);
    Client::issued(udp("8.8.8.8:40003"), "dora", crate::turn::Scope::Any, 3_600).allocate(&mut net, &[raw(TOKEN, &[1; 8])]);
    client.nonce = Some(b"stale".to_vec());
    client.refresh(&mut net, 600);
    for code in Code::ALL {
        assert!(net.turn.counters().errors(code) > 0, "{}", code.number());
    }
}
