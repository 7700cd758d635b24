//! Connectivity checks one by one: what is answered, what is refused and how, what is ignored.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, AttrType,
    RawAttribute,
};
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::message::{BINDING_ERROR, BINDING_SUCCESS, Getter, Message, Setter, TransactionId};

use super::network::{Dice, address};
use crate::transport::ice::{BindingOutcome, IceCredentials, IceLite, IcePlace, IgnoredBinding, Nomination};
use crate::transport::stun::{self, BindingView, Integrity};
use crate::transport::username_local_part;

const REMOTE: &str = "them";

struct Fixture {
    provider: Arc<dyn RTCCryptoProvider>,
    ice: IceLite,
    now: Instant,
    next_id: u8,
}

fn fixture() -> Fixture {
    let provider = rtc_crypto::default_provider().unwrap();
    let ice = IceLite::new(Arc::clone(&provider), IcePlace::default(), REMOTE.to_owned()).unwrap();
    Fixture { provider, ice, now: Instant::now(), next_id: 0 }
}

fn attribute(typ: AttrType, value: &[u8]) -> RawAttribute {
    RawAttribute { typ, length: 0, value: value.to_vec() }
}

fn here() -> SocketAddr {
    address("192.0.2.1:1000")
}

impl Fixture {
    fn check_as(&mut self, username: String, password: &str, attributes: &[RawAttribute]) -> Vec<u8> {
        self.next_id += 1;
        let setters: Vec<&dyn Setter> = attributes.iter().map(|attribute| attribute as &dyn Setter).collect();
        let integrity = Integrity { password, crypto: self.provider.crypto() };
        stun::check(TransactionId([self.next_id; 12]), username, &setters, integrity).unwrap()
    }

    fn check(&mut self, attributes: &[RawAttribute]) -> Vec<u8> {
        let IceCredentials { ufrag, password } = self.ice.local().clone();
        self.check_as(format!("{ufrag}:{REMOTE}"), &password, attributes)
    }

    fn handle(&mut self, datagram: &[u8]) -> BindingOutcome {
        self.ice.handle_binding(self.now, datagram, here())
    }

    /// The code of an error response, and whether it is authenticated.
    fn rejection(&self, outcome: &BindingOutcome) -> (u16, bool) {
        let BindingOutcome::Reject { bytes } = outcome else { panic!("{outcome:?}") };
        let view = BindingView::parse(bytes).unwrap();
        assert!(view.has_right_fingerprint());
        let mut message = Message::new();
        message.unmarshal_binary(bytes).unwrap();
        assert_eq!(message.typ, BINDING_ERROR);
        let mut code = ErrorCodeAttribute::default();
        code.get_from(&message).unwrap();
        (code.code.0, view.authenticates(&self.ice.local().password, self.provider.crypto()))
    }
}

#[test]
fn a_check_is_answered_with_the_address_it_came_from_and_authenticated() {
    let mut ice = fixture();
    for (from, mapped) in
        [("192.0.2.1:1000", "192.0.2.1:1000"), ("[2001:db8::1]:9", "[2001:db8::1]:9"), ("[::ffff:192.0.2.9]:77", "192.0.2.9:77")]
    {
        let check = ice.check(&[]);
        let BindingOutcome::Respond { bytes, nomination } = ice.ice.handle_binding(ice.now, &check, address(from)) else {
            panic!()
        };
        assert_eq!(nomination, Nomination::None);
        let view = BindingView::parse(&bytes).unwrap();
        assert_eq!(view.mapped_address(), Some(address(mapped)));
        assert!(view.has_right_fingerprint() && view.authenticates(&ice.ice.local().password, ice.provider.crypto()));
        let mut message = Message::new();
        message.unmarshal_binary(&bytes).unwrap();
        assert_eq!((message.typ, message.transaction_id.0), (BINDING_SUCCESS, [ice.next_id; 12]));
    }
}

#[test]
fn use_candidate_nominates_and_every_authenticated_check_renews_the_consent() {
    let mut ice = fixture();
    assert_eq!(ice.ice.consent_deadline(), None);
    let check = ice.check(&[attribute(ATTR_ICE_CONTROLLING, &[9; 8]), attribute(ATTR_USE_CANDIDATE, &[])]);
    assert!(matches!(ice.handle(&check), BindingOutcome::Respond { nomination: Nomination::Path, .. }));
    assert_eq!(ice.ice.consent_deadline(), Some(ice.now + Duration::from_secs(30)));
    ice.now += Duration::from_secs(7);
    let check = ice.check(&[]);
    assert!(matches!(ice.handle(&check), BindingOutcome::Respond { nomination: Nomination::None, .. }));
    assert_eq!(ice.ice.consent_deadline(), Some(ice.now + Duration::from_secs(30)));
}

