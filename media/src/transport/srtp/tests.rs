//! SRTP against an independent implementation in both directions, against the vectors of RFC 7714, and against forgery.

use proptest::prelude::*;
use rtc_crypto::{RTCCryptoProvider, SecretVec};
use rtc_rtp::Header;
use rtc_shared::marshal::Unmarshal;
use rtc_srtp::config::Config;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use std::sync::Arc;

use super::*;

const PROFILES: [SrtpProfile; 2] = [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];
const HEADER_BYTES: usize = 12;
const SSRC: u32 = 0xdead_beef;

fn provider() -> Arc<dyn RTCCryptoProvider> {
    rtc_crypto::default_provider().unwrap()
}

fn material(profile: SrtpProfile) -> KeyingMaterial {
    let bytes = (0..profile.keying_material_bytes()).map(|at| (at * 37 + 11) as u8).collect();
    KeyingMaterial { profile, bytes: SecretVec::new(bytes) }
}

fn ours(profile: SrtpProfile, role: DtlsRole) -> (SrtpSealer, SrtpOpener) {
    from_keying_material(&material(profile), role, provider().crypto()).unwrap()
}

/// The other implementation, on the other end: (seals, opens).
fn theirs(profile: SrtpProfile, role: DtlsRole) -> (Context, Context) {
    let profile_name = match profile {
        SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpProfile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let mut config = Config { profile: profile_name, ..Default::default() };
    config.set_session_keys_from_keying_material(material(profile).bytes.as_ref(), role == DtlsRole::Client).unwrap();
    let keys = &config.keys;
    let provider = provider();
    let seals =
        Context::new(&keys.local_master_key, &keys.local_master_salt, profile_name, None, None, provider.crypto()).unwrap();
    let opens = Context::new(
        &keys.remote_master_key,
        &keys.remote_master_salt,
        profile_name,
        Some(srtp_replay_protection(1024)),
        Some(srtcp_replay_protection(1024)),
        provider.crypto(),
    )
    .unwrap();
    (seals, opens)
}

fn rtp(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend(7_000u32.to_be_bytes());
    packet.extend(SSRC.to_be_bytes());
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}

fn seal_rtp(sealer: &mut SrtpSealer, plain: &[u8], header_len: usize, index: u64) -> Vec<u8> {
    let mut packet = plain.to_vec();
    packet.resize(plain.len() + MAX_RTP_OVERHEAD_BYTES, 0xee);
    let total = sealer.seal_rtp(&mut packet, header_len, plain.len(), index).unwrap();
    packet.truncate(total);
    packet
}

fn seal_rtcp(sealer: &mut SrtpSealer, plain: &[u8]) -> Vec<u8> {
    let mut packet = plain.to_vec();
    packet.resize(plain.len() + MAX_RTCP_OVERHEAD_BYTES, 0xee);
    let total = sealer.seal_rtcp(&mut packet, plain.len()).unwrap();
    packet.truncate(total);
    packet
}

#[test]
fn the_other_implementation_opens_what_we_seal_over_a_rollover() {
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opens) = theirs(profile, DtlsRole::Client);
        for index in (65_500..132_000u64).step_by(20) {
            let plain = rtp(index as u16, &[index as u8; 50]);
            let sealed = seal_rtp(&mut sealer, &plain, HEADER_BYTES, index);
            let header = Header::unmarshal(&mut &sealed[..]).unwrap();
            assert_eq!(&opens.decrypt_rtp_with_header(&sealed, &header).unwrap()[..], &plain[..], "{profile:?} {index}");
        }
    }
}

#[test]
fn we_open_what_the_other_implementation_seals_over_a_rollover() {
    for profile in PROFILES {
        let (mut seals, _) = theirs(profile, DtlsRole::Client);
        let (_, mut opener) = ours(profile, DtlsRole::Server);
        let mut state = InboundIndex::default();
        for index in 65_000..66_000u64 {
            let plain = rtp(index as u16, &[index as u8; 50]);
            let mut sealed = seals.encrypt_rtp(&plain).unwrap();
            let opened = opener.open_rtp(&mut sealed, HEADER_BYTES, &mut state).unwrap();
            assert_eq!(opened, OpenedRtp { payload: HEADER_BYTES..plain.len(), index, is_newest: true });
            assert_eq!(&sealed[..plain.len()], &plain[..], "{profile:?} {index}");
        }
    }
}

