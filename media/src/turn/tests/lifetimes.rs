//! Groups 26 and 27: how long things live, by a clock that stands until it is moved.

use super::client::{At, Client, LIFETIME, REFRESH, family, lifetime, read_data};
use super::net::{Net, addr, udp};
use crate::turn::DropReason;

const CLIENT: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

#[test]
fn a_lifetime_is_granted_between_the_default_and_the_maximum() {
    for (asked, granted) in
        [(None, 600), (Some(1), 600), (Some(601), 601), (Some(3_600), 3_600), (Some(99_999), 3_600), (Some(u32::MAX), 3_600)]
    {
        let mut net = Net::new();
        let mut client = Client::bob(udp(CLIENT));
        let wish: Vec<_> = asked.map(lifetime).into_iter().collect();
        assert_eq!(client.allocate(&mut net, &wish).seconds(), Some(granted), "{asked:?}");
        assert_eq!(net.ask(&mut client, REFRESH, &wish).seconds(), Some(granted), "refresh {asked:?}");
    }
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    assert_eq!(client.allocate(&mut net, &[lifetime(0)]).seconds(), Some(600), "only a refresh ends");
    assert_eq!(net.ask(&mut client, REFRESH, &[At::Raw(LIFETIME, vec![0, 0, 1])]).code, Some(400));
}

/// Group 27.
#[test]
fn an_allocation_over_udp_ends_on_time_and_not_a_second_sooner() {
    let mut net = Net::new();
    let client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    net.pass(599);
    assert!(net.turn.has_allocation(net.now, &client.link));
    assert_eq!(net.sockets.open.len(), 1);
    net.pass(1);
    net.assert_empty();
    assert_eq!(net.turn.poll_timeout(), None);
}

#[test]
fn an_allocation_that_is_refreshed_lives_on() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    for _ in 0..50 {
        net.pass(500);
        assert_eq!(client.refresh(&mut net, 600).code, None);
    }
    assert_eq!(net.turn.poll_timeout(), Some(net.now + std::time::Duration::from_secs(600)));
}

#[test]
fn a_permission_lives_five_minutes_and_lets_both_ways_through() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr(PEER)]), None);
    for (wait, expected) in [(0, 1), (299, 1), (1, 0)] {
        net.pass(wait);
        let indication = client.indicate(addr(PEER), b"x");
        assert_eq!(net.send(&client.link, &indication).len(), expected);
        assert_eq!(net.peer_sends(addr(PEER), relayed, b"x").len(), expected);
    }
    assert_eq!(net.turn.counters().dropped(DropReason::NoPermission), 2);
    assert_eq!(client.permit(&mut net, &[addr(PEER)]), None);
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"x").len(), 1);
}

#[test]
fn a_channel_lives_ten_minutes_and_its_permission_five() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    client.refresh(&mut net, 3_600);
    assert_eq!(client.bind(&mut net, 0x4001, addr(PEER)), None);
    let up = super::client::channel_data(0x4001, b"x", 0);
    net.pass(299);
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"x")[0].bytes[..2], [0x40, 1]);
    net.pass(1);
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"x"), [], "without permission nothing comes in");
    assert_eq!(net.send(&client.link, &up).len(), 1);
    net.pass(299);
    assert_eq!(client.permit(&mut net, &[addr(PEER)]), None);
    assert_eq!(net.send(&client.link, &up).len(), 1);
    net.pass(1);
    assert_eq!(net.send(&client.link, &up), [], "the channel has ended");
    assert_eq!(net.turn.counters().dropped(DropReason::NoChannel), 1);
    let data = net.peer_sends(addr(PEER), relayed, b"y");
    assert_eq!(read_data(&data[0].bytes), (addr(PEER), b"y".to_vec()), "from here on by indication");
}

#[test]
fn a_channel_that_is_bound_again_lives_ten_minutes_more() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    client.refresh(&mut net, 3_600);
    for _ in 0..4 {
        assert_eq!(client.bind(&mut net, 0x4001, addr(PEER)), None);
        net.pass(599);
        assert_eq!(net.send(&client.link, &super::client::channel_data(0x4001, b"x", 0)).len(), 1);
        client.refresh(&mut net, 3_600);
    }
}

#[test]
fn each_family_of_an_allocation_ends_by_itself() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    client.allocate(&mut net, &[At::Raw(super::client::ADDITIONAL_FAMILY, vec![2, 0, 0, 0])]);
    assert_eq!(net.ask(&mut client, REFRESH, &[lifetime(1_200), family(2)]).seconds(), Some(1_200));
    net.pass(600);
    assert_eq!(net.sockets.open.len(), 1);
    assert_eq!(client.permit(&mut net, &[addr(PEER)]), Some(443));
    assert_eq!(client.permit(&mut net, &[addr("[2a00:1450::1]:5000")]), None);
    net.pass(600);
    net.assert_empty();
}
