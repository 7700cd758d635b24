//! The whole client of `rtc-turn` against the engine: it shares no decision with ours.

use std::net::SocketAddr;
use std::time::Duration;

use rtc::sansio::Protocol as _;
use rtc::shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc::turn::client::{Client as TurnClient, ClientConfig, Event};

use super::client::provider;
use super::net::{Net, Sent, addr, udp};
use crate::turn::{Direction, Link, PacketPath, Scope, Secret, To, issue_credential};

const SERVER: &str = "9.9.9.9:3478";
const CLIENT: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

struct Oracle {
    net: Net,
    link: Link,
    client: TurnClient,
    events: Vec<Event>,
    /// What the engine sent to others.
    to_peers: Vec<Sent>,
}

impl Oracle {
    fn new(username: &str, password: &str) -> Self {
        let config = ClientConfig {
            turn_serv_addr: SERVER.to_owned(),
            stun_serv_addr: SERVER.to_owned(),
            local_addr: addr(CLIENT),
            transport_protocol: TransportProtocol::UDP,
            username: username.to_owned(),
            password: password.to_owned(),
            realm: String::new(),
            software: String::new(),
            rto_in_ms: 0,
            // It does not repeat a refresh whose nonce had ended, and would be late with the next at half of ten minutes.
            allocation_refresh_interval_cap: Some(Duration::from_secs(120)),
        };
        let client = TurnClient::new(config, provider()).unwrap();
        Self { net: Net::new(), link: udp(CLIENT), client, events: Vec::new(), to_peers: Vec::new() }
    }

    /// Carries everything to and fro until both are silent.
    fn settle(&mut self) {
        while let Some(sent) = self.client.poll_write() {
            for answer in self.net.send(&self.link, &sent.message) {
                self.deliver(answer);
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }

    fn deliver(&mut self, sent: Sent) {
        let To::Client { remote, .. } = sent.to else { return self.to_peers.push(sent) };
        assert_eq!(remote, addr(CLIENT));
        let transport = TransportContext {
            local_addr: addr(CLIENT),
            peer_addr: addr(SERVER),
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = bytes::BytesMut::from(&sent.bytes[..]);
        self.client.handle_read(TransportMessage { now: self.net.now, transport, message }).expect("it understands every answer");
    }

    fn allocated(mut self) -> (Self, SocketAddr) {
        self.client.allocate(self.net.now).unwrap();
        self.settle();
        let relayed = self.events.drain(..).find_map(|event| match event {
            Event::AllocateResponse(_, relayed) => Some(relayed),
            _ => None,
        });
        (self, relayed.expect("an allocation"))
    }

    fn permit(&mut self, relayed: SocketAddr, peer: SocketAddr) {
        self.client.relay(relayed).unwrap().create_permission(self.net.now, peer).unwrap();
        self.settle();
    }

    /// What the client got from its peer: on which channel, and the payload.
    fn received(&mut self) -> Vec<(bool, SocketAddr, Vec<u8>)> {
        let received = self.events.drain(..).filter_map(|event| match event {
            Event::DataIndicationOrChannelData(channel, peer, payload) => Some((channel.is_some(), peer, payload.to_vec())),
            _ => None,
        });
        received.collect()
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.net.pass(1);
            self.client.handle_timeout(self.net.now).unwrap();
            self.settle();
        }
    }
}

#[test]
fn the_client_of_another_author_allocates_and_talks_by_indications_and_then_on_a_channel() {
    let (mut oracle, relayed) = Oracle::new("bob", "builder").allocated();
    let peer = addr(PEER);
    oracle.permit(relayed, peer);
    assert!(oracle.events.drain(..).any(|event| matches!(event, Event::CreatePermissionResponse(_, granted) if granted == peer)));
    for payload in [&b"first"[..], b"second", b"third"] {
        oracle.client.relay(relayed).unwrap().send_to(oracle.net.now, payload, peer).unwrap();
        oracle.settle();
    }
    let sent: Vec<_> = oracle.to_peers.drain(..).map(|sent| sent.bytes).collect();
    assert_eq!(sent, [&b"first"[..], b"second", b"third"]);
    let counters = oracle.net.turn.counters();
    assert_eq!(counters.packets(Direction::Up, PacketPath::Indication), 1, "until its channel was bound");
    assert_eq!(counters.packets(Direction::Up, PacketPath::Channel), 2);
    for answer in oracle.net.peer_sends(peer, relayed, b"answer") {
        oracle.deliver(answer);
    }
    oracle.settle();
    assert_eq!(oracle.received(), [(true, peer, b"answer".to_vec())]);
}

#[test]
fn the_client_of_another_author_gets_indications_from_a_peer_without_a_channel() {
    let (mut oracle, relayed) = Oracle::new("bob", "builder").allocated();
    oracle.permit(relayed, addr(PEER));
    for payload in [&b"abc"[..], b"", b"abcd", &[7; 1_200]] {
        for answer in oracle.net.peer_sends(addr("1.1.1.1:6000"), relayed, payload) {
            oracle.deliver(answer);
        }
        oracle.settle();
        assert_eq!(oracle.received(), [(false, addr("1.1.1.1:6000"), payload.to_vec())]);
    }
}

#[test]
fn the_client_of_another_author_keeps_its_allocation_for_an_hour_through_every_change_of_the_nonce() {
    let credential = issue_credential(&Secret::new(super::net::SECRET), "anna", Scope::Any, super::net::UNIX_S + 86_400).unwrap();
    let (mut oracle, relayed) = Oracle::new(&credential.username, &credential.password).allocated();
    let peer = addr(PEER);
    oracle.permit(relayed, peer);
    oracle.client.relay(relayed).unwrap().send_to(oracle.net.now, b"bind", peer).unwrap();
    oracle.settle();
    for minute in 0..60 {
        oracle.pass(60);
        oracle.client.relay(relayed).unwrap().send_to(oracle.net.now, b"alive", peer).unwrap();
        oracle.settle();
        assert_eq!(oracle.to_peers.drain(..).next_back().map(|sent| sent.bytes), Some(b"alive".to_vec()), "minute {minute}");
    }
    // Twice, because the first may meet a nonce that has ended.
    for _ in 0..2 {
        if let Ok(mut relay) = oracle.client.relay(relayed) {
            relay.close(oracle.net.now).unwrap();
        }
        oracle.settle();
    }
    oracle.net.assert_empty();
}

#[test]
fn the_client_of_another_author_learns_its_address() {
    let mut oracle = Oracle::new("bob", "builder");
    oracle.client.send_binding_request(oracle.net.now).unwrap();
    oracle.settle();
    assert!(matches!(oracle.events[..], [Event::BindingResponse(_, mapped)] if mapped == addr(CLIENT)));
}

#[test]
fn the_client_of_another_author_understands_a_refusal() {
    let mut oracle = Oracle::new("bob", "wrong");
    oracle.client.allocate(oracle.net.now).unwrap();
    oracle.settle();
    assert!(matches!(&oracle.events[..], [Event::AllocateError(_, error)] if error.to_string().contains("401")));
    let (mut oracle, relayed) = Oracle::new("bob", "builder").allocated();
    oracle.permit(relayed, addr("127.0.0.1:5000"));
    assert!(matches!(&oracle.events[..], [Event::CreatePermissionError(_, error)] if error.to_string().contains("403")));
}
