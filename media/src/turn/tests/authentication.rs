//! Groups 8 to 11: who is let in, what the others are told, and that nothing of them is kept.

use super::client::{
    ALLOCATE, At, CREATE_PERMISSION, Client, INTEGRITY, NONCE, REALM, REFRESH, Reply, USERNAME, message, udp_transport,
    with_fingerprint,
};
use super::net::{Net, UNIX_S, addr, config, tcp, udp};
use crate::turn::{AuthResult, Scope, Secret, issue_credential};

const CLIENT: &str = "8.8.8.8:40000";

/// A client that has a nonce.
fn challenged(net: &mut Net, mut client: Client) -> Client {
    let request = client.unsigned(ALLOCATE, &[udp_transport()]);
    let reply = net.ask_once(&mut client, &request).unwrap();
    assert!(client.learn(&reply));
    client
}

fn allocate_once(net: &mut Net, client: &mut Client) -> Reply {
    let request = client.signed(ALLOCATE, &[udp_transport()]);
    net.ask_once(client, &request).expect("an answer")
}

/// Group 8.
#[test]
fn a_request_without_integrity_is_challenged_with_realm_and_nonce_and_nothing_else() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT));
    let request = client.unsigned(ALLOCATE, &[udp_transport()]);
    let reply = net.ask_once(&mut client, &request).unwrap();
    assert_eq!((reply.code, reply.get(REALM), reply.get(NONCE).map(<[u8]>::len)), (Some(401), Some(&b"webcall"[..]), Some(20)));
    assert_eq!(reply.attributes.len(), 3);
    assert_eq!(net.turn.counters().auth(AuthResult::Challenged), 1);
}

#[test]
fn an_unknown_user_a_wrong_password_and_a_wrong_realm_are_refused_with_the_same_bytes() {
    let mut net = Net::new();
    let wrong_realm = |mut client: Client| {
        client.realm = "elsewhere".to_owned();
        client
    };
    let expired = issue_credential(&Secret::new("north"), "anna", Scope::Any, UNIX_S).unwrap();
    let clients = [
        Client::named(udp(CLIENT), "bob", "wrong"),
        Client::named(udp(CLIENT), "eve", "builder"),
        Client::named(udp(CLIENT), "1800000000:eve", "builder"),
        Client::named(udp(CLIENT), "not:a:user", "builder"),
        Client::named(udp(CLIENT), &"x".repeat(300), "builder"),
        Client::named(udp(CLIENT), &expired.username, &expired.password),
        wrong_realm(Client::bob(udp(CLIENT))),
    ];
    let refusals: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let mut client = challenged(&mut net, client);
            let request = client.signed(ALLOCATE, &[udp_transport()]);
            let answer = net.send(&client.link, &request).pop().expect("an answer");
            assert_eq!(Reply::read(&answer.bytes, &client).code, Some(401));
            // All but the transaction.
            [&answer.bytes[..8], &answer.bytes[20..]].concat()
        })
        .collect();
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(net.turn.counters().auth(AuthResult::Refused), 7);
    net.assert_empty();
}

#[test]
fn the_realm_of_a_request_is_the_servers_even_when_the_key_is_right() {
    let mut net = Net::new();
    let mut client = challenged(&mut net, Client::bob(udp(CLIENT)));
    let elsewhere = [udp_transport(), At::Raw(REALM, b"elsewhere".to_vec())];
    // The first of two counts.
    let request = client.signed(ALLOCATE, &elsewhere);
    assert_eq!(net.ask_once(&mut client, &request).unwrap().code, Some(401));
}

#[test]
fn a_request_that_lacks_a_part_of_the_credentials_is_bad() {
    let mut net = Net::new();
    let client = challenged(&mut net, Client::bob(udp(CLIENT)));
    let nonce = client.nonce.clone().unwrap();
    let parts = [At::Raw(USERNAME, b"bob".to_vec()), At::Raw(REALM, b"webcall".to_vec()), At::Raw(NONCE, nonce)];
    for missing in 0..3 {
        let mut attributes = vec![udp_transport()];
        attributes.extend(parts.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, part)| part.clone()));
        attributes.push(At::Raw(INTEGRITY, vec![0; 20]));
        let answer = net.send(&client.link, &message(ALLOCATE, client.id(), &attributes).raw).pop().unwrap();
        let reply = Reply::read(&answer.bytes, &client);
        assert_eq!((reply.code, reply.get(NONCE), reply.get(REALM)), (Some(400), None, None), "without {missing}");
    }
}

