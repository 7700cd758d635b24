//! What a client must not do.

use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use webcall::signal::protocol::{ClientMessage, MAX_FRAME_BYTES, ServerMessage};

use crate::client::{Client, Socket};
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
    while server.signalling.connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_ping_of_the_websocket_is_answered_also_before_hello() {
    let server = Server::start().await;
    let mut socket = Socket::connect(&server, &server.register("ann").await).await;
    socket.send(Message::Ping(vec![1].into())).await;
    Client::greet(socket, None).await;
}
