//! Groups and their commits, in order.

use std::time::Duration;

use openmls::prelude::{Extension, Extensions, RequiredCapabilitiesExtension};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};
use webcall::store::InboxOf;
use webcall_trust::mls::GroupId;

use super::{Person, decode, encode, pair, refusal};
use crate::mls::{Device, Member, Outgoing, mutations};
use crate::server::TestServer;

pub(super) fn group_of(room: &Value) -> GroupId {
    let id: webcall::id::RoomId = room["id"].as_str().unwrap().parse().unwrap();
    GroupId::room(*id.as_bytes())
}

pub(super) fn path(room: &Value, rest: &str) -> String {
    format!("groups/{}/{rest}", encode(&group_of(room).to_bytes()))
}

/// The device of a person, who goes on without it.
fn taken(person: &mut Person) -> Device {
    let spare = person.identity.clone().device().0;
    std::mem::replace(&mut person.device, spare)
}

/// Makes the group of a room with the person's device in it.
pub(super) async fn created(server: &TestServer, person: &mut Person, room: &Value) -> Member {
    let (member, info) = Member::create(taken(person), group_of(room));
    let answer = person.ask(server, Method::POST, "groups", Some(json!({"group_info": encode(&info)}))).await;
    assert_eq!(answer, (StatusCode::CREATED, json!({"group": encode(&group_of(room).to_bytes()), "epoch": 0})));
    member
}

pub(super) fn body(outgoing: &Outgoing) -> Value {
    let welcome = outgoing.welcome.as_deref().map(encode);
    let (commit, group_info) = (encode(&outgoing.commit), encode(&outgoing.group_info));
    json!({"epoch": outgoing.epoch, "commit": commit, "welcome": welcome, "group_info": group_info})
}

async fn send(server: &TestServer, who: &Person, room: &Value, outgoing: &Outgoing) -> (StatusCode, Value) {
    who.ask(server, Method::POST, &path(room, "commits"), Some(body(outgoing))).await
}

pub(super) async fn accepted(server: &TestServer, who: &Person, room: &Value, member: &mut Member, outgoing: &Outgoing) {
    let answer = send(server, who, room, outgoing).await;
    assert_eq!(answer, (StatusCode::CREATED, json!({"epoch": outgoing.epoch + 1})));
    member.accepted();
}

/// Takes one key package of a user's.
async fn claimed(server: &TestServer, by: &Person, of: &Person) -> Vec<u8> {
    let upload = json!({"key_packages": [encode(&of.device.key_package())]});
    assert_eq!(of.upload(server, &of.device, upload).await.0, StatusCode::CREATED);
    let (_, claimed) = by.claim(server, &[&of.session.user]).await;
    decode(&claimed["key_packages"][0]["key_package"])
}

async fn inbox(server: &TestServer, who: &Person, device: &str) -> Vec<Value> {
    let (status, body) = who.ask(server, Method::GET, &format!("inbox?device={device}"), None).await;
    assert_eq!((status, &body["more"]), (StatusCode::OK, &json!(false)));
    body["items"].as_array().unwrap().clone()
}

/// A room with a group of Ann and Ben.
pub(super) async fn together(server: &TestServer) -> (Person, Member, Person, Member, Value) {
    let (mut ann, mut ben, room) = pair(server).await;
    let mut anns = created(server, &mut ann, &room).await;
    let package = claimed(server, &ann, &ben).await;
    let add = anns.change(&[package], &[], None);
    accepted(server, &ann, &room, &mut anns, &add).await;
    let device = ben.device.id();
    let waiting = inbox(server, &ben, &device).await;
    let group = encode(&group_of(&room).to_bytes());
    assert_eq!(inbox(server, &ben, &format!("{device}&into={group}")).await, waiting);
    let welcome = decode(&waiting[0]["body"]);
    let bens = Member::joined(taken(&mut ben), &welcome);
    assert_eq!(anns.authenticator(), bens.authenticator());
    (ann, anns, ben, bens, room)
}