#[test]
fn a_repeated_check_is_answered_again_but_proves_and_moves_nothing() {
    let mut ice = fixture();
    let check = ice.check(&[attribute(ATTR_USE_CANDIDATE, &[])]);
    ice.handle(&check);
    let deadline = ice.ice.consent_deadline();
    ice.now += Duration::from_secs(7);
    assert!(matches!(ice.handle(&check), BindingOutcome::Respond { nomination: Nomination::None, .. }));
    assert_eq!(ice.ice.consent_deadline(), deadline);
    let elsewhere = ice.ice.handle_binding(ice.now, &check, address("203.0.113.1:5"));
    assert_eq!(elsewhere, BindingOutcome::Ignore(IgnoredBinding::Replayed));
}

#[test]
fn wrong_names_and_passwords_get_401_without_integrity_and_no_consent() {
    let mut ice = fixture();
    let IceCredentials { ufrag, password } = ice.ice.local().clone();
    for (username, password) in [
        (format!("{ufrag}:{REMOTE}"), "not the password at all"),
        (format!("{ufrag}:{REMOTE}x"), &password[..]),
        (format!("{ufrag}x:{REMOTE}"), &password[..]),
        (ufrag, &password[..]),
    ] {
        let check = ice.check_as(username, password, &[attribute(ATTR_USE_CANDIDATE, &[])]);
        let outcome = ice.handle(&check);
        assert_eq!(ice.rejection(&outcome), (401, false));
    }
    assert_eq!(ice.ice.consent_deadline(), None);
}

