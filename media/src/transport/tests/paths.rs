//! Where a transport sends: nominations, changed addresses, ICE restarts, and the end of consent.

use std::time::Duration;

use super::handshake::{CHROMIUM, assert_media_flows, connected};
use super::network::{BAD, PERFECT, Pair, address};
use crate::transport::{InboundIndex, OpenedRtp, Path, StunOutcome, TransportEvent};

const ELSEWHERE: &str = "198.51.100.9:555";

/// A packet from the client, opened by the server.
fn opened(pair: &mut Pair, index: u64, state: &mut InboundIndex) -> OpenedRtp {
    let mut packet = vec![0x80, 96, 0, index as u8, 0, 0, 0, 1, 0, 0, 0, 9];
    packet.resize(40, 0);
    let (_, sealer, _) = pair.client.srtp.as_mut().unwrap();
    let len = sealer.seal_rtp(&mut packet, 12, 20, index).unwrap();
    pair.server.open_rtp(&mut packet[..len], 12, state).unwrap()
}

#[test]
fn the_path_follows_the_newest_nomination() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let before = pair.server.path();
    pair.client.address = address(ELSEWHERE);
    pair.client.ice.check_now(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), |pair| pair.server.path() == Some(pair.path())));
    assert_ne!(pair.server.path(), before);
    assert_eq!(pair.events, [TransportEvent::Connected], "the owner sees no break");
    assert_media_flows(&mut pair, 1);
}

#[test]
fn a_changed_address_is_followed_by_the_next_consent_check_in_any_case() {
    for seed in 0..10 {
        let mut pair = connected(Pair::new(seed, BAD, &CHROMIUM));
        pair.client.address = address(ELSEWHERE);
        assert!(pair.run_until(Duration::from_secs(25), |pair| pair.server.path() == Some(pair.path())), "seed {seed}");
    }
}

#[test]
fn a_new_packet_that_authenticates_moves_the_path_at_once_and_an_old_one_never() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    pair.run_for(Duration::from_secs(1));
    let elsewhere = Path::udp(address(ELSEWHERE), None);
    let mut state = InboundIndex::default();
    let newest = opened(&mut pair, 5, &mut state);
    let late = opened(&mut pair, 4, &mut state);
    assert!(!pair.server.adopt_path(pair.now, elsewhere, &late));
    assert_ne!(pair.server.path(), Some(elsewhere));
    assert!(pair.server.adopt_path(pair.now, elsewhere, &newest));
    assert_eq!(pair.server.path(), Some(elsewhere));
    assert!(!pair.server.adopt_path(pair.now, elsewhere, &newest), "it is no new path any more");
}

#[test]
fn media_that_was_under_way_does_not_undo_a_nomination() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let mut state = InboundIndex::default();
    let newest = opened(&mut pair, 5, &mut state);
    let old = pair.server.path().unwrap();
    pair.client.address = address(ELSEWHERE);
    pair.client.ice.check_now(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), |pair| pair.server.path() == Some(pair.path())));
    assert!(!pair.server.adopt_path(pair.now, old, &newest));
    pair.run_for(Duration::from_millis(600));
    assert!(pair.server.adopt_path(pair.now, old, &newest));
}

#[test]
fn an_ice_restart_keeps_the_old_path_until_the_new_one_is_nominated() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let old_ufrag = pair.server.local_credentials().ufrag.clone();
    let old_path = pair.server.path();
    // Checks with the old credentials are answered meanwhile.
    let placeholder = pair.server.local_credentials().clone();
    pair.client.address = address(ELSEWHERE);
    pair.client.ice.restart(pair.now, placeholder).unwrap();
    assert_eq!(pair.server.restart(pair.client.ice.local().ufrag.clone()), Ok(None));
    assert_eq!(pair.server.ufrags().count(), 2);
    assert!(pair.server.is_connected() && pair.server.path() == old_path);
    let new = pair.server.local_credentials().clone();
    assert_ne!(new.ufrag, old_ufrag);
    pair.client.ice.set_remote(new);
    assert!(pair.run_until(Duration::from_secs(1), |pair| pair.server.path() == Some(pair.path())));
    assert_eq!(pair.retired, [old_ufrag]);
    assert_eq!(pair.server.ufrags().count(), 1);
    assert_eq!(pair.events, [TransportEvent::Connected]);
    assert_media_flows(&mut pair, 1);
}

#[test]
fn a_second_restart_gives_up_the_first_and_keeps_what_works() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let works = pair.server.local_credentials().ufrag.clone();
    assert_eq!(pair.server.restart("other1".to_owned()), Ok(None));
    let given_up = pair.server.local_credentials().ufrag.clone();
    assert_eq!(pair.server.restart("other2".to_owned()), Ok(Some(given_up.clone())));
    let valid: Vec<&str> = pair.server.ufrags().collect();
    assert!(valid.contains(&&works[..]) && !valid.contains(&&given_up[..]));
    assert!(pair.server.is_connected());
}

#[test]
fn without_checks_the_consent_ends_after_30_seconds_and_a_check_brings_it_back() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    pair.quality.loss_percent = 100;
    let start = pair.now;
    assert!(pair.run_until(Duration::from_secs(60), |pair| !pair.server.is_connected()));
    let took = pair.now - start;
    assert!(took > Duration::from_secs(27) && took <= Duration::from_secs(30), "{took:?}");
    assert!(pair.server.path().is_none(), "nothing may be sent");
    pair.quality.loss_percent = 0;
    assert!(pair.run_until(Duration::from_secs(5), Pair::is_connected));
    assert_eq!(pair.events, [TransportEvent::Connected, TransportEvent::Disconnected, TransportEvent::Connected]);
}

#[test]
fn a_check_that_somebody_overheard_and_repeats_from_elsewhere_is_ignored() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let path = pair.server.path();
    pair.run_for(Duration::from_secs(3));
    let mut overheard = Vec::new();
    pair.client.ice.check_now(pair.now);
    pair.client.ice.handle_timeout(pair.now, &mut |bytes| overheard.push(bytes.to_vec()));
    pair.at_server(pair.client.address, &overheard[0]);
    let elsewhere = Path::udp(address(ELSEWHERE), None);
    let mut answers = 0;
    let outcome = pair.server.handle_stun(pair.now, &overheard[0], elsewhere, &mut |_, _| answers += 1);
    assert!(matches!(outcome, StunOutcome::Ignored(_)), "{outcome:?}");
    assert_eq!((answers, pair.server.path()), (0, path));
}
