//! The handshake: both profiles, loss, fragments, wrong certificates, deadlines, goodbyes.

use std::time::Duration;

use super::network::{BAD, Dice, PERFECT, Pair, certificate};
use crate::transport::srtp::SrtpProfile;
use crate::transport::{DtlsError, InboundIndex, TransportEvent};

pub(super) const CHROMIUM: [SrtpProfile; 2] = [SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm];

pub(super) fn connected(mut pair: Pair) -> Pair {
    assert!(
        pair.run_until(Duration::from_secs(15), Pair::is_connected),
        "no connection: {:?} {:?}",
        pair.events,
        pair.client.error
    );
    pair
}

/// Media passes in both directions.
pub(super) fn assert_media_flows(pair: &mut Pair, index: u64) {
    let mut packet = vec![0x80, 96, (index >> 8) as u8, index as u8, 0, 0, 0, 1, 0, 0, 0, 9];
    packet.extend(b"what is said");
    let plain = packet.clone();
    let (_, sealer, opener) = pair.client.srtp.as_mut().unwrap();
    packet.resize(plain.len() + 16, 0);
    let len = sealer.seal_rtp(&mut packet, 12, plain.len(), index).unwrap();
    let opened = pair.server.open_rtp(&mut packet[..len], 12, &mut InboundIndex::default()).unwrap();
    assert_eq!(packet[..opened.payload.end], plain);
    let len = pair.server.seal_rtp(&mut packet, 12, plain.len(), index).unwrap();
    opener.open_rtp(&mut packet[..len], 12, &mut InboundIndex::default()).unwrap();
    assert_eq!(packet[..plain.len()], plain);
}

#[test]
fn two_sides_connect_and_media_flows_both_ways() {
    for (offered, chosen) in [
        (&CHROMIUM[..], SrtpProfile::AeadAes128Gcm),
        (&CHROMIUM[..1], SrtpProfile::Aes128CmSha1_80),
        (&CHROMIUM[1..], SrtpProfile::AeadAes128Gcm),
    ] {
        let mut pair = connected(Pair::new(1, PERFECT, offered));
        assert_eq!(pair.client.srtp.as_ref().unwrap().0, chosen);
        assert_eq!(pair.events, [TransportEvent::Connected]);
        assert_eq!(pair.server.round_trip().map(|time| time.as_millis()), Some(20), "two ways of 10 ms");
        assert_media_flows(&mut pair, 5);
    }
}

#[test]
fn two_sides_connect_through_loss_repetition_and_reordering() {
    for seed in 0..60 {
        let mut pair = connected(Pair::new(seed, BAD, &CHROMIUM));
        assert_media_flows(&mut pair, 5);
        // Late repetitions of the handshake change nothing.
        pair.run_for(Duration::from_secs(5));
        assert_eq!(pair.events, [TransportEvent::Connected], "seed {seed}");
        assert_media_flows(&mut pair, 6);
    }
}

/// Cuts every clear handshake message into parts of 40 bytes: each its own record, three records a datagram, the last datagram first.
fn in_small_parts(datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let (record, after) = rest.split_at(13 + usize::from(u16::from_be_bytes([rest[11], rest[12]])));
        rest = after;
        if record[0] != 22 || record[4] != 0 {
            parts.push(record.to_vec());
            continue;
        }
        let (header, body) = record[13..].split_at(12);
        for (number, part) in body.chunks(40).enumerate() {
            let mut cut = record[..11].to_vec();
            // Another record number for each part: epoch 0 does not check them, but they must differ.
            cut[6] = number as u8;
            cut.extend((12 + part.len() as u16).to_be_bytes());
            cut.extend(&header[..6]);
            cut.extend(&((number * 40) as u32).to_be_bytes()[1..]);
            cut.extend(&(part.len() as u32).to_be_bytes()[1..]);
            cut.extend(part);
            parts.push(cut);
        }
    }
    parts.chunks(3).rev().map(<[Vec<u8>]>::concat).collect()
}

