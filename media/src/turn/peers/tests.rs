//! Groups 1, 2, 4, 6 and 7 of the security tests, for the filter by itself. `turn/tests/peer_filter.rs` shows them at every entry point.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::turn::config::RelayAddress;

/// One address within each range that is closed by default.
pub(in crate::turn) const CLOSED: [&str; 46] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:808:808::f5ff:fffe",
    "2001:2::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2a00::5efe:a00:1",
    "2a00::200:5efe:a00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
];
/// Addresses at the edges of these ranges that are open.
const OPEN: [&str; 14] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "223.255.255.255",
    "2001:200::1",
    "2003::1",
    "2a00:1450::1",
];

fn config() -> TurnConfig {
    TurnConfig::default()
}

fn judged(config: &TurnConfig, ip: &str, port: u16) -> Verdict {
    PeerFilter::new(config).judge(SocketAddr::new(ip.parse().unwrap(), port))
}

fn rules(rules: &[&str]) -> Vec<PeerRule> {
    rules.iter().map(|rule| rule.parse().unwrap()).collect()
}

#[test]
fn without_any_rule_every_special_range_is_closed_and_its_neighbours_are_open() {
    for ip in CLOSED {
        assert!(matches!(judged(&config(), ip, 50_000), Verdict::Denied(_)), "{ip}");
    }
    for ip in ["ff02::1", "4000::1", "8000::1"] {
        assert!(matches!(judged(&config(), ip, 50_000), Verdict::Denied(_)), "{ip}");
    }
    for ip in OPEN {
        assert_eq!(judged(&config(), ip, 50_000), Verdict::Open, "{ip}");
    }
}

#[test]
fn an_allow_rule_opens_what_it_names_and_beats_a_deny_rule() {
    let mut config = config();
    config.peers.allow = rules(&["10.1.0.0/16", "192.168.0.0/16:5000-6000"]);
    config.peers.deny = rules(&["10.0.0.0/8", "8.8.0.0/16"]);
    assert_eq!(judged(&config, "10.1.2.3", 5_000), Verdict::Open);
    assert_eq!(judged(&config, "10.2.2.3", 5_000), Verdict::Denied(DeniedRange::Private));
    assert_eq!(judged(&config, "192.168.1.1", 5_000), Verdict::Open);
    assert_eq!(judged(&config, "192.168.1.1", 4_999), Verdict::Denied(DeniedRange::Private));
    assert_eq!(judged(&config, "8.8.8.8", 5_000), Verdict::Denied(DeniedRange::Rule));
    assert_eq!(judged(&config, "8.9.8.8", 5_000), Verdict::Open);
}

#[test]
fn low_ports_are_closed_but_for_those_excepted_by_number_or_by_a_rule() {
    let mut config = config();
    for port in [1, 25, 53, 123, 161, 1_023] {
        assert_eq!(judged(&config, "8.8.8.8", port), Verdict::Denied(DeniedRange::LowPort));
    }
    assert_eq!(judged(&config, "8.8.8.8", 443), Verdict::Open);
    assert_eq!(judged(&config, "8.8.8.8", 1_024), Verdict::Open);
    config.peers.allow = rules(&["8.8.8.8:53", "9.9.9.9"]);
    assert_eq!(judged(&config, "8.8.8.8", 53), Verdict::Open);
    assert_eq!(judged(&config, "9.9.9.9", 53), Verdict::Denied(DeniedRange::LowPort), "the rule names no ports");
}

/// A server at 10.0.0.5 behind 198.51.100.7, with everything that it listens on.
fn server() -> TurnConfig {
    let mut config = config();
    config.relay.v4 = Some(RelayAddress { bind: "10.0.0.5".parse().unwrap(), advertised: "198.51.100.7".parse().unwrap() });
    config.own.ips = vec!["10.0.0.5".parse().unwrap(), "1.2.3.4".parse().unwrap(), "2a00::5".parse().unwrap()];
    config.own.ports = vec![3_478, 443, 50_000];
    config.own.sfu = vec!["1.2.3.4:50000".parse().unwrap(), "198.51.100.7:50000".parse().unwrap()];
    config
}

#[test]
fn of_the_own_addresses_only_the_very_media_address_of_the_sfu_is_exempt() {
    let config = server();
    assert_eq!(judged(&config, "1.2.3.4", 50_000), Verdict::Sfu);
    assert_eq!(judged(&config, "198.51.100.7", 50_000), Verdict::Sfu);
    for (ip, port) in [("1.2.3.4", 50_001), ("1.2.3.4", 443), ("1.2.3.4", 3_478), ("1.2.3.4", 0), ("2a00::5", 50_000)] {
        assert_eq!(judged(&config, ip, port), Verdict::Denied(DeniedRange::Own), "{ip} {port}");
    }
    assert_eq!(judged(&config, "198.51.100.7", 3_478), Verdict::Denied(DeniedRange::Own));
    assert_eq!(judged(&config, "10.0.0.5", 8_080), Verdict::Denied(DeniedRange::Own));
}

