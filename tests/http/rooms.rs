//! The life of a room.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};

use crate::server::TestServer;

const ROOMS: &str = "/api/v1/rooms";

fn path(room: &Value) -> String {
    format!("{ROOMS}/{}", room["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_room_lives_from_its_making_to_its_deletion() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&ann, "  Wednesday  ").await;
    assert_eq!(
        room,
        json!({"id": room["id"], "name": "Wednesday", "encryption": "open", "strict": false, "role": "owner", "link_code": room["link_code"],
            "created_at": server.app.clock.now().as_millis(), "member_count": 1, "in_call": 0, "call": null,
            "kind": "room", "first_seq": 1, "last_seq": 0, "read_seq": 0, "people": [], "last_entry": null,
            "topic": "", "locked": false, "slow_mode_s": 0, "retention_days": null, "chat_muted": false})
    );
    assert_eq!(server.ask(&ann, Method::GET, ROOMS, None).await, (StatusCode::OK, json!({"rooms": [room]})));
    assert_eq!(server.ask(&ben, Method::GET, ROOMS, None).await.1, json!({"rooms": []}));

    let (status, linked) =
        server.ask(&ben, Method::GET, &format!("{ROOMS}/link/{}", room["link_code"].as_str().unwrap()), None).await;
    assert_eq!((status, linked), (StatusCode::OK, json!({"name": "Wednesday", "encryption": "open", "strict": false})));
    let mut hints = server.app.bus.subscribe();
    server.join(&ben, &room).await;
    assert!(matches!(hints.next().await, Received::Hint(Hint::MemberAdded { .. })));
    server.join(&ben, &room).await;

    let (_, seen) = server.ask(&ben, Method::GET, &path(&room), None).await;
    assert_eq!((&seen["role"], &seen["member_count"], &seen["link_code"]), (&json!("member"), &json!(2), &room["link_code"]));
    let members: Vec<_> =
        seen["members"].as_array().unwrap().iter().map(|member| (&member["username"], &member["role"])).collect();
    assert_eq!(members, [(&json!("ann"), &json!("owner")), (&json!("ben"), &json!("member"))]);

    let (status, renamed) = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"name": "Thursday"}))).await;
    assert_eq!((status, &renamed["name"], &renamed["link_code"]), (StatusCode::OK, &json!("Thursday"), &room["link_code"]));

    assert_eq!(server.ask(&ann, Method::DELETE, &path(&room), None).await, (StatusCode::NO_CONTENT, Value::Null));
    assert!(matches!(hints.next().await, Received::Hint(Hint::RoomChanged { .. })));
    assert!(matches!(hints.next().await, Received::Hint(Hint::RoomDeleted { .. })));
    let (status, problem) = server.ask(&ben, Method::GET, &path(&room), None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("room_not_found")));
}

#[tokio::test]
async fn a_replaced_link_no_longer_works_and_the_new_one_does() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&ann, "Wednesday").await;
    let (_, relinked) = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"reset_link": true}))).await;
    assert_ne!(relinked["link_code"], room["link_code"]);
    let old = Some(json!({"code": room["link_code"]}));
    let (status, problem) = server.ask(&ben, Method::POST, "/api/v1/rooms/join", old).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("link_not_found")));
    server.join(&ben, &relinked).await;
}

/// A UUID of version 8.
fn says_encrypted(id: &Value) -> bool {
    id.as_str().unwrap().as_bytes()[14] == b'8'
}

#[tokio::test]
async fn a_room_is_made_open_or_encrypted_shows_it_everywhere_and_stays_so() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let unsaid = server.ask(&ann, Method::POST, ROOMS, Some(json!({"name": "unsaid"}))).await;
    assert_eq!((unsaid.0, &unsaid.1["encryption"]), (StatusCode::CREATED, &json!("mls")));
    for (room, mode, other) in
        [(server.room(&ann, "one").await, "open", "mls"), (server.encrypted_room(&ann, "two").await, "mls", "open")]
    {
        assert_eq!(room["encryption"], mode);
        assert_eq!(says_encrypted(&room["id"]), mode == "mls", "its id says so, too");
        let joined = server.ask(&ben, Method::POST, "/api/v1/rooms/join", Some(json!({"code": room["link_code"]}))).await;
        assert_eq!(joined.1["encryption"], mode);
        let (_, problem) = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"encryption": other}))).await;
        assert_eq!(problem["code"], "malformed", "nothing changes it");
        let renamed = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"name": "other"}))).await;
        assert_eq!((renamed.0, &renamed.1["encryption"]), (StatusCode::OK, &json!(mode)));
        assert_eq!(server.ask(&ben, Method::GET, &path(&room), None).await.1["encryption"], mode);
        let (_, all) = server.ask(&ben, Method::GET, ROOMS, None).await;
        assert!(all["rooms"].as_array().unwrap().iter().any(|seen| seen["id"] == room["id"] && seen["encryption"] == mode));
    }
}

