//! Logs over the WebSocket: the same as over HTTP.

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use webcall::accounts::Principal;
use webcall::chat::{self, Draft};
use webcall::id::{MessageId, RoomId};
use webcall::signal::protocol::{ClientMessage, Entry, ServerMessage};

use crate::client::Client;
use crate::server::Server;

/// Asks over HTTP: the body, or the code of the refusal.
async fn over_http(server: &Server, token: &str, method: Method, path: &str) -> Result<Value, String> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("host", server.address.to_string())
        .header("authorization", format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = connection.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    if status == StatusCode::OK { Ok(body) } else { Err(body["code"].as_str().unwrap().to_owned()) }
}

/// Asks over the WebSocket: the same without what makes it a message.
async fn over_socket(client: &mut Client, message: ClientMessage) -> Result<Value, String> {
    match client.ask(message).await {
        ServerMessage::Page { entries, first_seq, last_seq, .. } => {
            Ok(json!({"entries": entries, "first_seq": first_seq, "last_seq": last_seq}))
        }
        ServerMessage::Pinned { pins, .. } => Ok(json!({ "pins": pins })),
        ServerMessage::Acted { entry, .. } => Ok(json!(entry)),
        ServerMessage::Error { code, .. } => Err(code),
        other => panic!("{other:?}"),
    }
}

async fn write(server: &Server, principal: &Principal, room: RoomId, body: &[u8]) -> Entry {
    let id = MessageId::new(server.app.clock.now()).to_string();
    let draft = Draft::parse(&id, &URL_SAFE_NO_PAD.encode(body), &[]).unwrap();
    chat::post(&server.app, principal, room, draft).unwrap().outcome().await.unwrap().into()
}

fn history(room: &str, before: Option<i64>, after: Option<i64>, limit: Option<i64>) -> ClientMessage {
    ClientMessage::History { room: room.to_owned(), before, after, limit }
}

#[tokio::test]
async fn what_is_asked_of_a_log_has_the_same_answer_over_both() {
    let server = Server::start().await;
    let ((ann, anns_token), (ben, bens_token)) = (server.sign_up("ann").await, server.sign_up("ben").await);
    let id = server.room(&[&ann, &ben]).await;
    let (room, nowhere) = (id.to_string(), RoomId::new(server.app.clock.now()).to_string());
    let mut messages = Vec::new();
    for n in 0..5 {
        messages.push(write(&server, &ann, id, &[n]).await);
    }
    let pinned = messages[1].id.clone();
    let unknown = MessageId::new(server.app.clock.now()).to_string();
    let mut clients = [Client::connect(&server, &ann).await, Client::connect(&server, &ben).await];
    over_socket(&mut clients[0], ClientMessage::Pin { room: room.clone(), message: pinned.clone() }).await.unwrap();
    let at = |room: &str, rest: &str| format!("/rooms/{room}/{rest}");
    let (in_room, message) = (|room: &str| room.to_owned(), |id: &str| id.to_owned());
    let asked = [
        (Method::GET, at(&room, "messages"), history(&room, None, None, None)),
        (Method::GET, at(&room, "messages?before=4&limit=2"), history(&room, Some(4), None, Some(2))),
        (Method::GET, at(&room, "messages?after=2&limit=2"), history(&room, None, Some(2), Some(2))),
        (Method::GET, at(&room, "messages?before=3&after=1"), history(&room, Some(3), Some(1), None)),
        (Method::GET, at(&room, "messages?after=99"), history(&room, None, Some(99), None)),
        (Method::GET, at(&room, "messages?limit=0"), history(&room, None, None, Some(0))),
        (Method::GET, at(&room, "messages?limit=201"), history(&room, None, None, Some(201))),
        (Method::GET, at(&nowhere, "messages"), history(&nowhere, None, None, None)),
        (Method::GET, at("x", "messages"), history("x", None, None, None)),
        (Method::GET, at(&room, "pins"), ClientMessage::Pins { room: room.clone() }),
        (Method::GET, at(&nowhere, "pins"), ClientMessage::Pins { room: nowhere.clone() }),
        // Pinned before: nothing for the owner, not allowed for a member.
        (
            Method::PUT,
            at(&room, &format!("pins/{pinned}")),
            ClientMessage::Pin { room: in_room(&room), message: message(&pinned) },
        ),
        (
            Method::PUT,
            at(&room, &format!("pins/{unknown}")),
            ClientMessage::Pin { room: in_room(&room), message: message(&unknown) },
        ),
        (Method::PUT, at(&room, "pins/x"), ClientMessage::Pin { room: in_room(&room), message: message("x") }),
        (
            Method::DELETE,
            at(&room, &format!("pins/{unknown}")),
            ClientMessage::Unpin { room: in_room(&room), message: message(&unknown) },
        ),
        (
            Method::DELETE,
            at(&room, &format!("messages/{unknown}")),
            ClientMessage::Delete { room: in_room(&room), message: message(&unknown) },
        ),
        (
            Method::DELETE,
            at(&nowhere, &format!("messages/{unknown}")),
            ClientMessage::Delete { room: in_room(&nowhere), message: message(&unknown) },
        ),
    ];
    for (token, client) in [anns_token, bens_token].iter().zip(&mut clients) {
        for (method, path, message) in asked.clone() {
            let expected = over_http(&server, token, method, &path).await;
            assert_eq!(over_socket(client, message).await, expected, "{path}");
        }
    }
    assert_eq!(clients[1].refused(ClientMessage::Delete { room: room.clone(), message: pinned }).await, "not_allowed");
}

