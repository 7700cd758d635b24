//! What a client must not do.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use webcall::config::DEFAULT_WINDOWS_PER_USER;
use webcall::role::Role;
use webcall::signal::protocol::{ClientMessage, MAX_FRAME_BYTES, ServerMessage, VERSION};
use webcall::signal::{Timing, max_connections};

use crate::client::{Client, Socket, soon, until};
use crate::server::Server;

async fn client() -> (Server, Client) {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let client = Client::connect(&server, &ann).await;
    (server, client)
}

async fn error(client: &mut Client) -> (u32, String) {
    match client.hear().await.unwrap() {
        ServerMessage::Error { id, code, .. } => (id, code),
        other => panic!("not an error: {other:?}"),
    }
}

#[tokio::test]
async fn the_third_unreadable_message_in_a_row_closes_the_socket() {
    let (_server, mut client) = client().await;
    let malformed = "malformed_message".to_owned();
    client.socket.send(Message::text("not json")).await;
    assert_eq!(error(&mut client).await, (0, malformed.clone()));
    client.socket.send(Message::text(r#"{"id":5,"type":"dance"}"#)).await;
    assert_eq!(error(&mut client).await, (5, malformed.clone()), "the number is known");
    client.must(ClientMessage::Ping {}).await;
    for _ in 0..2 {
        client.socket.send(Message::text(r#"{"id":6,"type":"ping","extra":1}"#)).await;
        assert_eq!(error(&mut client).await, (6, malformed.clone()), "unknown fields are refused");
    }
    client.socket.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.socket.close_code().await, 4400);
}

#[tokio::test]
async fn binary_frames_are_refused() {
    let (_server, mut client) = client().await;
    client.socket.send(Message::binary(br#"{"id":1,"type":"ping"}"#.to_vec())).await;
    assert_eq!(error(&mut client).await, (0, "malformed_message".to_owned()));
}

#[tokio::test]
async fn a_frame_above_the_limit_closes_the_socket_and_one_below_does_not() {
    let (_server, mut client) = client().await;
    let ping = |size: usize| {
        let text = r#"{"id":9,"type":"ping"}"#;
        Message::text(format!("{text}{}", " ".repeat(size - text.len())))
    };
    client.socket.send(ping(MAX_FRAME_BYTES)).await;
    assert_eq!(client.hear().await, Ok(ServerMessage::Ok { id: 9 }));
    // The server may close before it has read all of it.
    let _ = client.socket.0.send(ping(MAX_FRAME_BYTES + 1)).await;
    assert_eq!(client.socket.close_code().await, 1009);
}

#[tokio::test]
async fn each_message_too_many_is_refused_by_its_number_and_the_others_are_answered() {
    let (_server, mut client) = client().await;
    for id in 0..150 {
        client.socket.0.feed(Message::text(format!(r#"{{"id":{id},"type":"ping"}}"#))).await.unwrap();
    }
    client.socket.0.flush().await.unwrap();
    let mut refused = 0;
    for id in 0..150 {
        match client.hear().await.unwrap() {
            ServerMessage::Ok { id: answered } => assert_eq!(answered, id),
            ServerMessage::Error { id: answered, code, .. } => {
                assert_eq!((answered, code.as_str()), (id, "too_many_messages"));
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn who_goes_on_saying_too_much_is_thrown_out() {
    let (server, mut client) = client().await;
    // Far more than the burst, the strikes and what a slow machine would allow again meanwhile.
    for _ in 0..400 {
        let _ = client.socket.0.feed(Message::text(r#"{"id":7,"type":"ping"}"#)).await; // fails once it is thrown out
    }
    let _ = client.socket.0.flush().await;
    let code = loop {
        match client.hear().await {
            Ok(ServerMessage::Ok { id: 7 }) => {}
            Ok(ServerMessage::Error { id: 7, code, .. }) => assert_eq!(code, "too_many_messages"),
            Ok(other) => panic!("{other:?}"),
            Err(code) => break code,
        }
    };
    assert_eq!(code, 4429);
    // There is nothing to resume.
    until("the end of the connection", || server.signalling.connections() == 0).await;
}

#[tokio::test]
async fn a_ping_of_the_websocket_is_answered_also_before_hello() {
    let server = Server::start().await;
    let mut socket = Socket::connect(&server, &server.register("ann").await).await;
    socket.send(Message::Ping(vec![1].into())).await;
    Client::greet(socket, None).await;
}

#[tokio::test]
async fn the_server_pings_a_client_that_says_nothing() {
    let server = Server::start_with(Timing { ping_interval: Duration::from_millis(5), ..Timing::default() }).await;
    let ann = server.register("ann").await;
    let mut client = Client::connect(&server, &ann).await;
    for _ in 0..5 {
        let message = soon("a ping", client.socket.0.next()).await.unwrap().unwrap();
        assert!(message.is_ping(), "{message:?}");
    }
    client.must(ClientMessage::Ping {}).await;
}

#[tokio::test]
async fn a_client_that_gives_no_sign_of_life_is_given_up() {
    let timing = Timing { silence_limit: Duration::from_secs(1), resume_window: Duration::from_millis(1), ..Timing::default() };
    let server = Server::start_with(timing).await;
    let ann = server.register("ann").await;
    let _silent = Client::connect(&server, &ann).await;
    until("the end of the connection", || server.signalling.connections() == 0).await;
}

#[tokio::test]
async fn of_too_many_connections_the_one_gone_for_longest_gives_way_and_none_that_is_in_use() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let mut clients = Vec::new();
    for _ in 0..max_connections(DEFAULT_WINDOWS_PER_USER) {
        clients.push(Client::connect(&server, &ann).await);
    }
    let mut socket = Socket::connect(&server, &ann).await;
    socket.say(1, ClientMessage::Hello { version: VERSION, resume: None }).await;
    let refused = socket.hear().await.unwrap().message;
    assert!(matches!(refused, ServerMessage::Error { ref code, .. } if code == "too_many_connections"), "{refused:?}");
    clients[3].lose_socket(&server).await;
    clients[1].lose_socket(&server).await;
    Client::greet(socket, None).await;
    assert_eq!(server.signalling.connections(), max_connections(DEFAULT_WINDOWS_PER_USER));
    let (third, first) = (Client::resume(&server, &ann, &clients[3]).await, Client::resume(&server, &ann, &clients[1]).await);
    assert_eq!((third.resumed, first.resumed), (false, false), "the second gave way to the resumption of the first that failed");
}

#[tokio::test]
async fn a_connection_that_lost_events_ends_instead_of_going_on_with_a_wrong_picture() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut client = Client::enter(&server, &ann, room).await;
    client.must(ClientMessage::Ping {}).await;
    // More at once than are queued, before the connection's task has its turn.
    for role in [Role::Moderator, Role::Owner].into_iter().cycle().take(1_000) {
        server.app.calls.set_role(room, ann.user, role);
    }
    assert_eq!(soon("the close", client.socket.close_code()).await, 1013);
    assert!(!Client::resume(&server, &ann, &client).await.resumed);
    assert_eq!(server.app.calls.in_call(room), 0);
}
