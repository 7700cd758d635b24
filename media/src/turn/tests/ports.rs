//! Groups 17 and 26: EVEN-PORT and RESERVATION-TOKEN, and a range that is used up.

use super::client::{At, Client, EVEN_PORT, TOKEN, XOR_RELAYED};
use super::net::{Net, config, udp};
use crate::turn::{TurnConfig, TurnError};

fn client(port: u16) -> Client {
    Client::bob(udp(&format!("8.8.8.8:{port}")))
}

#[test]
fn an_even_port_is_even_and_the_next_is_kept_for_its_token() {
    let mut net = Net::new();
    let reply = client(1).allocate(&mut net, &[At::Raw(EVEN_PORT, vec![0])]);
    assert!(reply.address(XOR_RELAYED).unwrap().port().is_multiple_of(2));
    assert_eq!(reply.get(TOKEN), None);
    let reply = client(2).allocate(&mut net, &[At::Raw(EVEN_PORT, vec![0x80])]);
    let (first, token) = (reply.address(XOR_RELAYED).unwrap().port(), reply.get(TOKEN).unwrap().to_vec());
    let second = client(3).allocate(&mut net, &[At::Raw(TOKEN, token.clone())]);
    assert_eq!(second.address(XOR_RELAYED).map(|relayed| relayed.port()), Some(first + 1));
    assert_eq!(client(4).allocate(&mut net, &[At::Raw(TOKEN, token)]).code, Some(508), "once");
}

#[test]
fn one_engine_of_several_reserves_nothing_and_says_so() {
    let mut config = config();
    config.relay.has_reservations = false;
    let mut net = Net::with(config);
    assert_eq!(client(1).allocate(&mut net, &[At::Raw(EVEN_PORT, vec![0x80])]).code, Some(508));
    let reply = client(1).allocate(&mut net, &[At::Raw(EVEN_PORT, vec![0])]);
    assert!(reply.address(XOR_RELAYED).unwrap().port().is_multiple_of(2));
}

#[test]
fn a_token_that_was_not_used_in_thirty_seconds_is_worth_nothing() {
    let mut net = Net::new();
    let reply = client(1).allocate(&mut net, &[At::Raw(EVEN_PORT, vec![0x80])]);
    let token = reply.get(TOKEN).unwrap().to_vec();
    net.pass(30);
    assert_eq!(client(2).allocate(&mut net, &[At::Raw(TOKEN, token)]).code, Some(508));
}

#[test]
fn a_range_that_is_used_up_is_508_without_a_question_to_the_host_and_a_port_that_is_given_back_will_do() {
    let mut config = config();
    config.relay.ports = 60_000..=60_003;
    let mut net = Net::with(config);
    let mut clients: Vec<_> = (1..=4).map(client).collect();
    for client in &mut clients {
        assert_eq!(client.allocate(&mut net, &[]).code, None);
    }
    let asked = net.sockets.asked;
    assert_eq!(client(5).allocate(&mut net, &[]).code, Some(508));
    assert_eq!(net.sockets.asked, asked);
    clients[0].refresh(&mut net, 0);
    assert_eq!(client(5).allocate(&mut net, &[]).code, None);
}

#[test]
fn relay_ports_among_the_servers_own_are_refused_at_start() {
    let refused = |change: fn(&mut TurnConfig)| {
        let mut config = config();
        change(&mut config);
        crate::turn::Turn::new(config, std::time::Instant::now(), std::time::Duration::ZERO, 1).err()
    };
    assert_eq!(refused(|config| config.own.ports.push(60_500)), Some(TurnError::PortTaken(60_500)));
    assert_eq!(refused(|config| config.own.sfu.push("9.9.9.9:60501".parse().unwrap())), Some(TurnError::PortTaken(60_501)));
    assert_eq!(refused(|config| config.own.ports.push(61_500)), Some(TurnError::PortTaken(61_500)), "of another engine");
    assert_eq!(refused(|config| config.relay.ports = 0..=9), Some(TurnError::BadPorts(0..=9)));
    assert_eq!(refused(|config| config.relay.ports = 61_000..=62_000), Some(TurnError::BadPorts(61_000..=62_000)));
    assert_eq!(refused(|config| config.limits.max_lifetime *= 25), Some(TurnError::BadLifetime));
    assert_eq!(refused(|config| config.realm = "x".repeat(29).into()), Some(TurnError::BadRealm));
    assert_eq!(refused(|config| config.realm = "a\"b".into()), Some(TurnError::BadRealm));
    assert_eq!(refused(|config| config.auth.shared_secrets.clear()), None, "static users will do");
    assert_eq!(refused(|config| config.auth.users[0].name = "".into()), Some(TurnError::EmptySecret));
    assert_eq!(refused(|config| config.limits.default_lifetime *= 7), Some(TurnError::BadLifetime));
    assert!(matches!(refused(|config| config.relay.v4 = config.relay.v6), Some(TurnError::BadRelayAddress(_))));
}
