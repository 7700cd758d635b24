//! Tables: what a machine has, and what it tells.

use super::*;

/// `name address`; `~` in front of an address that is passing, `!` in front of a name with a network card.
fn situation(interfaces: &[&str]) -> Situation {
    let interface = |text: &&str| {
        let (name, ip) = text.split_once(' ').unwrap();
        let is_passing = ip.starts_with('~');
        let (is_hardware, name) = (name.starts_with('!'), name.trim_start_matches('!').to_owned());
        Interface { name, ip: ip.trim_start_matches('~').parse().unwrap(), is_passing, is_hardware }
    };
    let interfaces = interfaces.iter().map(interface).collect();
    Situation { interfaces, configured: Vec::new(), place: Place::Machine, mapped: Vec::new() }
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn what_others_can_reach_comes_first_and_what_they_cannot_is_left_out() {
    let table: [(&[&str], &[&str]); 8] = [
        (&["lo 127.0.0.1", "eth0 93.184.216.34"], &["93.184.216.34", "127.0.0.1"]),
        (&["lo 127.0.0.1", "lo ::1", "eth0 192.168.1.2"], &["192.168.1.2", "127.0.0.1", "::1"]),
        (&["eth1 10.0.0.5", "eth0 93.184.216.34"], &["93.184.216.34", "10.0.0.5"]),
        // Bridges only where there is nothing else.
        (&["docker0 172.17.0.1", "br-12ab 172.18.0.1", "eth0 192.168.1.2"], &["192.168.1.2"]),
        (&["docker0 172.17.0.1", "virbr0 192.168.122.1", "lo 127.0.0.1"], &["172.17.0.1", "192.168.122.1", "127.0.0.1"]),
        // Link-local never; unique local last of its kind.
        (&["eth0 fe80::1", "eth0 169.254.3.4", "eth0 fd00::2", "eth0 10.1.1.1"], &["10.1.1.1", "fd00::2"]),
        // Temporary addresses only where there is no lasting one.
        (&["eth0 ~2a00:1450::77", "eth0 2a00:1450::1", "eth0 93.184.216.34"], &["93.184.216.34", "2a00:1450::1"]),
        (&["eth0 ~2a00:1450::77", "eth0 192.168.1.2"], &["2a00:1450::77", "192.168.1.2"]),
    ];
    for (interfaces, expected) in table {
        assert_eq!(decide(&situation(interfaces)).advertised, addresses(expected), "{interfaces:?}");
    }
}

#[test]
fn each_poor_situation_has_its_warning_and_a_good_one_has_none() {
    use AddressWarning::{ContainerOnly, LoopbackOnly, NoPublic};
    let table: [(Place, &[&str], Option<AddressWarning>); 10] = [
        (Place::Machine, &["lo 127.0.0.1", "eth0 93.184.216.34"], None),
        (Place::Machine, &["eth0 2a00:1450::1", "eth0 192.168.1.2"], None),
        (Place::Machine, &["lo 127.0.0.1", "eth0 192.168.1.2"], Some(NoPublic)),
        (Place::Machine, &["docker0 172.17.0.1"], Some(NoPublic)),
        (Place::Machine, &["lo 127.0.0.1"], Some(LoopbackOnly)),
        (Place::Container, &["lo 127.0.0.1", "eth0 172.17.0.2"], Some(ContainerOnly)),
        (Place::Container, &["eth0 172.17.0.2", "eth0 fd00::2"], Some(ContainerOnly)),
        (Place::Container, &["eth0 93.184.216.34"], None),
        // With the network of its machine it sees the bridges, and the cards.
        (Place::Container, &["!enp3s0 192.168.1.2", "lo 127.0.0.1"], Some(NoPublic)),
        (Place::Container, &["eth0 192.168.1.2", "docker0 172.17.0.1"], Some(NoPublic)),
    ];
    for (place, interfaces, expected) in table {
        let decision = decide(&Situation { place, ..situation(interfaces) });
        assert_eq!(decision.warnings, Vec::from_iter(expected), "{interfaces:?}");
    }
}

#[test]
fn what_a_stun_server_saw_is_told_first_and_in_addition() {
    let mut situation = situation(&["eth0 10.0.0.5", "lo 127.0.0.1"]);
    assert!(may_ask(&situation));
    situation.mapped = addresses(&["93.184.216.34", "93.184.216.34"]);
    situation.place = Place::Container;
    let decision = decide(&situation);
    assert_eq!(decision.advertised, addresses(&["93.184.216.34", "10.0.0.5", "127.0.0.1"]));
    assert_eq!(decision.warnings, []);
}

#[test]
fn a_private_address_seen_by_a_stun_server_takes_no_warning_away() {
    let mut situation = situation(&["eth0 10.0.0.5"]);
    situation.mapped = addresses(&["10.9.9.9"]);
    assert_eq!(decide(&situation).warnings, [AddressWarning::NoPublic]);
}

#[test]
fn configured_addresses_replace_all_others_and_nobody_is_asked() {
    let mut situation = situation(&["eth0 172.17.0.2"]);
    (situation.place, situation.configured) = (Place::Container, addresses(&["203.0.113.7"]));
    assert_eq!(decide(&situation), Decision { advertised: addresses(&["203.0.113.7"]), warnings: vec![] });
    assert!(!may_ask(&situation));
}

#[test]
fn nobody_is_asked_when_an_interface_has_a_public_address() {
    assert!(!may_ask(&situation(&["eth0 10.0.0.5", "eth1 93.184.216.34"])));
}

#[test]
fn an_interface_with_hundreds_of_addresses_is_not_told_whole() {
    let texts: Vec<String> = (0..300).map(|n| format!("eth0 10.0.{}.{}", n / 200, n % 200)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(decide(&situation(&texts)).advertised.len(), MAX_ADDRESSES);
    assert_eq!(decide(&situation(&[])), Decision::default());
}

#[test]
fn the_edges_of_the_ranges_lie_where_the_registries_have_them() {
    for (text, expected) in [
        ("9.255.255.255", Reach::Public),
        ("10.0.0.0", Reach::Private),
        ("172.15.0.1", Reach::Public),
        ("172.31.255.255", Reach::Private),
        ("100.64.0.1", Reach::Private),
        ("100.128.0.1", Reach::Public),
        ("203.0.113.7", Reach::Private),
        ("0.0.0.0", Reach::Nowhere),
        ("224.0.0.1", Reach::Nowhere),
        ("::", Reach::Nowhere),
        ("ff02::1", Reach::Nowhere),
        ("fdff::1", Reach::Private),
        ("2001:db8::1", Reach::Private),
        ("2a00:1450::1", Reach::Public),
        ("::ffff:192.168.1.1", Reach::Private),
        ("::1", Reach::Loopback),
    ] {
        assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
    }
}
