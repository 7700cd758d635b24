//! Sealed states: what was kept comes back whole or not at all.

mod support;

use support::*;
use webcall_crypto::{Changes, Device, Fault, Group, StateKey, state};
use webcall_trust::DeviceId;
use webcall_trust::mls::GroupId;

fn key() -> StateKey {
    StateKey::new([1; 32])
}

#[test]
fn a_group_goes_on_after_a_reload_as_if_there_had_been_none() {
    let (people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let said = party.groups[0].encrypt(&devices[0], b"on its way").expect("a member");
    let (sealed, sealed_device) = (party.groups[1].save(&key()).expect("kept"), devices[1].save(&key()).expect("kept"));
    let device = Device::load(&key(), devices[1].id(), &sealed_device, 1).expect("whole");
    let mut group = Group::load(&key(), &device, room(), &sealed, 1).expect("whole");
    assert_eq!(group.epoch_authenticator(), party.groups[0].epoch_authenticator());
    assert_eq!(group.decrypt(&said).expect("it is for it").plaintext.as_slice(), b"on its way");
    let answer = group.encrypt(&device, b"heard").expect("a member");
    assert!(party.groups[0].decrypt(&answer).is_ok());
    party.groups[1] = group;
    let Party { server, tables, directory, groups } = &mut party;
    commit(&mut groups[1], &device, server, tables, directory, Changes::default());
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn t7_an_older_state_than_the_newest_seen_is_refused() {
    let (people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let old = party.groups[0].save(&key()).expect("kept");
    let new = party.groups[0].save(&key()).expect("kept");
    let newest = state::counter(&new).expect("sealed");
    assert!(newest > state::counter(&old).expect("sealed"));
    assert!(Group::load(&key(), &devices[0], room(), &new, newest).is_ok());
    assert_eq!(Group::load(&key(), &devices[0], room(), &old, newest).err(), Some(Fault::OldState));
    let mut disguised = old;
    disguised[1..9].copy_from_slice(&newest.to_be_bytes());
    assert_eq!(Group::load(&key(), &devices[0], room(), &disguised, newest).err(), Some(Fault::DamagedState));
    let (old, new) = (devices[0].save(&key()).expect("kept"), devices[0].save(&key()).expect("kept"));
    assert!(Device::load(&key(), devices[0].id(), &new, 2).is_ok());
    assert_eq!(Device::load(&key(), devices[0].id(), &old, 2).err(), Some(Fault::OldState));
}

#[test]
fn the_counter_goes_on_after_a_reload() {
    let (_, mut device) = User::new(1);
    let first = device.save(&key()).expect("kept");
    let mut again = Device::load(&key(), device.id(), &first, 1).expect("whole");
    let second = again.save(&key()).expect("kept");
    assert_eq!(state::counter(&second), Ok(2));
}

#[test]
fn t7_a_state_with_any_byte_changed_or_missing_is_refused() {
    let (people, mut devices) = users(1);
    let mut party = party(room(), &people, &mut devices);
    devices[0].make_key_packages(1).expect("room");
    let (group, device) = (party.groups[0].save(&key()).expect("kept"), devices[0].save(&key()).expect("kept"));
    let load_group = |bytes: &[u8]| Group::load(&key(), &devices[0], room(), bytes, 0).err();
    let load_device = |bytes: &[u8]| Device::load(&key(), devices[0].id(), bytes, 0).err();
    assert_eq!((load_group(&group), load_device(&device)), (None, None));
    for (sealed, load) in [(&group, &load_group as &dyn Fn(&[u8]) -> Option<Fault>), (&device, &load_device)] {
        // All of the head, then samples: each byte behind it is under the same tag.
        let positions = (0..32).chain((32..sealed.len()).step_by(97)).chain([sealed.len() - 1]);
        for index in positions {
            let mut damaged = sealed.clone();
            damaged[index] ^= 0x10;
            let expected = if index == 0 { Fault::UnknownVersion } else { Fault::DamagedState };
            assert_eq!(load(&damaged), Some(expected), "byte {index}");
            assert_eq!(load(&sealed[..index]), Some(Fault::DamagedState), "cut at {index}");
        }
    }
}

#[test]
fn a_state_opens_under_its_own_name_and_key_alone() {
    let (people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let sealed = party.groups[0].save(&key()).expect("kept");
    let load = |key: &StateKey, device: &Device, id: GroupId| Group::load(key, device, id, &sealed, 0).err();
    assert_eq!(load(&key(), &devices[0], room()), None);
    assert_eq!(load(&StateKey::new([2; 32]), &devices[0], room()), Some(Fault::DamagedState));
    assert_eq!(load(&key(), &devices[1], room()), Some(Fault::DamagedState));
    assert_eq!(load(&key(), &devices[0], GroupId::room([1; 16])), Some(Fault::DamagedState));
    let device = devices[0].save(&key()).expect("kept");
    assert_eq!(Device::load(&key(), DeviceId([0; 16]), &device, 0).err(), Some(Fault::DamagedState));
    assert_eq!(Group::load(&key(), &devices[0], room(), &device, 0).err(), Some(Fault::DamagedState));
}

#[test]
fn t25_nothing_secret_stands_in_a_sealed_state() {
    let (identity_owner, mut device) = User::new(1);
    let identity = identity_owner.identity.to_bytes();
    device.make_key_packages(1).expect("room");
    let mut group = Group::create(&device, room()).expect("a group");
    group.accepted().expect("the server has it");
    let chat = group.chat_key().expect("a room");
    for sealed in [group.save(&key()).expect("kept"), device.save(&key()).expect("kept")] {
        for secret in [identity.as_slice(), chat.as_slice(), b"EpochSecrets", b"KeyPackage", &device.certificate().to_bytes()] {
            assert!(!sealed.windows(secret.len()).any(|window| window == secret));
        }
    }
}
