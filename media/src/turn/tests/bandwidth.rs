//! Group 15: bandwidth of an allocation, a user, an address and the server, each way by itself; what is too much is dropped and counted.

use std::time::Duration;

use super::client::{Client, channel_data};
use super::net::{Net, addr, config, udp};
use crate::turn::{Direction, DropReason, LimitsConfig};

const PEER: &str = "1.1.1.1:5000";
const BYTES: usize = 1_250;
/// What is sent by each client each way, in ten seconds: 10 Mbit/s.
const SENT: usize = 10_000;

const TWO_ADDRESSES: [&str; 2] = ["8.8.8.1:4000", "8.8.8.2:4000"];
const ONE_ADDRESS: [&str; 2] = ["8.8.8.1:4000", "8.8.8.1:4001"];

/// What came through of two clients of one user at these addresses, up and down, Mbit.
fn passed_at(addresses: [&str; 2], limits: impl Fn(&mut LimitsConfig)) -> ([f64; 2], u64) {
    let mut config = config();
    limits(&mut config.limits);
    let mut net = Net::with(config);
    let clients: Vec<_> = addresses
        .into_iter()
        .map(|address| {
            let (mut client, relayed) = Client::bob(udp(address)).allocated(&mut net);
            assert_eq!(client.bind(&mut net, 0x4000, addr(PEER)), None);
            (client, relayed)
        })
        .collect();
    let up = channel_data(0x4000, &[1; BYTES], 0);
    for _ in 0..SENT {
        net.now += Duration::from_millis(1);
        for (client, relayed) in &clients {
            net.send(&client.link, &up);
            net.peer_sends(addr(PEER), *relayed, &[1; BYTES]);
        }
    }
    let counters = net.turn.counters();
    (Direction::ALL.map(|direction| counters.bytes(direction) as f64 * 8e-6), counters.dropped(DropReason::Rate))
}

fn passed(limits: impl Fn(&mut LimitsConfig)) -> ([f64; 2], u64) {
    passed_at(TWO_ADDRESSES, limits)
}

fn assert_about(passed: [f64; 2], expected: f64) {
    assert!(passed.iter().all(|mbit| (expected..expected * 1.07).contains(mbit)), "{passed:?}, not {expected}");
}

#[test]
fn each_limit_holds_in_each_direction_and_what_is_dropped_is_counted() {
    let all = (2 * SENT * BYTES * 8) as f64 * 1e-6;
    let (unlimited, dropped) = passed(|_| {});
    assert_eq!((unlimited, dropped), ([all; 2], 0));
    let (by_allocation, dropped) = passed(|limits| limits.bandwidth_per_allocation_bps = 2_000_000);
    assert_about(by_allocation, 2.0 * 20.0);
    assert_eq!(dropped, 4 * SENT as u64 - (by_allocation.iter().sum::<f64>() * 1e6 / 8.0 / BYTES as f64).round() as u64);
    assert_about(passed(|limits| limits.bandwidth_per_user_bps = 3_000_000).0, 30.0);
    let per_ip = |limits: &mut LimitsConfig| limits.bandwidth_per_ip_bps = 2_000_000;
    assert_about(passed_at(TWO_ADDRESSES, per_ip).0, 2.0 * 20.0);
    assert_about(passed_at(ONE_ADDRESS, per_ip).0, 20.0);
    assert_about(passed(|limits| limits.bandwidth_total_bps = 1_000_000).0, 10.0);
}
