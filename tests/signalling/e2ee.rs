//! End-to-end encryption: who is told of what.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webcall::bus::Hint;
use webcall::e2ee::{self, CommitRequest, Committed};
use webcall::id::DeviceId;
use webcall::rooms;
use webcall::signal::protocol::{ClientMessage, ServerMessage};
use webcall_trust::mls::GroupId;

use crate::client::Client;
use crate::mls::{Form, Identity, Member, bytes};
use crate::server::Server;

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn members_are_told_of_keys_commits_and_messages_and_nobody_else_is() {
    let server = Server::start().await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let room = server.encrypted_room(&[&ann, &ben]).await;
    let (mut of_ben, mut of_eve) = (Client::connect(&server, &ben).await, Client::connect(&server, &eve).await);
    let told = ann.user.to_string();

    let mut identity = Identity::new(&told);
    let claim = identity.claim();
    let (device, record) = identity.device();
    for record in [claim, record] {
        e2ee::append(&server.app, &ann, &encode(&record), None).await.unwrap();
        let keys = ServerMessage::E2eeKeys { user: told.clone() };
        of_ben.until_event("keys", |message| *message == keys).await;
    }
    let id = GroupId::room(*room.as_bytes());
    let (mut member, info) = Member::create(device, id);
    e2ee::create_group(&server.app, &ann, &encode(&info), None).await.unwrap();
    let group = encode(&id.to_bytes());
    let commit = ServerMessage::E2eeCommit { group: group.clone(), epoch: 0 };
    of_ben.until_event("the group", |message| *message == commit).await;

    let message = encode(&member.application(b"hello"));
    e2ee::whisper(&server.app, &ann, id, &message).await.unwrap();
    let whisper = ServerMessage::E2eeMessage { group, user: told, message };
    of_ben.until_event("the message", |message| *message == whisper).await;

    let device = DeviceId::from_bytes([1; 16]);
    server.app.bus.publish(Hint::InboxFilled { devices: [(ben.user, device)].into() });
    let inbox = ServerMessage::E2eeInbox { device: device.to_string() };
    of_ben.until_event("the inbox", |message| *message == inbox).await;

    // Whatever she was told of came before this answer.
    server.app.bus.publish(Hint::InboxFilled { devices: [(eve.user, device)].into() });
    of_eve.until_event("her own inbox", |message| *message == inbox).await;
    of_eve.must(ClientMessage::Ping {}).await;
    assert_eq!(of_eve.events_so_far(), []);
}

#[tokio::test]
async fn who_comes_into_an_encrypted_room_or_goes_is_told_to_the_others_whose_group_it_is() {
    let server = Server::start().await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let (sealed, open) = (server.encrypted_room(&[&ann]).await, server.room(&[&ann]).await);
    let (mut of_ann, mut of_eve) = (Client::connect(&server, &ann).await, Client::connect(&server, &eve).await);
    for room in [open, sealed] {
        let link = rooms::get(&server.app, &ann, room).await.unwrap().row.link_code;
        rooms::join(&server.app, &ben, &link, None).await.unwrap();
        rooms::leave_or_remove(&server.app, &ben, room, ben.user).await.unwrap();
    }
    let members = ServerMessage::E2eeMembers { room: sealed.to_string() };
    assert_eq!([of_ann.event().await, of_ann.event().await], [members.clone(), members]);
    of_eve.must(ClientMessage::Ping {}).await;
    assert_eq!(of_eve.events_so_far(), []);
}

#[tokio::test]
async fn every_member_is_told_that_somebody_shows_another_invitation_and_nobody_else_is() {
    let server = Server::start().await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let room = server.encrypted_room(&[&ann, &ben]).await;
    let mut of_members = Vec::new();
    for who in [&ann, &ben, &ben] {
        of_members.push(Client::connect(&server, who).await);
    }
    let mut of_eve = Client::connect(&server, &eve).await;
    let mark = |nth| {
        let device = DeviceId::from_bytes([nth; 16]);
        let devices = [ann.user, ben.user, eve.user].map(|user| (user, device));
        server.app.bus.publish(Hint::InboxFilled { devices: devices.into() });
        ServerMessage::E2eeInbox { device: device.to_string() }
    };
    // Who came into the room is told before it.
    let begin = mark(1);
    for client in of_members.iter_mut().chain([&mut of_eve]) {
        client.until_event("the beginning", |message| *message == begin).await;
    }
    for invitation in [b"one", b"one", b"two"] {
        rooms::show_invitation(&server.app, &ben, room, invitation).await.unwrap();
    }
    let (changed, end) = (ServerMessage::RoomChanged { room: room.to_string() }, mark(2));
    for client in &mut of_members {
        let told = [client.event().await, client.event().await, client.event().await];
        assert_eq!(told, [changed.clone(), changed.clone(), end.clone()]);
    }
    assert_eq!(of_eve.event().await, end);
}

/// Sixty days are what others have to read a commit that adds a device: they verify its package by their own clock.
#[tokio::test]
async fn t21_a_package_that_expires_soon_is_neither_kept_nor_added() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.encrypted_room(&[&ann, &ben]).await;
    let mut devices = Vec::new();
    for who in [&ann, &ben] {
        let mut identity = Identity::new(&who.user.to_string());
        let (claim, (device, record)) = (identity.claim(), identity.device());
        for record in [claim, record] {
            e2ee::append(&server.app, who, &encode(&record), None).await.unwrap();
        }
        devices.push(device);
    }
    let (bens, anns) = (devices.pop().unwrap(), devices.pop().unwrap());
    let package = |days: u64| bytes(&bens.package(Form { lifetime_s: Some(days * 86_400), ..Form::default() }));
    let upload = async |days| {
        let upload = e2ee::Upload { one_time: vec![encode(&package(days))], last_resort: None };
        let id = DeviceId::from_bytes(bens.certificate.statement().device.0);
        e2ee::upload(&server.app, &ben, id, upload).await.map_err(|error| error.code())
    };
    assert_eq!(upload(89).await, Err("lifetime"));
    assert_eq!(upload(91).await.map(|stock| stock.one_time), Ok(1));

    let id = GroupId::room(*room.as_bytes());
    let (mut member, info) = Member::create(anns, id);
    e2ee::create_group(&server.app, &ann, &encode(&info), None).await.unwrap();
    for (days, expected) in [(89, Err("lifetime")), (91, Ok(Committed::Accepted { epoch: 1 }))] {
        let add = member.change(&[package(days)], &[], None);
        let (commit, group_info) = (encode(&add.commit), encode(&add.group_info));
        let request = CommitRequest { epoch: 0, commit, welcome: add.welcome.as_deref().map(encode), group_info };
        assert_eq!(e2ee::commit(&server.app, &ann, id, request).await.map_err(|error| error.code()), expected);
        member.lost();
    }
}