#[tokio::test]
async fn who_is_added_finds_a_welcome_and_both_are_in_the_same_epoch() {
    let server = TestServer::start().await;
    let (mut ann, mut ben, room) = pair(&server).await;
    let mut hints = server.app.bus.subscribe();
    let mut anns = created(&server, &mut ann, &room).await;
    let made = Hint::Committed { group: group_of(&room), room: room["id"].as_str().unwrap().parse().unwrap(), epoch: 0 };
    assert_eq!(hints.next().await, Received::Hint(made.clone()));
    let package = claimed(&server, &ann, &ben).await;
    let user = ben.session.user.parse().unwrap();
    assert_eq!(
        hints.next().await,
        Received::Hint(Hint::KeysChanged { user }),
        "who tried before there was a package tries again"
    );
    let add = anns.change(&[package], &[], None);
    accepted(&server, &ann, &room, &mut anns, &add).await;
    let Hint::Committed { group, room: id, .. } = made else { unreachable!() };
    assert_eq!(hints.next().await, Received::Hint(Hint::Committed { group, room: id, epoch: 1 }));
    let Received::Hint(Hint::InboxFilled { devices }) = hints.next().await else { panic!("nobody is told") };
    let [(user, device)] = devices[..] else { panic!("{devices:?}") };
    assert_eq!((user.to_string(), device.to_string()), (ben.session.user.clone(), ben.device.id()));

    let items = inbox(&server, &ben, &ben.device.id()).await;
    assert_eq!((&items[0]["epoch"], &items[0]["group"]), (&json!(0), &json!(encode(&group.to_bytes()))));
    let item = format!("inbox/{}", items[0]["id"].as_str().unwrap());
    assert_eq!(refusal(&ann.ask(&server, Method::DELETE, &item, None).await), (404, "inbox_item_not_found"));
    let mut bens = Member::joined(taken(&mut ben), &decode(&items[0]["body"]));
    assert_eq!(ben.ask(&server, Method::DELETE, &item, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ben.ask(&server, Method::GET, &format!("inbox?device={}", device), None).await.1["items"], json!([]));
    assert_eq!(anns.authenticator(), bens.authenticator());

    let update = bens.update();
    accepted(&server, &ben, &room, &mut bens, &update).await;
    let (_, page) = ann.ask(&server, Method::GET, &path(&room, "commits?from=1"), None).await;
    assert_eq!(page, json!({"commits": [{"epoch": 1, "commit": encode(&update.commit)}], "epoch": 2}));
    anns.process(&update.commit);
    assert_eq!((anns.epoch(), anns.authenticator()), (2, bens.authenticator()));
}

#[tokio::test]
async fn a_room_has_one_group_which_one_of_its_members_makes_with_a_device_that_counts() {
    let server = TestServer::start().await;
    let (mut ann, mut ben, room) = pair(&server).await;
    let mut eve = Person::new(&server, "eve").await;
    let create = async |who: &Person, info: &[u8], tree: Option<Vec<u8>>| {
        let body = json!({"group_info": encode(info), "tree": tree.map(|tree| encode(&tree))});
        let answer = who.ask(&server, Method::POST, "groups", Some(body)).await;
        (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default().to_owned())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    let ghost = ben.identity.clone().device().0;
    let (_, of_ghost) = Member::create(ghost, group_of(&room));
    assert_eq!(create(&ben, &of_ghost, None).await, is(422, "not_vouched"));
    let (mut grown, of_ben) = Member::create(taken(&mut ben), group_of(&room));
    assert_eq!(create(&ann, &of_ben, None).await, is(422, "other_user"));
    let (_, of_eve) = Member::create(taken(&mut eve), group_of(&room));
    assert_eq!(create(&eve, &of_eve, None).await, is(404, "room_not_found"));
    let (members_only, of_call) = Member::create(taken(&mut ann), GroupId::call([7; 16]));
    assert_eq!(create(&ann, &of_call, None).await, is(404, "group_not_found"), "of no call");
    assert_eq!(create(&ben, &members_only.group_info(false), None).await, is(422, "invalid_group_info"));
    let bare = grown.group_info(false);
    assert_eq!(create(&ben, &bare, None).await, is(422, "invalid_group_info"), "there is no tree");
    assert_eq!(create(&ben, &bare, Some(members_only.tree())).await, is(422, "invalid_group_info"), "of another group");
    grown.update();
    grown.accepted();
    assert_eq!(create(&ben, &grown.group_info(true), None).await, is(422, "invalid_group_info"), "of a later epoch");
    let (open, ghost) = (server.room(&ben.session, "open").await, ben.another_device(&server).await);
    let (_, of_open) = Member::create(ghost, group_of(&open));
    assert_eq!(create(&ben, &of_open, None).await, is(409, "room_open"));
    assert_eq!(create(&ben, &of_ben, None).await, is(201, ""));
    assert_eq!(create(&ben, &of_ben, None).await, is(409, "group_exists"));
    let (_, info) = ann.ask(&server, Method::GET, &path(&room, "info"), None).await;
    assert_eq!(info, json!({"epoch": 0, "group_info": encode(&of_ben), "tree": null}));
    for target in ["info", "commits?from=0"] {
        assert_eq!(refusal(&eve.ask(&server, Method::GET, &path(&room, target), None).await), (404, "group_not_found"));
        assert_eq!(refusal(&ann.ask(&server, Method::GET, &format!("groups/x/{target}"), None).await), (404, "group_not_found"));
    }
}

/// 64 MB in a day are those of a member: here somebody sends more into a group that is none of theirs.
#[tokio::test]
async fn what_a_stranger_sends_into_a_group_is_not_counted_and_answered_as_if_there_were_none() {
    let server = TestServer::start().await;
    let (mut ann, _, room) = pair(&server).await;
    created(&server, &mut ann, &room).await;
    let eve = Person::new(&server, "eve").await;
    let large = encode(&vec![0; 2 << 20]);
    let commit = json!({"epoch": 0, "commit": encode(&[0]), "welcome": large, "group_info": large});
    let send = async |who: &Person| who.ask(&server, Method::POST, &path(&room, "commits"), Some(commit.clone())).await;
    for _ in 0..17 {
        assert_eq!(refusal(&send(&eve).await), (404, "group_not_found"));
    }
    let mut passed = 0;
    while send(&ann).await.0 == StatusCode::UNPROCESSABLE_ENTITY {
        passed += 1;
    }
    assert_eq!(refusal(&send(&ann).await), (429, "rate_limited"), "a member's is counted");
    assert!((15..17).contains(&passed), "{passed}");
}

#[tokio::test]
async fn t18_of_twenty_commits_on_one_epoch_one_wins_and_all_converge() {
    let server = TestServer::start().await;
    let (mut ann, mut anns, ben, bens, room) = together(&server).await;
    let mut members = vec![(ben, bens)];
    let mut packages = Vec::new();
    let mut joining = Vec::new();
    for nth in 0..18 {
        let person = Person::new(&server, &format!("person{nth}")).await;
        server.join(&person.session, &room).await;
        packages.push(claimed(&server, &ann, &person).await);
        joining.push(person);
    }
    let add = anns.change(&packages, &[], None);
    accepted(&server, &ann, &room, &mut anns, &add).await;
    members[0].1.process(&add.commit);
    for mut person in joining {
        let device = person.device.id();
        let welcome = decode(&inbox(&server, &person, &device).await[0]["body"]);
        let member = Member::joined(taken(&mut person), &welcome);
        members.push((person, member));
    }
    ann.device = taken(&mut ann);
    members.push((ann, anns));
    assert_eq!(members.len(), 20);

    let sent: Vec<Outgoing> = members.iter_mut().map(|(_, member)| member.update()).collect();
    let sending = members.iter().zip(&sent).map(|((person, _), outgoing)| send(&server, person, &room, outgoing));
    let answers = futures_util::future::join_all(sending).await;
    let winners: Vec<usize> = (0..20).filter(|nth| answers[*nth].0 == StatusCode::CREATED).collect();
    let [winner] = winners[..] else { panic!("{winners:?} have won") };
    let won = &sent[winner].commit;
    for (nth, (_, member)) in members.iter_mut().enumerate() {
        if nth == winner {
            member.accepted();
            continue;
        }
        assert_eq!(refusal(&answers[nth]), (409, "epoch_taken"));
        assert_eq!(decode(&answers[nth].1["commit"]), *won);
        member.lost();
        member.process(won);
    }
    let authenticator = members[0].1.authenticator();
    assert!(members.iter().all(|(_, member)| member.authenticator() == authenticator && member.epoch() == 3));
}

#[tokio::test]
async fn what_is_sent_again_is_accepted_again_and_what_comes_too_early_or_late_is_not() {
    let server = TestServer::start().await;
    let (ann, mut anns, ben, mut bens, room) = together(&server).await;
    let (won, lost) = (anns.update(), bens.update());
    accepted(&server, &ann, &room, &mut anns, &won).await;
    assert_eq!(send(&server, &ann, &room, &won).await, (StatusCode::CREATED, json!({"epoch": 2})), "the answer was lost");
    let answer = send(&server, &ben, &room, &lost).await;
    assert_eq!((refusal(&answer), decode(&answer.1["commit"])), ((409, "epoch_taken"), won.commit.clone()));
    for epoch in [3, u64::MAX] {
        assert_eq!(refusal(&send(&server, &ben, &room, &Outgoing { epoch, ..lost.clone() }).await), (422, "invalid_epoch"));
    }
    let replayed = Outgoing { epoch: 2, ..won.clone() };
    assert_eq!(refusal(&send(&server, &ann, &room, &replayed).await), (422, "invalid_commit"));
    bens.lost();
    bens.process(&won.commit);
    let again = bens.update();
    accepted(&server, &ben, &room, &mut bens, &again).await;
}

#[tokio::test]
async fn t2_nobody_is_added_whom_the_room_does_not_have_and_no_device_that_its_user_does_not_vouch_for() {
    let server = TestServer::start().await;
    let (ann, mut anns, mut ben, _, room) = together(&server).await;
    let eve = Person::new(&server, "eve").await;
    let ghost = ben.identity.clone().device().0;
    let revoked = ben.another_device(&server).await;
    let revocation = ben.identity.revocation(&revoked);
    assert_eq!(super::publish(&server, &ben.session, &revocation).await.0, StatusCode::CREATED);
    for (package, who) in
        [(eve.device.key_package(), "a stranger"), (ghost.key_package(), "a ghost"), (revoked.key_package(), "revoked")]
    {
        let add = anns.change(&[package], &[], None);
        assert_eq!(refusal(&send(&server, &ann, &room, &add).await), (422, "not_vouched"), "{who}");
        anns.lost();
    }
    let second = ben.another_device(&server).await;
    let add = anns.change(&[second.key_package()], &[], None);
    accepted(&server, &ann, &room, &mut anns, &add).await;
}

#[tokio::test]
async fn t2_by_itself_comes_in_only_another_device_of_a_member_or_the_same_anew() {
    let server = TestServer::start().await;
    let (ann, anns, mut ben, bens, room) = together(&server).await;
    let mut carla = Person::new(&server, "carla").await;
    let eve = Person::new(&server, "eve").await;
    server.join(&carla.session, &room).await;
    let info = async || {
        let (status, info) = ann.ask(&server, Method::GET, &path(&room, "info"), None).await;
        assert_eq!(status, StatusCode::OK);
        (decode(&info["group_info"]), info["tree"].as_str().map(|_| decode(&info["tree"])))
    };
    let from_outside = async |device: Device, psk: Option<&[u8]>| {
        let (info, tree) = info().await;
        Member::from_outside(device, &info, tree.as_deref(), psk).1
    };
    let same =
        |device: &Device| Device { certificate: device.certificate, key: device.key.clone(), provider: Default::default() };

    let uninvited = from_outside(same(&carla.device), None).await;
    assert_eq!(refusal(&send(&server, &carla, &room, &uninvited).await), (422, "uninvited"));
    assert_eq!(
        refusal(&send(&server, &eve, &room, &from_outside(same(&eve.device), Some(&[9; 32])).await).await),
        (404, "group_not_found")
    );
    let ghost = carla.identity.clone().device().0;
    let of_ghost = from_outside(ghost, None).await;
    assert_eq!(refusal(&send(&server, &carla, &room, &of_ghost).await), (422, "not_vouched"));
    let of_carla = from_outside(taken(&mut carla), Some(&[9; 32])).await;
    assert_eq!(refusal(&send(&server, &carla, &room, &of_carla).await), (422, "proposal"), "a key that no member has");

    let second = ben.another_device(&server).await;
    let of_ben = from_outside(second, None).await;
    assert_eq!(refusal(&send(&server, &ann, &room, &of_ben).await), (422, "other_user"), "sent by another");
    assert_eq!(refusal(&send(&server, &ben, &room, &of_ben).await), (201, ""), "another device");
    let lost_its_state = Device {
        certificate: *webcall_trust::mls::Roster::of(bens.mls.public_group())
            .unwrap()
            .at(bens.mls.own_leaf_index().u32())
            .unwrap(),
        key: bens.key.clone(),
        provider: Default::default(),
    };
    assert_eq!(refusal(&send(&server, &ben, &room, &from_outside(lost_its_state, None).await).await), (201, ""), "the same anew");
    drop(anns);
}

/// It is kept as long as the commit, and nobody needs more of it.
#[tokio::test]
async fn a_commit_says_little_beside_what_it_does() {
    let server = TestServer::start().await;
    let (ann, mut anns, _, _, room) = together(&server).await;
    anns.mls.set_aad(vec![0; 129]);
    let talkative = anns.update();
    assert_eq!(refusal(&send(&server, &ann, &room, &talkative).await), (422, "too_large"));
    anns.lost();
    anns.mls.set_aad(vec![0; 128]);
    let brief = anns.update();
    accepted(&server, &ann, &room, &mut anns, &brief).await;
}

#[tokio::test]
async fn a_device_that_still_counts_is_taken_out_by_its_user_alone() {
    let server = TestServer::start().await;
    let (ann, mut anns, mut ben, mut bens, room) = together(&server).await;
    let leaf = bens.mls.own_leaf_index().u32();
    let remove = anns.change(&[], &[leaf], None);
    assert_eq!(refusal(&send(&server, &ann, &room, &remove).await), (422, "still_member"));
    anns.lost();

    let second = ben.another_device(&server).await;
    let certificate = second.certificate;
    let add = bens.change(&[second.key_package()], &[], None);
    accepted(&server, &ben, &room, &mut bens, &add).await;
    let own = bens.change(&[], &[bens.leaf_of(&certificate)], None);
    accepted(&server, &ben, &room, &mut bens, &own).await;
    anns.process(&add.commit);
    anns.process(&own.commit);

    let member = format!("/api/v1/rooms/{}/members/{}", room["id"].as_str().unwrap(), ben.session.user);
    assert_eq!(server.ask(&ann.session, Method::DELETE, &member, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&send(&server, &ben, &room, &bens.update()).await), (404, "group_not_found"));
    let stays = anns.update();
    assert_eq!(refusal(&send(&server, &ann, &room, &stays).await), (201, ""), "others need not hurry");
    anns.accepted();
    let remove = anns.change(&[], &[leaf], None);
    accepted(&server, &ann, &room, &mut anns, &remove).await;
    assert_eq!(anns.mls.members().count(), 1);
}

#[tokio::test]
async fn a_commit_that_does_not_fit_its_welcome_its_group_info_or_the_rules_is_refused() {
    let server = TestServer::start().await;
    let (ann, mut anns, mut ben, mut bens, room) = together(&server).await;
    let second = ben.another_device(&server).await;
    let before = anns.group_info(false);
    let add = anns.change(&[second.key_package()], &[], None);
    anns.lost();
    let update = anns.update();
    anns.lost();
    let of_ben = bens.update();
    let required = RequiredCapabilitiesExtension::new(&[], &[], &[]);
    let extensions = Extensions::single(Extension::RequiredCapabilities(required)).unwrap();
    let extended = anns.change(&[], &[], Some(extensions));
    for (outgoing, code) in [
        (Outgoing { welcome: None, ..add.clone() }, "invalid_welcome"),
        (Outgoing { welcome: add.welcome.clone(), ..update.clone() }, "invalid_welcome"),
        (Outgoing { group_info: before, ..update.clone() }, "invalid_group_info"),
        (Outgoing { group_info: of_ben.group_info.clone(), ..update.clone() }, "invalid_group_info"),
        (Outgoing { group_info: update.commit.clone(), ..update.clone() }, "wire_format"),
        (Outgoing { commit: update.group_info.clone(), ..update.clone() }, "wire_format"),
        (of_ben, "other_user"),
        (extended, "proposal"),
    ] {
        assert_eq!(refusal(&send(&server, &ann, &room, &outgoing).await), (422, code));
    }
    anns.lost();
    assert_eq!(refusal(&send(&server, &ann, &room, &add).await), (201, ""), "the same, whole");
}

#[tokio::test]
async fn t22_no_bytes_stop_the_server_or_move_a_group() {
    let server = TestServer::start().await;
    let (ann, mut anns, ben, _, room) = together(&server).await;
    let outgoing = anns.update();
    // Its last 32 bytes prove to members that the sender is one (RFC 9420 §6.2), by a key that the server has not.
    let membership_tag = outgoing.commit.len() - 32;
    let checked =
        |mutated: &Vec<u8>| !mutated.starts_with(&outgoing.commit[..membership_tag]) || mutated.len() != outgoing.commit.len();
    for mutated in mutations(&outgoing.commit, 12).into_iter().filter(checked) {
        let answer = send(&server, &ann, &room, &Outgoing { commit: mutated, ..outgoing.clone() }).await;
        assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    }
    for mutated in mutations(&outgoing.group_info, 12) {
        let answer = send(&server, &ann, &room, &Outgoing { group_info: mutated, ..outgoing.clone() }).await;
        assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    }
    let (_, info) = Member::create(ben.identity.clone().device().0, group_of(&room));
    for mutated in mutations(&info, 12) {
        let answer = ben.ask(&server, Method::POST, "groups", Some(json!({"group_info": encode(&mutated)}))).await;
        assert!(answer.0.is_client_error() && answer.0 != StatusCode::CONFLICT, "{answer:?}");
    }
    for text in ["", "!", "AA", &encode(&[0xff; 400])] {
        for key in ["commit", "group_info", "welcome"] {
            let mut body = body(&outgoing);
            body[key] = json!(text);
            assert_eq!(
                ann.ask(&server, Method::POST, &path(&room, "commits"), Some(body)).await.0,
                StatusCode::UNPROCESSABLE_ENTITY
            );
        }
        for body in
            [json!({"message": text}), json!({"message": text, "to": {"user": ben.session.user, "device": ben.device.id()}})]
        {
            let answer = ann.ask(&server, Method::POST, &path(&room, "messages"), Some(body)).await;
            assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    accepted(&server, &ann, &room, &mut anns, &outgoing).await;
}

#[tokio::test]
async fn messages_go_to_who_is_connected_or_wait_for_one_device() {
    let server = TestServer::start().await;
    let (mut ann, mut anns, ben, mut bens, room) = together(&server).await;
    let second = ann.another_device(&server).await;
    let message = bens.application(b"hello");
    let mut listening = server.app.whispers.subscribe();
    let say = async |body: Value| ben.ask(&server, Method::POST, &path(&room, "messages"), Some(body)).await;
    assert_eq!(say(json!({"message": encode(&message)})).await.0, StatusCode::NO_CONTENT);
    let whisper = listening.next().await.unwrap();
    assert_eq!((whisper.user.to_string(), whisper.group), (ben.session.user.clone(), group_of(&room)));
    assert_eq!(anns.open(&whisper.body), b"hello");

    let to = json!({"user": ann.session.user, "device": second.id()});
    let left = bens.application(b"for one");
    assert_eq!(say(json!({"message": encode(&left), "to": to})).await.0, StatusCode::NO_CONTENT);
    let items = inbox(&server, &ann, &second.id()).await;
    assert_eq!((&items[0]["epoch"], decode(&items[0]["body"])), (&Value::Null, left));
    let nobody = json!({"user": ann.session.user, "device": "0192f0c1-2b3c-7d4e-8f50-617283940506"});
    assert_eq!(refusal(&say(json!({"message": encode(&message), "to": nobody})).await), (422, "unknown_device"));
    assert_eq!(refusal(&say(json!({"message": encode(&bens.update().commit)})).await), (422, "wire_format"));
    assert_eq!(refusal(&say(json!({"message": encode(&[7; (16 << 10) + 1])})).await), (422, "invalid_bytes"));
}

#[tokio::test]
async fn a_deleted_room_has_no_group() {
    let server = TestServer::start().await;
    let (ann, _, ben, _, room) = together(&server).await;
    let target = format!("/api/v1/rooms/{}", room["id"].as_str().unwrap());
    assert_eq!(ben.ask(&server, Method::GET, &path(&room, "info"), None).await.0, StatusCode::OK);
    assert_eq!(server.ask(&ann.session, Method::DELETE, &target, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&ben.ask(&server, Method::GET, &path(&room, "info"), None).await), (404, "group_not_found"));
}

/// Ann lost every device and has a new identity: nobody is left who could let her in.
#[tokio::test]
async fn a_group_in_which_nobody_counts_is_made_anew_and_one_with_somebody_is_not() {
    let server = TestServer::start().await;
    let (mut ann, _, mut ben, _, room) = together(&server).await;
    let lost = ann.identity.head;
    ann.identity = crate::mls::Identity { head: lost, ..crate::mls::Identity::new(&ann.session.user) };
    let claim = json!({"record": encode(&ann.identity.claim()), "password": crate::server::PASSWORD});
    assert_eq!(ann.ask(&server, Method::POST, "keys/records", Some(claim)).await.0, StatusCode::CREATED);
    ann.device = ann.another_device(&server).await;
    let create = async |who: &Person, info: &[u8]| {
        who.ask(&server, Method::POST, "groups", Some(json!({"group_info": encode(info)}))).await
    };
    let (_, info) = Member::create(taken(&mut ann), group_of(&room));
    assert_eq!(refusal(&create(&ann, &info).await), (409, "group_exists"), "Ben is there");

    let revocation = ben.identity.revocation(&Device {
        certificate: ben_certificate(&server, &ben, &room).await,
        key: ben.device.key.clone(),
        provider: Default::default(),
    });
    assert_eq!(super::publish(&server, &ben.session, &revocation).await.0, StatusCode::CREATED);
    assert_eq!(refusal(&create(&ann, &info).await), (201, ""));
    let (_, page) = ben.ask(&server, Method::GET, &path(&room, "commits?from=0"), None).await;
    assert_eq!(page, json!({"commits": [], "epoch": 0}), "nothing of the old one is shown");
    assert_eq!(refusal(&create(&ann, &info).await), (409, "group_exists"), "it has somebody again");
    assert!(webcall::e2ee::sweep(&server.app).await.is_ok());
    assert_eq!(server.app.store.removed_histories(10).await.unwrap(), []);
}

/// The certificate of Ben's leaf, out of the group's tree.
async fn ben_certificate(server: &TestServer, ben: &Person, room: &Value) -> webcall_trust::Certificate {
    let rows = server.app.store.counting_certificates(room["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    let of_ben = |bytes: &Vec<u8>| webcall_trust::Certificate::checked(bytes).unwrap();
    rows.iter().map(of_ben).find(|certificate| certificate.statement().user == ben.identity.user).unwrap()
}

/// Two hundred devices in one group: it is made, entered and left over HTTP as a small one is.
#[tokio::test]
async fn a_group_of_two_hundred_devices_goes_on() {
    let server = TestServer::start().await;
    let (mut ann, mut anns, mut ben, mut bens, room) = together(&server).await;
    let mut packages = Vec::new();
    for nth in 0..14 {
        let mut person = Person::new(&server, &format!("person{nth}")).await;
        server.join(&person.session, &room).await;
        packages.push(person.device.key_package());
        for _ in 0..13 {
            packages.push(person.another_device(&server).await.key_package());
        }
    }
    packages.push(ann.another_device(&server).await.key_package());
    packages.push(ben.another_device(&server).await.key_package());
    let add = anns.change(&packages, &[], None);
    accepted(&server, &ann, &room, &mut anns, &add).await;
    assert_eq!(anns.mls.members().count(), 200);
    let ten_times = 10 * add.welcome.as_ref().unwrap().len().max(add.group_info.len());
    assert!(ten_times < 2 << 20, "a welcome with the tree of 2,000 devices would have {ten_times} bytes");
    bens.process(&add.commit);
    let update = bens.update();
    accepted(&server, &ben, &room, &mut bens, &update).await;
    anns.process(&update.commit);
    assert_eq!(anns.authenticator(), bens.authenticator());

    let (status, info) = ben.ask(&server, Method::GET, &path(&room, "info"), None).await;
    let tree = info["tree"].as_str().map(|_| decode(&info["tree"]));
    assert_eq!(status, StatusCode::OK);
    let third = ben.another_device(&server).await;
    let (_, come) = Member::from_outside(third, &decode(&info["group_info"]), tree.as_deref(), None);
    assert_eq!(send(&server, &ben, &room, &come).await, (StatusCode::CREATED, json!({"epoch": 4})));
}

#[tokio::test]
async fn commits_and_what_nobody_fetched_go_after_ninety_days() {
    const DAY: Duration = Duration::from_secs(86_400);
    let server = TestServer::start().await;
    let (ann, _, ben, mut bens, room) = together(&server).await;
    let to = json!({"user": ann.session.user, "device": ann.device.id()});
    let unknown = json!({"message": encode(&bens.application(b"hello")), "to": to});
    assert_eq!(refusal(&ben.ask(&server, Method::POST, &path(&room, "messages"), Some(unknown)).await), (422, "unknown_device"));
    let place = server.app.store.group_place(&group_of(&room).to_bytes(), ben.session.user.parse().unwrap()).await;
    let history = place.unwrap().unwrap().history_id;
    let welcomed = ben_certificate(&server, &ben, &room).await.statement().device.0;
    let (user, device) = (ben.session.user.parse().unwrap(), webcall::id::DeviceId::from_bytes(welcomed));
    let left = async || {
        let commits = server.app.store.commits(history, 0, 10, 10_000).await.unwrap().len();
        let (waiting, _) = server.app.store.inbox(&InboxOf { user, device, into: None }, 10, 10_000).await.unwrap();
        (commits, waiting.len())
    };
    for (days, swept, kept) in [(0, 0, (1, 1)), (89, 0, (1, 1)), (2, 2, (0, 0)), (200, 1, (0, 0))] {
        server.advance(days * DAY);
        assert_eq!((webcall::e2ee::sweep(&server.app).await.unwrap(), left().await), (swept, kept), "{days} days later");
    }
}

#[tokio::test]
async fn t2_the_group_of_a_strict_room_says_so_and_no_other_does() {
    let server = TestServer::start().await;
    let mut ann = Person::new(&server, "ann").await;
    for strict in [true, false] {
        let body = json!({"name": "Thursday", "encryption": "mls", "strict": strict});
        let (_, room) = server.ask(&ann.session, Method::POST, "/api/v1/rooms", Some(body)).await;
        let (first, second) = (ann.another_device(&server).await, ann.another_device(&server).await);
        let infos = [Member::create_strict(first, group_of(&room)).1, Member::create(second, group_of(&room)).1];
        let mut answers = Vec::new();
        for info in if strict { [&infos[1], &infos[0]] } else { [&infos[0], &infos[1]] } {
            let answer = ann.ask(&server, Method::POST, "groups", Some(json!({"group_info": encode(info)}))).await;
            answers.push((answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default().to_owned()));
        }
        assert_eq!(answers, [(422, "other_strictness".to_owned()), (201, String::new())], "strict: {strict}");
    }
}

#[tokio::test]
async fn t2_the_group_of_a_strict_room_is_its_owners_to_make() {
    let server = TestServer::start().await;
    let (ann, mut ben) = (Person::new(&server, "ann").await, Person::new(&server, "ben").await);
    for strict in [true, false] {
        let body = json!({"name": "Friday", "encryption": "mls", "strict": strict});
        let (_, room) = server.ask(&ann.session, Method::POST, "/api/v1/rooms", Some(body)).await;
        server.join(&ben.session, &room).await;
        let make = if strict { Member::create_strict } else { Member::create };
        let (_, info) = make(ben.another_device(&server).await, group_of(&room));
        let answer = ben.ask(&server, Method::POST, "groups", Some(json!({"group_info": encode(&info)}))).await;
        assert_eq!(refusal(&answer), if strict { (403, "not_allowed") } else { (201, "") });
    }
}
