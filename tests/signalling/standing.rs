//! What is changed in the store shows in running calls: ended sessions, deleted rooms, removed members, roles.

use webcall::bus::Hint;
use webcall::id::RoomId;
use webcall::role::Role;
use webcall::rooms::{self, Changes, RoomName};
use webcall::signal::protocol::{self, ClientMessage, LeaveReason, ServerMessage};

use crate::client::{Client, soon};
use crate::server::Server;

#[tokio::test]
async fn whoever_is_a_member_enters_an_encrypted_room_and_is_told_that_it_is() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    for (room, mode) in [
        (server.room(&[&ann]).await, protocol::Encryption::Open),
        (server.encrypted_room(&[&ann]).await, protocol::Encryption::Mls),
    ] {
        let mut client = Client::connect(&server, &ann).await;
        let joined = client.ask(ClientMessage::Join { room: room.to_string(), muted: vec![] }).await;
        assert!(matches!(joined, ServerMessage::Joined { encryption, .. } if encryption == mode), "{joined:?}");
    }
}

#[tokio::test]
async fn a_call_has_one_name_for_all_in_it_and_the_next_call_another() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let (room, other) = (server.room(&[&ann, &bob]).await, server.room(&[&ann]).await);
    assert_eq!(rooms::get(&server.app, &ann, room).await.unwrap().call, None);
    let mut anns = Client::enter(&server, &ann, room).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    let first = anns.call.clone();
    assert_eq!(bobs.call, first);
    let seen = rooms::get(&server.app, &bob, room).await.unwrap();
    assert_eq!((seen.call.unwrap().to_string(), seen.in_call), (first.clone(), 2));
    assert_ne!(Client::enter(&server, &ann, other).await.call, first, "of another room");

    anns.must(ClientMessage::Leave {}).await;
    anns.join(room).await;
    assert_eq!(anns.call, first, "somebody was in it all the time");
    anns.lose_socket(&server).await;
    let mut anns = Client::resume(&server, &ann, &anns).await;
    bobs.must(ClientMessage::Leave {}).await;
    bobs.join(room).await;
    assert_eq!((anns.resumed, &bobs.call), (true, &first), "a broken socket ends no call");

    for client in [&mut anns, &mut bobs] {
        client.must(ClientMessage::Leave {}).await;
    }
    assert_eq!(rooms::get(&server.app, &bob, room).await.unwrap().call, None);
    bobs.join(room).await;
    assert_ne!(bobs.call, first);
}

#[tokio::test]
async fn only_members_enter_and_strangers_do_not_learn_whether_a_room_exists() {
    let server = Server::start().await;
    let (ann, eve) = (server.register("ann").await, server.register("eve").await);
    let room = server.room(&[&ann]).await;
    let mut eves = Client::connect(&server, &eve).await;
    for room in [room.to_string(), "0190b0a0-0000-7000-8000-000000000001".to_owned(), "nonsense".to_owned()] {
        assert_eq!(eves.refused(ClientMessage::Join { room, muted: vec![] }).await, "room_not_found");
    }
    assert_eq!(server.app.calls.in_call(room), 0);
}

#[tokio::test]
async fn a_second_window_is_a_second_participant() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut first = Client::enter(&server, &ann, room).await;
    let mut second = Client::connect(&server, &ann).await;
    let participants = second.join(room).await;
    assert_eq!(participants.iter().map(|p| &p.participant).collect::<Vec<_>>(), [&first.me, &second.me]);
    assert!(
        participants.iter().all(|p| p.user == ann.user.to_string() && p.username == "ann" && p.role == protocol::Role::Owner)
    );
    assert!(matches!(first.event().await, ServerMessage::ParticipantJoined { .. }));
    second.must(ClientMessage::Leave {}).await;
    let left = ServerMessage::ParticipantLeft { participant: second.me.clone(), reason: LeaveReason::Left };
    assert_eq!(first.event().await, left);
    assert_eq!(server.app.calls.in_call(room), 1);
    second.join(room).await;
}