/// A STUN message of raw attributes with a right fingerprint.
fn message(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = Message::new();
    message.typ.read_value(kind);
    message.transaction_id = TransactionId([3; 12]);
    message.write_header();
    for (kind, value) in attributes {
        message.add(AttrType(*kind), value);
    }
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

#[test]
fn a_request_without_name_or_integrity_gets_400_unless_that_would_be_longer_than_the_request() {
    let ice = fixture();
    let name = format!("{}:{REMOTE}", ice.ice.local().ufrag);
    let mut ice = ice;
    let padding = [0; 40];
    let outcome = ice.handle(&message(1, &[(6, name.as_bytes()), (0x8022, &padding)]));
    assert_eq!(ice.rejection(&outcome), (400, false));
    let outcome = ice.handle(&message(1, &[(8, &[1; 20]), (0x8022, &padding)]));
    assert_eq!(ice.rejection(&outcome), (400, false));
    assert_eq!(ice.handle(&message(1, &[])), BindingOutcome::Ignore(IgnoredBinding::NotWorthAnswer));
}

#[test]
fn an_attribute_that_must_be_understood_and_is_not_gets_420_and_is_named() {
    let mut ice = fixture();
    let check = ice.check(&[attribute(AttrType(0x7abc), b"?"), attribute(AttrType(0xc057), &[0; 4])]);
    let outcome = ice.handle(&check);
    assert_eq!(ice.rejection(&outcome), (420, true));
    let BindingOutcome::Reject { bytes } = outcome else { panic!() };
    let mut message = Message::new();
    message.unmarshal_binary(&bytes).unwrap();
    assert_eq!(message.get(AttrType(0x000a)).unwrap(), [0x7a, 0xbc]);
}

#[test]
fn a_controlled_agent_is_told_of_the_conflict() {
    let mut ice = fixture();
    let check = ice.check(&[attribute(ATTR_ICE_CONTROLLED, &[0; 8])]);
    let outcome = ice.handle(&check);
    assert_eq!(ice.rejection(&outcome), (487, true));
    assert_eq!(ice.ice.consent_deadline(), None);
}

#[test]
fn a_nomination_smuggled_in_behind_the_integrity_is_not_one() {
    let mut ice = fixture();
    let check = ice.check(&[]);
    let mut longer = Message::new();
    longer.unmarshal_binary(&check[..check.len() - 8]).unwrap_err();
    // Without its fingerprint, with an attribute behind the integrity and a new fingerprint.
    let mut cut = check[..check.len() - 8].to_vec();
    let len = (cut.len() - 20) as u16;
    cut[2..4].copy_from_slice(&len.to_be_bytes());
    longer.unmarshal_binary(&cut).unwrap();
    longer.add(ATTR_USE_CANDIDATE, &[]);
    FINGERPRINT.add_to(&mut longer).unwrap();
    assert!(longer.contains(ATTR_MESSAGE_INTEGRITY));
    assert!(matches!(ice.handle(&longer.raw), BindingOutcome::Respond { nomination: Nomination::None, .. }));
}

#[test]
fn what_is_not_a_request_with_a_right_fingerprint_is_ignored() {
    let mut ice = fixture();
    assert_eq!(ice.handle(&message(0x0011, &[])), BindingOutcome::Ignore(IgnoredBinding::NotARequest), "an indication");
    assert_eq!(ice.handle(&message(0x0101, &[])), BindingOutcome::Ignore(IgnoredBinding::NotARequest), "a response");
    assert_eq!(ice.handle(&message(0x0003, &[])), BindingOutcome::Ignore(IgnoredBinding::NotARequest), "a request to TURN");
    let check = ice.check(&[]);
    for wrong in [&check[..check.len() - 8], &check[..check.len() - 1], &[&check[..], &[0; 4]].concat()[..], &[]] {
        assert_eq!(ice.handle(wrong), BindingOutcome::Ignore(IgnoredBinding::Malformed));
    }
    let many: Vec<(u16, &[u8])> = vec![(0x8022, &[]); 40];
    assert_eq!(ice.handle(&message(1, &many)), BindingOutcome::Ignore(IgnoredBinding::Malformed), "too many attributes");
    assert_eq!(ice.handle(&message(1, &[(0x8022, &[0; 1_300])])), BindingOutcome::Ignore(IgnoredBinding::Malformed), "too long");
}

#[test]
fn a_check_changed_anywhere_is_never_answered_with_success() {
    let mut ice = fixture();
    let check = ice.check(&[attribute(ATTR_ICE_CONTROLLING, &[9; 8]), attribute(ATTR_USE_CANDIDATE, &[])]);
    for at in 0..check.len() {
        for flip in [1, 0x80] {
            let mut changed = check.clone();
            changed[at] ^= flip;
            assert!(!matches!(ice.handle(&changed), BindingOutcome::Respond { .. }), "byte {at}");
        }
    }
    assert_eq!(ice.ice.consent_deadline(), None);
}

#[test]
fn credentials_are_random_long_enough_and_of_ice_characters() {
    let provider = rtc_crypto::default_provider().unwrap();
    let place = IcePlace::new(5).unwrap();
    let (one, two) = (
        IceCredentials::generate(provider.as_ref(), place).unwrap(),
        IceCredentials::generate(provider.as_ref(), place).unwrap(),
    );
    assert!(one.ufrag != two.ufrag && one.password != two.password);
    assert!(one.ufrag.len() >= 8 && one.password.len() >= 24);
    let all = one.ufrag + &one.password + &two.ufrag + &two.password;
    assert!(all.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'));
}

#[test]
fn the_name_in_front_of_the_colon_finds_the_transport_without_authentication() {
    let mut ice = fixture();
    let check = ice.check(&[]);
    assert_eq!(username_local_part(&check), Some(&ice.ice.local().ufrag[..]));
    assert_eq!(username_local_part(&check[..check.len() - 1]), None);
    assert_eq!(username_local_part(&message(1, &[(6, b"no colon")])), None);
    assert_eq!(username_local_part(&message(1, &[(6, &[0xff, b':'])])), None);
    assert_eq!(username_local_part(&message(1, &[])), None);
    assert_eq!(username_local_part(&message(1, &[(ATTR_ERROR_CODE.0, b"x"), (6, b"a:b")])), Some("a"));
}

proptest! {
    #[test]
    fn any_bytes_are_handled_without_a_panic_and_never_authenticate(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200), is_stun: bool, seed: u64,
    ) {
        if is_stun && bytes.len() >= 20 {
            let len = bytes.len() as u16 - 20;
            bytes[..8].copy_from_slice(&[0, 1, (len >> 8) as u8, len as u8, 0x21, 0x12, 0xa4, 0x42]);
            // Attributes with plausible types and lengths.
            let mut dice = Dice::new(seed);
            let mut at = 20;
            while at + 4 <= bytes.len() {
                let kinds = [6, 8, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802a];
                bytes[at..at + 2].copy_from_slice(&[(kinds[dice.below(8) as usize] >> 8) as u8, kinds[dice.below(8) as usize] as u8]);
                let len = dice.below(30) as u16;
                bytes[at + 2..at + 4].copy_from_slice(&len.to_be_bytes());
                at += 4 + usize::from(len).next_multiple_of(4);
            }
        }
        let mut ice = fixture();
        let _ = username_local_part(&bytes);
        let outcome = ice.handle(&bytes);
        let is_response = matches!(outcome, BindingOutcome::Respond { .. });
        prop_assert!(!is_response);
        prop_assert_eq!(ice.ice.consent_deadline(), None);
    }
}