#[tokio::test]
async fn pins_and_deletions_are_entries_that_everybody_hears_of() {
    let server = Server::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let id = server.room(&[&ann, &ben]).await;
    let mut anns = Client::connect(&server, &ann).await;
    let mut bens = Client::connect(&server, &ben).await;
    let written = write(&server, &ann, id, b"x").await;
    assert!(matches!(bens.event().await, ServerMessage::Entry { .. }), "the message itself");
    let (room, message) = (id.to_string(), written.id.clone());
    let acts = [
        ClientMessage::Pin { room: room.clone(), message: message.clone() },
        ClientMessage::Unpin { room: room.clone(), message: message.clone() },
        ClientMessage::Delete { room: room.clone(), message: message.clone() },
    ];
    for act in acts {
        let ServerMessage::Acted { entry: Some(entry), .. } = anns.ask(act).await else { panic!("not done") };
        assert_eq!(entry.target.as_ref(), Some(&message));
        assert_eq!(bens.event().await, ServerMessage::Entry { room: room.clone(), entry });
    }
    assert_eq!(anns.refused(ClientMessage::Delete { room: room.clone(), message: message.clone() }).await, "message_not_found");
    assert_eq!(anns.refused(ClientMessage::Unpin { room, message }).await, "message_not_found");
}

#[tokio::test]
async fn a_page_of_large_messages_ends_at_its_bytes_and_goes_on_from_there() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    for _ in 0..5 {
        write(&server, &ann, room, &[7; 60_000]).await;
    }
    let mut anns = Client::connect(&server, &ann).await;
    let (mut seen, mut pages) = (Vec::new(), 0);
    while seen.len() < 5 {
        let after = Some(seen.len() as i64);
        let ServerMessage::Page { entries, last_seq, .. } = anns.ask(history(&room.to_string(), None, after, Some(200))).await
        else {
            panic!("no page")
        };
        assert_eq!(last_seq, 5);
        assert!((1..=2).contains(&entries.len()));
        seen.extend(entries.into_iter().map(|entry| entry.seq));
        pages += 1;
    }
    assert_eq!((seen, pages), (vec![1, 2, 3, 4, 5], 3));
}
