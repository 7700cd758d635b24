//! Commits that look right and are not, old ones again, and arbitrary bytes at every door.

mod support;

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn};
use support::raw::Raw;
use support::*;
use webcall_crypto::{Changes, Device, DeviceRequest, ExternalJoin, Fault, Group, StateKey};
use webcall_trust::{Refusal, mls};

/// At the end of an external commit: signature and confirmation tag, each with its length.
const AUTHENTICATION: usize = 2 + 64 + 1 + 32;

/// Breaks the last path secret and signs anew. All that the server can check is still right.
fn with_a_bad_path(commit: &[u8], raw: &Raw, context: &[u8]) -> Vec<u8> {
    let mut bad = commit.to_vec();
    let end = bad.len() - AUTHENTICATION;
    bad[end - 1] ^= 1;
    // RFC 9420 §6.1: version and wire format, the content, the group's context.
    let signature = raw.key.sign_labelled("FramedContentTBS", &[&bad[..end], context].concat());
    bad[end + 2..end + 2 + 64].copy_from_slice(&signature);
    bad
}

/// A description that its signer made up for the group as the server has it, with its own key to join by.
fn describing(server: &Server, made: &[u8], raw: &Raw) -> Vec<u8> {
    let MlsMessageBodyIn::GroupInfo(info) = MlsMessageIn::tls_deserialize(&mut &*made).expect("a message").extract() else {
        panic!("a group info")
    };
    let mut payload = server.group.group_context().tls_serialize_detached().expect("memory");
    payload.extend(info.extensions().tls_serialize_detached().expect("memory"));
    payload.extend(server.group.confirmation_tag().tls_serialize_detached().expect("memory"));
    // The signer's number and the signature's length are taken over.
    payload.extend(&made[made.len() - 70..made.len() - 66]);
    let signature = raw.key.sign_labelled("GroupInfoTBS", &payload);
    [&made[..4], &payload, &made[made.len() - 66..made.len() - 64], &signature].concat()
}

struct Insider {
    people: Vec<User>,
    devices: Vec<Device>,
    party: Party,
    raw: Raw,
}

