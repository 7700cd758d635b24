//! Groups as they are meant: made, joined, changed, left; who is in them agrees, who is not reads nothing.

mod support;

use std::collections::BTreeSet;

use support::*;
use webcall_crypto::{Changes, Device, Fault, Group, Processed, Standing};
use webcall_trust::mls::Way;
use webcall_trust::{PublicKey, Refusal, UserId};

fn grows_to(count: u8) {
    let (people, mut devices) = users(count);
    let mut party = party(room(), &people, &mut devices);
    party.assert_agreed();
    let said = party.groups[0].encrypt(&devices[0], b"to all").expect("a member");
    for group in &mut party.groups[1..] {
        let received = group.decrypt(&said).expect("it is for all");
        assert_eq!((received.plaintext.as_slice(), received.leaf), (b"to all".as_slice(), 0));
        assert_eq!(&received.sender, devices[0].certificate());
    }
    let last = usize::from(count) - 1;
    let Party { server, tables, directory, groups } = &mut party;
    commit(&mut groups[last], &devices[last], server, tables, directory, Changes::default());
    party.catch_up();
    party.assert_agreed();
    assert_eq!(party.groups[0].chat_key(), party.groups[last].chat_key());
}

#[test]
fn a_group_of_2_agrees() {
    grows_to(2);
}

#[test]
fn a_group_of_10_agrees() {
    grows_to(10);
}

#[test]
fn a_group_of_50_agrees() {
    grows_to(50);
}

#[test]
fn keys_are_of_their_group_their_leaf_their_session_and_their_epoch() {
    let (people, mut devices) = users(2);
    let mut in_room = party(room(), &people, &mut devices);
    let in_call = party(call(), &people, &mut devices);
    assert_eq!(in_room.groups[0].media_key(0, &[1; 16]), Err(Fault::WrongKind));
    assert_eq!(in_call.groups[0].chat_key(), Err(Fault::WrongKind));
    let key = in_call.groups[0].media_key(1, &[1; 16]).expect("a call");
    assert_eq!(in_call.groups[1].media_key(1, &[1; 16]).expect("a call"), key);
    assert_ne!(in_call.groups[1].media_key(0, &[1; 16]).expect("a call"), key);
    assert_ne!(in_call.groups[1].media_key(1, &[2; 16]).expect("a call"), key);
    let before = in_room.groups[0].chat_key().expect("a room");
    let Party { server, tables, directory, groups } = &mut in_room;
    commit(&mut groups[0], &devices[0], server, tables, directory, Changes::default());
    assert_ne!(groups[0].chat_key().expect("a room"), before);
}

#[test]
fn t16_who_was_removed_opens_nothing_that_comes_after() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let old = party.groups[0].encrypt(&devices[0], b"before").expect("a member");
    assert!(party.groups[2].decrypt(&old).is_ok(), "still a member");
    party.tables.put_out.insert(people[2].id);
    let Party { server, tables, directory, groups } = &mut party;
    commit(&mut groups[0], &devices[0], server, tables, directory, Changes { add: &[], remove: &[2] });
    let new = groups[0].encrypt(&devices[0], b"after").expect("a member");
    assert_eq!(groups[2].decrypt(&new).err(), Some(Fault::MissingCommits), "before it knows");
    assert!(matches!(groups[2].process(&server.log[1], directory), Ok(Processed::Removed(_))));
    assert_eq!(groups[2].standing(), Standing::Removed);
    assert_eq!(groups[2].decrypt(&new).err(), Some(Fault::NotMember));
    assert_eq!(groups[2].decrypt(&old).err(), Some(Fault::NotMember));
    assert!(groups[2].chat_key().is_err() && groups[2].epoch_authenticator().is_err());
    assert!(groups[2].encrypt(&devices[2], b"still here").is_err());
    catch_up(&mut groups[1], server, directory);
    assert!(groups[1].decrypt(&new).is_ok(), "who stayed reads on");
}

#[test]
fn t17_who_is_new_opens_nothing_that_came_before() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people[..2], &mut devices[..2]);
    party.directory = directory(&people);
    party.tables = Tables::of(&people);
    let old = party.groups[0].encrypt(&devices[0], b"before").expect("a member");
    let old_key = party.groups[0].chat_key().expect("a room");
    let package = devices[2].make_key_packages(1).expect("room");
    let Party { server, tables, directory, groups } = &mut party;
    let welcome = commit(&mut groups[0], &devices[0], server, tables, directory, Changes { add: &package, remove: &[] });
    let mut new = join(&mut devices[2], &welcome.expect("a welcome"), directory);
    assert_eq!(new.decrypt(&old).err(), Some(Fault::BadMessage));
    assert_ne!(new.chat_key().expect("a room"), old_key);
    assert_eq!(new.process(&server.log[0], directory), Err(Fault::PastEpoch));
    catch_up(&mut groups[1], server, directory);
    assert!(groups[1].decrypt(&old).is_ok(), "who was there opens it, though the epoch is over");
    let now = groups[0].encrypt(&devices[0], b"now").expect("a member");
    assert!(new.decrypt(&now).is_ok());
}

