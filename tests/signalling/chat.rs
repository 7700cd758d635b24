//! Messages over the WebSocket: sent, delivered to every window of every member, and who is there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webcall::id::{MessageId, RoomId};
use webcall::rooms;
use webcall::signal::protocol::{ClientMessage, Entry, EntryKind, Presence, Present, ServerMessage};

use crate::client::Client;
use crate::server::Server;

fn post(server: &Server, room: RoomId, body: &[u8]) -> ClientMessage {
    let (room, message) = (room.to_string(), MessageId::new(server.app.clock.now()).to_string());
    ClientMessage::Post { room, message, body: URL_SAFE_NO_PAD.encode(body), files: vec![] }
}

async fn write(server: &Server, client: &mut Client, room: RoomId, body: &[u8]) -> Entry {
    match client.ask(post(server, room, body)).await {
        ServerMessage::Posted { entry, .. } => entry,
        other => panic!("not posted: {other:?}"),
    }
}

fn present(user: &webcall::accounts::Principal, state: Presence) -> Present {
    Present { user: user.user.to_string(), state }
}

#[tokio::test]
async fn a_message_reaches_every_window_of_every_member_and_nobody_else() {
    let server = Server::start().await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let mut anns_other = Client::connect(&server, &ann).await;
    let mut bens = Client::connect(&server, &ben).await;
    let mut eves = Client::connect(&server, &eve).await;
    let first = write(&server, &mut anns, room, b"one").await;
    assert_eq!((first.seq, first.kind, &first.sender), (1, EntryKind::Message, &ann.user.to_string()));
    let second = write(&server, &mut bens, room, b"two").await;
    for client in [&mut anns, &mut anns_other, &mut bens] {
        for entry in [&first, &second] {
            assert_eq!(client.event().await, ServerMessage::Entry { room: room.to_string(), entry: entry.clone() });
        }
    }
    assert_eq!(eves.refused(post(&server, room, b"three")).await, "room_not_found");
    eves.must(ClientMessage::Ping {}).await;
    assert_eq!(eves.events_so_far(), []);
}

#[tokio::test]
async fn messages_of_one_client_are_numbered_in_the_order_in_which_it_sent_them() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let bodies: Vec<Vec<u8>> = (0..40).map(|n| vec![n]).collect();
    for (id, body) in (1_000..).zip(&bodies) {
        anns.socket.say(id, post(&server, room, body)).await;
    }
    let mut seen = Vec::new();
    while seen.len() < bodies.len() {
        if let ServerMessage::Entry { entry, .. } = anns.event().await {
            assert_eq!(entry.seq, seen.len() as i64 + 1);
            seen.push(URL_SAFE_NO_PAD.decode(entry.body.unwrap()).unwrap());
        }
    }
    assert_eq!(seen, bodies);
}

#[tokio::test]
async fn who_is_no_longer_a_member_hears_nothing_more() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let mut bens = Client::connect(&server, &ben).await;
    bens.must(ClientMessage::Watch { room: Some(room.to_string()) }).await;
    write(&server, &mut anns, room, b"before").await;
    bens.until_event("the message", |event| matches!(event, ServerMessage::Entry { .. })).await;
    rooms::leave_or_remove(&server.app, &ann, room, ben.user).await.unwrap();
    bens.until_event("the removal", |event| matches!(event, ServerMessage::RoomChanged { .. })).await;
    let after = write(&server, &mut anns, room, b"after").await;
    anns.until_event("the next message", |event| matches!(event, ServerMessage::Entry { entry, .. } if *entry == after)).await;
    bens.must(ClientMessage::Ping {}).await;
    assert_eq!(bens.events_so_far(), []);
    assert_eq!(bens.refused(post(&server, room, b"still here")).await, "room_not_found");
    assert_eq!(bens.refused(ClientMessage::Typing {}).await, "not_watching");
}

#[tokio::test]
async fn a_read_marker_moves_in_ones_other_windows() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut bens = Client::connect(&server, &ben).await;
    let mut anns = Client::connect(&server, &ann).await;
    let mut anns_other = Client::connect(&server, &ann).await;
    let entry = write(&server, &mut bens, room, b"x").await;
    let delivered = ServerMessage::Entry { room: room.to_string(), entry };
    assert_eq!(anns_other.event().await, delivered);
    let read = |seq| ClientMessage::MarkRead { room: room.to_string(), seq };
    anns.must(read(1)).await;
    assert_eq!(anns_other.event().await, ServerMessage::Read { room: room.to_string(), read_seq: 1 });
    assert_eq!(anns.refused(read(2)).await, "invalid_seq");
}

