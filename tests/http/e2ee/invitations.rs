//! What members show to be let into a room's group.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};

use super::{encode, refusal};
use crate::server::{Session, TestServer, code};

fn path(room: &Value, rest: &str) -> String {
    format!("/api/v1/rooms/{}{rest}", room["id"].as_str().unwrap())
}

async fn put(server: &TestServer, who: &Session, room: &Value, body: Value) -> (StatusCode, Value) {
    server.ask(who, Method::PUT, &path(room, "/invitation"), Some(body)).await
}

async fn show(server: &TestServer, who: &Session, room: &Value, invitation: &[u8]) -> (StatusCode, Value) {
    put(server, who, room, json!({"invitation": encode(invitation)})).await
}

/// What members show, as one of them sees it.
async fn shown(server: &TestServer, to: &Session, room: &Value) -> Value {
    let (_, seen) = server.ask(to, Method::GET, &path(room, "/invitations"), None).await;
    assert_eq!(seen["link_code"], room["link_code"]);
    seen["invitations"].clone()
}

/// The same where one of them shows something.
fn by(who: &Session, invitation: &[u8]) -> Value {
    json!([{"user": who.user, "invitation": encode(invitation)}])
}

/// Ann and Ben, who share an encrypted room.
async fn pair(server: &TestServer) -> (Session, Session, Value) {
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.encrypted_room(&ann, "Wednesday").await;
    server.join(&ben, &room).await;
    (ann, ben, room)
}

const SHOWN: (StatusCode, Value) = (StatusCode::NO_CONTENT, Value::Null);

#[tokio::test]
async fn an_invitation_is_shown_to_all_members_until_another_takes_its_place_or_the_membership_ends() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let other = server.encrypted_room(&ben, "Thursday").await;
    assert_eq!(shown(&server, &ann, &room).await, json!([]));
    // All bytes and the longest: nobody looks inside.
    let longest: Vec<u8> = (0..=255).collect();
    for invitation in [b"first".as_slice(), b"second", &longest, b"\0"] {
        assert_eq!(show(&server, &ben, &room, invitation).await, SHOWN);
        for who in [&ann, &ben] {
            assert_eq!(shown(&server, who, &room).await, by(&ben, invitation));
        }
    }
    assert_eq!(shown(&server, &ben, &other).await, json!([]), "of another room");

    let membership = path(&room, &format!("/members/{}", ben.user));
    assert_eq!(server.ask(&ben, Method::DELETE, &membership, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&show(&server, &ben, &room, b"third").await), (404, "room_not_found"));
    server.join(&ben, &room).await;
    assert_eq!(shown(&server, &ann, &room).await, json!([]));
}

#[tokio::test]
async fn who_joins_shows_an_invitation_at_once_and_who_is_a_member_already_does_not_by_that() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let (eve, open) = (server.register("eve").await, server.room(&ann, "open").await);
    let join = async |who: &Session, room: &Value, invitation: Value| {
        let body = json!({"code": room["link_code"], "invitation": invitation});
        server.ask(who, Method::POST, "/api/v1/rooms/join", Some(body)).await
    };
    for no_invitation in ["", "+/", &encode(&[7; 257])] {
        assert_eq!(refusal(&join(&eve, &room, json!(no_invitation)).await), (422, "invalid_bytes"));
    }
    assert_eq!(refusal(&show(&server, &eve, &room, b"one").await), (404, "room_not_found"), "and nobody has joined by that");
    let id = room["id"].as_str().unwrap().parse().unwrap();
    let mut hints = server.app.bus.subscribe();
    assert_eq!(join(&eve, &room, json!(encode(b"one"))).await.0, StatusCode::OK);
    let added = hints.next().await;
    assert!(
        matches!(added, Received::Hint(Hint::MemberAdded { room, .. }) if room == id),
        "told once, when it is there: {added:?}"
    );
    assert_eq!(shown(&server, &ann, &room).await, by(&eve, b"one"));
    assert_eq!(join(&ben, &room, json!(encode(b"two"))).await.0, StatusCode::OK);
    assert_eq!(join(&eve, &room, Value::Null).await.0, StatusCode::OK);
    assert_eq!(shown(&server, &ann, &room).await, by(&eve, b"one"));
    assert_eq!(join(&eve, &open, json!(encode(b"one"))).await.0, StatusCode::OK);
    assert_eq!(shown(&server, &ann, &open).await, json!([]), "an open room has no group");
}

