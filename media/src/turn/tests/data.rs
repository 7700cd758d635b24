//! The data path: every way in and out, byte for byte, and that neighbours stay together for one send.

use super::client::{Client, channel_data, read_data};
use super::net::{Net, Sent, addr, tcp, to, udp};
use crate::turn::{Batch, Direction, DropReason, PacketPath, To};

const CLIENT: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

#[test]
fn payloads_cross_unchanged_in_each_direction_on_a_channel_and_without() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr(PEER)]), None);
    let relay = *net.sockets.open.keys().next().unwrap();
    for len in [0, 1, 2, 3, 4, 5, 1_199, 1_200, 9_000] {
        let payload: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
        let indication = client.indicate(addr(PEER), &payload);
        let expected = Sent { to: To::Peer { relay, remote: addr(PEER) }, bytes: payload.clone() };
        assert_eq!(net.send(&client.link, &indication), [expected]);
        let down = net.peer_sends(addr(PEER), relayed, &payload);
        assert_eq!((down[0].to, read_data(&down[0].bytes)), (to(&client.link), (addr(PEER), payload.clone())));
    }
    assert_eq!(client.bind(&mut net, 0x7fff, addr(PEER)), None);
    for len in [0, 1, 2, 3, 4, 5, 1_199, 1_200, 9_000] {
        let payload: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
        let expected = Sent { to: To::Peer { relay, remote: addr(PEER) }, bytes: payload.clone() };
        assert_eq!(net.send(&client.link, &channel_data(0x7fff, &payload, 0)), [expected]);
        let down = net.peer_sends(addr(PEER), relayed, &payload);
        assert_eq!(down, [Sent { to: to(&client.link), bytes: channel_data(0x7fff, &payload, 0) }]);
    }
    let counters = net.turn.counters();
    for direction in Direction::ALL {
        assert_eq!(
            [counters.packets(direction, PacketPath::Indication), counters.packets(direction, PacketPath::Channel)],
            [9, 9]
        );
        assert_eq!(counters.bytes(direction), 2 * (15 + 1_199 + 1_200 + 9_000));
    }
}

#[test]
fn over_tcp_channel_data_is_padded_and_over_udp_it_is_not() {
    let mut net = Net::new();
    for (link, pad) in [(udp(CLIENT), 0), (tcp(1, CLIENT), 3)] {
        let (mut client, relayed) = Client::bob(link).allocated(&mut net);
        assert_eq!(client.bind(&mut net, 0x4000, addr(PEER)), None);
        assert_eq!(net.peer_sends(addr(PEER), relayed, b"12345")[0].bytes, channel_data(0x4000, b"12345", pad));
        assert_eq!(net.send(&link, &channel_data(0x4000, b"12345", 3))[0].bytes, b"12345", "padding is no payload");
    }
}

#[test]
fn a_run_of_packets_to_one_peer_or_client_is_one_send() {
    let mut net = Net::new();
    let (mut client, _) = Client::bob(udp(CLIENT)).allocated(&mut net);
    assert_eq!(client.bind(&mut net, 0x4000, addr(PEER)), None);
    let mut out = Batch::default();
    for len in [1_200, 1_200, 1_200, 700] {
        net.turn.handle_client(net.now, &client.link, &channel_data(0x4000, &vec![1; len], 0), &mut net.sockets, &mut out);
    }
    let relay = *net.sockets.open.keys().next().unwrap();
    for len in [1_200, 1_200, 700] {
        net.turn.handle_peer(net.now, relay, addr(PEER), &vec![1; len], &mut out);
    }
    let runs: Vec<_> = out.runs().map(|run| (run.segment_bytes, run.count, run.bytes.len())).collect();
    assert_eq!(runs, [(1_200, 4, 4_300), (1_204, 3, 3_112)]);
}

#[test]
fn what_nobody_asked_for_is_dropped_and_counted() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    assert_eq!(net.send(&client.link, &channel_data(0x4000, b"x", 0)), []);
    assert_eq!(net.send(&udp("8.8.8.8:9"), &channel_data(0x4000, b"x", 0)), []);
    let indication = client.indicate(addr(PEER), b"x");
    assert_eq!(net.send(&udp("8.8.8.8:9"), &indication), []);
    assert_eq!(net.send(&client.link, &indication), []);
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"x"), []);
    assert_eq!(net.send(&client.link, &[0x40, 0, 0, 9, 1]), [], "cut");
    assert_eq!(net.send(&client.link, &[0x80, 0, 0, 0]), []);
    assert_eq!(net.send(&client.link, &[]), []);
    let counters = net.turn.counters();
    let dropped = [DropReason::NoChannel, DropReason::NoAllocation, DropReason::NoPermission, DropReason::Malformed];
    assert_eq!(dropped.map(|reason| counters.dropped(reason)), [1, 2, 2, 3]);
}

#[test]
fn a_datagram_for_a_relay_that_is_gone_reaches_nobody_even_when_its_place_is_taken() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let former = *net.sockets.open.keys().next().unwrap();
    client.refresh(&mut net, 0);
    let mut other = Client::bob(udp("8.8.8.8:40001")).allocated(&mut net).0;
    assert_eq!(other.permit(&mut net, &[addr(PEER)]), None);
    let current = *net.sockets.open.keys().next().unwrap();
    assert_eq!((current.index(), current == former), (former.index(), false));
    let mut out = Batch::default();
    net.turn.handle_peer(net.now, former, addr(PEER), b"late", &mut out);
    assert!(out.is_empty());
    net.turn.handle_peer(net.now, current, addr(PEER), b"right", &mut out);
    assert!(!out.is_empty());
}
