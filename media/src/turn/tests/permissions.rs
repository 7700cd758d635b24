//! Group 14: permissions and channels are bounded, and all peers of one request count.

use std::net::SocketAddr;

use super::client::Client;
use super::net::{Net, addr, udp};

fn peer(number: u16) -> SocketAddr {
    SocketAddr::from(([1, 1, (number >> 8) as u8, (number & 0xff) as u8], 5_000))
}

#[test]
fn every_peer_of_one_request_is_permitted() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    let peers: Vec<_> = (0..10).map(peer).collect();
    assert_eq!(client.permit(&mut net, &peers), None);
    for peer in peers {
        assert_eq!(net.peer_sends(peer, relayed, b"x").len(), 1, "{peer}");
    }
}

#[test]
fn more_permissions_than_there_may_be_are_508_and_room_comes_with_time() {
    let mut net = Net::new();
    let mut client = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net).0;
    let peers: Vec<_> = (0..64).map(peer).collect();
    assert_eq!(client.permit(&mut net, &peers), None);
    assert_eq!(client.permit(&mut net, &[peer(64)]), Some(508));
    assert_eq!(client.permit(&mut net, &[peer(0)]), None, "a refresh is none more");
    assert_eq!(client.bind(&mut net, 0x4000, peer(64)), Some(508), "a channel needs one too");
    let key = net.turn.table.of_link(&client.link).unwrap();
    assert_eq!(net.turn.table.get(key).unwrap().permissions.len(), 64);
    assert_eq!(net.turn.table.get(key).unwrap().channels.len(), 0, "and is not bound without");
    net.pass(300);
    assert_eq!(client.permit(&mut net, &[peer(64)]), None);
}

#[test]
fn more_channels_than_there_may_be_are_508() {
    let mut net = Net::new();
    let mut client = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net).0;
    for number in 0..64 {
        assert_eq!(client.bind(&mut net, 0x4000 + number, peer(number)), None);
    }
    assert_eq!(client.bind(&mut net, 0x4100, addr("1.1.0.1:6000")), Some(508));
    for number in 0..64 {
        assert_eq!(net.send(&client.link, &super::client::channel_data(0x4000 + number, b"x", 0)).len(), 1);
    }
}