#[tokio::test]
async fn a_strict_room_is_so_from_its_making_shows_it_everywhere_and_stays_so() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    for (strict, other) in [(true, false), (false, true)] {
        let made = json!({"name": "one", "encryption": "mls", "strict": strict});
        let (status, room) = server.ask(&ann, Method::POST, ROOMS, Some(made)).await;
        assert_eq!((status, &room["strict"]), (StatusCode::CREATED, &json!(strict)));
        let link = format!("{ROOMS}/link/{}", room["link_code"].as_str().unwrap());
        assert_eq!(server.ask(&ben, Method::GET, &link, None).await.1["strict"], strict);
        let joined = server.ask(&ben, Method::POST, "/api/v1/rooms/join", Some(json!({"code": room["link_code"]}))).await;
        assert_eq!(joined.1["strict"], strict);
        let (_, problem) = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"strict": other}))).await;
        assert_eq!(problem["code"], "malformed", "nothing changes it");
        assert_eq!(server.ask(&ann, Method::PATCH, &path(&room), Some(json!({"name": "other"}))).await.1["strict"], strict);
        let (_, all) = server.ask(&ben, Method::GET, ROOMS, None).await;
        assert!(all["rooms"].as_array().unwrap().iter().any(|seen| seen["id"] == room["id"] && seen["strict"] == strict));
    }
}

#[tokio::test]
async fn a_direct_conversation_is_strict_if_whoever_opened_it_wanted() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    server.register("eve").await;
    let open = async |who, body| server.ask(who, Method::POST, "/api/v1/direct", Some(body)).await.1;
    assert_eq!(open(&ann, json!({"usernames": ["ben"], "encryption": "open", "strict": true})).await["code"], "invalid_strict");
    assert_eq!(open(&ann, json!({"usernames": ["ben"], "encryption": "mls", "strict": true})).await["strict"], true);
    assert_eq!(open(&ben, json!({"usernames": ["ann"], "encryption": "mls"})).await["strict"], true, "it is there already");
    assert_eq!(open(&ann, json!({"usernames": ["eve"], "encryption": "mls"})).await["strict"], false);
}

#[tokio::test]
async fn a_direct_conversation_stays_as_whoever_opened_it_wanted() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    server.register("eve").await;
    let open = async |who, body| {
        let (_, room) = server.ask(who, Method::POST, "/api/v1/direct", Some(body)).await;
        assert!(room["id"].is_null() || says_encrypted(&room["id"]) == (room["encryption"] == "mls"), "{room}");
        (room["encryption"].clone(), room["code"].clone())
    };
    assert_eq!(open(&ann, json!({"usernames": ["ben"], "encryption": "no"})).await.1, "invalid_encryption");
    assert_eq!(open(&ann, json!({"usernames": ["ben"], "encryption": "mls"})).await.0, "mls");
    assert_eq!(open(&ben, json!({"usernames": ["ann"], "encryption": "open"})).await.0, "mls", "it is there already");
    assert_eq!(open(&ann, json!({"usernames": ["eve"]})).await.0, "mls");
    assert_eq!(open(&ben, json!({"usernames": ["eve"], "encryption": "open"})).await.0, "open");
}

#[tokio::test]
async fn bad_names_encryptions_and_links_are_refused_with_codes() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    for (body, expected) in [
        (json!({"name": " ", "encryption": "open"}), "invalid_room_name"),
        (json!({"name": "x".repeat(101), "encryption": "open"}), "invalid_room_name"),
        (json!({"name": "a\nb", "encryption": "open"}), "invalid_room_name"),
        (json!({"name": "\u{200b}", "encryption": "open"}), "invalid_room_name"),
        (json!({"name": "a\u{202e}b", "encryption": "open"}), "invalid_room_name"),
        (json!({"name": "Wednesday", "encryption": "MLS"}), "invalid_encryption"),
        (json!({"name": "Wednesday", "encryption": 1}), "malformed"),
        (json!({"name": "Wednesday", "encryption": "open", "strict": true}), "invalid_strict"),
        (json!({"name": "Wednesday", "encryption": "mls", "strict": "yes"}), "malformed"),
    ] {
        assert_eq!(server.ask(&ann, Method::POST, ROOMS, Some(body)).await.1["code"], expected);
    }
    let (_, problem) = server.ask(&ann, Method::GET, "/api/v1/rooms/link/nowhere", None).await;
    assert_eq!(problem["code"], "link_not_found");
    let room = server.room(&ann, "Wednesday").await;
    let (status, unchanged) = server.ask(&ann, Method::PATCH, &path(&room), Some(json!({}))).await;
    assert_eq!((status, &unchanged["link_code"]), (StatusCode::OK, &room["link_code"]));
}

#[tokio::test]
async fn a_room_of_others_looks_like_none() {
    let server = TestServer::start().await;
    let (ann, eve) = (server.register("ann").await, server.register("eve").await);
    let room = server.room(&ann, "Wednesday").await;
    let nowhere = format!("{ROOMS}/0192f0c1-2b3c-7d4e-8f50-617283940506");
    for target in [path(&room), nowhere, format!("{ROOMS}/x")] {
        let (member, ban) = (format!("{target}/members/{}", ann.user), format!("{target}/bans/{}", ann.user));
        let (bans, audit) = (format!("{target}/bans"), format!("{target}/audit"));
        let (invitation, invitations) = (format!("{target}/invitation"), format!("{target}/invitations"));
        for (method, target, body) in [
            (Method::GET, &target, None),
            (Method::PATCH, &target, Some(json!({"name": "mine"}))),
            (Method::DELETE, &target, None),
            (Method::PATCH, &member, Some(json!({"role": "member"}))),
            (Method::DELETE, &member, None),
            (Method::PUT, &ban, None),
            (Method::DELETE, &ban, None),
            (Method::GET, &bans, None),
            (Method::GET, &audit, None),
            (Method::PUT, &invitation, Some(json!({"invitation": "AA"}))),
            (Method::GET, &invitations, None),
        ] {
            let (status, problem) = server.ask(&eve, method.clone(), target, body).await;
            assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("room_not_found")), "{method} {target}");
        }
    }
}