#[test]
fn rtcp_passes_between_the_two_implementations_in_both_directions() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = ours(profile, DtlsRole::Server);
        let (mut seals, mut opens) = theirs(profile, DtlsRole::Client);
        for number in 0..40u8 {
            let plain = rtcp(u32::from(number % 3), &[number; 20]);
            assert_eq!(&opens.decrypt_rtcp(&seal_rtcp(&mut sealer, &plain)).unwrap()[..], &plain[..], "{profile:?}");
            let mut sealed = seals.encrypt_rtcp(&plain).unwrap();
            let len = opener.open_rtcp(&mut sealed).unwrap();
            assert_eq!(&sealed[..len], &plain[..], "{profile:?}");
        }
    }
}

#[test]
fn csrcs_and_header_extensions_are_authenticated_but_not_encrypted() {
    let mut plain = vec![0x92, 96, 0, 9, 0, 0, 0, 1];
    plain.extend(SSRC.to_be_bytes());
    plain.extend([0; 8]);
    plain.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
    let header_len = plain.len();
    plain.extend([5; 30]);
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opens) = theirs(profile, DtlsRole::Client);
        let sealed = seal_rtp(&mut sealer, &plain, header_len, 9);
        assert_eq!(sealed[..header_len], plain[..header_len]);
        let header = Header::unmarshal(&mut &sealed[..]).unwrap();
        assert_eq!(&opens.decrypt_rtp_with_header(&sealed, &header).unwrap()[..], &plain[..]);
    }
}

#[test]
fn a_replayed_packet_is_refused_and_a_late_one_is_not_the_newest() {
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opener) = ours(profile, DtlsRole::Client);
        let mut state = InboundIndex::default();
        let sealed: Vec<_> =
            (0..3u64).map(|index| seal_rtp(&mut sealer, &rtp(index as u16, b"media"), HEADER_BYTES, index)).collect();
        assert!(opener.open_rtp(&mut sealed[2].clone(), HEADER_BYTES, &mut state).unwrap().is_newest);
        assert!(!opener.open_rtp(&mut sealed[0].clone(), HEADER_BYTES, &mut state).unwrap().is_newest);
        assert_eq!(opener.open_rtp(&mut sealed[0].clone(), HEADER_BYTES, &mut state), Err(SrtpError::Replayed));
        assert_eq!(opener.open_rtp(&mut sealed[2].clone(), HEADER_BYTES, &mut state), Err(SrtpError::Replayed));
        assert!(opener.open_rtp(&mut sealed[1].clone(), HEADER_BYTES, &mut state).is_ok());
    }
}

#[test]
fn a_forged_packet_leaves_the_state_of_its_ssrc_alone() {
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opener) = ours(profile, DtlsRole::Client);
        let mut state = InboundIndex::default();
        let mut forged = seal_rtp(&mut sealer, &rtp(40_000, b"media"), HEADER_BYTES, 40_000);
        forged[20] ^= 1;
        assert_eq!(opener.open_rtp(&mut forged, HEADER_BYTES, &mut state), Err(SrtpError::Forged));
        // Had the forgery been remembered, this would count as the next cycle.
        let mut genuine = seal_rtp(&mut sealer, &rtp(3, b"media"), HEADER_BYTES, 3);
        assert_eq!(opener.open_rtp(&mut genuine, HEADER_BYTES, &mut state).unwrap().index, 3);
    }
}

#[test]
fn replayed_rtcp_is_refused_for_each_sender_apart() {
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opener) = ours(profile, DtlsRole::Client);
        let one = seal_rtcp(&mut sealer, &rtcp(1, &[1; 8]));
        let two = seal_rtcp(&mut sealer, &rtcp(2, &[2; 8]));
        for packet in [&two, &one] {
            assert!(opener.open_rtcp(&mut packet.clone()).is_ok());
            assert_eq!(opener.open_rtcp(&mut packet.clone()), Err(SrtpError::Replayed));
        }
    }
}

#[test]
fn rtcp_senders_are_remembered_only_after_authentication_and_only_so_many() {
    let (mut sealer, _) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Server);
    let (_, mut opener) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Client);
    let mut forged = seal_rtcp(&mut sealer, &rtcp(9, &[1; 8]));
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(opener.open_rtcp(&mut forged), Err(SrtpError::Forged));
    assert_eq!(opener.rtcp_senders.len(), 0);
    for ssrc in 0..100 {
        assert!(opener.open_rtcp(&mut seal_rtcp(&mut sealer, &rtcp(ssrc, &[1; 8]))).is_ok());
        assert!(opener.open_rtcp(&mut seal_rtcp(&mut sealer, &rtcp(0, &[1; 8]))).is_ok());
    }
    assert_eq!(opener.rtcp_senders.len(), MAX_RTCP_SENDERS);
    assert!(opener.rtcp_senders.iter().any(|sender| sender.ssrc == 0), "the one heard all the time stays");
}

