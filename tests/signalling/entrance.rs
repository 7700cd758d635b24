//! The upgrade and the first message.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;
use webcall::config::DEFAULT_WINDOWS_PER_USER;
use webcall::signal::protocol::{ClientMessage, ServerFrame, ServerMessage};
use webcall::signal::{Timing, max_sockets};

use crate::client::{Client, Socket};
use crate::server::Server;

fn hello(version: u32) -> ClientMessage {
    ClientMessage::Hello { version, resume: None }
}

async fn error(socket: &mut Socket) -> (u64, u32, String) {
    match socket.hear().await.unwrap() {
        ServerFrame { seq, message: ServerMessage::Error { id, code, .. } } => (seq, id, code),
        other => panic!("not an error: {other:?}"),
    }
}

#[tokio::test]
async fn a_ticket_lets_in_one_socket_only() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let (origin, subprotocols) = (format!("http://{}", server.address), format!("webcall.v1, ticket.{}", server.ticket(&ann)));
    let first = Socket::open(&server, Some(&origin), &subprotocols).await.unwrap();
    let refused = Socket::open(&server, Some(&origin), &subprotocols).await.err().unwrap();
    assert_eq!(refused.code, "ticket_invalid");
    assert_eq!(refused.content_type, "application/problem+json");
    Client::greet(first, None).await;
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_and_keeps_its_ticket_unused() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let subprotocols = format!("webcall.v1, ticket.{}", server.ticket(&ann));
    for origin in [Some("https://evil.example"), Some("null"), Some("http://localhost:1"), None] {
        let refused = Socket::open(&server, origin, &subprotocols).await.err().unwrap();
        assert_eq!(refused.code, "origin_refused", "{origin:?}");
    }
    Socket::open(&server, Some("https://listed.example"), &subprotocols).await.expect("CORS_ORIGINS lists it");
}

#[tokio::test]
async fn without_ticket_or_subprotocol_nobody_is_let_in() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let origin = format!("http://{}", server.address);
    let only_ticket = format!("ticket.{}", server.ticket(&ann));
    for (subprotocols, code) in
        [("webcall.v1", "ticket_invalid"), ("webcall.v1, ticket.AAAA", "ticket_invalid"), (&only_ticket, "malformed")]
    {
        assert_eq!(Socket::open(&server, Some(&origin), subprotocols).await.err().unwrap().code, code);
    }
}

#[tokio::test]
async fn a_ticket_of_an_ended_session_lets_nobody_in() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let (origin, subprotocols) = (format!("http://{}", server.address), format!("webcall.v1, ticket.{}", server.ticket(&ann)));
    server.end_session(&ann).await;
    assert_eq!(Socket::open(&server, Some(&origin), &subprotocols).await.err().unwrap().code, "session_ended");
}

#[tokio::test]
async fn nothing_comes_before_hello_and_errors_before_it_have_no_number() {
    let server = Server::start().await;
    let mut socket = Socket::connect(&server, &server.register("ann").await).await;
    socket.say(7, ClientMessage::Ping {}).await;
    assert_eq!(error(&mut socket).await, (0, 7, "hello_expected".to_owned()));
    socket.say(8, hello(2)).await;
    assert_eq!(error(&mut socket).await, (0, 8, "version_unsupported".to_owned()));
    socket.send(Message::text("{")).await;
    assert_eq!(error(&mut socket).await, (0, 0, "malformed_message".to_owned()));
    let mut client = Client::greet(socket, None).await;
    client.must(ClientMessage::Ping {}).await;
    assert_eq!(client.refused(hello(1)).await, "already_greeted");
}

#[tokio::test]
async fn a_socket_that_says_no_hello_is_closed() {
    let server = Server::start_with(Timing { hello_limit: Duration::from_millis(50), ..Timing::default() }).await;
    let mut socket = Socket::connect(&server, &server.register("ann").await).await;
    assert_eq!(socket.close_code().await, 4408);
}

#[tokio::test]
async fn a_user_has_a_limited_number_of_sockets_and_gets_the_place_of_a_closed_one() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let mut sockets = Vec::new();
    for _ in 0..max_sockets(DEFAULT_WINDOWS_PER_USER) {
        sockets.push(Socket::connect(&server, &ann).await);
    }
    let origin = format!("http://{}", server.address);
    let one_more = async || Socket::open(&server, Some(&origin), &format!("webcall.v1, ticket.{}", server.ticket(&ann))).await;
    assert_eq!(one_more().await.err().unwrap().code, "rate_limited");
    sockets.pop();
    while let Err(refused) = one_more().await {
        assert_eq!(refused.code, "rate_limited"); // until the server has seen the end of the other
    }
    Socket::connect(&server, &server.register("bob").await).await;
}
