//! Ghost devices and ghost users: whoever brings them, server, member or themselves, the clients keep them out.

mod support;

use openmls::messages::external_proposals::JoinProposal;
use openmls::prelude::{
    BasicCredential, CredentialWithKey, Extension, Extensions, KeyPackage, LeafNodeParameters, PreSharedKeyProposal, Proposal,
};
use openmls::prelude::{ExternalSender, ExternalSendersExtension};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_traits::OpenMlsProvider;
use support::raw::{Raw, Wish, bytes, certificate};
use support::*;
use webcall_crypto::{Changes, Device, ExternalJoin, Fault, Group, Identity, Processed, StateKey};
use webcall_trust::mls::Session;
use webcall_trust::{DeviceId, Refusal, mls};

/// Two honest devices, and a member who keeps no rules.
struct Insider {
    party: Party,
    people: Vec<User>,
    devices: Vec<Device>,
    raw: Raw,
    group: openmls::group::MlsGroup,
}

fn insider() -> Insider {
    let (mut people, mut devices) = users(3);
    let raw = Raw::of(&mut people[2], 50);
    let mut party = party(room(), &people, &mut devices[..2]);
    let package = vec![raw.key_package()];
    let Party { server, tables, directory, groups } = &mut party;
    let welcome = commit(&mut groups[0], &devices[0], server, tables, directory, Changes { add: &package, remove: &[] });
    party.catch_up();
    let group = raw.join(&welcome.expect("a welcome"));
    Insider { party, people, devices, raw, group }
}

impl Insider {
    /// What client and server say to a commit with these proposals.
    fn tries(&mut self, wish: Wish) -> [Option<Fault>; 2] {
        let commit = self.raw.commit(&mut self.group, wish);
        let server = self.party.server.take(&commit, &self.party.tables).err().map(Fault::Refused);
        let client = self.party.groups[0].process(&commit, &self.party.directory).err();
        [client, server]
    }
}

fn add(package: &[u8]) -> Wish {
    Wish { add: vec![parsed(package)], ..Wish::default() }
}

fn parsed(package: &[u8]) -> KeyPackage {
    mls::key_package(package).expect("sound by itself").0
}

fn both(refusal: Refusal) -> [Option<Fault>; 2] {
    [Some(refusal.into()), Some(refusal.into())]
}

#[test]
fn an_insider_who_keeps_the_rules_is_a_member_like_others() {
    let mut insider = insider();
    assert_eq!(insider.tries(Wish::default()), [None, None]);
}

#[test]
fn t1_a_ghost_device_that_the_server_hands_out_is_not_added() {
    let (mut people, mut devices) = users(2);
    let ghost = Raw::ghost_of(people[1].id, 60);
    let mut phone = people[1].further_device();
    let mut party = party(room(), &people, &mut devices);
    let (ghostly, honest) = (vec![ghost.key_package()], phone.make_key_packages(1).expect("room"));
    let group = &mut party.groups[0];
    let before = group.save(&StateKey::new([1; 32])).expect("kept").len();
    let ghosted = group.change(&devices[0], Changes { add: &ghostly, remove: &[] }, &party.directory);
    assert_eq!(ghosted, Err(Refusal::NotVouched.into()));
    assert!(group.outgoing().is_none(), "nothing goes out, no key is shared");
    let kept = group.save(&StateKey::new([1; 32])).expect("kept").len();
    assert!(kept < before + 64, "and nothing of it is kept: {kept} after {before}");
    assert_eq!(group.change(&devices[0], Changes { add: &honest, remove: &[] }, &party.directory), Ok(()));
}

#[test]
fn t1_a_ghost_device_that_a_member_adds_is_refused_by_the_others() {
    let mut insider = insider();
    let ghost = Raw::ghost_of(insider.people[1].id, 60);
    assert_eq!(insider.tries(add(&ghost.key_package())), both(Refusal::NotVouched));
    let honest = insider.devices[2].make_key_packages(1).expect("room").remove(0);
    assert_eq!(insider.tries(add(&honest)), [None, None]);
}

