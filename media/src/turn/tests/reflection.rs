//! Groups 20 to 23: the server is no mirror to throw with, and does not talk to itself.

use super::client::{
    ALLOCATE, At, BINDING, CREATE_PERMISSION, Client, REFRESH, XOR_MAPPED, channel_data, message, udp_transport, with_fingerprint,
};
use super::net::{BOUND, Net, RELAY, addr, config, udp};
use crate::turn::{DropReason, Scope, SelfRelay};

const CLIENT: &str = "8.8.8.8:40000";

/// Group 20.
#[test]
fn no_unauthenticated_packet_is_answered_with_more_than_twice_its_bytes() {
    for realm in ["webcall", "a-realm-of-twenty-eight-byte", "x"] {
        let mut config = config();
        config.realm = realm.into();
        let mut net = Net::with(config);
        for (remote, headers) in [(CLIENT, 28), ("[2a00:1450::9]:40000", 48)] {
            let mut client = Client::bob(udp(remote));
            let mut requests = vec![
                client.unsigned(BINDING, &[]),
                client.unsigned(BINDING, &[At::Raw(0x7777, vec![])]),
                client.unsigned(BINDING, &[At::Raw(0x7777, vec![]), At::Raw(0x7778, vec![]), At::Raw(0x7779, vec![])]),
                client.unsigned(ALLOCATE, &[]),
                client.unsigned(ALLOCATE, &[udp_transport()]),
                client.unsigned(REFRESH, &[]),
                client.unsigned(CREATE_PERMISSION, &[At::Peer(addr("1.1.1.1:5000"))]),
            ];
            client.nonce = Some(vec![b'x'; 20]);
            requests.push(client.signed(ALLOCATE, &[udp_transport()]));
            let with_fingerprints: Vec<_> = requests.iter().map(|request| with_fingerprint(request)).collect();
            for request in requests.into_iter().chain(with_fingerprints) {
                let sent: usize = net.send(&client.link, &request).iter().map(|sent| sent.bytes.len() + headers).sum();
                assert!(sent <= 2 * (request.len() + headers), "{realm} {sent} for {request:x?}");
            }
        }
        let is_withheld = net.turn.counters().dropped(DropReason::Reflection) > 0;
        assert_eq!(is_withheld, realm.len() == 28, "a long realm costs the answers to the very shortest requests");
    }
}

#[test]
fn the_usual_first_request_is_answered_whatever_the_realm() {
    for realm in ["webcall", "a-realm-of-twenty-eight-byte"] {
        let mut config = config();
        config.realm = realm.into();
        let mut net = Net::with(config);
        let mut client = Client::bob(udp(CLIENT));
        client.realm = realm.to_owned();
        assert_eq!(client.allocate(&mut net, &[]).code, None);
    }
}

#[test]
fn whoever_asks_too_often_without_proof_is_not_answered_and_users_are() {
    let mut config = config();
    config.limits.unauthenticated_per_second = 20;
    let mut net = Net::with(config);
    let mut user = Client::bob(udp("8.8.8.77:40000")).allocated(&mut net).0;
    let mut answers = 0;
    for number in 0..1_000_u64 {
        let mut stranger = Client::bob(udp(&format!("8.8.8.{}:{}", number % 200 + 1, 1_000 + number)));
        let method = if number % 2 == 0 { BINDING } else { ALLOCATE };
        let request = stranger.unsigned(method, &[udp_transport()]);
        answers += net.send(&stranger.link, &request).len();
    }
    // One went to the user at the beginning.
    assert_eq!(answers, 49);
    assert_eq!(net.turn.counters().dropped(DropReason::StrangerRate), 951);
    assert_eq!(user.refresh(&mut net, 600).code, None);
    assert_eq!(user.permit(&mut net, &[addr("1.1.1.1:5000")]), None);
    let mut elsewhere = Client::bob(udp("8.8.9.1:40000"));
    let request = elsewhere.unsigned(BINDING, &[]);
    assert!(net.ask_once(&mut elsewhere, &request).is_some(), "the next network");
    net.pass(1);
    let request = user.unsigned(BINDING, &[]);
    assert!(net.ask_once(&mut user, &request).is_some());
}

#[test]
fn a_binding_request_is_told_its_address_without_proof() {
    let mut net = Net::new();
    for remote in [CLIENT, "[2a00:1450::9]:40000"] {
        let mut client = Client::bob(udp(remote));
        let request = client.unsigned(BINDING, &[]);
        let reply = net.ask_once(&mut client, &request).unwrap();
        assert_eq!((reply.address(XOR_MAPPED), reply.attributes.len()), (Some(addr(remote)), 1), "and no more");
    }
}

