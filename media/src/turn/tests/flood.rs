//! Groups 18, 19 and 25: whatever bytes come, from whomever, in whatever amount: little is answered, nothing is kept, nothing breaks.

use proptest::prelude::*;

use super::client::{ALLOCATE, At, BINDING, Client, message, udp_transport};
use super::net::{Net, addr, config, udp};
use crate::turn::{DropReason, TurnCounters};

fn total_dropped(counters: &TurnCounters) -> u64 {
    counters.rows().iter().filter(|row| row.name == "turn_dropped").map(|row| row.value).sum()
}

#[test]
fn two_hundred_thousand_forged_datagrams_leave_nothing_and_disturb_nobody() {
    let mut config = config();
    config.limits.unauthenticated_per_second = 20;
    let mut net = Net::with(config);
    let (mut client, relayed) = Client::bob(udp("7.7.7.7:40000")).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5000")]), None);
    let before = net.entries();
    let datagrams = [
        client.unsigned(BINDING, &[]),
        client.unsigned(ALLOCATE, &[udp_transport()]),
        vec![0x40, 0, 0, 4, 1, 2, 3, 4],
        vec![0xff; 60],
        message(0x0016, client.id(), &[At::Peer(addr("1.1.1.1:5000")), At::Raw(0x0013, vec![7; 100])]).raw,
    ];
    let mut answers = 0;
    for number in 0..200_000_u32 {
        let [a, b, c, d] = number.wrapping_mul(0x9e37_79b9).to_be_bytes();
        let remote = std::net::SocketAddr::from(([a % 100 + 11, b, c, d], 1_000 + (number % 50_000) as u16));
        let link = crate::turn::Link::Udp { listener: crate::turn::ListenerId(1), remote, local_ip: None };
        answers += net.send(&link, &datagrams[number as usize % datagrams.len()]).len();
        if number.is_multiple_of(20_000) {
            assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), relayed, b"media").len(), 1, "after {number}");
        }
    }
    assert_eq!(net.entries(), before);
    assert!(net.turn.strangers.len() <= 4_096);
    assert_eq!(answers as u64 + total_dropped(net.turn.counters()), 200_000, "each is answered or counted");
}

/// Group 18.
#[test]
fn the_table_of_clients_hashes_with_a_seed_of_its_own() {
    let (first, second, link) = (Net::new(), Net::new(), udp("8.8.8.8:40000"));
    assert_ne!(first.turn.table.hash_of(&link), second.turn.table.hash_of(&link));
}

#[test]
fn messages_of_the_old_stun_without_cookie_and_zero_lengths_are_counted_and_dropped() {
    let mut net = Net::new();
    let client = Client::bob(udp("8.8.8.8:40000"));
    let mut old = message(BINDING, client.id(), &[]).raw;
    old[4] ^= 1;
    let truncated = message(BINDING, client.id(), &[At::Raw(0x8022, vec![1; 5])]).raw;
    let mut too_long = message(BINDING, client.id(), &[]).raw;
    too_long[3] = 4;
    let mut attribute_too_long = message(BINDING, client.id(), &[At::Raw(0x8022, vec![1; 4])]).raw;
    attribute_too_long[23] = 5;
    let many = message(BINDING, client.id(), &vec![At::Raw(0x8022, vec![]); 200]).raw;
    let bad = [old, truncated[..truncated.len() - 3].to_vec(), too_long, attribute_too_long, many, vec![0; 20], vec![0]];
    for bytes in &bad {
        assert_eq!(net.send(&client.link, bytes), []);
    }
    assert_eq!(net.turn.counters().dropped(DropReason::Malformed), bad.len() as u64);
}

#[test]
fn of_an_attribute_that_comes_twice_the_first_counts() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp("8.8.8.8:40000")).allocated(&mut net);
    let twice = [super::client::lifetime(1_200), super::client::lifetime(0)];
    assert_eq!(net.ask(&mut client, 0x0004, &twice).seconds(), Some(1_200));
    let reply = net.ask(
        &mut client,
        0x0009,
        &[
            super::client::channel(0x4000),
            At::Peer(addr("1.1.1.1:5000")),
            At::Peer(addr("127.0.0.1:5000")),
            super::client::channel(0x4001),
        ],
    );
    assert_eq!(reply.code, None);
    assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), relayed, b"x")[0].bytes[..2], [0x40, 0]);
}

proptest! {
    #[test]
    fn any_bytes_of_a_client_are_survived_and_make_no_allocation(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20),
        is_stun: bool,
    ) {
        let mut net = Net::new();
        for mut datagram in datagrams {
            if is_stun && datagram.len() >= 20 {
                let length = ((datagram.len() - 20) / 4 * 4) as u16;
                datagram.truncate(20 + usize::from(length));
                datagram[0] &= 0x01;
                datagram[1] &= 0x1f;
                datagram[2..4].copy_from_slice(&length.to_be_bytes());
                datagram[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
            }
            net.send(&udp("8.8.8.8:40000"), &datagram);
        }
        net.assert_empty();
    }
}