#[test]
fn t1_a_member_cannot_become_another_device() {
    let mut insider = insider();
    let identity = ed25519_dalek::SigningKey::from_bytes(&[99; 32]);
    let disguise = certificate(&identity, insider.people[0].id, DeviceId([99; 16]), &insider.raw.key, [0; 32]);
    let credential = CredentialWithKey {
        credential: BasicCredential::new(disguise.to_bytes()).into(),
        signature_key: insider.raw.key.public().0.to_vec().into(),
    };
    let leaf = LeafNodeParameters::builder().with_credential_with_key(credential).build();
    assert_eq!(insider.tries(Wish { leaf, ..Wish::default() }), both(Refusal::Credential));
}

#[test]
fn t2_a_member_cannot_change_the_context_so_that_the_server_may_propose() {
    let mut insider = insider();
    let server = ExternalSender::new(insider.raw.key.public().0.to_vec().into(), insider.raw.credential().credential);
    let senders = Extension::ExternalSenders(ExternalSendersExtension::from(vec![server]));
    let extensions = Extensions::single(senders).expect("one");
    let wish = Wish { context: Some(extensions), ..Wish::default() };
    assert_eq!(insider.tries(wish), both(Refusal::Proposal));
}

#[test]
fn t2_a_member_cannot_lock_others_out_with_a_key_that_they_lack() {
    let mut insider = insider();
    let psk = |insider: &Insider| {
        let provider = &insider.raw.provider;
        let id = PreSharedKeyId::new(mls::SUITE, provider.rand(), Psk::External(ExternalPsk::new(vec![1; 32]))).expect("entropy");
        id.store(provider, &[2; 32]).expect("memory");
        Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id)))
    };
    let proposal = psk(&insider);
    let tried = insider.tries(Wish { other: vec![proposal], ..Wish::default() });
    assert_eq!(tried, [Some(Fault::BadCommit), Some(Refusal::Proposal.into())]);
}

#[test]
fn t2_a_member_takes_out_nobody_who_still_counts_past_the_server() {
    let mut insider = insider();
    let wish = Wish { remove: vec![1], ..Wish::default() };
    let commit = insider.raw.commit(&mut insider.group, wish);
    let refused = insider.party.server.take(&commit, &insider.party.tables).err();
    assert_eq!(refused, Some(Refusal::StillMember));
    insider.party.tables.put_out.insert(insider.people[1].id);
    assert!(insider.party.server.take(&commit, &insider.party.tables).is_ok());
    assert!(matches!(insider.party.groups[0].process(&commit, &insider.party.directory), Ok(Processed::Changed(_))));
}

#[test]
fn t2_proposals_from_outside_and_on_their_own_are_refused() {
    let mut insider = insider();
    let ghost = Raw::ghost_of(insider.people[1].id, 60);
    let (epoch, package) = (insider.group.epoch(), parsed(&ghost.key_package()));
    let join =
        JoinProposal::new::<openmls_rust_crypto::MemoryStorage>(package, room().to_mls(), epoch, &ghost.key).expect("a proposal");
    assert_eq!(insider.party.groups[0].process(&bytes(&join), &insider.party.directory), Err(Refusal::Proposal.into()));
    assert_eq!(insider.party.server.take(&bytes(&join), &insider.party.tables).err(), Some(Refusal::Proposal));
    assert_eq!(mls::handshake(&bytes(&join)).err(), Some(Refusal::Proposal));
    let package = insider.devices[2].make_key_packages(1).expect("room").remove(0);
    let alone =
        insider.group.propose_add_member(&insider.raw.provider, &insider.raw.key, &parsed(&package)).expect("a proposal").0;
    assert_eq!(insider.party.groups[0].process(&bytes(&alone), &insider.party.directory), Err(Refusal::Proposal.into()));
    assert_eq!(mls::handshake(&bytes(&alone)).err(), Some(Refusal::Proposal));
    let (by_reference, _, _) =
        insider.group.commit_to_pending_proposals(&insider.raw.provider, &insider.raw.key).expect("a commit to it");
    let client = insider.party.groups[0].process(&bytes(&by_reference), &insider.party.directory);
    assert_eq!(client, Err(Fault::BadCommit), "nobody keeps proposals to refer to");
}

