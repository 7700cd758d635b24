//! Devices: how they come to be, what vouches for them, and their key packages.

mod support;

use support::*;
use webcall_crypto::{Changes, Contacts, StateKey};
use webcall_crypto::{
    Device, DeviceRequest, Directory, Fault, Group, Identity, Learned, MAX_NAME_BYTES, MAX_PACKAGES, MAX_RECORDS, Verified,
};
use webcall_trust::{Record, Refusal, UserId, mls};

#[test]
fn the_first_device_publishes_a_chain_that_vouches_for_it() {
    let (user, device) = User::new(1);
    assert_eq!(user.keys().identity(), user.identity.public());
    assert!(user.keys().vouches_for(device.certificate()));
    assert_eq!((device.user(), device.identity()), (user.id, user.identity.public()));
}

#[test]
fn a_further_device_counts_until_it_is_revoked() {
    let (mut user, first) = User::new(1);
    let phone = user.further_device();
    assert!(user.keys().vouches_for(phone.certificate()));
    user.revoke(&phone);
    assert!(!user.keys().vouches_for(phone.certificate()));
    assert!(user.keys().vouches_for(first.certificate()), "the other one stays");
}

#[test]
fn t1_a_request_that_the_server_changed_has_another_code_or_none() {
    let (user, _) = User::new(1);
    let (asked, other) = (asks(user.id), asks(user.id));
    let bytes = asked.request().to_bytes();
    assert_eq!(bytes.len(), 177);
    let read = DeviceRequest::from_bytes(&bytes).expect("as it was");
    assert_eq!((read.code(), read.device()), (asked.request().code(), asked.request().device()));
    assert_eq!(read.code().len(), 23);
    assert_ne!(read.code(), other.request().code());
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        assert!(DeviceRequest::from_bytes(&changed).is_err(), "byte {index}");
        assert!(DeviceRequest::from_bytes(&bytes[..index]).is_err());
    }
    let of_another = asks(UserId([9; 16]));
    let vouched = user.identity.vouch(user.id, of_another.request(), [0; 32], NOW_MS);
    assert_eq!(vouched.err(), Some(Refusal::OtherUser.into()));
    let record = user.identity.vouch(user.id, other.request(), [0; 32], NOW_MS).expect("its own");
    assert_eq!(asked.certified(record).err(), Some(Fault::OtherDevice));
}

#[test]
fn t3_another_identity_counts_only_after_the_person_accepted_it() {
    let (mut user, device) = User::new(1);
    let mut directory = directory([&user]);
    assert!(directory.counts(device.certificate()));
    let (swapped, _) = User::new(1);
    assert_eq!(directory.learn(user.id, &swapped.records), Err(Refusal::OutOfOrder.into()), "another chain from the start");
    assert_eq!(directory.learn(user.id, &user.records[..1]), Err(Refusal::OutOfOrder.into()), "a chain that was cut");
    assert!(directory.counts(device.certificate()), "and nothing has changed");
    let replaced = Identity::generate();
    let claim = replaced.claim(user.id, user.keys().head(), NOW_MS);
    user.publish(claim);
    user.identity = replaced;
    let new = user.further_device();
    let learned = directory.learn(user.id, &user.records);
    assert_eq!(learned, Ok(Learned::IdentityChanged(user.identity.public())));
    assert!(!directory.counts(device.certificate()) && !directory.counts(new.certificate()));
    assert!(directory.accept(user.id, device.identity()).is_err(), "the old one is over");
    directory.accept(user.id, user.identity.public()).expect("the new one");
    assert!(directory.counts(new.certificate()) && !directory.counts(device.certificate()));
}

