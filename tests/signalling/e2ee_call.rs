//! The group of a call: made and entered over HTTP by who is in the call over a WebSocket, and by nobody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::accounts::Principal;
use webcall::e2ee;
use webcall::id::{CallId, RoomId};
use webcall::signal::protocol::{ClientMessage, ServerMessage};
use webcall_trust::mls::{GroupId, Session};

use crate::client::Client;
use crate::mls::{Device, Identity, Member, Outgoing, random};
use crate::seeded::{Seeded, seed};
use crate::server::Server;

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// An account with a device that counts.
struct Person {
    principal: Principal,
    token: String,
    identity: Identity,
}

impl Person {
    async fn new(server: &Server, name: &str) -> Self {
        let (principal, token) = server.sign_up(name).await;
        let mut identity = Identity::new(&principal.user.to_string());
        let claim = identity.claim();
        e2ee::append(&server.app, &principal, &encode(&claim), None).await.unwrap();
        Self { principal, token, identity }
    }

    /// A new device that counts.
    async fn device(&mut self, server: &Server) -> Device {
        let (device, record) = self.identity.device();
        e2ee::append(&server.app, &self.principal, &encode(&record), None).await.unwrap();
        device
    }

    async fn ask(&self, server: &Server, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = reqwest::Client::new().request(method, format!("http://{}/api/v1/e2ee/{path}", server.address));
        let request = request.bearer_auth(&self.token);
        let response = body.map_or_else(|| request.try_clone().unwrap(), |body| request.try_clone().unwrap().json(&body)).send();
        let response = response.await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn create(&self, server: &Server, info: &[u8]) -> (StatusCode, Value) {
        self.ask(server, Method::POST, "groups", Some(json!({"group_info": encode(info)}))).await
    }

    async fn send(&self, server: &Server, call: &str, outgoing: &Outgoing) -> (StatusCode, Value) {
        let (commit, group_info) = (encode(&outgoing.commit), encode(&outgoing.group_info));
        let welcome = outgoing.welcome.as_deref().map(encode);
        let body = json!({"epoch": outgoing.epoch, "commit": commit, "welcome": welcome, "group_info": group_info});
        self.ask(server, Method::POST, &path(call, "commits"), Some(body)).await
    }

    /// What is needed to come in.
    async fn info(&self, server: &Server, call: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let (status, info) = self.ask(server, Method::GET, &path(call, "info"), None).await;
        assert_eq!(status, StatusCode::OK, "{info}");
        (decode(&info["group_info"]), info["tree"].as_str().map(|_| decode(&info["tree"])))
    }
}

fn group_of(call: &str) -> GroupId {
    GroupId::call(*call.parse::<CallId>().unwrap().as_bytes())
}

fn path(call: &str, rest: &str) -> String {
    format!("groups/{}/{rest}", encode(&group_of(call).to_bytes()))
}

fn refusal((status, body): &(StatusCode, Value)) -> (u16, &str) {
    (status.as_u16(), body["code"].as_str().unwrap_or_default())
}

fn session(participant: &str) -> Session {
    Session::new(u64::from_str_radix(participant, 16).unwrap().to_be_bytes(), random())
}

fn into(device: Device, info: &(Vec<u8>, Option<Vec<u8>>), session: Option<Session>) -> (Member, Outgoing) {
    Member::into_call(device, (&info.0, info.1.as_deref()), session)
}

/// Ann and Ben in the call of an encrypted room, with a group that Ann made.
struct Stage {
    server: Server,
    room: RoomId,
    ann: Person,
    ben: Person,
    anns: Client,
    bens: Client,
    of_ann: Member,
    call: String,
}

async fn stage() -> Stage {
    let server = Server::start().await;
    let (mut ann, ben) = (Person::new(&server, "ann").await, Person::new(&server, "ben").await);
    let room = server.encrypted_room(&[&ann.principal, &ben.principal]).await;
    let anns = Client::enter(&server, &ann.principal, room).await;
    let bens = Client::enter(&server, &ben.principal, room).await;
    let call = anns.call.clone();
    let device = ann.device(&server).await;
    let (of_ann, info) = Member::create_as(device, group_of(&call), Some(session(&anns.me)));
    assert_eq!(ann.create(&server, &info).await.0, StatusCode::CREATED);
    Stage { server, room, ann, ben, anns, bens, of_ann, call }
}

fn told(group: GroupId, epoch: i64) -> ServerMessage {
    ServerMessage::E2eeCommit { group: encode(&group.to_bytes()), epoch }
}

#[tokio::test]
async fn those_in_a_call_make_its_group_come_into_it_and_are_told_of_its_epochs() {
    let Stage { server, room, mut ann, mut ben, mut anns, mut bens, mut of_ann, call } = stage().await;
    let group = group_of(&call);
    bens.until_event("the group", |message| *message == told(group, 0)).await;
    let spare = ann.device(&server).await;
    let (_, again) = Member::create_as(spare, group, Some(session(&anns.me)));
    assert_eq!(refusal(&ann.create(&server, &again).await), (409, "group_exists"));

    let device = ben.device(&server).await;
    let (of_ben, come) = into(device, &ben.info(&server, &call).await, Some(session(&bens.me)));
    assert_eq!(ben.send(&server, &call, &come).await, (StatusCode::CREATED, json!({"epoch": 1})));
    assert_eq!(ben.send(&server, &call, &come).await.0, StatusCode::CREATED, "the answer was lost");
    for client in [&mut anns, &mut bens] {
        client.until_event("the commit", |message| *message == told(group, 1)).await;
    }
    let (_, page) = ann.ask(&server, Method::GET, &path(&call, "commits?from=0"), None).await;
    assert_eq!(page, json!({"commits": [{"epoch": 0, "commit": encode(&come.commit)}], "epoch": 1}));
    of_ann.process(&come.commit);
    assert_eq!(of_ann.authenticator(), of_ben.authenticator());

    let late = of_ann.update();
    for epoch in [2, u64::MAX] {
        let early = Outgoing { epoch, ..late.clone() };
        assert_eq!(refusal(&ann.send(&server, &call, &early).await), (422, "invalid_epoch"));
    }
    assert_eq!(ann.send(&server, &call, &late).await.0, StatusCode::CREATED);
    // Who is in the room alone hears of no commit in the call.
    let eve = Person::new(&server, "eve").await;
    let link = webcall::rooms::get(&server.app, &ann.principal, room).await.unwrap().row.link_code;
    webcall::rooms::join(&server.app, &eve.principal, &link, None).await.unwrap();
    let mut eves = Client::connect(&server, &eve.principal).await;
    of_ann.accepted();
    let update = of_ann.update();
    assert_eq!(ann.send(&server, &call, &update).await.0, StatusCode::CREATED);
    anns.until_event("the commit", |message| *message == told(group, 3)).await;
    eves.must(ClientMessage::Ping {}).await;
    assert!(!eves.events_so_far().iter().any(|event| matches!(event, ServerMessage::E2eeCommit { .. })));
}

#[tokio::test]
async fn whoever_enters_is_told_what_coming_into_the_group_needs_and_nothing_in_a_call_without_one() {
    let Stage { server, room, ann, mut ben, mut bens, of_ann, call, anns } = stage().await;
    bens.must(ClientMessage::Leave {}).await;
    let join = |room: RoomId| ClientMessage::Join { room: room.to_string(), muted: vec![] };
    let ServerMessage::Joined { participant, group: Some(told), .. } = bens.ask(join(room)).await else { panic!() };
    let info = (URL_SAFE_NO_PAD.decode(&told.group_info).unwrap(), told.tree.map(|tree| URL_SAFE_NO_PAD.decode(tree).unwrap()));
    assert_eq!((told.epoch, &info), (0, &ben.info(&server, &call).await));
    let (_, come) = into(ben.device(&server).await, &info, Some(session(&participant)));
    assert_eq!(ben.send(&server, &call, &come).await, (StatusCode::CREATED, json!({"epoch": 1})));

    bens.must(ClientMessage::Leave {}).await;
    let ServerMessage::Joined { group: Some(told), .. } = bens.ask(join(room)).await else { panic!() };
    assert_eq!(told.epoch, 1, "the newest");
    assert_eq!(URL_SAFE_NO_PAD.decode(&told.group_info).unwrap(), come.group_info);
    bens.must(ClientMessage::Leave {}).await;
    let fresh = server.encrypted_room(&[&ben.principal]).await;
    let ServerMessage::Joined { group: None, .. } = bens.ask(join(fresh)).await else { panic!() };
    drop((ann, of_ann, anns));
}

#[tokio::test]
async fn t2_who_is_not_in_the_call_neither_sees_nor_changes_its_group() {
    let Stage { server, room, ann, mut ben, mut bens, of_ann, call, anns } = stage().await;
    let info = ben.info(&server, &call).await;
    let device = ben.device(&server).await;
    let own = Device { certificate: device.certificate, key: device.key.clone(), provider: Default::default() };
    let was = bens.me.clone();
    bens.must(ClientMessage::Leave {}).await;
    for target in ["info", "commits?from=0"] {
        let answer = ben.ask(&server, Method::GET, &path(&call, target), None).await;
        assert_eq!(refusal(&answer), (404, "group_not_found"), "a member of the room");
    }
    let (_, come) = into(own, &info, Some(session(&was)));
    assert_eq!(refusal(&ben.send(&server, &call, &come).await), (404, "group_not_found"));
    let (_, made) = Member::create_as(ben.device(&server).await, group_of(&call), Some(session(&was)));
    assert_eq!(refusal(&ben.create(&server, &made).await), (404, "group_not_found"));
    let nowhere = CallId::from_bytes([7; 16]).to_string();
    assert_eq!(refusal(&ann.ask(&server, Method::GET, &path(&nowhere, "info"), None).await), (404, "group_not_found"));

    bens.join(room).await;
    let (_, come) = into(device, &ben.info(&server, &call).await, Some(session(&bens.me)));
    assert_eq!(refusal(&ben.send(&server, &call, &come).await), (201, ""));
    drop((of_ann, anns));
}

#[tokio::test]
async fn t11_a_leaf_names_a_participant_of_its_own_user_in_this_call_and_no_other() {
    let Stage { server, room, mut ann, mut ben, anns, bens, of_ann, call } = stage().await;
    let elsewhere = server.encrypted_room(&[&ben.principal]).await;
    let other = Client::enter(&server, &ben.principal, elsewhere).await;
    let info = ben.info(&server, &call).await;
    for (named, code, what) in [
        (Some(session(&anns.me)), "other_participant", "another's"),
        (Some(session(&other.me)), "invalid_participant", "of another call"),
        (Some(session("00000000000000a1")), "invalid_participant", "of nobody"),
        (None, "invalid_participant", "none"),
    ] {
        let (_, come) = into(ben.device(&server).await, &info, named);
        assert_eq!(refusal(&ben.send(&server, &call, &come).await), (422, code), "{what}");
    }
    for (named, status) in [(Some(&anns.me), 422), (None, 422), (Some(&other.me), 201)] {
        let (_, made) = Member::create_as(ben.device(&server).await, group_of(&other.call), named.map(|me| session(me)));
        assert_eq!(ben.create(&server, &made).await.0, status, "{named:?}");
    }
    let second = ann.device(&server).await;
    let (_, twice) = into(second, &info, Some(session(&anns.me)));
    assert_eq!(refusal(&ann.send(&server, &call, &twice).await), (422, "other_participant"), "a leaf has it already");
    let window = Client::enter(&server, &ann.principal, room).await;
    let (_, come) = into(ann.device(&server).await, &info, Some(session(&window.me)));
    assert_eq!(refusal(&ann.send(&server, &call, &come).await), (201, ""), "a second window");
    let (_, come) = into(ben.device(&server).await, &ben.info(&server, &call).await, Some(session(&bens.me)));
    assert_eq!(refusal(&ben.send(&server, &call, &come).await), (201, ""));
    drop(of_ann);
}

#[tokio::test]
async fn a_leaf_is_taken_out_by_anybody_once_its_participant_has_left_and_not_before() {
    let Stage { server, ann, mut ben, mut bens, mut of_ann, call, anns, .. } = stage().await;
    let (of_ben, come) = into(ben.device(&server).await, &ben.info(&server, &call).await, Some(session(&bens.me)));
    assert_eq!(ben.send(&server, &call, &come).await.0, StatusCode::CREATED);
    of_ann.process(&come.commit);
    let leaf = of_ben.mls.own_leaf_index().u32();
    let remove = of_ann.change(&[], &[leaf], None);
    assert_eq!(refusal(&ann.send(&server, &call, &remove).await), (422, "still_member"));
    of_ann.lost();
    let package = ben.device(&server).await.key_package();
    let add = of_ann.change(&[package], &[], None);
    assert_eq!(refusal(&ann.send(&server, &call, &add).await), (422, "proposal"), "whoever is in the call comes by themselves");
    of_ann.lost();

    bens.must(ClientMessage::Leave {}).await;
    let remove = of_ann.change(&[], &[leaf], None);
    assert_eq!(ann.send(&server, &call, &remove).await, (StatusCode::CREATED, json!({"epoch": 2})));
    of_ann.accepted();
    assert_eq!(of_ann.mls.members().count(), 1);
    drop(anns);
}

#[tokio::test]
async fn the_group_ends_with_its_call_and_the_next_call_has_none() {
    let Stage { server, room, mut ann, ben, mut anns, mut bens, call, .. } = stage().await;
    anns.must(ClientMessage::Leave {}).await;
    ben.info(&server, &call).await;
    bens.must(ClientMessage::Leave {}).await;
    bens.join(room).await;
    assert_ne!(bens.call, call);
    for of in [&call, &bens.call] {
        assert_eq!(refusal(&ben.ask(&server, Method::GET, &path(of, "info"), None).await), (404, "group_not_found"));
    }
    anns.join(room).await;
    let (_, late) = Member::create_as(ann.device(&server).await, group_of(&call), Some(session(&anns.me)));
    assert_eq!(refusal(&ann.create(&server, &late).await), (404, "group_not_found"));
    let (_, next) = Member::create_as(ann.device(&server).await, group_of(&anns.call), Some(session(&anns.me)));
    assert_eq!(refusal(&ann.create(&server, &next).await), (201, ""));
}

#[tokio::test]
async fn a_call_of_an_open_room_has_no_group_and_a_device_that_does_not_count_makes_none() {
    let server = Server::start().await;
    let mut ann = Person::new(&server, "ann").await;
    let (open, mls) = (server.room(&[&ann.principal]).await, server.encrypted_room(&[&ann.principal]).await);
    let in_open = Client::enter(&server, &ann.principal, open).await;
    let (_, info) = Member::create_as(ann.device(&server).await, group_of(&in_open.call), Some(session(&in_open.me)));
    assert_eq!(refusal(&ann.create(&server, &info).await), (409, "room_open"));
    let in_mls = Client::enter(&server, &ann.principal, mls).await;
    let ghost = ann.identity.clone().device().0;
    let (_, info) = Member::create_as(ghost, group_of(&in_mls.call), Some(session(&in_mls.me)));
    assert_eq!(refusal(&ann.create(&server, &info).await), (422, "not_vouched"));
    let (_, info) = Member::create_as(ann.device(&server).await, group_of(&in_mls.call), Some(session(&in_mls.me)));
    assert_eq!(refusal(&ann.create(&server, &info).await), (201, ""));
}

#[tokio::test]
async fn t18_of_twenty_who_come_into_a_call_at_once_one_wins_and_the_others_learn_which() {
    let Stage { server, room, ann, call, anns, bens, .. } = stage().await;
    let link = webcall::rooms::get(&server.app, &ann.principal, room).await.unwrap().row.link_code;
    let info = ann.info(&server, &call).await;
    let (mut people, mut clients, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for nth in 0..20 {
        let mut person = Person::new(&server, &format!("person{nth}")).await;
        webcall::rooms::join(&server.app, &person.principal, &link, None).await.unwrap();
        let client = Client::enter(&server, &person.principal, room).await;
        commits.push(into(person.device(&server).await, &info, Some(session(&client.me))).1);
        people.push(person);
        clients.push(client);
    }
    let sending = people.iter().zip(&commits).map(|(person, commit)| person.send(&server, &call, commit));
    let answers = futures_util::future::join_all(sending).await;
    let winners: Vec<usize> = (0..20).filter(|nth| answers[*nth].0 == StatusCode::CREATED).collect();
    let [winner] = winners[..] else { panic!("{winners:?} have won") };
    for (_, answer) in answers.iter().enumerate().filter(|(nth, _)| *nth != winner) {
        assert_eq!((refusal(answer), decode(&answer.1["commit"])), ((409, "epoch_taken"), commits[winner].commit.clone()));
    }
    drop((anns, bens));
}

#[tokio::test]
async fn t2_who_was_not_let_into_a_strict_room_makes_no_group_of_its_call_and_comes_into_none() {
    let server = Server::start().await;
    let (mut ann, mut ben) = (Person::new(&server, "ann").await, Person::new(&server, "ben").await);
    let room = server.strict_room(&[&ann.principal, &ben.principal]).await;
    let (anns, bens) = (Client::enter(&server, &ann.principal, room).await, Client::enter(&server, &ben.principal, room).await);
    let call = anns.call.clone();
    let (device, waiting) = (ann.device(&server).await, ben.device(&server).await);
    let in_call = Device { certificate: device.certificate, key: device.key.clone(), provider: Default::default() };
    let same = Device { certificate: waiting.certificate, key: waiting.key.clone(), provider: Default::default() };
    let (mut of_room, info) = Member::create_strict(device, GroupId::room(*room.as_bytes()));
    assert_eq!(ann.create(&server, &info).await.0, StatusCode::CREATED);

    let (_, made) = Member::create_as(ben.device(&server).await, group_of(&call), Some(session(&bens.me)));
    assert_eq!(refusal(&ben.create(&server, &made).await), (422, "uninvited"));
    let (_, made) = Member::create_as(in_call, group_of(&call), Some(session(&anns.me)));
    assert_eq!(ann.create(&server, &made).await.0, StatusCode::CREATED);
    let info = ben.info(&server, &call).await;
    let (_, come) = into(ben.device(&server).await, &info, Some(session(&bens.me)));
    assert_eq!(
        refusal(&ben.send(&server, &call, &come).await),
        (422, "not_vouched"),
        "a member of the room who waits at its door"
    );

    // Ann lets him in.
    let upload = json!({"key_packages": [encode(&waiting.key_package())]});
    let to = format!("devices/{}/key-packages", waiting.id());
    assert_eq!(ben.ask(&server, Method::POST, &to, Some(upload)).await.0, StatusCode::CREATED);
    let claim = json!({"users": [ben.principal.user.to_string()]});
    let (_, claimed) = ann.ask(&server, Method::POST, "key-packages/claim", Some(claim)).await;
    let add = of_room.change(&[decode(&claimed["key_packages"][0]["key_package"])], &[], None);
    let body = json!({
        "epoch": add.epoch, "commit": encode(&add.commit), "welcome": add.welcome.as_deref().map(encode),
        "group_info": encode(&add.group_info),
    });
    let commits = format!("groups/{}/commits", encode(&GroupId::room(*room.as_bytes()).to_bytes()));
    assert_eq!(ann.ask(&server, Method::POST, &commits, Some(body)).await.0, StatusCode::CREATED);
    let (_, come) = into(same, &info, Some(session(&bens.me)));
    assert_eq!(refusal(&ben.send(&server, &call, &come).await), (201, ""));
}

/// So many of each kind: not more than one person may send.
const INPUTS: usize = 20;

#[tokio::test]
async fn t22_hostile_bytes_in_the_place_of_what_a_call_s_group_is_made_of_are_refused_and_what_is_honest_still_passes() {
    let Stage { server, room: _room, ann, mut ben, anns: _anns, bens, mut of_ann, call } = stage().await;
    let mut random = Seeded::new(seed());
    let device = ben.device(&server).await;
    let info = ben.info(&server, &call).await;
    let (of_ben, come) = into(device, &info, Some(session(&bens.me)));
    let refused = |what: &str, (status, answer): (StatusCode, Value)| {
        let is_refused = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        assert!(is_refused && answer["code"].is_string(), "{what}: {status} {answer}");
    };
    for _ in 0..INPUTS {
        let commit = Outgoing { commit: random.mutated(&come.commit), ..come.clone() };
        refused("a commit", ben.send(&server, &call, &commit).await);
        let group_info = Outgoing { group_info: random.mutated(&come.group_info), ..come.clone() };
        refused("the state after it", ben.send(&server, &call, &group_info).await);
        refused("a group", ann.create(&server, &random.mutated(&info.0)).await);
        let name = encode(&random.mutated(&group_of(&call).to_bytes()));
        refused("a name", ann.ask(&server, Method::GET, &format!("groups/{name}/info"), None).await);
    }
    assert_eq!(ben.send(&server, &call, &come).await.0, StatusCode::CREATED);
    of_ann.process(&come.commit);
    assert_eq!(of_ann.authenticator(), of_ben.authenticator());
}