#[test]
fn t2_a_foreign_identity_does_not_come_in_by_itself() {
    let (mut people, mut devices) = users(2);
    let mut party = party(room(), &people, &mut devices);
    let tree = party.server.tree();
    let mut second = User::new(3).0;
    let published = Raw::of(&mut second, 70);
    let known: Vec<&User> = people.iter().chain([&second]).collect();
    (party.directory, party.tables) = (directory(known.iter().copied()), Tables::of(known.iter().copied()));
    for (stranger, refusal) in [(&Raw::ghost_of(people[1].id, 60), Refusal::NotVouched), (&published, Refusal::Uninvited)] {
        let (commit, _) = stranger.external(&party.server.group_info, &tree, None);
        assert_eq!(party.server.take(&commit, &party.tables).err(), Some(refusal));
        assert_eq!(party.groups[0].process(&commit, &party.directory), Err(refusal.into()));
    }
    let own = Raw::of(&mut people[1], 71);
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    let (commit, _) = own.external(&party.server.group_info, &tree, None);
    assert!(party.server.take(&commit, &party.tables).is_ok());
    assert!(
        matches!(party.groups[0].process(&commit, &party.directory), Ok(Processed::Changed(_))),
        "a device of the same identity does"
    );
}

#[test]
fn t2_a_welcome_into_a_group_of_strangers_is_refused() {
    let (people, mut devices) = users(3);
    let (friends, strangers) = (directory(&people[..2]), directory(&people));
    let package = devices[1].make_key_packages(2).expect("room");
    let welcomed_by = |index: usize, add: &[Vec<u8>]| {
        let mut group = Group::create(&devices[index], room()).expect("a group");
        group.accepted().expect("the server has it");
        group.change(&devices[index], Changes { add, remove: &[] }, &strangers).expect("a sound change");
        group.outgoing().and_then(|sent| sent.welcome.clone()).expect("a welcome")
    };
    let (by_stranger, by_friend) = (welcomed_by(2, &package[..1]), welcomed_by(0, &package[1..]));
    let joined = Group::join(&devices[1], by_stranger.as_slice(), &friends);
    assert_eq!(joined.err(), Some(Refusal::NotVouched.into()));
    assert!(Group::join(&devices[1], by_friend.as_slice(), &friends).is_ok());
}

#[test]
fn t2_a_welcome_of_a_friend_into_a_group_with_a_stranger_is_refused() {
    let (people, mut devices) = users(3);
    let (friends, strangers) = (directory(&people[..2]), directory(&people));
    let mut group = Group::create(&devices[0], room()).expect("a group");
    group.accepted().expect("the server has it");
    let both = [devices[1].make_key_packages(1).expect("room"), devices[2].make_key_packages(1).expect("room")].concat();
    group.change(&devices[0], Changes { add: &both, remove: &[] }, &strangers).expect("a sound change");
    let welcome = group.outgoing().and_then(|sent| sent.welcome.clone()).expect("a welcome");
    assert_eq!(Group::join(&devices[1], welcome.as_slice(), &friends).err(), Some(Refusal::NotVouched.into()));
    assert!(Group::join(&devices[1], welcome.as_slice(), &strangers).is_ok(), "once it knows the third, if it has no group");
}

#[test]
fn t2_a_group_in_which_the_server_may_propose_is_not_joined() {
    let (mut people, mut devices) = users(2);
    let raw = Raw::of(&mut people[0], 50);
    let directory = directory(&people);
    let server = ExternalSender::new(raw.key.public().0.to_vec().into(), raw.credential().credential);
    let senders = Extension::ExternalSenders(ExternalSendersExtension::from(vec![server]));
    for (extensions, refusal) in [(vec![senders], Some(Refusal::ContextExtensions.into())), (Vec::new(), None)] {
        let package = devices[1].make_key_packages(1).expect("room");
        let (welcome, info) = raw.found(room(), Extensions::from_vec(extensions).expect("sound"), parsed(&package[0]));
        assert_eq!(mls::group_info(&info).err().map(Fault::Refused), refusal);
        assert_eq!(Group::join(&devices[1], &welcome, &directory).err(), refusal);
    }
}