#[test]
fn what_stands_behind_the_integrity_is_ignored_but_for_a_fingerprint() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    let mut request = client.signed(CREATE_PERMISSION, &[At::Peer(addr("1.1.1.1:5000"))]);
    // A second peer that nobody signed for, closed or not.
    let unsigned = message(CREATE_PERMISSION, client.id(), &[At::Peer(addr("2.2.2.2:5000"))]).raw;
    request.extend(&unsigned[20..]);
    request.extend([0x77, 0x77, 0, 0]);
    let length = (request.len() - 20) as u16;
    request[2..4].copy_from_slice(&length.to_be_bytes());
    let reply = net.ask_once(&mut client, &with_fingerprint(&request)).unwrap();
    assert_eq!(reply.code, None);
    let to = |peer: &str| client_indication(&client, peer);
    assert_eq!(net.send(&client.link, &to("1.1.1.1:5000")).len(), 1);
    assert_eq!(net.send(&client.link, &to("2.2.2.2:5000")).len(), 0);
}

fn client_indication(client: &Client, peer: &str) -> Vec<u8> {
    message(0x0016, client.id(), &[At::Peer(addr(peer)), At::Raw(0x0013, b"x".to_vec())]).raw
}

#[test]
fn an_answer_to_a_user_is_signed_and_has_a_fingerprint_if_the_request_had_one() {
    let mut net = Net::new();
    let mut client = challenged(&mut net, Client::bob(udp(CLIENT)));
    let request = client.signed(ALLOCATE, &[udp_transport()]);
    let reply = net.ask_once(&mut client, &with_fingerprint(&request)).unwrap();
    assert!(reply.is_signed && reply.get(0x8028).is_some());
    let request = client.signed(CREATE_PERMISSION, &[At::Peer(addr("127.0.0.1:5000"))]);
    let refusal = net.ask_once(&mut client, &request).unwrap();
    assert!(refusal.is_signed && refusal.get(0x8028).is_none(), "refusals of users are signed too");
}

#[test]
fn a_changed_request_is_refused_whatever_byte_is_changed() {
    let mut net = Net::new();
    let mut client = challenged(&mut net, Client::bob(udp(CLIENT)));
    let request = client.signed(ALLOCATE, &[udp_transport()]);
    for at in 0..request.len() {
        let mut changed = request.clone();
        changed[at] ^= 0x01;
        net.send(&client.link, &changed);
    }
    net.assert_empty();
    assert_eq!(net.ask_once(&mut client, &request).unwrap().code, None, "as it was, it is good");
}

/// Group 9.
#[test]
fn a_nonce_that_has_ended_is_answered_with_a_fresh_one_that_is_good() {
    let mut net = Net::new();
    let mut client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    client.refresh(&mut net, 3_600);
    let first = client.nonce.clone();
    net.pass(601);
    let request = client.signed(REFRESH, &[]);
    let reply = net.ask_once(&mut client, &request).unwrap();
    assert_eq!((reply.code, reply.get(REALM)), (Some(438), Some(&b"webcall"[..])));
    assert!(client.learn(&reply) && client.nonce != first);
    assert_eq!(client.refresh(&mut net, 3_600).code, None);
    assert_eq!(net.turn.counters().auth(AuthResult::StaleNonce), 1);
}

#[test]
fn a_nonce_of_another_address_or_listener_is_stale_and_another_port_is_the_same_client() {
    let mut net = Net::new();
    let nonce = challenged(&mut net, Client::bob(udp(CLIENT))).nonce;
    for (link, expected) in [(udp("8.8.8.9:40000"), Some(438)), (tcp(1, CLIENT), Some(438)), (udp("8.8.8.8:40001"), None)] {
        let mut client = Client::bob(link);
        client.nonce.clone_from(&nonce);
        assert_eq!(allocate_once(&mut net, &mut client).code, expected, "{link:?}");
    }
}

#[test]
fn requests_of_strangers_leave_nothing_behind() {
    let mut net = Net::new();
    for number in 0..4_000_u32 {
        let [a, b, c, d] = number.wrapping_mul(0x9e37_79b9).to_be_bytes();
        let link = udp(&format!("{}.{b}.{c}.{d}:4000", a % 200 + 11));
        let mut client = Client::named(link, "eve", "x");
        let request = client.unsigned(ALLOCATE, &[udp_transport()]);
        net.send(&client.link, &request);
        client.nonce = Some(vec![b'A'; 20]);
        let request = client.signed(ALLOCATE, &[udp_transport()]);
        net.send(&client.link, &request);
    }
    net.assert_empty();
    assert_eq!(net.turn.auth.cached_keys(), 0);
    assert_eq!(net.turn.poll_timeout(), None);
}