#[tokio::test]
async fn the_end_of_a_session_closes_its_sockets_and_takes_its_participants_out() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let anns_phone = server.login("ann").await;
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let mut detached = Client::enter(&server, &ann, room).await;
    let mut phone = Client::connect(&server, &anns_phone).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    detached.lose_socket(&server).await;
    server.end_session(&ann).await;
    assert_eq!(anns.socket.close_code().await, 4401);
    let mut gone = vec![bobs.event().await, bobs.event().await];
    for participant in [anns.me, detached.me] {
        let left = ServerMessage::ParticipantLeft { participant, reason: LeaveReason::SessionEnded };
        gone.retain(|event| *event != left);
    }
    assert_eq!(gone, []);
    phone.must(ClientMessage::Ping {}).await;
}

#[tokio::test]
async fn the_end_of_a_room_ends_its_call_but_not_the_connections() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let other = server.room(&[&ann]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    rooms::delete(&server.app, &ann, room).await.unwrap();
    // That the room changed is told as well, before or after.
    anns.until_event("the end of the call", |event| *event == ServerMessage::Removed { reason: LeaveReason::RoomGone }).await;
    assert_eq!(anns.refused(ClientMessage::Leave {}).await, "not_in_call");
    assert_eq!(server.app.calls.in_call(room), 0);
    anns.join(other).await;
}

#[tokio::test]
async fn a_removed_member_is_out_of_the_call_in_every_window() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut windows = [Client::enter(&server, &bob, room).await, Client::enter(&server, &bob, room).await];
    assert!(matches!(windows[0].event().await, ServerMessage::ParticipantJoined { .. }));
    let mut anns = Client::enter(&server, &ann, room).await;
    rooms::leave_or_remove(&server.app, &ann, room, bob.user).await.unwrap();
    for window in &mut windows {
        loop {
            match window.event().await {
                ServerMessage::Removed { reason } => break assert_eq!(reason, LeaveReason::RoomGone),
                ServerMessage::ParticipantJoined { .. } | ServerMessage::ParticipantLeft { .. } => {}
                ServerMessage::RoomChanged { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(window.refused(ClientMessage::Join { room: room.to_string(), muted: vec![] }).await, "room_not_found");
    }
    for _ in 0..2 {
        let event = anns.event().await;
        assert!(matches!(event, ServerMessage::ParticipantLeft { reason: LeaveReason::RoomGone, .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_new_role_and_a_new_name_are_told() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    server.promote(&ann, room, bob.user, Role::Moderator).await;
    let told = [bobs.event().await, bobs.event().await];
    let changed = ServerMessage::RoomChanged { room: room.to_string() };
    assert!(told.contains(&changed), "{told:?}");
    let role = told.iter().find_map(|event| match event {
        ServerMessage::ParticipantChanged { participant } => Some(participant.role),
        _ => None,
    });
    assert_eq!(role, Some(protocol::Role::Moderator));
    let name = Changes { name: Some(RoomName::parse("other").unwrap()), ..Changes::default() };
    rooms::update(&server.app, &ann, room, &name).await.unwrap();
    assert_eq!(bobs.event().await, changed);
}

#[tokio::test]
async fn lost_hints_cost_no_more_than_a_look_at_the_store() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    assert!(matches!(anns.event().await, ServerMessage::ParticipantJoined { .. }));
    // As another node would do it: the store changes, and the hints about it are lost.
    server.app.store.remove_member(room, bob.user, Role::Member, None).await.unwrap();
    server.app.store.end_session(ann.session, ann.user).await.unwrap();
    for n in 0..5_000_u128 {
        server.app.bus.publish(Hint::RoomChanged { room: RoomId::from_bytes(n.to_be_bytes()) });
    }
    assert_eq!(soon("the close", anns.socket.close_code()).await, 4401);
    loop {
        match bobs.event().await {
            ServerMessage::Removed { reason: LeaveReason::RoomGone } => break,
            ServerMessage::ParticipantLeft { .. } | ServerMessage::Resync {} => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_says_when_to_come_back_and_closes() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut clients = [Client::enter(&server, &ann, room).await, Client::connect(&server, &ann).await];
    server.app.shutdown.begin();
    for client in &mut clients {
        loop {
            match client.event().await {
                ServerMessage::Drain { retry_ms } => break assert!((500..3_000).contains(&retry_ms), "{retry_ms}"),
                ServerMessage::ParticipantJoined { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(client.socket.close_code().await, 1012);
    }
    soon("the end", server.app.shutdown.finished()).await;
}