#[test]
fn t2_that_a_room_is_strict_all_in_its_group_know_and_no_group_says_it_otherwise() {
    use openmls::prelude::UnknownExtension;
    let (mut people, mut devices) = users(2);
    let raw = Raw::of(&mut people[0], 50);
    let directory = directory(&people);
    let refused = || Some(Refusal::ContextExtensions.into());
    let of = |number, content: &[u8]| {
        Extensions::single(Extension::Unknown(number, UnknownExtension(content.to_vec()))).expect("sound")
    };
    for (id, context, expected) in [
        (room(), mls::strict(), Ok(true)),
        (room(), Extensions::empty(), Ok(false)),
        (call(), mls::strict(), Err(refused())),
        (room(), of(0xf057, b"1"), Err(refused())),
    ] {
        let package = devices[1].make_key_packages(1).expect("room");
        let (welcome, info) = raw.found(id, context, parsed(&package[0]));
        assert_eq!(mls::group_info(&info).err().map(Fault::Refused), expected.err().flatten());
        let joined = Group::join(&devices[1], &welcome, &directory);
        assert_eq!(joined.as_ref().map(|joined| joined.group.is_strict()).ok(), expected.ok());
    }
}

#[test]
fn t2_to_be_in_a_room_by_the_servers_word_is_no_way_into_its_group() {
    let (people, mut devices) = users(2);
    let everybody = directory(&people);
    let mut party = party(room(), &people[..1], &mut devices[..1]);
    let claimed = [(people[1].id, people[1].identity.public())].into();
    let tree = party.server.tree();
    let joining = Group::join_external(&devices[1], external(&party.server, &tree, room()), &everybody).expect("it can try");
    let commit = joining.outgoing().and_then(|sent| sent.commit.clone()).expect("a commit");
    let processed = party.groups[0].process(commit.as_slice(), &everybody.in_call(&claimed));
    assert_eq!(processed, Err(Refusal::Uninvited.into()));
}

#[test]
fn t2_a_forged_or_outdated_description_of_a_group_is_refused() {
    let (mut people, mut devices) = users(3);
    let phone = people[1].further_device();
    let mut honest = party(room(), &people[..2], &mut devices[..2]);
    honest.directory = directory(&people[..2]);
    // A description without its tree, so that the one beside it counts.
    let Party { server, tables, directory, groups } = &mut honest;
    commit(&mut groups[0], &devices[0], server, tables, directory, Changes::default());
    let tree = honest.server.tree();
    let join = |info: &[u8], tree: &[u8], at_least_epoch: u64| {
        let join = ExternalJoin { group: room(), group_info: info, tree: Some(tree), session: None, at_least_epoch };
        Group::join_external(&phone, join, &honest.directory).err()
    };
    let epoch = honest.server.epoch();
    assert_eq!(join(&honest.server.group_info, &tree, epoch), None);
    assert_eq!(join(&honest.server.group_info, &tree, epoch + 1), Some(Fault::PastEpoch));
    let of_strangers = party(room(), &people[2..], &mut devices[2..]);
    assert_eq!(join(&of_strangers.server.group_info, &of_strangers.server.tree(), 0), Some(Refusal::NotVouched.into()));
    let of_a_call = party(call(), &people[..2], &mut devices[..2]);
    assert_eq!(join(&of_a_call.server.group_info, &of_a_call.server.tree(), 0), Some(Fault::BadGroupInfo));
    for index in (0..honest.server.group_info.len()).step_by(5) {
        let mut forged = honest.server.group_info.clone();
        forged[index] ^= 1;
        assert!(join(&forged, &tree, 0).is_some(), "byte {index}");
    }
    for index in (0..tree.len()).step_by(11) {
        let mut forged = tree.clone();
        forged[index] ^= 1;
        assert!(join(&honest.server.group_info, &forged, 0).is_some(), "byte {index} of the tree");
    }
}