#[tokio::test]
async fn the_same_invitation_again_is_told_to_nobody() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let id = room["id"].as_str().unwrap().parse().unwrap();
    let mut hints = server.app.bus.subscribe();
    for (who, invitation) in [(&ben, b"one"), (&ben, b"one"), (&ann, b"one"), (&ben, b"one"), (&ben, b"two")] {
        assert_eq!(show(&server, who, &room, invitation).await, SHOWN);
    }
    server.app.bus.publish(Hint::RoomChanged { room: webcall::id::RoomId::from_bytes([0; 16]) });
    for _ in 0..3 {
        assert_eq!(hints.next().await, Received::Hint(Hint::RoomChanged { room: id }));
    }
    assert_ne!(hints.next().await, Received::Hint(Hint::RoomChanged { room: id }));
}

#[tokio::test]
async fn who_shows_an_invitation_leaves_no_trace_in_the_log_of_the_room() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let look = async || server.ask(&ann, Method::GET, &path(&room, ""), None).await.1;
    let before = look().await;
    assert_eq!(show(&server, &ben, &room, b"one").await, SHOWN);
    assert_eq!(look().await, before, "nothing else changed");
    let (_, audit) = server.ask(&ann, Method::GET, &path(&room, "/audit"), None).await;
    assert_eq!(audit, json!({"acts": []}));
}

#[tokio::test]
async fn invitations_are_of_members_of_encrypted_rooms_only() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let (eve, open) = (server.register("eve").await, server.room(&ann, "open").await);
    assert_eq!(refusal(&show(&server, &eve, &room, b"one").await), (404, "room_not_found"));
    assert_eq!(refusal(&show(&server, &ann, &open, b"one").await), (409, "room_open"));
    assert_eq!(
        refusal(&show(&server, &ben, &open, b"one").await),
        (404, "room_not_found"),
        "that it is open is its members' to know"
    );
    let ban = path(&room, &format!("/bans/{}", ben.user));
    assert_eq!(server.ask(&ann, Method::PUT, &ban, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&show(&server, &ben, &room, b"one").await), (404, "room_not_found"));
    let request = server.request(Method::PUT, &path(&room, "/invitation")).json(&json!({"invitation": encode(b"one")}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(code(response).await, "not_signed_in");
    assert_eq!(shown(&server, &ann, &room).await, json!([]));
}

#[tokio::test]
async fn what_is_no_invitation_is_refused_and_the_one_before_stays() {
    let server = TestServer::start().await;
    let (ann, _, room) = pair(&server).await;
    assert_eq!(show(&server, &ann, &room, b"one").await, SHOWN);
    for (body, expected) in [
        (json!({"invitation": ""}), (422, "invalid_bytes")),
        (json!({"invitation": encode(&[7; 257])}), (422, "invalid_bytes")),
        (json!({"invitation": encode(&[7; 60_000])}), (413, "body_too_large")),
        (json!({"invitation": "not base64"}), (422, "invalid_bytes")),
        (json!({"invitation": "AA=="}), (422, "invalid_bytes")),
        (json!({"invitation": "++//"}), (422, "invalid_bytes")),
        (json!({"invitation": null}), (400, "malformed")),
        (json!({"invitation": [1]}), (400, "malformed")),
        (json!({"invitation": encode(b"two"), "user": ann.user}), (400, "malformed")),
        (json!({}), (400, "malformed")),
    ] {
        assert_eq!(refusal(&put(&server, &ann, &room, body.clone()).await), expected, "{body}");
    }
    assert_eq!(shown(&server, &ann, &room).await, by(&ann, b"one"));
}

#[tokio::test]
async fn who_shows_invitations_without_end_is_slowed_down_alone() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let mut passed = 0;
    while show(&server, &ben, &room, b"one").await == SHOWN {
        passed += 1;
        assert!(passed < 1_000, "there is an end");
    }
    assert!(passed >= 59, "{passed}");
    assert_eq!(refusal(&show(&server, &ben, &room, b"one").await), (429, "rate_limited"));
    assert_eq!(show(&server, &ann, &room, b"one").await, SHOWN);
}
