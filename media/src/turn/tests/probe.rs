//! The asking side against the engine.

use proptest::prelude::*;

use super::net::{Net, SECRET, UNIX_S, addr, udp};
use crate::turn::probe::{AllocateProbe, AllocateStep, BindingProbe};
use crate::turn::{Credential, Scope, Secret, issue_credential};

fn credential(secret: &str) -> Credential {
    issue_credential(&Secret::new(secret), "doctor", Scope::Sfu, UNIX_S + 3600).unwrap()
}

/// Carries an allocation through; what it ended with.
fn allocate(net: &mut Net, from: &str, credential: &Credential) -> AllocateStep {
    let link = udp(from);
    let (mut probe, mut request) = AllocateProbe::begin(&credential.username, &credential.password).unwrap();
    for _ in 0..4 {
        let sent = net.send(&link, &request);
        match probe.read(&sent[0].bytes).expect("the answer is read") {
            AllocateStep::Send(next) => request = next,
            end => return end,
        }
    }
    panic!("it goes round in circles");
}

#[test]
fn a_binding_probe_learns_from_where_it_was_seen_and_from_its_own_answer_alone() {
    let mut net = Net::new();
    for from in ["1.2.3.4:5", "[2a00:9::77]:6"] {
        let (probe, other) = (BindingProbe::new().unwrap(), BindingProbe::new().unwrap());
        let answer = net.send(&udp(from), &probe.request())[0].bytes.clone();
        assert_eq!(probe.read(&answer), Some(addr(from)));
        assert_eq!(other.read(&answer), None);
        assert_eq!(probe.read(&probe.request()), None, "a request is no answer");
        assert_eq!(probe.read(&answer[..answer.len() - 1]), None);
    }
}

#[test]
fn an_allocation_with_the_right_secret_is_granted_and_given_back() {
    let mut net = Net::new();
    let AllocateStep::Granted { relayed, release } = allocate(&mut net, "1.2.3.4:5", &credential(SECRET)) else {
        panic!("it must be granted");
    };
    assert_eq!(relayed.ip(), super::net::RELAY.parse::<std::net::IpAddr>().unwrap());
    assert_eq!(net.turn.table.sizes()[0], 1);
    net.send(&udp("1.2.3.4:5"), &release);
    assert_eq!(net.turn.table.sizes()[0], 0);
}

#[test]
fn another_secret_is_refused_with_401() {
    let mut net = Net::new();
    assert_eq!(allocate(&mut net, "1.2.3.4:5", &credential("south")), AllocateStep::Refused(401));
}

#[test]
fn a_stale_nonce_is_taken_anew_once_and_answers_of_others_are_not_read() {
    let mut net = Net::new();
    let credential = credential(SECRET);
    let (mut probe, first) = AllocateProbe::begin(&credential.username, &credential.password).unwrap();
    let asked = net.send(&udp("1.2.3.4:5"), &first)[0].bytes.clone();
    let Some(AllocateStep::Send(signed)) = probe.read(&asked) else { panic!("it must go on") };
    assert_eq!(probe.read(&asked), None, "the same answer twice");
    // The nonce is for another address.
    let stale = net.send(&udp("5.6.7.8:9"), &signed)[0].bytes.clone();
    let Some(AllocateStep::Send(again)) = probe.read(&stale) else { panic!("it must take the new nonce") };
    let stale = net.send(&udp("1.2.3.4:5"), &again)[0].bytes.clone();
    assert_eq!(probe.read(&stale), Some(AllocateStep::Refused(438)));
}

proptest! {
    #[test]
    fn any_bytes_are_no_answer_and_do_no_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 0_u8..2) {
        if bytes.len() >= 20 {
            let length = (bytes.len() - 20) as u16;
            bytes[..2].copy_from_slice(&[kind, 3]);
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        let (mut probe, request) = AllocateProbe::begin("user", "password").unwrap();
        prop_assert_eq!(probe.read(&bytes), None, "another transaction");
        if bytes.len() >= 20 {
            bytes[8..20].copy_from_slice(&request[8..20]);
            // Without our key it cannot be granted, whatever it says.
            let step = probe.read(&bytes);
            let is_granted = matches!(step, Some(AllocateStep::Granted { .. }));
            prop_assert!(!is_granted);
        }
        prop_assert_eq!(BindingProbe::new().unwrap().read(&bytes), None);
    }
}
