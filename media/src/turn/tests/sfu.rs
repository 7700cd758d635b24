//! The short-cut: to the SFU of this process and back without a socket.

use super::client::{At, Client, XOR_RELAYED, channel_data, family, read_data};
use super::net::{Net, SFU, Sent, addr, config, tcp, to, udp};
use crate::turn::{Direction, DropReason, PacketPath, Scope, To};

const CLIENT: &str = "8.8.8.8:40000";

fn participant(net: &mut Net, scope: Scope) -> (Client, std::net::SocketAddr) {
    Client::issued(udp(CLIENT), "anna", scope, 3_600).allocated(net)
}

#[test]
fn what_goes_to_the_sfu_and_comes_from_it_takes_no_socket() {
    for scope in [Scope::Sfu, Scope::Any] {
        let mut net = Net::new();
        let (mut client, relayed) = participant(&mut net, scope);
        assert_eq!(client.permit(&mut net, &[addr(SFU)]), None);
        let indication = client.indicate(addr(SFU), b"check");
        let expected = Sent { to: To::Sfu { from: relayed, to: addr(SFU) }, bytes: b"check".to_vec() };
        assert_eq!(net.send(&client.link, &indication), [expected]);
        let answer = net.sfu_sends(relayed, b"answer").unwrap();
        assert_eq!(read_data(&answer[0].bytes), (addr(SFU), b"answer".to_vec()));
        assert_eq!(client.bind(&mut net, 0x4000, addr(SFU)), None);
        assert_eq!(net.send(&client.link, &channel_data(0x4000, b"media", 0))[0].to, To::Sfu { from: relayed, to: addr(SFU) });
        assert_eq!(
            net.sfu_sends(relayed, b"media").unwrap(),
            [Sent { to: to(&client.link), bytes: channel_data(0x4000, b"media", 0) }]
        );
        for direction in Direction::ALL {
            assert_eq!(net.turn.counters().packets(direction, PacketPath::Shortcut), 2);
        }
        assert_eq!(net.sockets.asked, usize::from(scope == Scope::Any), "only whoever may go elsewhere has one");
    }
}

#[test]
fn the_sfu_reaches_a_client_only_with_a_permission_and_only_its_own_addresses() {
    let mut net = Net::new();
    let (mut client, relayed) = participant(&mut net, Scope::Sfu);
    assert_eq!(net.sfu_sends(relayed, b"x"), Some(vec![]), "it is ours, and nobody is permitted");
    assert_eq!(net.sfu_sends(addr("9.9.9.9:60999"), b"x"), None);
    assert_eq!(net.sfu_sends(addr("7.7.7.7:5000"), b"x"), None);
    client.permit(&mut net, &[addr(SFU)]);
    assert_eq!(net.sfu_sends(relayed, b"x").unwrap().len(), 1);
    net.pass(300);
    assert_eq!(net.sfu_sends(relayed, b"x"), Some(vec![]));
    net.pass(300);
    assert_eq!(net.sfu_sends(relayed, b"x"), None, "the allocation has ended");
}

#[test]
fn whoever_uses_the_address_of_the_sfu_on_a_socket_is_not_the_sfu() {
    let mut net = Net::new();
    let (mut client, relayed) = participant(&mut net, Scope::Any);
    client.permit(&mut net, &[addr(SFU)]);
    assert_eq!(net.peer_sends(addr(SFU), relayed, b"forged"), []);
    client.bind(&mut net, 0x4000, addr(SFU));
    assert_eq!(net.peer_sends(addr(SFU), relayed, b"forged"), []);
    assert_eq!(net.peer_sends(addr("9.9.9.9:50001"), relayed, b"forged"), [], "nor does the permission open its other ports");
    assert_eq!(net.turn.counters().dropped(DropReason::Denied), 3);
}

#[test]
fn a_credential_for_the_sfu_relays_over_tcp_and_ipv6_alike() {
    let mut net = Net::new();
    let mut client = Client::issued(tcp(1, "[2a00:1450::9]:4000"), "anna", Scope::Sfu, 3_600);
    let reply = client.allocate(&mut net, &[At::Raw(super::client::ADDITIONAL_FAMILY, vec![2, 0, 0, 0])]);
    let peers = [addr(SFU), addr("[2a00:9::9]:50000")];
    assert_eq!(client.permit(&mut net, &peers), None);
    for (relayed, peer) in reply.addresses(XOR_RELAYED).into_iter().zip(peers) {
        assert_eq!(read_data(&net.sfu_sends(relayed, b"x").unwrap()[0].bytes), (peer, b"x".to_vec()));
    }
    assert_eq!(net.sockets.asked, 0);
    let mut other = Client::issued(udp(CLIENT), "ben", Scope::Sfu, 3_600);
    assert_eq!(other.allocate(&mut net, &[family(2)]).code, None);
}

#[test]
fn a_hundred_participants_through_the_short_cut_leave_nothing_behind() {
    let mut config = config();
    config.limits.max_allocations_per_ip = 1_000;
    let mut net = Net::with(config);
    for number in 1..=100 {
        let mut client = Client::issued(udp(&format!("8.8.8.8:{number}")), &format!("p{number}"), Scope::Sfu, 3_600);
        let relayed = client.allocate(&mut net, &[]).address(XOR_RELAYED).unwrap();
        assert_eq!(client.permit(&mut net, &[addr(SFU)]), None);
        assert_eq!(net.sfu_sends(relayed, b"x").unwrap().len(), 1);
    }
    assert_eq!(net.turn.counters().ports_in_use(), 100);
    net.pass(600);
    net.assert_empty();
}