#[test]
fn another_device_of_a_member_comes_in_by_itself() {
    let (mut people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let phone = people[1].further_device();
    party.directory = directory(&people);
    party.tables = Tables::of(&people);
    let tree = party.server.tree();
    let mut joining = Group::join_external(&phone, external(&party.server, &tree, room()), &party.directory).expect("one's own");
    assert_eq!(joining.chat_key(), Err(Fault::NotMember), "not before the server took it");
    let sent = joining.outgoing().expect("to be sent").clone();
    assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
    joining.accepted().expect("it was sent");
    let Ok(Processed::Changed(change)) = party.groups[0].process(&party.server.log[1], &party.directory) else {
        panic!("a change");
    };
    let joined = change.joined.expect("from outside");
    assert_eq!((&joined.certificate, joined.way), (phone.certificate(), Way::SameIdentity));
    party.groups.push(joining);
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn a_device_that_lost_its_state_takes_the_place_of_its_old_leaf() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let tree = party.server.tree();
    let mut back = Group::join_external(&devices[1], external(&party.server, &tree, room()), &party.directory).expect("a resync");
    let sent = back.outgoing().expect("to be sent").clone();
    assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
    back.accepted().expect("it was sent");
    party.groups[1] = back;
    party.catch_up();
    party.assert_agreed();
    assert_eq!(party.groups[0].roster().len(), 3, "not twice");
}

#[test]
fn a_revoked_device_is_stale_and_anybody_may_take_it_out() {
    let (mut people, mut devices) = users(2);
    let phone = people[1].further_device();
    people.push(User::new(3).0);
    devices.push(phone);
    let mut party = party(room(), &people, &mut devices);
    people[1].revoke(&devices[2]);
    assert!(party.groups[0].stale(&party.directory).is_empty());
    party.directory = directory(&people);
    let stale = party.groups[0].stale(&party.directory);
    assert_eq!(stale, [2]);
    party.groups[0].change(&devices[0], Changes { add: &[], remove: &stale }, &party.directory).expect("clients take it");
    let sent = party.groups[0].outgoing().expect("to be sent").clone();
    let refused = party.server.post(&sent, &party.tables).err();
    assert_eq!(refused, Some(Refusal::StillMember), "as long as the server thinks that it counts");
    party.tables = Tables::of(&people);
    assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
    party.groups[0].accepted().expect("it was sent");
    let after = party.groups[2].change(&devices[2], Changes::default(), &party.directory);
    assert_eq!(after, Err(Refusal::NotVouched.into()), "and it may change nothing itself");
    party.groups.pop();
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn t2_who_has_no_device_in_the_group_does_not_come_in_by_itself() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people[..2], &mut devices[..2]);
    party.directory = directory(&people);
    party.tables = Tables::of(&people);
    let tree = party.server.tree();
    let uninvited =
        Group::join_external(&devices[2], external(&party.server, &tree, room()), &party.directory).expect("it can try");
    let sent = uninvited.outgoing().expect("to be sent").clone();
    assert_eq!(party.server.post(&sent, &party.tables).err(), Some(Refusal::Uninvited));
    let by_a_lying_server = party.groups[0].process(sent.commit.as_ref().expect("a commit").as_slice(), &party.directory);
    assert_eq!(by_a_lying_server, Err(Refusal::Uninvited.into()));
}

fn everyone(people: &[User]) -> BTreeSet<(UserId, PublicKey)> {
    people.iter().map(|user| (user.id, user.identity.public())).collect()
}

#[test]
fn who_is_in_the_room_comes_into_its_call() {
    let (people, mut devices) = users(3);
    let in_room = party(room(), &people[..2], &mut devices[..2]);
    let roster = in_room.groups[0].roster().identities();
    let everybody = directory(&people);
    let mut party = party(call(), &people[..1], &mut devices[..1]);
    party.tables = Tables::of(&people);
    party.tables.in_room = roster.clone();
    let tree = party.server.tree();
    let claimed = everyone(&people);
    let stranger = Group::join_external(&devices[2], external(&party.server, &tree, call()), &everybody.in_call(&claimed))
        .expect("it can try");
    let sent = stranger.outgoing().expect("to be sent").clone();
    assert_eq!(party.server.post(&sent, &party.tables).err(), Some(Refusal::Uninvited));
    let commit = sent.commit.expect("a commit");
    assert_eq!(party.groups[0].process(commit.as_slice(), &everybody.in_call(&roster)), Err(Refusal::Uninvited.into()));
    let mut second = Group::join_external(&devices[1], external(&party.server, &tree, call()), &everybody.in_call(&roster))
        .expect("of the room");
    let sent = second.outgoing().expect("to be sent").clone();
    assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
    second.accepted().expect("it was sent");
    assert!(matches!(party.groups[0].process(&party.server.log[0], &everybody.in_call(&roster)), Ok(Processed::Changed(_))));
    party.groups.push(second);
    party.assert_agreed();
}