#[test]
fn gcm_is_chosen_even_when_the_client_hello_comes_in_parts() {
    for (seed, quality) in [(1, PERFECT), (2, BAD), (3, BAD), (4, BAD)] {
        let mut pair = Pair::new(seed, quality, &CHROMIUM);
        pair.rewrite = Some(Box::new(in_small_parts));
        let mut pair = connected(pair);
        assert_eq!(pair.client.srtp.as_ref().unwrap().0, SrtpProfile::AeadAes128Gcm);
        assert_media_flows(&mut pair, 1);
    }
}

#[test]
fn a_client_with_another_certificate_than_the_signalling_says_is_refused() {
    let (ours, theirs, other) = (certificate(), certificate(), certificate());
    let fingerprints = (ours.fingerprint(), other.fingerprint());
    let mut pair = Pair::with_fingerprints(1, PERFECT, &CHROMIUM, ours, theirs, fingerprints);
    assert!(pair.run_until(Duration::from_secs(10), |pair| !pair.events.is_empty()));
    assert_eq!(pair.events, [TransportEvent::Failed(DtlsError::WrongFingerprint)]);
    assert!(!pair.server.is_connected());
    pair.run_for(Duration::from_secs(20));
    assert!(pair.client.srtp.is_none());
    assert_eq!(pair.events.len(), 1);
}

#[test]
fn a_server_with_another_certificate_than_the_signalling_says_is_refused() {
    let (ours, theirs, other) = (certificate(), certificate(), certificate());
    let fingerprints = (other.fingerprint(), theirs.fingerprint());
    let mut pair = Pair::with_fingerprints(1, PERFECT, &CHROMIUM, ours, theirs, fingerprints);
    assert!(pair.run_until(Duration::from_secs(10), |pair| pair.client.error.is_some()));
    assert_eq!(pair.client.error, Some(DtlsError::WrongFingerprint));
    assert!(pair.client.srtp.is_none() && !pair.server.is_connected());
}

#[test]
fn a_handshake_that_the_client_gives_up_ends_after_15_seconds() {
    let mut pair = Pair::new(1, PERFECT, &CHROMIUM);
    // The first datagram passes, no other one does.
    pair.rewrite = Some(Box::new(|bytes| if bytes[13] == 1 { vec![bytes.to_vec()] } else { Vec::new() }));
    let start = pair.now;
    assert!(pair.run_until(Duration::from_secs(40), |pair| !pair.events.is_empty()));
    assert_eq!(pair.events, [TransportEvent::Failed(DtlsError::TimedOut)]);
    let took = pair.now - start;
    assert!(took > Duration::from_secs(15) && took < Duration::from_secs(16), "{took:?}");
}

#[test]
fn a_participant_whose_media_never_comes_is_given_up_after_30_seconds() {
    let mut pair = Pair::new(1, PERFECT, &CHROMIUM);
    pair.quality.loss_percent = 100;
    let start = pair.now;
    assert!(pair.run_until(Duration::from_secs(60), |pair| !pair.events.is_empty()));
    assert_eq!((pair.events.clone(), pair.now - start), (vec![TransportEvent::Disconnected], Duration::from_secs(30)));
}

#[test]
fn the_client_learns_that_the_server_has_closed_and_the_server_that_the_client_has() {
    let mut pair = connected(Pair::new(1, PERFECT, &CHROMIUM));
    let mut sent = Vec::new();
    pair.server.close(pair.now, &mut |_, bytes| sent.push(bytes.to_vec()));
    assert_eq!(sent.len(), 1);
    assert!(matches!(pair.client.dtls.handle_datagram(pair.now, &sent[0]), Ok(Some(_))));
    assert!(!pair.server.is_connected() && pair.server.path().is_none());

    let mut pair = connected(Pair::new(2, PERFECT, &CHROMIUM));
    pair.client.dtls.close(pair.now);
    pair.client_transmits();
    assert!(pair.run_until(Duration::from_secs(1), |pair| pair.events.contains(&TransportEvent::Closed)));
    assert!(!pair.server.is_connected());
}

