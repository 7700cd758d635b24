//! A relayed packet allocates nothing, whichever way and path it takes: counted by an allocator that counts. It is also the shortest
//! example of how a host drives the engine.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::alloc::System;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc::sansio::Protocol as _;
use rtc::shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc::turn::client::{Client, ClientConfig, Event};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use webcall_media::turn::{
    Batch, Direction, Link, ListenerId, OpenError, PacketPath, RelayAddress, RelayId, RelaySockets, Secret, StaticUser, To, Turn,
    TurnConfig,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PACKETS: u64 = 10_000;
const BURST: usize = 16;
const PAYLOAD: [u8; 1_200] = [7; 1_200];

#[derive(Default)]
struct Sockets(Vec<RelayId>);

impl RelaySockets for Sockets {
    fn open(&mut self, relay: RelayId, _: SocketAddr) -> Result<(), OpenError> {
        self.0.push(relay);
        Ok(())
    }

    fn close(&mut self, relay: RelayId) {
        self.0.retain(|other| *other != relay);
    }
}

struct Host {
    turn: Turn,
    sockets: Sockets,
    out: Batch,
    now: Instant,
    link: Link,
    client: Client,
}

impl Host {
    fn new() -> Self {
        let mut config = TurnConfig::default();
        let address = addr("9.9.9.9:0").ip();
        config.relay.v4 = Some(RelayAddress { bind: address, advertised: address });
        config.own.sfu = vec![addr("9.9.9.9:40000")];
        config.auth.users = vec![StaticUser { name: "bob".into(), password: Secret::new("builder") }];
        config.limits.bandwidth_per_allocation_bps = 100_000_000_000;
        config.limits.bandwidth_per_user_bps = 100_000_000_000;
        config.limits.bandwidth_per_ip_bps = 100_000_000_000;
        config.limits.bandwidth_total_bps = 100_000_000_000;
        let (now, remote) = (Instant::now(), addr("8.8.8.8:4000"));
        let client = ClientConfig {
            turn_serv_addr: "9.9.9.9:3478".to_owned(),
            local_addr: remote,
            username: "bob".to_owned(),
            password: "builder".to_owned(),
            ..ClientConfig::default()
        };
        Self {
            turn: Turn::new(config, now, Duration::from_secs(1_700_000_000), 1).unwrap(),
            sockets: Sockets::default(),
            out: Batch::default(),
            now,
            link: Link::Udp { listener: ListenerId(0), remote, local_ip: None },
            client: Client::new(client, rtc::crypto::default_provider().unwrap()).unwrap(),
        }
    }

    /// Carries the client's requests and their answers.
    fn settle(&mut self) -> Vec<Event> {
        while let Some(sent) = self.client.poll_write() {
            self.turn.handle_client(self.now, &self.link, &sent.message, &mut self.sockets, &mut self.out);
            for run in self.out.runs().filter(|run| matches!(run.to, To::Client { .. })) {
                let transport = TransportContext {
                    local_addr: self.link.remote(),
                    peer_addr: addr("9.9.9.9:3478"),
                    transport_protocol: TransportProtocol::UDP,
                    ecn: None,
                };
                self.client.handle_read(TransportMessage { now: self.now, transport, message: run.bytes.into() }).unwrap();
            }
            self.out.clear();
        }
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    /// An allocation with a permission for each of these, and a channel for the first two (0x4000 and 0x4001).
    fn prepare(&mut self, peers: &[SocketAddr]) -> SocketAddr {
        self.client.allocate(self.now).unwrap();
        let relayed = self.settle().into_iter().find_map(|event| match event {
            Event::AllocateResponse(_, relayed) => Some(relayed),
            _ => None,
        });
        let relayed = relayed.unwrap();
        for (number, peer) in peers.iter().enumerate() {
            self.client.relay(relayed).unwrap().create_permission(self.now, *peer).unwrap();
            self.settle();
            if number < 2 {
                self.client.relay(relayed).unwrap().send_to(self.now, b"bind", *peer).unwrap();
                self.settle();
            }
        }
        relayed
    }

    /// Allocations of so many packets, in bursts that are sent between.
    fn allocations(&mut self, mut packet: impl FnMut(&mut Self)) -> usize {
        // The buffers grow to what a burst needs.
        (0..BURST).for_each(|_| packet(self));
        self.out.clear();
        let region = Region::new(ALLOCATOR);
        for number in 0..PACKETS {
            packet(self);
            if (number as usize).is_multiple_of(BURST) {
                assert!(self.out.runs().count() > 0);
                self.out.clear();
            }
        }
        self.out.clear();
        let change = region.change();
        change.allocations + change.reallocations
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn channel_data(number: u16) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(PAYLOAD.len() as u16).to_be_bytes(), &PAYLOAD].concat()
}

/// The only test of its binary: another thread's allocations would be counted too.
#[test]
fn a_relayed_packet_allocates_nothing() {
    let (peer, sfu, other) = (addr("1.1.1.1:5000"), addr("9.9.9.9:40000"), addr("1.1.1.2:5000"));
    let mut host = Host::new();
    let relayed = host.prepare(&[peer, sfu, other]);
    let relay = host.sockets.0[0];
    let (to_peer, to_sfu) = (channel_data(0x4000), channel_data(0x4001));
    let up =
        |host: &mut Host, bytes: &[u8]| host.turn.handle_client(host.now, &host.link, bytes, &mut host.sockets, &mut host.out);
    assert_eq!(host.allocations(|host| up(host, &to_peer)), 0, "on a channel, up");
    assert_eq!(host.allocations(|host| up(host, &to_sfu)), 0, "on a channel to the SFU");
    assert_eq!(host.allocations(|h| h.turn.handle_peer(h.now, relay, peer, &PAYLOAD, &mut h.out)), 0, "on a channel, down");
    assert_eq!(host.allocations(|h| h.turn.handle_peer(h.now, relay, other, &PAYLOAD, &mut h.out)), 0, "by indication, down");
    let from_sfu = |host: &mut Host| assert!(host.turn.from_sfu(host.now, sfu, relayed, &PAYLOAD, &mut host.out));
    assert_eq!(host.allocations(from_sfu), 0, "from the SFU");
    let indication = send_indication(other);
    assert_eq!(host.allocations(|host| up(host, &indication)), 0, "by indication, up");
    let counters = host.turn.counters();
    for direction in Direction::ALL {
        for path in [PacketPath::Channel, PacketPath::Indication, PacketPath::Shortcut] {
            assert!(
                counters.packets(direction, path) >= PACKETS,
                "{direction:?} {path:?}: {}",
                counters.packets(direction, path)
            );
        }
    }
}

/// A Send indication, by the messages of `rtc-stun`.
fn send_indication(peer: SocketAddr) -> Vec<u8> {
    use rtc_stun::attributes::{ATTR_DATA, ATTR_XOR_PEER_ADDRESS};
    let mut message = rtc_stun::message::Message::new();
    message.typ = rtc_stun::message::MessageType::new(rtc_stun::message::METHOD_SEND, rtc_stun::message::CLASS_INDICATION);
    message.write_header();
    let address = rtc_stun::xoraddr::XorMappedAddress { ip: peer.ip(), port: peer.port() };
    address.add_to_as(&mut message, ATTR_XOR_PEER_ADDRESS).unwrap();
    message.add(ATTR_DATA, &PAYLOAD);
    message.raw
}