#[test]
fn who_was_away_reads_a_log_of_devices_that_were_revoked_since() {
    let (mut people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let mut phone = people[0].further_device();
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    let package = phone.make_key_packages(1).expect("room");
    let Party { server, tables, directory: known, groups } = &mut party;
    let welcome = commit(&mut groups[0], &devices[0], server, tables, known, Changes { add: &package, remove: &[] });
    let mut on_phone = join(&mut phone, &welcome.expect("a welcome"), known);
    commit(&mut on_phone, &phone, server, tables, known, Changes::default());
    catch_up(&mut groups[0], server, known);
    people[0].revoke(&phone);
    (*known, *tables) = (directory(&people), Tables::of(&people));
    let stale = groups[0].stale(known);
    commit(&mut groups[0], &devices[0], server, tables, known, Changes { add: &[], remove: &stale });
    party.groups[1].change(&devices[1], Changes::default(), &party.directory).expect("it does not know yet");
    party.catch_up();
    party.assert_agreed();
    let again = Changes { add: &phone.make_key_packages(1).expect("room"), remove: &[] };
    let added = party.groups[1].change(&devices[1], again, &party.directory);
    assert_eq!(added, Err(Refusal::NotVouched.into()), "what lies back is no leave for what comes");
}

#[test]
fn t2_who_is_not_in_the_room_keeps_others_out_of_a_call_and_is_stale_in_it() {
    let (people, mut devices) = users(3);
    let (everybody, in_room) = (directory(&people), everyone(&people[..2]));
    let (last, first_two) = devices.split_last_mut().expect("three");
    let server = |founder: &Device| {
        let group = Group::create(founder, call()).expect("a group");
        Server::create(group.outgoing().expect("to be told"))
    };
    for (of, refusal) in [(&*last, Some(Refusal::Uninvited.into())), (&first_two[0], None)] {
        let server = server(of);
        let tree = server.tree();
        let join = external(&server, &tree, call());
        assert_eq!(Group::join_external(&first_two[1], join, &everybody.in_call(&in_room)).err(), refusal);
    }
    // Inside, whoever is put out of the room is stale, and may add nobody who was never in it.
    let party = party(call(), &people, &mut devices);
    assert_eq!(party.groups[0].stale(&everybody.in_call(&everyone(&people))), [0; 0]);
    assert_eq!(party.groups[0].stale(&everybody.in_call(&in_room)), [2]);
}

#[test]
fn t2_a_further_device_of_who_was_put_out_of_the_room_does_not_come_into_its_call() {
    let (mut people, mut devices) = users(2);
    let mut party = party(call(), &people, &mut devices);
    let phone = people[1].further_device();
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    let (all, only_first) = (everyone(&people), everyone(&people[..1]));
    let tree = party.server.tree();
    let join = external(&party.server, &tree, call());
    let joining = Group::join_external(&phone, join, &party.directory.in_call(&all)).expect("it can try");
    let commit = joining.outgoing().and_then(|sent| sent.commit.clone()).expect("a commit");
    let refused = party.groups[0].process(commit.as_slice(), &party.directory.in_call(&only_first));
    assert_eq!(refused, Err(Refusal::Uninvited.into()));
    assert!(party.groups[0].process(commit.as_slice(), &party.directory.in_call(&all)).is_ok());
    let package = devices[1].make_key_packages(1).expect("room");
    let add = Changes { add: &package, remove: &[1] };
    let adding = party.groups[0].change(&devices[0], add, &party.directory.in_call(&only_first));
    assert_eq!(adding, Err(Refusal::Uninvited.into()), "nor by one who is in it");
}

#[test]
fn t16_a_commit_of_a_revoked_device_is_followed_in_the_past_and_refused_as_it_is_made() {
    let (mut people, mut devices) = users(2);
    let phone = people[1].further_device();
    people.push(User::new(3).0);
    devices.push(phone);
    let mut party = party(room(), &people, &mut devices);
    people[1].revoke(&devices[2]);
    party.groups[2].change(&devices[2], Changes::default(), &party.directory).expect("it does not know yet");
    let sent = party.groups[2].outgoing().and_then(|sent| sent.commit.clone()).expect("a commit");
    let before = party.groups[0].epoch_authenticator();
    party.directory = directory(&people);
    assert_eq!(party.groups[0].process(sent.as_slice(), &party.directory), Err(Fault::RevokedDevice));
    assert_eq!(party.groups[0].epoch_authenticator(), before, "nothing has changed");
    assert!(party.groups[0].follow(sent.as_slice(), &party.directory).is_ok(), "it lay in the log before");
    assert_eq!(party.groups[0].stale(&party.directory), [2], "and is to go");
    people[1].records.pop();
    party.directory = directory(&people);
    assert!(party.groups[1].process(sent.as_slice(), &party.directory).is_ok(), "who was not told takes it");
}
