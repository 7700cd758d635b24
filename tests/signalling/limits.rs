//! What a client must not do.

use std::time::Duration;

use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use webcall::signal::protocol::{ClientMessage, MAX_FRAME_BYTES, ServerMessage, VERSION};
use webcall::signal::{MAX_CONNECTIONS_PER_USER, Timing};

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
async fn who_says_too_much_is_refused_and_then_thrown_out() {
    let (server, mut client) = client().await;
    for id in 0..70 {
        client.socket.say(id, ClientMessage::Ping {}).await;
    }
    let mut refused = 0;
    for id in 0..70 {
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
    let ping = || Message::text(r#"{"id":1,"type":"ping"}"#);
    while client.socket.0.send(ping()).await.is_ok() {
        if let Err(code) = client.socket.hear().await {
            assert_eq!(code, 4429);
            break;
        }
    }
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
async fn a_client_that_answers_no_ping_is_given_up() {
    let timing =
        Timing { ping_interval: Duration::from_millis(30), resume_window: Duration::from_millis(1), ..Timing::default() };
    let server = Server::start_with(timing).await;
    let ann = server.register("ann").await;
    let _silent = Client::connect(&server, &ann).await; // pings are answered only by who reads
    until("the end of the connection", || server.signalling.connections() == 0).await;
}

#[tokio::test]
async fn a_client_that_reads_stays_without_saying_a_word() {
    let timing = Timing { ping_interval: Duration::from_millis(30), ..Timing::default() };
    let server = Server::start_with(timing).await;
    let ann = server.register("ann").await;
    let mut client = Client::connect(&server, &ann).await;
    let reading = tokio::time::timeout(Duration::from_millis(300), client.hear()).await;
    assert!(reading.is_err(), "nothing is said, nothing is closed: {reading:?}");
    client.must(ClientMessage::Ping {}).await;
}

#[tokio::test]
async fn of_too_many_connections_the_one_gone_for_longest_gives_way_and_none_that_is_in_use() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let mut clients = Vec::new();
    for _ in 0..MAX_CONNECTIONS_PER_USER {
        clients.push(Client::connect(&server, &ann).await);
    }
    let mut socket = Socket::connect(&server, &ann).await;
    socket.say(1, ClientMessage::Hello { version: VERSION, resume: None }).await;
    let refused = socket.hear().await.unwrap().message;
    assert!(matches!(refused, ServerMessage::Error { ref code, .. } if code == "too_many_connections"), "{refused:?}");
    clients[3].lose_socket().await;
    clients[1].lose_socket().await;
    Client::greet(socket, None).await;
    assert_eq!(server.signalling.connections(), MAX_CONNECTIONS_PER_USER);
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
    for _ in 0..1_000 {
        server.app.calls.room_changed(room);
    }
    assert_eq!(soon("the close", client.socket.close_code()).await, 1013);
    assert!(!Client::resume(&server, &ann, &client).await.resumed);
    assert_eq!(server.app.calls.in_call(room), 0);
}
