//! Group 13: quotas by user, by address and in all; each refusal with its code, nothing opened for it.

use super::client::Client;
use super::net::{Net, config, udp};
use crate::turn::{LimitsConfig, Scope};

fn net(limits: impl Fn(&mut LimitsConfig)) -> Net {
    let mut config = config();
    limits(&mut config.limits);
    Net::with(config)
}

#[test]
fn a_user_has_so_many_allocations_and_one_more_when_one_ends() {
    let mut net = net(|limits| limits.max_allocations_per_user = 2);
    let mut clients: Vec<_> = (1..=3).map(|last| Client::bob(udp(&format!("8.8.8.{last}:4000")))).collect();
    let codes: Vec<_> = clients.iter_mut().map(|client| client.allocate(&mut net, &[]).code).collect();
    assert_eq!(codes, [None, None, Some(486)]);
    assert_eq!(net.sockets.asked, 2);
    clients[0].refresh(&mut net, 0);
    assert_eq!(clients[2].allocate(&mut net, &[]).code, None);
}

#[test]
fn renewed_credentials_do_not_get_around_the_quota() {
    let mut net = net(|limits| limits.max_allocations_per_user = 2);
    let codes: Vec<_> = (1..=3)
        .map(|number| {
            Client::issued(udp(&format!("8.8.8.{number}:4000")), "anna", Scope::Any, 600 + number).allocate(&mut net, &[]).code
        })
        .collect();
    assert_eq!(codes, [None, None, Some(486)]);
}

#[test]
fn an_address_has_so_many_allocations_and_an_ipv6_network_counts_as_one() {
    let mut net = net(|limits| limits.max_allocations_per_ip = 2);
    let mut code = |remote: &str, id: &str| Client::issued(udp(remote), id, Scope::Any, 600).allocate(&mut net, &[]).code;
    assert_eq!([code("8.8.8.8:1", "a"), code("8.8.8.8:2", "b"), code("8.8.8.8:3", "c")], [None, None, Some(486)]);
    assert_eq!(code("8.8.8.9:1", "d"), None);
    let v6 = [code("[2a00:1::1]:1", "e"), code("[2a00:1::2]:1", "f"), code("[2a00:1::ffff:3]:1", "g")];
    assert_eq!(v6, [None, None, Some(486)]);
    assert_eq!(code("[2a00:1:0:1::1]:1", "h"), None, "the next /64");
}

#[test]
fn the_server_has_so_many_allocations() {
    let mut net = net(|limits| limits.max_allocations = 2);
    let mut code = |last: u8| Client::bob(udp(&format!("8.8.8.{last}:4000"))).allocate(&mut net, &[]).code;
    assert_eq!([code(1), code(2), code(3)], [None, None, Some(508)]);
}