#[test]
fn t3_a_user_under_another_identity_comes_in_only_in_place_of_the_old_one() {
    let (mut people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let replaced = Identity::generate();
    let claim = replaced.claim(people[1].id, people[1].keys().head(), NOW_MS);
    people[1].publish(claim);
    people[1].identity = replaced;
    let mut new = people[1].further_device();
    let package = new.make_key_packages(1).expect("room");
    party.directory.learn(people[1].id, &people[1].records).expect("it goes on");
    let group = &mut party.groups[0];
    let both = Changes { add: &package, remove: &[1] };
    assert_eq!(group.change(&devices[0], both, &party.directory), Err(Refusal::NotVouched.into()), "before it is accepted");
    party.directory.accept(people[1].id, people[1].identity.public()).expect("the new one");
    let beside = Changes { add: &package, remove: &[] };
    assert_eq!(group.change(&devices[0], beside, &party.directory), Err(Refusal::IdentityChanged.into()));
    assert!(group.outgoing().is_none(), "what was refused waits for nothing");
    assert_eq!(group.change(&devices[0], both, &party.directory), Ok(()));
}

#[test]
fn t21_a_one_time_key_package_serves_once_and_a_last_resort_again_and_again() {
    let (people, mut devices) = users(2);
    let directory = directory(&people);
    let (founder, joiner) = devices.split_at_mut(1);
    let once = joiner[0].make_key_packages(1).expect("room");
    let last = vec![joiner[0].make_last_resort().expect("room")];
    let mut welcomed_with = |package: &[Vec<u8>], number: u8| {
        let mut group = Group::create(&founder[0], mls::GroupId::room([number; 16])).expect("a group");
        group.accepted().expect("the server has it");
        group.change(&founder[0], Changes { add: package, remove: &[] }, &directory).expect("a sound change");
        let welcome = group.outgoing().and_then(|sent| sent.welcome.clone()).expect("a welcome");
        let joined = Group::join(&joiner[0], welcome.as_slice(), &directory)?;
        joiner[0].used(joined.package);
        Ok::<_, Fault>(())
    };
    assert_eq!(welcomed_with(&once, 1), Ok(()));
    assert_eq!(welcomed_with(&once, 2), Err(Fault::BadWelcome), "its private part is gone");
    for number in 3..6 {
        assert_eq!(welcomed_with(&last, number), Ok(()));
    }
    let (name, is_last_resort) = joiner[0].key_packages().next().expect("it is kept");
    assert!(is_last_resort);
    joiner[0].forget(name).expect("it is there");
    assert_eq!(joiner[0].forget(name), Err(Fault::UnknownPackage));
    assert_eq!(joiner[0].key_packages().count(), 0);
}

#[test]
fn a_key_package_is_good_for_half_a_year_also_where_clocks_are_a_day_behind() {
    let (_, mut device) = User::new(1);
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    for bytes in [device.make_last_resort().expect("room"), device.make_key_packages(1).expect("room").remove(0)] {
        let life = mls::key_package(&bytes).expect("taken by the server, too").0;
        let life = life.life_time();
        assert!(life.not_before() <= now_s - 86_400 && life.not_after() >= now_s + 181 * 86_400);
        assert!(life.not_after() - life.not_before() <= mls::MAX_LIFETIME_S);
    }
}

#[test]
fn a_device_keeps_so_many_key_packages_and_forgets_those_that_expired() {
    let (_, mut device) = User::new(1);
    device.make_last_resort().expect("room");
    device.make_key_packages(MAX_PACKAGES - 1).expect("room");
    let before: Vec<_> = device.key_packages().collect();
    device.make_key_packages(2).expect("the oldest go for them");
    let after: Vec<_> = device.key_packages().collect();
    assert_eq!((after.len(), after[0]), (MAX_PACKAGES, before[0]), "the last resort is not among them");
    assert_eq!(after[1..MAX_PACKAGES - 2], before[3..]);
    for too_many in [MAX_PACKAGES + 1, usize::MAX] {
        assert_eq!(device.make_key_packages(too_many), Err(Fault::Full));
    }
    let published = device.key_packages().count();
    assert_eq!(published, MAX_PACKAGES, "and what cannot be made takes nothing away");
    device.forget_expired(NOW_MS / 1_000 - mls::MAX_LIFETIME_S * 2);
    assert_eq!(device.key_packages().count(), published);
    device.forget_expired(u64::MAX);
    assert_eq!(device.key_packages().count(), 0);
}

#[test]
fn t3_an_identity_that_was_not_accepted_is_not_accepted_after_a_reload() {
    let (mut user, device) = User::new(1);
    let mut known = directory([&user]);
    let replaced = Identity::generate();
    let claim = replaced.claim(user.id, user.keys().head(), NOW_MS);
    user.publish(claim);
    user.identity = replaced;
    let new = user.further_device();
    known.learn(user.id, &user.records).expect("it goes on");
    let key = StateKey::new([1; 32]);
    let sealed = known.save(&key, device.id()).expect("kept");
    let mut again = Directory::load(&key, device.id(), &sealed, 1).expect("whole");
    assert!(!again.counts(new.certificate()) && !again.published(new.certificate()));
    again.accept(user.id, user.identity.public()).expect("the new one");
    let sealed_after = again.save(&key, device.id()).expect("kept");
    let after = Directory::load(&key, device.id(), &sealed_after, 2).expect("whole");
    assert!(after.counts(new.certificate()));
    assert_eq!(Directory::load(&key, device.id(), &sealed, 2).err(), Some(Fault::OldState));
    assert_eq!(Directory::load(&key, new.id(), &sealed_after, 2).err(), Some(Fault::DamagedState));
}

/// The user begins anew, as after the loss of all devices, or as a server says so.
fn replace_identity(user: &mut User) {
    let replaced = Identity::generate();
    let claim = replaced.claim(user.id, user.keys().head(), NOW_MS);
    user.publish(claim);
    user.identity = replaced;
}

#[test]
fn who_was_compared_with_is_verified_under_the_name_of_then_also_after_a_reload() {
    let (user, device) = User::new(1);
    let mut known = directory([&user]);
    assert_eq!(known.verified(user.id), Verified::No, "whoever was only seen");
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    assert_eq!(known.verify(user.id, device.identity(), &long), Err(Fault::BadRequest));
    assert_eq!(known.verified(user.id), Verified::No);
    known.verify(user.id, device.identity(), "anna").expect("the one that is published");
    let key = StateKey::new([1; 32]);
    let sealed = known.save(&key, device.id()).expect("kept");
    let mut again = Directory::load(&key, device.id(), &sealed, 1).expect("whole");
    assert_eq!(again.verified(user.id), Verified::As("anna"));
    again.learn(user.id, &user.records).expect("the same as before");
    assert_eq!(again.verified(user.id), Verified::As("anna"), "and stays so");
}

#[test]
fn t3_a_new_identity_is_not_verified_and_one_that_is_accepted_without_comparing_is_not_either() {
    let (mut user, device) = User::new(1);
    let mut known = directory([&user]);
    known.verify(user.id, device.identity(), "anna").expect("the one that is published");
    replace_identity(&mut user);
    known.learn(user.id, &user.records).expect("it goes on");
    assert_eq!(known.verified(user.id), Verified::Lost("anna"));
    assert_eq!(known.verify(user.id, device.identity(), "anna"), Err(Refusal::IdentityChanged.into()), "the old one is over");
    let key = StateKey::new([1; 32]);
    let sealed = known.save(&key, device.id()).expect("kept");
    let mut compared = Directory::load(&key, device.id(), &sealed, 1).expect("whole");
    assert_eq!(compared.verified(user.id), Verified::Lost("anna"), "also after a reload");
    compared.verify(user.id, user.identity.public(), "anne").expect("the new one");
    assert_eq!((compared.verified(user.id), compared.accepted(user.id)), (Verified::As("anne"), Some(user.identity.public())));
    known.accept(user.id, user.identity.public()).expect("the new one");
    assert_eq!(known.verified(user.id), Verified::No);
}

#[test]
fn t22_no_more_records_of_a_user_are_read_than_that() {
    let (mut user, _) = User::new(1);
    let mut head = user.keys().head();
    while user.records.len() < MAX_RECORDS {
        let new = asks(user.id);
        let vouched = user.identity.vouch(user.id, new.request(), head, NOW_MS).expect("its own");
        let revoked = user.identity.revoke(user.id, new.request().device(), vouched.hash(), NOW_MS);
        head = revoked.hash();
        user.publish(vouched);
        user.publish(revoked);
    }
    assert_eq!(Directory::default().learn(user.id, &user.records), Ok(Learned::Known));
    let (one_more, _) = User::new(1);
    user.records.push(one_more.records[0].clone());
    assert_eq!(Directory::default().learn(user.id, &user.records), Err(Fault::Full), "before any of it is read");
}

#[test]
fn a_directory_knows_whom_it_was_told_of() {
    let (user, device) = User::new(1);
    assert!(!Directory::default().counts(device.certificate()));
    assert!(!Directory::default().published(device.certificate()));
    let directory = directory([&user]);
    assert!(directory.published(device.certificate()) && !directory.belongs(user.id, device.identity()));
    let Record::Device(certificate) = Record::checked(&user.records[1]).expect("its own") else { panic!("a device") };
    assert_eq!(&certificate, Device::certificate(&device));
}