/// Group 10.
#[test]
fn both_live_secrets_verify_and_a_retired_one_does_not() {
    let mut config = config();
    config.auth.shared_secrets = vec![Secret::new("new"), Secret::new("old")];
    let mut net = Net::with(config.clone());
    let client_of = |secret: &str, port: u16| {
        let credential = issue_credential(&Secret::new(secret), "anna", Scope::Any, UNIX_S + 3_600).unwrap();
        Client::named(udp(&format!("8.8.8.8:{port}")), &credential.username, &credential.password)
    };
    for (port, secret, expected) in [(1, "new", None), (2, "old", None), (3, "older", Some(401))] {
        let mut client = challenged(&mut net, client_of(secret, port));
        assert_eq!(allocate_once(&mut net, &mut client).code, expected, "{secret}");
    }
    config.auth.shared_secrets.pop();
    net.turn.reload(config).unwrap();
    let mut client = challenged(&mut net, client_of("old", 4));
    assert_eq!(allocate_once(&mut net, &mut client).code, Some(401), "not from the cache either");
}

#[test]
fn no_allocation_outlives_its_credential_and_an_ended_credential_refreshes_nothing() {
    let mut net = Net::new();
    let start = net.now;
    let mut client = Client::issued(udp(CLIENT), "anna", Scope::Any, 700);
    let reply = client.allocate(&mut net, &[super::client::lifetime(3_600)]);
    assert_eq!(reply.seconds(), Some(700));
    net.pass(300);
    assert_eq!(client.refresh(&mut net, 600).seconds(), Some(400));
    net.pass(399);
    assert_eq!(client.refresh(&mut net, 600).seconds(), Some(1), "at {}", net.unix_s(start));
    net.pass(1);
    net.assert_empty();
    assert_eq!(client.allocate(&mut net, &[]).code, Some(401));
}

#[test]
fn a_renewed_credential_of_the_same_user_prolongs_the_allocation() {
    let mut net = Net::new();
    let mut client = Client::issued(udp(CLIENT), "anna", Scope::Any, 60);
    assert_eq!(client.allocate(&mut net, &[]).seconds(), Some(60));
    let mut renewed = Client::issued(client.link, "anna", Scope::Any, 7_200);
    renewed.transactions = 100;
    assert_eq!(renewed.refresh(&mut net, 600).seconds(), Some(600));
    net.pass(599);
    assert!(net.turn.has_allocation(net.now, &client.link));
}

/// Group 11.
#[test]
fn another_user_on_the_same_path_touches_nothing() {
    let mut net = Net::new();
    let (mut client, relayed) = Client::issued(udp(CLIENT), "anna", Scope::Any, 3_600).allocated(&mut net);
    assert_eq!(client.permit(&mut net, &[addr("1.1.1.1:5000")]), None);
    let others = [
        Client::bob(client.link),
        Client::issued(client.link, "eve", Scope::Any, 3_600),
        Client::issued(client.link, "anna", Scope::Sfu, 3_600),
    ];
    for (number, mut other) in others.into_iter().enumerate() {
        other.transactions = 1_000 * (number as u64 + 1);
        assert_eq!(other.refresh(&mut net, 0).code, Some(441));
        assert_eq!(other.permit(&mut net, &[addr("2.2.2.2:5000")]), Some(441));
        assert_eq!(other.bind(&mut net, 0x4000, addr("2.2.2.2:5000")), Some(441));
        assert_eq!(other.allocate(&mut net, &[]).code, Some(437));
    }
    assert_eq!(net.peer_sends(addr("1.1.1.1:5000"), relayed, b"x").len(), 1);
}

#[test]
fn another_path_does_not_reach_the_allocation_of_the_same_user() {
    let mut net = Net::new();
    let client = Client::bob(udp(CLIENT)).allocated(&mut net).0;
    for link in [udp("8.8.8.8:40001"), tcp(1, CLIENT)] {
        let mut elsewhere = Client::bob(link);
        assert_eq!(elsewhere.refresh(&mut net, 0).code, Some(437));
        assert_eq!(elsewhere.permit(&mut net, &[addr("1.1.1.1:5000")]), Some(437));
        assert_eq!(elsewhere.bind(&mut net, 0x4000, addr("1.1.1.1:5000")), Some(437));
    }
    assert!(net.turn.has_allocation(net.now, &client.link));
}
