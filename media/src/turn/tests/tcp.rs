//! Groups 16 and 27: clients by TCP and TLS, from the bytes of a connection to its end.

use super::client::{ALLOCATE, Client, channel_data, udp_transport};
use super::net::{Net, Sent, addr, tcp, udp};
use crate::turn::{Link, TcpFraming, TcpId, To};

const CLIENT: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

/// What comes out when these bytes arrive in pieces of a length.
fn receive(net: &mut Net, link: &Link, framing: &mut TcpFraming, bytes: &[u8], piece: usize) -> Vec<Sent> {
    let mut sent = Vec::new();
    for part in bytes.chunks(piece) {
        framing.receive(part, |message| sent.extend(net.send(link, message))).expect("the framing holds");
    }
    sent
}

#[test]
fn requests_and_data_cut_anywhere_are_understood() {
    for piece in [1, 3, 7, 100, 10_000] {
        let mut net = Net::new();
        let mut client = Client::bob(tcp(1, CLIENT)).allocated(&mut net).0;
        client.bind(&mut net, 0x4000, addr(PEER));
        let request = client.signed(0x0004, &[]);
        let bytes =
            [channel_data(0x4000, b"12345", 3), request, channel_data(0x4000, b"", 0), channel_data(0x4000, b"1234", 0)].concat();
        let sent = receive(&mut net, &client.link, &mut TcpFraming::default(), &bytes, piece);
        let payloads: Vec<_> =
            sent.iter().filter(|sent| matches!(sent.to, To::Peer { .. })).map(|sent| &sent.bytes[..]).collect();
        assert_eq!(payloads, [&b"12345"[..], b"", b"1234"]);
        assert!(sent.iter().any(|sent| sent.to == To::Tcp(TcpId(1))), "the request is answered on its connection");
    }
}

/// Group 27.
#[test]
fn the_end_of_a_connection_ends_its_allocation_at_once() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(tcp(1, CLIENT)).allocated(&mut net);
    client.permit(&mut net, &[addr(PEER)]);
    let now = net.now;
    net.turn.link_closed(now, &client.link, &mut net.sockets);
    net.assert_empty();
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"x"), []);
    net.turn.link_closed(now, &client.link, &mut net.sockets);
}

#[test]
fn a_new_connection_from_the_same_port_is_another_client() {
    let mut net = Net::new();
    let first = Client::bob(tcp(1, CLIENT)).allocated(&mut net).0;
    let mut second = Client::bob(tcp(2, CLIENT));
    assert_eq!(second.refresh(&mut net, 600).code, Some(437));
    assert_eq!(second.allocate(&mut net, &[]).code, None);
    let now = net.now;
    net.turn.link_closed(now, &first.link, &mut net.sockets);
    assert!(net.turn.has_allocation(now, &second.link));
    let mut by_udp = Client::bob(udp(CLIENT));
    assert_eq!(by_udp.allocate(&mut net, &[]).code, None, "and UDP is a third");
}

#[test]
fn no_answer_over_tcp_is_withheld_for_its_size() {
    let mut config = super::net::config();
    config.realm = "a-realm-of-twenty-eight-byte".into();
    let mut net = Net::with(config);
    let mut client = Client::bob(tcp(1, CLIENT));
    let request = client.unsigned(ALLOCATE, &[]);
    assert_eq!(net.ask_once(&mut client, &request).unwrap().code, Some(401));
    let request = client.unsigned(ALLOCATE, &[udp_transport()]);
    let mut by_udp = Client::bob(udp(CLIENT));
    assert_eq!(
        net.ask_once(&mut by_udp, &request).unwrap().code,
        Some(401),
        "a plain Allocate may have the longest realm over UDP too"
    );
}