fn insider() -> Insider {
    let (mut people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let raw = Raw::of(&mut people[2], 50);
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    Insider { people, devices, party, raw }
}

#[test]
fn a_commit_that_is_only_signed_anew_is_taken() {
    let Insider { party, raw, .. } = &mut insider();
    let (commit, _) = raw.external(&party.server.group_info, &party.server.tree(), None);
    let context = party.server.group.group_context().tls_serialize_detached().expect("memory");
    let end = commit.len() - AUTHENTICATION;
    let signature = raw.key.sign_labelled("FramedContentTBS", &[&commit[..end], &context].concat());
    assert_eq!(
        commit[end + 2..end + 66],
        signature,
        "Ed25519 signs the same bytes the same way: the attack below signs what openmls does"
    );
    assert!(party.server.take(&commit, &party.tables).is_ok());
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn t19_victims_of_a_commit_with_a_bad_path_report_it_and_come_in_anew() {
    let Insider { people, devices, party, raw } = &mut insider();
    let (sound, info) = raw.external(&party.server.group_info, &party.server.tree(), None);
    let context = party.server.group.group_context().tls_serialize_detached().expect("memory");
    let bad = with_a_bad_path(&sound, raw, &context);
    assert!(party.server.take(&bad, &party.tables).is_ok(), "the server cannot see it");
    party.server.group_info = describing(&party.server, &info, raw);
    for (index, device) in devices.iter().enumerate() {
        let before = party.groups[index].epoch_authenticator();
        assert_eq!(party.groups[index].culprit(), None);
        assert_eq!(party.groups[index].process(&bad, &party.directory), Err(Fault::BadCommit));
        assert_eq!(
            party.groups[index].culprit(),
            None,
            "who comes from outside has no tag of a member: it may have been the server"
        );
        assert_eq!(party.groups[index].epoch_authenticator(), before, "nothing has changed");
        let tree = party.server.tree();
        let join = external(&party.server, &tree, room());
        let join = ExternalJoin { at_least_epoch: party.groups[index].epoch(), ..join };
        let mut anew = Group::join_external(device, join, &party.directory).expect("a resync");
        let sent = anew.outgoing().expect("to be sent").clone();
        assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
        anew.accepted().expect("it was sent");
        for other in &mut party.groups[..index] {
            catch_up(other, &party.server, &party.directory);
        }
        party.groups[index] = anew;
    }
    party.assert_agreed();
    let culprit = party.groups[0].roster().leaf_of(people[2].id, raw.certificate.statement().device).expect("still in");
    let record = people[2].identity.revoke(people[2].id, raw.certificate.statement().device, people[2].keys().head(), NOW_MS);
    people[2].publish(record);
    (party.directory, party.tables) = (directory(people.iter()), Tables::of(people.iter()));
    assert_eq!(party.groups[0].stale(&party.directory), [culprit]);
    let Party { server, tables, directory, groups } = party;
    commit(&mut groups[0], &devices[0], server, tables, directory, Changes { add: &[], remove: &[culprit] });
    party.catch_up();
    party.assert_agreed();
    assert_eq!(party.groups[0].roster().len(), 3);
}

#[test]
fn t23_old_commits_those_of_other_groups_and_those_from_the_future_change_nothing() {
    let (people, mut devices) = users(2);
    let mut here = party(room(), &people, &mut devices);
    let mut there = party(call(), &people, &mut devices);
    for _ in 0..2 {
        for party in [&mut here, &mut there] {
            let Party { server, tables, directory, groups } = party;
            commit(&mut groups[0], &devices[0], server, tables, directory, Changes::default());
        }
    }
    let (log, foreign) = (here.server.log.clone(), there.server.log[1].clone());
    let group = &mut here.groups[1];
    let before = group.epoch_authenticator();
    assert_eq!(group.process(&log[0], &here.directory), Err(Fault::PastEpoch));
    assert_eq!(group.process(&log[2], &here.directory), Err(Fault::MissingCommits));
    assert_eq!(group.process(&foreign, &here.directory), Err(Fault::OtherGroup));
    assert_eq!(group.epoch_authenticator(), before);
    for commit in &log[1..] {
        assert!(group.process(commit, &here.directory).is_ok(), "in order they are taken");
        assert_eq!(group.process(commit, &here.directory), Err(Fault::PastEpoch), "once");
    }
    here.assert_agreed();
}

#[test]
fn t23_a_message_opens_once_and_in_its_own_group() {
    let (people, mut devices) = users(2);
    let (mut here, mut there) = (party(room(), &people, &mut devices), party(call(), &people, &mut devices));
    let said = here.groups[0].encrypt(&devices[0], b"once").expect("a member");
    assert_eq!(there.groups[1].decrypt(&said).err(), Some(Fault::OtherGroup));
    assert_eq!(here.groups[0].decrypt(&said).err(), Some(Fault::OwnMessage));
    assert!(here.groups[1].decrypt(&said).is_ok());
    assert_eq!(here.groups[1].decrypt(&said).err(), Some(Fault::BadMessage));
    let limit = vec![0; mls::MAX_APPLICATION_BYTES];
    let largest = here.groups[0].encrypt(&devices[0], &limit).expect("as long as allowed");
    assert_eq!(here.groups[1].decrypt(&largest).expect("it is for it").plaintext.len(), limit.len());
    let too_long = [limit.as_slice(), &[0]].concat();
    assert_eq!(here.groups[0].encrypt(&devices[0], &too_long), Err(Refusal::TooLarge.into()));
}

/// The bytes with one changed, cut, or doubled, and some that never were a message.
fn hostile(bytes: &[u8], step: usize) -> Vec<Vec<u8>> {
    let flipped = (0..bytes.len()).step_by(step).map(|index| {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 1 << (index % 8);
        flipped
    });
    let cut = (0..bytes.len()).step_by(step).map(|end| bytes[..end].to_vec());
    let lengths_without_end = (0..bytes.len()).step_by(step * 3).map(|index| {
        let mut huge = bytes.to_vec();
        let end = (index + 4).min(huge.len());
        huge[index..end].fill(0xbf);
        huge
    });
    let odd = [Vec::new(), vec![0; 64], vec![0xff; 4_096], bytes.repeat(2)];
    flipped.chain(cut).chain(lengths_without_end).chain(odd).filter(|mutated| mutated != bytes).collect()
}

#[test]
fn t22_no_mutated_commit_or_message_is_taken_or_panics() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let said = party.groups[0].encrypt(&devices[0], b"said").expect("a member");
    let Party { server, tables, directory, groups } = &mut party;
    let package = User::new(2).1.make_key_packages(1).expect("room");
    assert!(groups[0].change(&devices[0], Changes { add: &package, remove: &[] }, directory).is_err(), "of nobody known");
    commit(&mut groups[0], &devices[0], server, tables, directory, Changes::default());
    let victim = &mut groups[1];
    let before = victim.epoch_authenticator();
    for mutated in hostile(&server.log[1], 3) {
        assert!(victim.process(&mutated, directory).is_err());
        assert!(victim.decrypt(&mutated).is_err());
    }
    for mutated in hostile(&said, 2) {
        assert!(victim.decrypt(&mutated).is_err());
        assert!(victim.process(&mutated, directory).is_err());
    }
    assert_eq!(victim.epoch_authenticator(), before);
    assert!(victim.decrypt(&said).is_ok(), "the true one still opens");
    assert!(victim.process(&server.log[1], directory).is_ok(), "and is still taken");
}

#[test]
fn t22_no_mutated_welcome_package_or_request_is_taken_or_panics() {
    let (people, mut devices) = users(2);
    let directory = directory(&people);
    let (founder, joiner) = devices.split_at_mut(1);
    let package = joiner[0].make_key_packages(1).expect("room");
    let mut group = Group::create(&founder[0], room()).expect("a group");
    group.accepted().expect("the server has it");
    for mutated in hostile(&package[0], 3) {
        assert!(group.change(&founder[0], Changes { add: &[mutated], remove: &[] }, &directory).is_err());
    }
    group.change(&founder[0], Changes { add: &package, remove: &[] }, &directory).expect("the true one");
    let welcome = group.outgoing().and_then(|sent| sent.welcome.clone()).expect("a welcome");
    for mutated in hostile(welcome.as_slice(), 5) {
        assert!(Group::join(&joiner[0], &mutated, &directory).is_err());
        assert!(Group::load(&StateKey::new([1; 32]), &joiner[0], room(), &mutated, 0).is_err());
        assert!(DeviceRequest::from_bytes(&mutated).is_err());
    }
    assert!(Group::join(&joiner[0], welcome.as_slice(), &directory).is_ok(), "the true one is still good");
}
