//! What a device asks for is understood by the engine, and what the engine answers by the device.

use super::net::{Net, addr, udp};
use crate::turn::{Ask, Link, Reply, Requester, Secret};

const DEVICE: &str = "8.8.8.8:40000";
const PEER: &str = "1.1.1.1:5000";

fn bob(password: &str) -> Requester {
    Requester::new("bob", Secret::new(password)).unwrap()
}

fn ask(net: &mut Net, requester: &mut Requester, link: &Link, ask: Ask) -> Reply {
    let request = requester.write(ask).unwrap();
    let answer = net.send(link, &request).pop().expect("an answer");
    requester.read(ask, &answer.bytes)
}

#[test]
fn a_device_gets_an_allocation_with_a_channel_and_gives_it_back() {
    let (mut net, mut bob, link) = (Net::new(), bob("builder"), udp(DEVICE));
    assert_eq!(ask(&mut net, &mut bob, &link, Ask::Allocate), Reply::AskAgain(401));
    let Reply::Granted(Some(relayed)) = ask(&mut net, &mut bob, &link, Ask::Allocate) else { panic!("no relayed address") };
    for wish in [Ask::Permit(addr(PEER)), Ask::BindChannel(0x4000, addr(PEER))] {
        assert_eq!(ask(&mut net, &mut bob, &link, wish), Reply::Granted(None), "{wish:?}");
    }
    assert_eq!(net.peer_sends(addr(PEER), relayed, b"hello")[0].bytes, b"\x40\x00\x00\x05hello");
    assert_eq!(ask(&mut net, &mut bob, &link, Ask::Release), Reply::Granted(None));
    net.assert_empty();
}

#[test]
fn a_nonce_serves_other_allocations_and_is_replaced_when_it_is_stale() {
    let (mut net, mut bob) = (Net::new(), bob("builder"));
    ask(&mut net, &mut bob, &udp(DEVICE), Ask::Allocate);
    for port in 1..4 {
        let link = udp(&format!("8.8.8.8:4100{port}"));
        assert!(matches!(ask(&mut net, &mut bob, &link, Ask::Allocate), Reply::Granted(Some(_))), "allocation {port}");
    }
    net.pass(3_000);
    let link = udp("8.8.8.8:41004");
    assert_eq!(ask(&mut net, &mut bob, &link, Ask::Allocate), Reply::AskAgain(438));
    assert!(matches!(ask(&mut net, &mut bob, &link, Ask::Allocate), Reply::Granted(Some(_))));
}

#[test]
fn a_wrong_password_and_a_forbidden_peer_are_refusals_and_foreign_bytes_are_none() {
    let (mut net, mut bob, mut eve, link) = (Net::new(), bob("builder"), bob("wrong"), udp(DEVICE));
    assert_eq!(ask(&mut net, &mut eve, &link, Ask::Allocate), Reply::AskAgain(401));
    assert_eq!(ask(&mut net, &mut eve, &link, Ask::Allocate), Reply::Refused(401));
    ask(&mut net, &mut bob, &link, Ask::Allocate);
    ask(&mut net, &mut bob, &link, Ask::Allocate);
    assert_eq!(ask(&mut net, &mut bob, &link, Ask::Permit(addr("127.0.0.1:5000"))), Reply::Refused(403));
    let request = bob.write(Ask::Permit(addr(PEER))).unwrap();
    let mut answer = net.send(&link, &request).pop().unwrap().bytes;
    assert_eq!(bob.read(Ask::Allocate, &answer), Reply::Stray, "another method");
    // The answer's own signature ends it.
    *answer.last_mut().unwrap() ^= 1;
    assert_eq!(bob.read(Ask::Permit(addr(PEER)), &answer), Reply::Stray, "changed on the way");
    assert_eq!(bob.read(Ask::Permit(addr(PEER)), b"hello"), Reply::Stray);
    assert_eq!(bob.read(Ask::Permit(addr(PEER)), &request), Reply::Stray, "its own request");
}
