//! Group 26: making an allocation, repeating the request, ending it.

use super::client::{ALLOCATE, Client, REFRESH, XOR_MAPPED, XOR_RELAYED, lifetime, udp_transport};
use super::net::{BOUND, Net, RELAY, addr, udp};
use crate::turn::OpenError;

const CLIENT: &str = "8.8.8.8:40000";

#[test]
fn an_allocation_has_a_relayed_address_that_is_told_and_a_socket_that_is_bound() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let reply = client.allocate(&mut net, &[]);
    let relayed = reply.address(XOR_RELAYED).unwrap();
    assert_eq!(relayed.ip().to_string(), RELAY);
    assert_eq!(reply.address(XOR_MAPPED), Some(addr(CLIENT)));
    assert_eq!(reply.seconds(), Some(600));
    assert!(reply.is_signed);
    let bound: Vec<_> = net.sockets.open.values().map(ToString::to_string).collect();
    assert_eq!(bound, [format!("{BOUND}:{}", relayed.port())]);
    assert!(net.turn.is_relayed(relayed) && !net.turn.is_relayed(addr("9.9.9.9:59999")));
}

#[test]
fn a_repeated_request_is_answered_alike_and_a_second_one_is_refused() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let first = client.allocate(&mut net, &[]);
    let nonce = client.nonce.clone().unwrap();
    let repeated = client.repeated(ALLOCATE, &[udp_transport()], &nonce);
    net.pass(30);
    for _ in 0..3 {
        assert_eq!(net.ask_once(&mut client, &repeated).unwrap(), first);
    }
    assert_eq!(client.allocate(&mut net, &[]).code, Some(437));
    assert_eq!(net.sockets.asked, 1);
}

#[test]
fn an_allocation_that_is_ended_gives_everything_back_and_the_client_may_have_another() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    assert_eq!(client.refresh(&mut net, 0).seconds(), Some(0));
    net.assert_empty();
    assert_eq!(client.refresh(&mut net, 0).code, Some(437), "it is gone, and that is what the client wants to hear");
    assert_eq!(client.allocate(&mut net, &[]).code, None);
}

#[test]
fn an_allocation_that_has_ended_unswept_is_as_good_as_gone() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    // The clock moves and nobody calls.
    net.now += std::time::Duration::from_secs(601);
    for (method, attributes) in [(REFRESH, vec![]), (0x0008, vec![super::client::At::Peer(addr("1.1.1.1:5000"))])] {
        assert_eq!(net.ask(&mut client, method, &attributes).code, Some(437));
    }
    let again = client.allocate(&mut net, &[lifetime(600)]);
    assert_eq!(again.code, None);
    assert_eq!(net.sockets.open.len(), 1, "the former socket was closed");
}

/// Group 17.
#[test]
fn a_port_that_somebody_else_has_is_passed_over_and_when_no_socket_can_be_had_that_is_said() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    net.sockets.errors = vec![OpenError::PortInUse; 3];
    assert_eq!(client.allocate(&mut net, &[]).code, None);
    assert_eq!(net.sockets.asked, 4);
    client.refresh(&mut net, 0);
    net.sockets.errors = vec![OpenError::PortInUse; 100];
    assert_eq!(client.allocate(&mut net, &[]).code, Some(508));
    assert_eq!(net.sockets.asked, 4 + 8, "the search ends");
    net.sockets.errors = vec![OpenError::Unavailable];
    assert_eq!(client.allocate(&mut net, &[]).code, Some(508));
    assert_eq!(net.sockets.asked, 4 + 8 + 1);
    net.assert_empty();
}

#[test]
fn everything_ends_at_once_when_it_is_told_to() {
    let mut net = Net::new();
    for port in 1..=9 {
        Client::bob(udp(&format!("8.8.8.8:{port}"))).allocated(&mut net);
    }
    let now = net.now;
    net.turn.close_all(now, &mut net.sockets);
    net.assert_empty();
}

#[test]
fn the_allocations_of_one_participant_end_with_them() {
    use crate::turn::Scope;
    let mut net = Net::new();
    for (port, id) in [(1, "anna"), (2, "anna"), (3, "ben")] {
        Client::issued(udp(&format!("8.8.8.8:{port}")), id, Scope::Any, 3_600).allocated(&mut net);
    }
    let now = net.now;
    assert_eq!(net.turn.close_issued(now, "anna", &mut net.sockets), 2);
    assert!(net.turn.has_allocation(now, &udp("8.8.8.8:3")));
    assert_eq!(net.sockets.open.len(), 1);
}