#[tokio::test]
async fn who_watches_a_conversation_learns_who_is_there_and_who_types() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let presence = |users| ServerMessage::Presence { room: room.to_string(), users };
    let mut anns = Client::connect(&server, &ann).await;
    anns.must(ClientMessage::Watch { room: Some(room.to_string()) }).await;
    assert_eq!(anns.event().await, presence(vec![present(&ann, Presence::Online)]));
    let mut bens = Client::connect(&server, &ben).await;
    assert_eq!(anns.event().await, presence(vec![present(&ben, Presence::Online)]));
    bens.must(ClientMessage::Watch { room: Some(room.to_string()) }).await;
    bens.must(ClientMessage::Typing {}).await;
    assert_eq!(anns.event().await, ServerMessage::Typing { room: room.to_string(), user: ben.user.to_string() });
    bens.must(ClientMessage::Away { away: true }).await;
    assert_eq!(anns.event().await, presence(vec![present(&ben, Presence::Away)]));
    bens.join(room).await;
    assert_eq!(anns.event().await, presence(vec![present(&ben, Presence::InCall)]));
    bens.must(ClientMessage::Leave {}).await;
    assert_eq!(anns.event().await, presence(vec![present(&ben, Presence::Away)]));
    anns.must(ClientMessage::Watch { room: None }).await;
    bens.must(ClientMessage::Typing {}).await;
    anns.must(ClientMessage::Ping {}).await;
    assert_eq!(anns.events_so_far(), []);
    assert_eq!(anns.refused(ClientMessage::Watch { room: Some("x".to_owned()) }).await, "room_not_found");
}

#[tokio::test]
async fn a_client_that_was_away_is_told_to_look() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let mut bens = Client::connect(&server, &ben).await;
    bens.lose_socket(&server).await;
    let entry = write(&server, &mut anns, room, b"missed").await;
    let delivered = ServerMessage::Entry { room: room.to_string(), entry };
    assert_eq!(anns.event().await, delivered, "by now it would have been ben's as well");
    let mut back = Client::resume(&server, &ben, &bens).await;
    assert!(back.resumed);
    assert_eq!(back.event().await, ServerMessage::Resync {}, "what can be looked up is not kept for who is away");
    server.app.bus.publish(webcall::bus::Hint::Logged { room, since: 2, last: 2 });
    back.must(ClientMessage::Ping {}).await;
    assert_eq!(back.events_so_far(), [], "a hint about what is not there is harmless");
}

#[tokio::test]
async fn many_large_messages_of_one_moment_all_arrive() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut bens = Client::connect(&server, &ben).await;
    // More bytes than one page has, queued at once: they share a transaction.
    let drafts = (0..40).map(|_| {
        let (id, body) = (MessageId::new(server.app.clock.now()).to_string(), URL_SAFE_NO_PAD.encode(vec![7; 60_000]));
        webcall::chat::Draft::parse(&id, &body, &[]).unwrap()
    });
    let posted: Vec<_> = drafts.map(|draft| webcall::chat::post(&server.app, &ann, room, draft).unwrap()).collect();
    for posting in posted {
        posting.outcome().await.unwrap();
    }
    for seq in 1..=40 {
        match bens.event().await {
            ServerMessage::Entry { entry, .. } => assert_eq!(entry.seq, seq),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn everybody_who_was_in_a_quiet_room_learns_at_once_that_it_is_gone() {
    let server = Server::start().await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let room = server.room(&[&ann, &ben, &eve]).await;
    let gone = ServerMessage::RoomChanged { room: room.to_string() };
    let mut anns = Client::connect(&server, &ann).await;
    let mut bens = Client::connect(&server, &ben).await;
    let mut eves = Client::connect(&server, &eve).await;
    anns.must(ClientMessage::Watch { room: Some(room.to_string()) }).await;
    anns.until_event("who is there", |event| matches!(event, ServerMessage::Presence { .. })).await;
    rooms::leave_or_remove(&server.app, &ann, room, eve.user).await.unwrap();
    assert_eq!(eves.event().await, gone, "removed");
    rooms::delete(&server.app, &ann, room).await.unwrap();
    assert_eq!(bens.event().await, gone);
    anns.until_event("the end of the room", |event| *event == gone).await;
    assert_eq!(anns.refused(ClientMessage::Typing {}).await, "not_watching");
    eves.must(ClientMessage::Ping {}).await;
    assert_eq!(eves.events_so_far(), []);
}

#[tokio::test]
async fn after_lost_hints_nobody_is_told_what_they_watched_before_until_they_say_so_again() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let watch = || ClientMessage::Watch { room: Some(room.to_string()) };
    anns.must(watch()).await;
    anns.until_event("who is there", |event| matches!(event, ServerMessage::Presence { .. })).await;
    // More at once than the bus keeps for a subscriber that has no turn meanwhile.
    for _ in 0..2_000 {
        server.app.bus.publish(webcall::bus::Hint::Read { room, user: ben.user, seq: 1 });
    }
    assert_eq!(anns.event().await, ServerMessage::Resync {});
    assert_eq!(anns.refused(ClientMessage::Typing {}).await, "not_watching");
    let _bens = Client::connect(&server, &ben).await;
    anns.must(watch()).await;
    let users = [present(&ann, Presence::Online), present(&ben, Presence::Online)];
    anns.until_event("who is there now", |event| match event {
        ServerMessage::Presence { users: told, .. } => users.iter().all(|user| told.contains(user)) && told.len() == users.len(),
        _ => false,
    })
    .await;
}

#[tokio::test]
async fn members_outside_of_the_call_learn_that_a_room_changed() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&[&ann, &ben]).await;
    let mut bens = Client::connect(&server, &ben).await;
    let changes = rooms::Changes { topic: Some(rooms::Topic::parse("new").unwrap()), ..rooms::Changes::default() };
    rooms::update(&server.app, &ann, room, &changes).await.unwrap();
    assert_eq!(bens.event().await, ServerMessage::RoomChanged { room: room.to_string() });
}
