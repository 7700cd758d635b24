//! End-to-end encryption: who is told of what.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webcall::bus::Hint;
use webcall::e2ee;
use webcall::id::DeviceId;
use webcall::signal::protocol::{ClientMessage, ServerMessage};
use webcall_trust::mls::GroupId;

use crate::client::Client;
use crate::mls::{Identity, Member};
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
    server.app.bus.publish(Hint::InboxFilled { user: ben.user, device });
    let inbox = ServerMessage::E2eeInbox { device: device.to_string() };
    of_ben.until_event("the inbox", |message| *message == inbox).await;

    // Whatever she was told of came before this answer.
    server.app.bus.publish(Hint::InboxFilled { user: eve.user, device });
    of_eve.until_event("her own inbox", |message| *message == inbox).await;
    of_eve.must(ClientMessage::Ping {}).await;
    assert_eq!(of_eve.events_so_far(), []);
}