#[test]
fn t20_a_key_package_with_a_key_of_small_order_is_not_added() {
    let (mut people, mut devices) = users(2);
    let raw = Raw::of(&mut people[1], 50);
    let mut party = party(room(), &people, &mut devices);
    let sound = raw.key_package();
    let with_init_key = |key: [u8; 32]| {
        let mut package = sound.clone();
        package[9..41].copy_from_slice(&key);
        let signature = package.len() - 64;
        let made_anew = raw.key.sign_labelled("KeyPackageTBS", &package[4..signature - 2]);
        package[signature..].copy_from_slice(&made_anew);
        vec![package]
    };
    let honest = ed25519_dalek::SigningKey::from_bytes(&[6; 32]).verifying_key().to_montgomery().to_bytes();
    let group = &mut party.groups[0];
    let weak = group.change(&devices[0], Changes { add: &with_init_key([0; 32]), remove: &[] }, &party.directory);
    assert_eq!(weak, Err(Refusal::WeakKey.into()));
    assert_eq!(group.change(&devices[0], Changes { add: &with_init_key(honest), remove: &[] }, &party.directory), Ok(()));
}

/// A call of a device and a member who keeps no rules, as participants 1 and 2.
fn insider_in_call() -> Insider {
    let (mut people, mut devices) = users(2);
    let raw = Raw::of(&mut people[1], 50);
    let (directory, tables) = (directory(&people), Tables::of(&people));
    let mut group = Group::create_call(&devices[0], call(), session(1, 1)).expect("a group");
    let mut server = Server::create(group.outgoing().expect("to be told"));
    group.accepted().expect("the server has it");
    let package = vec![raw.key_package_with(session(2, 2))];
    let add = Changes { add: &package, remove: &[] };
    let welcome = commit(&mut group, &devices[0], &mut server, &tables, &directory, add);
    let rogue = raw.join(&welcome.expect("a welcome"));
    devices.truncate(1);
    devices.push(people[1].further_device());
    let (directory, tables) = (support::directory(&people), Tables::of(&people));
    Insider { party: Party { server, tables, directory, groups: vec![group] }, people, devices, raw, group: rogue }
}

fn session(participant: u8, nonce: u8) -> Session {
    Session::new([0, 0, 0, 0, 0, 0, 0, participant], [nonce; 16])
}

#[test]
fn t11_a_path_does_not_change_whose_media_a_leafs_is() {
    for (participant, nonce, expected) in [(1, 2, Some(())), (3, 2, Some(())), (2, 9, Some(())), (2, 2, None)] {
        let mut insider = insider_in_call();
        let extensions = session(participant, nonce).to_extensions();
        let leaf = LeafNodeParameters::builder().with_capabilities(mls::capabilities()).with_extensions(extensions).build();
        let tried = insider.tries(Wish { leaf, ..Wish::default() });
        assert_eq!(tried, [expected.map(|()| Refusal::OtherParticipant.into()); 2], "{participant} {nonce}");
    }
    let mut insider = insider_in_call();
    let leaf =
        LeafNodeParameters::builder().with_capabilities(mls::capabilities()).with_extensions(Extensions::default()).build();
    assert_eq!(insider.tries(Wish { leaf, ..Wish::default() }), both(Refusal::OtherParticipant), "nor takes it away");
}

#[test]
fn t11_nobody_comes_into_a_call_as_a_participant_who_is_there() {
    let Insider { people, devices, mut party, mut group, raw } = insider_in_call();
    let in_room = party.tables.everybody();
    let phone = &devices[1];
    let tree = party.server.tree();
    let joins = |participant: u8| {
        let join = ExternalJoin { session: Some(session(participant, 7)), ..external(&party.server, &tree, call()) };
        Group::join_external(phone, join, &party.directory.in_call(&in_room))
    };
    for taken in [1, 2] {
        assert_eq!(joins(taken).err(), Some(Refusal::OtherParticipant.into()), "by a device of ours");
    }
    assert!(joins(3).is_ok());
    // One that keeps no rules, and a member that adds it.
    let mut second = User::new(7).0;
    let other = Raw::of(&mut second, 70);
    let known: Vec<&User> = people.iter().chain([&second]).collect();
    (party.directory, party.tables) = (directory(known.iter().copied()), Tables::of(known.iter().copied()));
    let everybody = party.tables.everybody();
    for (participant, refusal) in [(1, Some(Refusal::OtherParticipant)), (3, None)] {
        let add = add(&other.key_package_with(session(participant, 7)));
        let commit = raw.commit(&mut group, add);
        let client = party.groups[0].process(&commit, &party.directory.in_call(&everybody)).err();
        assert_eq!(client, refusal.map(Fault::Refused));
        assert_eq!(party.server.take(&commit, &party.tables).err(), refusal);
    }
}