/// Group 21.
#[test]
fn responses_indications_and_errors_are_never_answered() {
    let mut net = Net::new();
    let client = Client::bob(udp(CLIENT));
    for method in [0x0001, 0x0003, 0x0004, 0x0006, 0x0007, 0x0008, 0x0009] {
        for class in [0x0010, 0x0100, 0x0110] {
            let bytes = message(method | class, client.id(), &[udp_transport()]).raw;
            assert_eq!(net.send(&client.link, &bytes), [], "{method} {class}");
        }
    }
    net.assert_empty();
}

#[test]
fn nobody_is_answered_at_an_address_that_no_client_has() {
    let mut net = Net::new();
    let sources = [
        "8.8.8.8:0".to_owned(),
        "0.0.0.0:4000".to_owned(),
        "224.0.0.251:5353".to_owned(),
        "255.255.255.255:4000".to_owned(),
        "[::]:4000".to_owned(),
        "[ff02::1]:4000".to_owned(),
        "[::ffff:224.0.0.1]:4000".to_owned(),
        format!("{RELAY}:3478"),
        format!("{BOUND}:443"),
        format!("{RELAY}:50000"),
    ];
    for source in &sources {
        let mut client = Client::bob(udp(source));
        for method in [BINDING, ALLOCATE] {
            let request = client.unsigned(method, &[udp_transport()]);
            assert_eq!(net.send(&client.link, &request), [], "{source}");
        }
    }
    assert_eq!(net.turn.counters().dropped(DropReason::BadSource), 2 * sources.len() as u64);
}

#[test]
fn our_own_relays_are_no_clients_of_ours() {
    let mut net = Net::new();
    let (_, relayed) = Client::bob(udp(CLIENT)).allocated(&mut net);
    for ip in [RELAY, BOUND] {
        let mut loops = Client::bob(udp(&format!("{ip}:{}", relayed.port())));
        let request = loops.unsigned(BINDING, &[]);
        assert_eq!(net.send(&loops.link, &request), []);
    }
    let (_, name_only) = Client::issued(udp("8.8.8.9:40000"), "anna", Scope::Sfu, 3_600).allocated(&mut net);
    let mut program = Client::bob(udp(&format!("{BOUND}:{}", name_only.port())));
    let request = program.unsigned(BINDING, &[]);
    assert_eq!(net.send(&program.link, &request).len(), 1, "a relayed address without a socket leaves the port to others");
    let mut neighbour = Client::bob(udp(&format!("{BOUND}:{}", relayed.port() ^ 1)));
    let request = neighbour.unsigned(BINDING, &[]);
    assert_eq!(net.send(&neighbour.link, &request).len(), 1, "another program on this machine may be a client");
}

/// Group 22.
#[test]
fn relays_that_talk_to_each_other_are_counted_bounded_and_forbidden_on_wish() {
    let mut config = config();
    config.limits.bandwidth_per_allocation_bps = 100_000;
    let mut net = Net::with(config.clone());
    let (mut anna, a) = Client::bob(udp("8.8.8.8:1")).allocated(&mut net);
    let (mut ben, b) = Client::bob(udp("8.8.8.9:1")).allocated(&mut net);
    assert_eq!(anna.bind(&mut net, 0x4000, b), None);
    assert_eq!(anna.bind(&mut net, 0x4001, a), None, "its own");
    assert_eq!(ben.bind(&mut net, 0x4000, a), None);
    let up = channel_data(0x4000, &[0; 1_000], 0);
    let mut crossed = 0;
    for _ in 0..1_000 {
        let sent = net.send(&anna.link, &up);
        // What leaves towards a relay comes in there and goes to its client, who is not a relay: nothing turns round.
        crossed += sent.iter().map(|sent| net.peer_sends(a, b, &sent.bytes).len()).sum::<usize>();
    }
    assert!((1..20).contains(&crossed), "{crossed}");
    assert!(net.turn.counters().self_relay() >= crossed as u64);
    config.peers.self_relay = SelfRelay::Forbidden;
    net.turn.reload(config).unwrap();
    assert_eq!(net.send(&anna.link, &up), []);
    assert_eq!(anna.permit(&mut net, &[b]), Some(403));
}
