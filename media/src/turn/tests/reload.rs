//! Groups 5, 10 and 28: a new configuration meets live allocations; and nothing that can be printed carries a secret.

use super::client::{Client, channel_data};
use super::net::{Net, SFU, addr, config, udp};
use crate::turn::{DropReason, Scope, Secret, To, TurnError};

const CLIENT: &str = "8.8.8.8:40000";

#[test]
fn a_reload_drops_no_allocation_and_takes_back_what_is_now_refused() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    let [kept, refused] = ["1.1.1.1:5000", "2.2.2.2:5000"].map(addr);
    assert_eq!(client.bind(&mut net, 0x4000, kept), None);
    assert_eq!(client.bind(&mut net, 0x4001, refused), None);
    let mut changed = config();
    changed.peers.deny = vec!["2.2.0.0/16".parse().unwrap()];
    net.turn.reload(changed).unwrap();
    assert!(net.turn.has_allocation(net.now, &client.link));
    assert_eq!(net.send(&client.link, &channel_data(0x4000, b"x", 0)).len(), 1);
    assert_eq!(net.send(&client.link, &channel_data(0x4001, b"x", 0)), []);
    assert_eq!(net.peer_sends(kept, relayed, b"x").len(), 1);
    assert_eq!(net.peer_sends(refused, relayed, b"x"), []);
    let indication = client.indicate(refused, b"x");
    assert_eq!(net.send(&client.link, &indication), []);
    assert_eq!(net.turn.counters().revoked(), 2, "a channel and a permission");
    assert_eq!(client.bind(&mut net, 0x4001, refused), Some(403));
}

#[test]
fn a_rule_about_some_ports_takes_back_channels_and_leaves_the_permission_for_the_others() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    client.bind(&mut net, 0x4000, addr("1.1.1.1:5000"));
    client.bind(&mut net, 0x4001, addr("1.1.1.1:6000"));
    let mut changed = config();
    changed.peers.deny = vec!["1.1.1.1:5000".parse().unwrap()];
    net.turn.reload(changed).unwrap();
    assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), relayed, b"x"), []);
    assert_eq!(net.peer_sends(addr("1.1.1.1:6000"), relayed, b"x").len(), 1);
    assert_eq!(net.send(&client.link, &channel_data(0x4000, b"x", 0)), []);
    assert_eq!(net.send(&client.link, &channel_data(0x4001, b"x", 0)).len(), 1);
}

#[test]
fn participants_stay_connected_to_the_sfu_through_a_reload_and_lose_it_when_it_moves() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::issued(udp(CLIENT), "anna", Scope::Sfu, 3_600).allocated(&mut net);
    client.bind(&mut net, 0x4000, addr(SFU));
    net.turn.reload(config()).unwrap();
    assert_eq!(net.send(&client.link, &channel_data(0x4000, b"x", 0)).len(), 1);
    assert_eq!(net.sfu_sends(relayed, b"x").unwrap().len(), 1);
    assert_eq!(net.turn.counters().revoked(), 0);
    let mut moved = config();
    moved.own.sfu = vec![addr("9.9.9.9:50002")];
    net.turn.reload(moved).unwrap();
    assert_eq!(net.send(&client.link, &channel_data(0x4000, b"x", 0)), []);
    assert_eq!(client.permit(&mut net, &[addr("9.9.9.9:50002")]), None);
}

#[test]
fn a_channel_to_an_sfu_that_is_somebody_elses_from_now_on_goes_through_the_socket() {
    let mut before = config();
    before.own.sfu.push(addr("7.7.7.7:50000"));
    let mut net = Net::with(before);
    let (mut client, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    client.bind(&mut net, 0x4000, addr("7.7.7.7:50000"));
    assert!(matches!(net.send(&client.link, &channel_data(0x4000, b"x", 0))[0].to, To::Sfu { .. }));
    net.turn.reload(config()).unwrap();
    assert!(matches!(net.send(&client.link, &channel_data(0x4000, b"x", 0))[0].to, To::Peer { .. }));
    assert_eq!(net.peer_sends(addr("7.7.7.7:50000"), relayed, b"x").len(), 1);
}

#[test]
fn a_limit_for_strangers_counts_from_the_reload_on() {
    let mut net = Net::new();
    let mut changed = config();
    changed.limits.unauthenticated_per_second = 20;
    changed.limits.unauthenticated_burst = 5;
    net.turn.reload(changed).unwrap();
    let mut stranger = Client::bob(udp(CLIENT));
    let request = stranger.unsigned(super::client::BINDING, &[]);
    let answers: usize = (0..100).map(|_| net.send(&stranger.link, &request).len()).sum();
    assert_eq!(answers, 5);
}

#[test]
fn new_users_secrets_and_limits_count_from_the_reload_on() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let mut changed = config();
    changed.auth.users[0].password = Secret::new("new");
    changed.limits.max_allocations = 1;
    net.turn.reload(changed).unwrap();
    assert_eq!(client.refresh(&mut net, 600).code, Some(401), "the old password");
    client.password = "new".to_owned();
    assert_eq!(client.refresh(&mut net, 600).code, None, "the allocation is still this user's");
    let mut other = Client::named(udp("8.8.8.9:1"), "bob", "new");
    assert_eq!(other.allocate(&mut net, &[]).code, Some(508));
}

#[test]
fn ports_and_addresses_of_a_reload_are_for_new_allocations() {
    let mut net = Net::new();
    let (mut client, former) = Client::bob(udp(CLIENT)).allocated(&mut net);
    client.permit(&mut net, &[addr("1.1.1.1:5000")]);
    let mut changed = config();
    changed.relay.ports = 61_000..=61_009;
    net.turn.reload(changed).unwrap();
    assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), former, b"x").len(), 1);
    let (_, relayed) = Client::bob(udp("8.8.8.9:1")).allocated(&mut net);
    assert!((61_000..=61_009).contains(&relayed.port()));
    client.refresh(&mut net, 0);
    assert_eq!(net.sockets.open.len(), 1);
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let mut wrong = config();
    wrong.auth.users.clear();
    wrong.realm = "".into();
    assert_eq!(net.turn.reload(wrong), Err(TurnError::BadRealm));
    assert_eq!(client.refresh(&mut net, 600).code, None);
}

/// Group 28.
#[test]
fn neither_the_configuration_nor_the_figures_show_a_secret_or_an_address() {
    let mut net = Net::new();
    let mut client = Client::issued(udp(CLIENT), "anna", Scope::Any, 3_600).allocated(&mut net).0;
    client.permit(&mut net, &[addr("1.1.1.1:5000")]);
    let shown = format!("{:?}", config());
    assert!(shown.contains("bob") && !shown.contains("builder") && !shown.contains("north"), "{shown}");
    let figures = format!("{:?} {:?}", net.turn.counters(), net.turn.counters().rows());
    for secret in ["anna", "8.8.8.8", "1.1.1.1", &client.password, "north", "builder"] {
        assert!(!figures.contains(secret), "{secret}");
    }
    assert_eq!(net.turn.counters().dropped(DropReason::Malformed), 0);
}