#[test]
fn a_rule_for_the_network_around_an_own_address_does_not_open_it_and_own_ports_stay_closed_to_any_rule() {
    let mut config = server();
    config.peers.allow = rules(&["10.0.0.0/8", "1.2.3.4"]);
    assert_eq!(judged(&config, "10.0.0.6", 8_080), Verdict::Open);
    assert_eq!(judged(&config, "10.0.0.5", 8_080), Verdict::Denied(DeniedRange::Own));
    assert_eq!(judged(&config, "1.2.3.4", 8_080), Verdict::Open, "the rule names this very address");
    assert_eq!(judged(&config, "1.2.3.4", 3_478), Verdict::Denied(DeniedRange::Own));
    assert_eq!(judged(&config, "1.2.3.4", 443), Verdict::Denied(DeniedRange::Own));
}

#[test]
fn relays_of_this_server_may_talk_to_each_other_unless_forbidden() {
    let mut config = server();
    assert_eq!(judged(&config, "198.51.100.7", 49_152), Verdict::SelfRelay);
    assert_eq!(judged(&config, "10.0.0.5", 65_535), Verdict::SelfRelay);
    assert_eq!(judged(&config, "1.2.3.4", 49_152), Verdict::Denied(DeniedRange::Own), "no relay is there");
    config.peers.self_relay = SelfRelay::Forbidden;
    assert_eq!(judged(&config, "198.51.100.7", 49_152), Verdict::Denied(DeniedRange::Own));
}

#[test]
fn a_nat64_that_a_rule_allows_is_no_way_to_what_is_closed() {
    let mut config = server();
    config.peers.allow = rules(&["64:ff9b::/96"]);
    assert_eq!(judged(&config, "64:ff9b::8.8.8.8", 50_001), Verdict::Open);
    assert!(matches!(judged(&config, "64:ff9b::127.0.0.1", 50_001), Verdict::Denied(_)));
    assert!(matches!(judged(&config, "64:ff9b::1.2.3.4", 50_001), Verdict::Denied(DeniedRange::Own)));
    assert!(matches!(judged(&config, "64:ff9b::8.8.8.8", 53), Verdict::Denied(_)));
}

/// Every way to write an IPv4 address as an IPv6 one.
fn embeddings(v4: Ipv4Addr) -> [Ipv6Addr; 9] {
    let bits = u128::from(u32::from(v4));
    let with = |prefix: u128| Ipv6Addr::from(prefix | bits);
    [
        with(0),
        with(0xffff << 32),
        with(0xffff << 48),
        with(0x0064_ff9b << 96),
        with(0x0064_ff9b_0001 << 80),
        with(0x2a00 << 112 | 0x5efe << 32),
        with(0x2a00 << 112 | 0x0200_5efe << 32),
        Ipv6Addr::from(0x2002 << 112 | bits << 80 | 1),
        Ipv6Addr::from(0x2001_0000 << 96 | (bits ^ 0xffff_ffff)),
    ]
}

fn any_closed_v4() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>()
        .prop_map(Ipv4Addr::from)
        .prop_filter("closed", |ip| built_in((*ip).into()).is_some())
        .boxed()
        .prop_union(prop::sample::select(CLOSED[..24].to_vec()).prop_map(|ip| ip.parse().unwrap()).boxed())
}

proptest! {
    #[test]
    fn every_embedding_of_every_closed_address_is_closed_even_when_all_of_ipv6_is_allowed(v4 in any_closed_v4(), port in 1_024u16..) {
        let mut config = config();
        for rule in [None, Some("::/0")] {
            config.peers.allow = rules(rule.as_slice());
            let filter = PeerFilter::new(&config);
            for ip in embeddings(v4) {
                // `::` and `::1` are what they are, and a rule may name them.
                let is_itself = u128::from(ip) < 2 && rule.is_some();
                prop_assert!(is_itself || matches!(filter.judge((ip, port).into()), Verdict::Denied(_)), "{} {:?}", ip, rule);
            }
        }
    }

    #[test]
    fn every_embedding_of_any_address_is_closed_by_default(v4: u32, port: u16) {
        let filter = PeerFilter::new(&config());
        for ip in embeddings(v4.into()) {
            prop_assert!(matches!(filter.judge((ip, port).into()), Verdict::Denied(_)), "{}", ip);
        }
    }
}
