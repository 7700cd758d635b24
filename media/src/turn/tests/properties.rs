//! Group 13: whatever clients, peers, time and the host do, in whatever order: limits hold, and at the end everything is zero.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::client::{At, Client, EVEN_PORT, REFRESH, channel_data, family, lifetime};
use super::net::{Net, SFU, addr, config, tcp, udp};
use crate::turn::{OpenError, Scope};

#[derive(Clone, Debug)]
enum Step {
    Allocate { client: usize, both: bool, even: bool },
    Refresh { client: usize, seconds: u32, family: u8 },
    Permit { client: usize, peer: u8 },
    Bind { client: usize, channel: u16, peer: u8 },
    Send { client: usize, channel: u16 },
    PeerSends { peer: u8 },
    CloseLink { client: usize },
    CloseUser,
    Refuse { unavailable: bool },
    Reload { narrow: bool },
    Pass { seconds: u64 },
}

const CLIENTS: usize = 8;

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        4 => (client.clone(), any::<bool>(), any::<bool>()).prop_map(|(client, both, even)| Step::Allocate { client, both, even }),
        2 => (client.clone(), prop::sample::select(vec![0, 60, 3_600]), 0u8..3)
            .prop_map(|(client, seconds, family)| Step::Refresh { client, seconds, family }),
        2 => (client.clone(), 0u8..6).prop_map(|(client, peer)| Step::Permit { client, peer }),
        2 => (client.clone(), 0u16..4, 0u8..6).prop_map(|(client, channel, peer)| Step::Bind { client, channel, peer }),
        2 => (client.clone(), 0u16..4).prop_map(|(client, channel)| Step::Send { client, channel }),
        1 => (0u8..6).prop_map(|peer| Step::PeerSends { peer }),
        1 => client.prop_map(|client| Step::CloseLink { client }),
        1 => Just(Step::CloseUser),
        1 => any::<bool>().prop_map(|unavailable| Step::Refuse { unavailable }),
        1 => any::<bool>().prop_map(|narrow| Step::Reload { narrow }),
        2 => (0u64..400).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

fn peer(number: u8) -> SocketAddr {
    match number {
        0 => addr(SFU),
        1 => addr("[2a00:1450::1]:5000"),
        2 => addr("10.0.0.9:5000"),
        _ => SocketAddr::from(([1, 1, 1, number], 5_000)),
    }
}

fn clients() -> Vec<Client> {
    (0..CLIENTS)
        .map(|number| {
            let remote = format!("8.8.8.{}:{}", number % 3 + 1, 1_000 + number);
            let link = if number % 2 == 0 { udp(&remote) } else { tcp(number as u64, &remote) };
            match number % 3 {
                0 => Client::bob(link),
                1 => Client::issued(link, "anna", Scope::Any, 2_000),
                _ => Client::issued(link, &format!("p{number}"), Scope::Sfu, 100_000),
            }
        })
        .collect()
}

fn take(net: &mut Net, clients: &mut [Client], step: &Step) {
    match *step {
        Step::Allocate { client, both, even } => {
            let both = both.then(|| At::Raw(super::client::ADDITIONAL_FAMILY, vec![2, 0, 0, 0]));
            let even = even.then(|| At::Raw(EVEN_PORT, vec![if both.is_some() { 0 } else { 0x80 }]));
            clients[client].allocate(net, &both.into_iter().chain(even).collect::<Vec<_>>());
        }
        Step::Refresh { client, seconds, family: number } => {
            let of_family = (number > 0).then(|| family(number));
            net.ask(&mut clients[client], REFRESH, &of_family.into_iter().chain([lifetime(seconds)]).collect::<Vec<_>>());
        }
        Step::Permit { client, peer: number } => _ = clients[client].permit(net, &[peer(number)]),
        Step::Bind { client, channel, peer: number } => _ = clients[client].bind(net, 0x4000 + channel, peer(number)),
        Step::Send { client, channel } => _ = net.send(&clients[client].link, &channel_data(0x4000 + channel, b"1234", 0)),
        Step::PeerSends { peer: number } => {
            let relays: Vec<_> = net.sockets.open.values().copied().collect();
            relays.into_iter().for_each(|relayed| _ = net.peer_sends(peer(number), relayed, b"x"));
        }
        Step::CloseLink { client } => net.turn.link_closed(net.now, &clients[client].link, &mut net.sockets),
        Step::CloseUser => _ = net.turn.close_issued(net.now, "anna", &mut net.sockets),
        Step::Refuse { unavailable } => {
            net.sockets.errors.push(if unavailable { OpenError::Unavailable } else { OpenError::PortInUse });
        }
        Step::Reload { narrow } => {
            let mut config = limited();
            if narrow {
                config.peers.deny = vec!["1.1.1.0/24".parse().unwrap()];
            }
            net.turn.reload(config).unwrap();
        }
        Step::Pass { seconds } => net.pass(seconds),
    }
}

fn limited() -> crate::turn::TurnConfig {
    let mut config = config();
    config.limits.max_allocations = 6;
    config.limits.max_allocations_per_user = 2;
    config.limits.max_allocations_per_ip = 3;
    config.limits.max_permissions = 3;
    config.limits.max_channels = 2;
    config
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn limits_hold_at_every_step_and_at_the_end_all_counts_are_zero(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut net, mut clients) = (Net::with(limited()), clients());
        for step in &steps {
            take(&mut net, &mut clients, step);
            let [allocations, links, relayed, ends] = net.turn.table.sizes();
            prop_assert!(allocations <= 6 && links == allocations && ends == allocations, "{:?}", net.entries());
            prop_assert!((allocations..=2 * allocations).contains(&relayed));
            prop_assert_eq!(net.turn.counters().relays() as usize, relayed);
            prop_assert_eq!(net.turn.counters().ports_in_use() as usize, relayed);
            prop_assert!(net.sockets.open.len() <= relayed);
            for key in net.turn.table.keys() {
                let allocation = net.turn.table.get(key).unwrap();
                prop_assert!(allocation.permissions.len() <= 3 && allocation.channels.len() <= 2);
            }
        }
        // Half of them end by themselves, the rest with the engine.
        net.pass(300);
        let now = net.now;
        net.turn.close_all(now, &mut net.sockets);
        net.assert_empty();
        prop_assert_eq!(net.turn.poll_timeout(), None);
    }
}