#[test]
fn t11_a_device_that_comes_anew_has_the_participant_that_the_server_gives_it() {
    let Insider { devices, mut party, .. } = insider_in_call();
    let (in_room, tree) = (party.tables.everybody(), party.server.tree());
    let join = ExternalJoin { session: Some(session(5, 7)), ..external(&party.server, &tree, call()) };
    let anew = Group::join_external(&devices[0], join, &party.directory.in_call(&in_room)).expect("a resync");
    let sent = anew.outgoing().expect("to be sent").clone();
    assert!(matches!(party.server.post(&sent, &party.tables), Ok(Answer::Taken)));
    let participants: Vec<_> = anew.roster().sessions().map(|(_, session)| session.participant[7]).collect();
    assert_eq!(participants, [5, 2]);
}

#[test]
fn t1_a_welcome_by_a_device_that_was_revoked_or_into_a_group_with_an_identity_that_nobody_accepted_is_refused() {
    let (mut people, mut devices) = users(3);
    let phone = people[0].further_device();
    let package = devices[1].make_key_packages(2).expect("room");
    let everybody = directory(&people);
    let third = devices[2].make_key_packages(1).expect("room");
    let welcomed = |by: &Device, add: &[Vec<u8>]| {
        let mut group = Group::create(by, room()).expect("a group");
        group.accepted().expect("the server has it");
        group.change(by, Changes { add, remove: &[] }, &everybody).expect("a sound change");
        group.outgoing().and_then(|sent| sent.welcome.clone()).expect("a welcome")
    };
    let by_phone = welcomed(&phone, &package[..1]);
    let with_third = welcomed(&devices[0], &[package[1].clone(), third[0].clone()]);
    let joined = |welcome: &[u8], people: &[User]| Group::join(&devices[1], welcome, &directory(people)).err();
    assert_eq!([joined(by_phone.as_slice(), &people), joined(with_third.as_slice(), &people)], [None, None]);
    people[0].revoke(&phone);
    assert_eq!(joined(by_phone.as_slice(), &people), Some(Refusal::NotVouched.into()));
    // Who began anew while the welcome waited keeps nobody from what was written meanwhile, and is to go before anything is said.
    let (replaced, before) = (Identity::generate(), directory(&people));
    let claim = replaced.claim(people[2].id, people[2].keys().head(), NOW_MS);
    people[2].publish(claim);
    for is_accepted in [false, true] {
        let mut known = before.clone();
        known.learn(people[2].id, &people[2].records).expect("it goes on");
        if is_accepted {
            known.accept(people[2].id, replaced.public()).expect("the new one");
        }
        let group = Group::join(&devices[1], with_third.as_slice(), &known).expect("they were published once").group;
        let stale = group.stale(&known);
        let whose = |leaf: &u32| group.roster().at(*leaf).map(|of| of.statement().user);
        assert_eq!(stale.iter().map(whose).collect::<Vec<_>>(), [Some(people[2].id)], "{is_accepted}");
    }
    // The same device, under an identity that this person never knew: it stands in for one that the server made up.
    let mut stranger = directory(&people[..2]);
    stranger.learn(people[2].id, &[people[2].records[0].clone()]).expect("a claim");
    let joined = Group::join(&devices[1], with_third.as_slice(), &stranger).err();
    assert_eq!(joined, Some(Refusal::NotVouched.into()), "nobody published it");
}