#[test]
fn rtcp_without_encryption_is_refused() {
    for profile in PROFILES {
        let (mut sealer, _) = ours(profile, DtlsRole::Server);
        let (_, mut opener) = ours(profile, DtlsRole::Client);
        let mut sealed = seal_rtcp(&mut sealer, &rtcp(1, &[1; 8]));
        let flag_at = match profile {
            SrtpProfile::AeadAes128Gcm => sealed.len() - 4,
            SrtpProfile::Aes128CmSha1_80 => sealed.len() - 14,
        };
        sealed[flag_at] &= 0x7f;
        assert_eq!(opener.open_rtcp(&mut sealed), Err(SrtpError::NotEncrypted));
    }
}

#[test]
fn an_index_that_is_not_the_packets_is_refused_before_a_nonce_is_used_twice() {
    let (mut sealer, _) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Server);
    let mut packet = rtp(5, &[0; 40]);
    let len = packet.len() - MAX_RTP_OVERHEAD_BYTES;
    assert_eq!(sealer.seal_rtp(&mut packet, HEADER_BYTES, len, 6), Err(SrtpError::BadIndex));
    assert_eq!(sealer.seal_rtp(&mut packet, HEADER_BYTES, len, 5 | 1 << 48), Err(SrtpError::BadIndex));
    assert_eq!(sealer.seal_rtp(&mut packet, HEADER_BYTES, len + 1, 5), Err(SrtpError::NoRoom));
    assert_eq!(sealer.seal_rtp(&mut packet, HEADER_BYTES, HEADER_BYTES - 1, 5), Err(SrtpError::TooShort));
}

#[test]
fn rtcp_indices_are_never_used_twice() {
    let (mut sealer, _) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Server);
    sealer.next_rtcp_index = RTCP_ENCRYPTED - 1;
    let mut packet = rtcp(1, &[0; 40]);
    assert!(sealer.seal_rtcp(&mut packet, 20).is_ok());
    assert_eq!(sealer.seal_rtcp(&mut packet, 20), Err(SrtpError::BadIndex));
}

proptest! {
    #[test]
    fn a_changed_byte_anywhere_is_always_refused(at in 0usize..300, flip in 1u8.., payload in proptest::collection::vec(any::<u8>(), 0..120)) {
        for profile in PROFILES {
            let (mut sealer, _) = ours(profile, DtlsRole::Server);
            let (_, mut opener) = ours(profile, DtlsRole::Client);
            let mut sealed = seal_rtp(&mut sealer, &rtp(7, &payload), HEADER_BYTES, 7);
            let at_rtp = at % sealed.len();
            sealed[at_rtp] ^= flip;
            prop_assert!(opener.open_rtp(&mut sealed, HEADER_BYTES, &mut InboundIndex::default()).is_err());
            let mut sealed = seal_rtcp(&mut sealer, &rtcp(7, &payload));
            let at_rtcp = at % sealed.len();
            sealed[at_rtcp] ^= flip;
            prop_assert!(opener.open_rtcp(&mut sealed).is_err());
        }
    }

    #[test]
    fn any_bytes_and_any_header_length_are_refused_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..80), header_len in 0usize..90,
    ) {
        for profile in PROFILES {
            let (mut sealer, mut opener) = ours(profile, DtlsRole::Server);
            prop_assert!(opener.open_rtp(&mut bytes.clone(), header_len, &mut InboundIndex::default()).is_err());
            prop_assert!(opener.open_rtcp(&mut bytes.clone()).is_err());
            let _ = sealer.seal_rtp(&mut bytes.clone(), header_len, bytes.len() / 2, 1);
            let _ = sealer.seal_rtcp(&mut bytes.clone(), bytes.len() / 2);
        }
    }

    #[test]
    fn packets_in_any_order_within_the_window_are_all_opened(start in 0u64..200_000, order in Just((0..200u64).collect::<Vec<_>>()).prop_shuffle()) {
        let (mut sealer, _) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Server);
        let (_, mut opener) = ours(SrtpProfile::AeadAes128Gcm, DtlsRole::Client);
        let mut state = InboundIndex::default();
        // The receiver knows the cycle from a packet before.
        state.commit(start);
        for offset in order {
            let index = start + 1 + offset;
            let mut sealed = seal_rtp(&mut sealer, &rtp(index as u16, b"media"), HEADER_BYTES, index);
            prop_assert_eq!(opener.open_rtp(&mut sealed, HEADER_BYTES, &mut state).map(|opened| opened.index), Ok(index));
        }
    }
}