#[test]
fn a_forged_goodbye_or_alert_changes_nothing() {
    // Clear and (as it claims) encrypted alerts: close_notify and handshake_failure.
    let mut forgeries = Vec::new();
    for epoch in [0, 1] {
        for alert in [[1, 0], [2, 40]] {
            forgeries.push([&[21, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2][..], &alert].concat());
        }
    }
    let mut pair = Pair::new(3, PERFECT, &CHROMIUM);
    while !pair.is_connected() {
        pair.run_for(Duration::from_millis(5));
        for forgery in &forgeries {
            pair.at_server(pair.client.address, forgery);
        }
    }
    for forgery in &forgeries {
        pair.at_server(pair.client.address, forgery);
    }
    assert_eq!(pair.events, [TransportEvent::Connected]);
    assert_media_flows(&mut pair, 1);
}

#[test]
fn dtls_from_somebody_whose_check_was_not_answered_is_not_answered() {
    let mut pair = Pair::new(1, PERFECT, &CHROMIUM);
    pair.client.dtls.start(pair.now).unwrap();
    let hello = pair.client.dtls.poll_transmit().unwrap();
    let mut sent = 0;
    let path = pair.path();
    assert_eq!(pair.server.handle_dtls(pair.now, &hello, path, &mut |_, _| sent += 1), None);
    assert_eq!(sent, 0);
}

#[test]
fn garbage_in_the_middle_of_a_handshake_is_survived() {
    let mut dice = Dice::new(7);
    for seed in 0..20 {
        let mut pair = Pair::new(seed, PERFECT, &CHROMIUM);
        let mut steps = 0;
        while !pair.is_connected() && steps < 1_000 {
            steps += 1;
            pair.run_for(Duration::from_millis(4));
            let mut garbage: Vec<u8> = (0..dice.below(120)).map(|_| dice.below(256) as u8).collect();
            garbage
                .splice(0..0, [20 + dice.below(4) as u8, 0xfe, 0xfd, 0, dice.below(3) as u8, 0, 0, 0, 0, 0, dice.below(9) as u8]);
            garbage.truncate(garbage.len().max(14));
            let len = garbage.len().saturating_sub(13) as u16;
            if garbage.len() > 13 {
                garbage[11..13].copy_from_slice(&len.to_be_bytes());
            }
            pair.at_server(pair.client.address, &garbage);
        }
        // A forged handshake message can stop a handshake that is not authenticated yet, but never open one or panic.
        assert!(
            pair.is_connected() || pair.events.iter().all(|event| matches!(event, TransportEvent::Failed(_))),
            "{:?}",
            pair.events
        );
    }
}

#[test]
fn a_handshake_changed_on_the_way_crashes_nothing_and_gives_different_keys_to_nobody() {
    for seed in 0..60 {
        let mut pair = Pair::new(seed, PERFECT, &CHROMIUM);
        let mut dice = Dice::new(seed);
        pair.rewrite = Some(Box::new(move |bytes| {
            let mut changed = bytes.to_vec();
            for _ in 0..dice.below(3) {
                // Mostly behind the record's header, where the library reads.
                let at = 13 + dice.below(changed.len() as u64 - 13) as usize;
                let bytes = [0, 1, 0xff, 0x80, dice.below(256) as u8];
                changed[at] = bytes[dice.below(5) as usize];
            }
            vec![changed, bytes.to_vec()]
        }));
        pair.run_for(Duration::from_secs(6));
        assert!(!pair.events.contains(&TransportEvent::Failed(DtlsError::Crashed)), "seed {seed}");
        assert_ne!(pair.client.error, Some(DtlsError::Crashed), "seed {seed}");
        if pair.is_connected() {
            assert_media_flows(&mut pair, 1);
        }
    }
}

#[test]
fn a_transport_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<crate::transport::Transport>();
}
