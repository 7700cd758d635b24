//! Messages, pins, read markers and direct conversations over HTTP.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};

use crate::server::{Session, TestServer};

fn path(room: &Value, rest: &str) -> String {
    format!("/api/v1/rooms/{}/{rest}", room["id"].as_str().unwrap())
}

fn new_message(body: &[u8]) -> Value {
    json!({"id": uuid::Uuid::now_v7(), "body": URL_SAFE_NO_PAD.encode(body)})
}

async fn write(server: &TestServer, session: &Session, room: &Value, body: &[u8]) -> Value {
    let (status, entry) = server.ask(session, Method::POST, &path(room, "messages"), Some(new_message(body))).await;
    assert_eq!(status, StatusCode::CREATED, "{entry}");
    entry
}

async fn refused(server: &TestServer, session: &Session, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
    let (status, problem) = server.ask(session, method, path, body).await;
    (status.as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_message_is_stored_once_numbered_and_told() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&ann, "Wednesday").await;
    server.join(&ben, &room).await;
    let mut hints = server.app.bus.subscribe();
    let sent = new_message(b"hello \x00\xff");
    let (status, entry) = server.ask(&ben, Method::POST, &path(&room, "messages"), Some(sent.clone())).await;
    assert_eq!(status, StatusCode::CREATED);
    let expected = json!({"id": sent["id"], "seq": 1, "kind": "message", "sender": ben.user, "sent_at": entry["sent_at"],
        "body": sent["body"], "target": null});
    assert_eq!(entry, expected);
    assert!(matches!(hints.next().await, Received::Hint(Hint::Logged { since: 1, last: 1, .. })));
    assert_eq!(
        server.ask(&ben, Method::POST, &path(&room, "messages"), Some(sent.clone())).await,
        (StatusCode::CREATED, entry.clone())
    );
    let taken = refused(&server, &ann, Method::POST, &path(&room, "messages"), Some(sent)).await;
    assert_eq!(taken, (409, "message_id_taken".to_owned()));
    let (_, page) = server.ask(&ann, Method::GET, &path(&room, "messages"), None).await;
    assert_eq!(page, json!({"entries": [entry], "first_seq": 1, "last_seq": 1}));
    let (_, listed) = server.ask(&ann, Method::GET, "/api/v1/rooms", None).await;
    let listed = &listed["rooms"][0];
    assert_eq!((&listed["last_seq"], &listed["read_seq"], &listed["last_entry"]), (&json!(1), &json!(0), &entry));
}

#[tokio::test]
async fn the_largest_body_passes_and_larger_ones_are_refused() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&ann, "Wednesday").await;
    let largest = write(&server, &ann, &room, &[7; 65_536]).await;
    let (_, page) = server.ask(&ann, Method::GET, &path(&room, "messages"), None).await;
    assert_eq!(page["entries"], json!([largest]));
    let messages = path(&room, "messages");
    for (body, answer) in [
        (new_message(&[7; 65_537]), (422, "invalid_body")),
        (new_message(&[]), (422, "invalid_body")),
        (json!({"id": "x", "body": "AA"}), (422, "invalid_message_id")),
        (json!({"id": uuid::Uuid::now_v7(), "body": "AA", "files": vec!["x"; 11]}), (422, "too_many_files")),
        (json!({"id": uuid::Uuid::now_v7(), "body": "AA", "files": [uuid::Uuid::now_v7()]}), (404, "file_not_found")),
        (json!({"id": uuid::Uuid::now_v7()}), (400, "malformed")),
        (new_message(&[7; 100_000]), (413, "body_too_large")),
    ] {
        let refusal = refused(&server, &ann, Method::POST, &messages, Some(body)).await;
        assert_eq!(refusal, (answer.0, answer.1.to_owned()));
    }
}

#[tokio::test]
async fn strangers_read_and_write_nothing() {
    let server = TestServer::start().await;
    let (ann, eve) = (server.register("ann").await, server.register("eve").await);
    let room = server.room(&ann, "Wednesday").await;
    let entry = write(&server, &ann, &room, b"x").await;
    let id = entry["id"].as_str().unwrap();
    for (method, rest, body) in [
        (Method::POST, "messages".to_owned(), Some(new_message(b"y"))),
        (Method::GET, "messages".to_owned(), None),
        (Method::DELETE, format!("messages/{id}"), None),
        (Method::GET, "pins".to_owned(), None),
        (Method::PUT, format!("pins/{id}"), None),
        (Method::PUT, "read".to_owned(), Some(json!({"seq": 1}))),
    ] {
        let refusal = refused(&server, &eve, method, &path(&room, &rest), body).await;
        assert_eq!(refusal, (404, "room_not_found".to_owned()), "{rest}");
    }
}

#[tokio::test]
async fn pages_go_both_ways_and_refuse_what_is_no_page() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&ann, "Wednesday").await;
    for n in 0..5 {
        write(&server, &ann, &room, &[n]).await;
    }
    let seqs = async |query: &str| -> Vec<i64> {
        let (_, page) = server.ask(&ann, Method::GET, &path(&room, &format!("messages?{query}")), None).await;
        page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs("limit=2").await, [4, 5]);
    assert_eq!(seqs("before=4&limit=2").await, [2, 3]);
    assert_eq!(seqs("after=3").await, [4, 5]);
    for (query, answer) in [
        ("limit=0", (422, "invalid_limit")),
        ("limit=201", (422, "invalid_limit")),
        ("limit=x", (400, "malformed")),
        ("sort=up", (400, "malformed")),
        ("before=99999999999999999999", (400, "malformed")),
    ] {
        let refusal = refused(&server, &ann, Method::GET, &path(&room, &format!("messages?{query}")), None).await;
        assert_eq!(refusal, (answer.0, answer.1.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn members_delete_their_own_messages_and_moderators_anybodys() {
    let server = TestServer::start().await;
    let (ann, ben, cat) = (server.register("ann").await, server.register("ben").await, server.register("cat").await);
    let room = server.room(&ann, "Wednesday").await;
    server.join(&ben, &room).await;
    server.join(&cat, &room).await;
    let (own, others) = (write(&server, &ben, &room, b"mine").await, write(&server, &cat, &room, b"theirs").await);
    let message = |entry: &Value| path(&room, &format!("messages/{}", entry["id"].as_str().unwrap()));
    assert_eq!(refused(&server, &ben, Method::DELETE, &message(&others), None).await, (403, "not_allowed".to_owned()));
    for (who, entry, seq) in [(&ben, &own, 3), (&ann, &others, 4)] {
        let (status, deletion) = server.ask(who, Method::DELETE, &message(entry), None).await;
        assert_eq!((status, &deletion["seq"], &deletion["target"]), (StatusCode::OK, &json!(seq), &entry["id"]));
        assert_eq!(refused(&server, who, Method::DELETE, &message(entry), None).await, (404, "message_not_found".to_owned()));
    }
    let (_, page) = server.ask(&cat, Method::GET, &path(&room, "messages"), None).await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.iter().map(|entry| &entry["body"]).collect::<Vec<_>>(), [&Value::Null; 4]);
}

#[tokio::test]
async fn moderators_pin_and_everybody_sees_it() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&ann, "Wednesday").await;
    server.join(&ben, &room).await;
    let entry = write(&server, &ben, &room, b"x").await;
    let pin = path(&room, &format!("pins/{}", entry["id"].as_str().unwrap()));
    assert_eq!(refused(&server, &ben, Method::PUT, &pin, None).await, (403, "not_allowed".to_owned()));
    let (status, pinned) = server.ask(&ann, Method::PUT, &pin, None).await;
    assert_eq!((status, &pinned["kind"]), (StatusCode::OK, &json!("pin")));
    assert_eq!(server.ask(&ann, Method::PUT, &pin, None).await, (StatusCode::OK, Value::Null), "it was pinned before");
    let (_, pins) = server.ask(&ben, Method::GET, &path(&room, "pins"), None).await;
    assert_eq!((&pins["pins"][0]["message"], &pins["pins"][0]["pinned_by"]), (&entry, &json!(ann.user)));
    assert_eq!(server.ask(&ann, Method::DELETE, &pin, None).await.1["kind"], "unpin");
    assert_eq!(refused(&server, &ann, Method::DELETE, &pin, None).await, (404, "message_not_found".to_owned()));
}

#[tokio::test]
async fn a_read_marker_counts_for_its_member_alone() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let room = server.room(&ann, "Wednesday").await;
    server.join(&ben, &room).await;
    write(&server, &ann, &room, b"x").await;
    let read = path(&room, "read");
    let (status, _) = server.ask(&ben, Method::PUT, &read, Some(json!({"seq": 1}))).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for seq in [0, -1, 2] {
        assert_eq!(refused(&server, &ben, Method::PUT, &read, Some(json!({"seq": seq}))).await, (422, "invalid_seq".to_owned()));
    }
    for (who, read_seq) in [(&ann, 0), (&ben, 1)] {
        assert_eq!(server.ask(who, Method::GET, "/api/v1/rooms", None).await.1["rooms"][0]["read_seq"], read_seq);
    }
}

#[tokio::test]
async fn a_direct_conversation_is_found_again_by_its_people() {
    let server = TestServer::start().await;
    let (ann, ben, cat) = (server.register("ann").await, server.register("ben").await, server.register("cat").await);
    let open = async |who: &Session, names: &[&str]| {
        server.ask(who, Method::POST, "/api/v1/direct", Some(json!({"usernames": names, "encryption": "open"}))).await
    };
    let (status, two) = open(&ann, &["BEN"]).await;
    assert_eq!(
        (status, &two["kind"], &two["role"], &two["name"]),
        (StatusCode::OK, &json!("direct"), &json!("member"), &json!(""))
    );
    let people = json!([{"user": ann.user, "username": "ann"}, {"user": ben.user, "username": "ben"}]);
    assert_eq!(two["people"], people);
    assert_eq!(open(&ben, &["ann", "ben", "ann"]).await.1["id"], two["id"]);
    let (_, three) = open(&cat, &["ann", "ben"]).await;
    assert_ne!(three["id"], two["id"]);
    write(&server, &ben, &two, b"hello").await;
    for (names, answer) in [
        (&["nobody"] as &[&str], (404, "user_not_found")),
        (&["%"], (404, "user_not_found")),
        (&["ann"], (422, "invalid_usernames")),
        (&[], (422, "invalid_usernames")),
        (&["ben"; 10], (422, "invalid_usernames")),
    ] {
        let (status, problem) = open(&ann, names).await;
        assert_eq!((status.as_u16(), problem["code"].as_str().unwrap()), answer, "{names:?}");
    }
    // All are alike: nobody renames, deletes, removes or makes moderators; of three one may leave.
    let member = |room: &Value, user: &str| path(room, &format!("members/{user}"));
    let room = |room: &Value| format!("/api/v1/rooms/{}", room["id"].as_str().unwrap());
    for (method, path, body) in [
        (Method::PATCH, room(&two), Some(json!({"name": "x"}))),
        (Method::DELETE, room(&two), None),
        (Method::DELETE, member(&two, &ben.user), None),
        (Method::PATCH, member(&two, &ben.user), Some(json!({"role": "moderator"}))),
        (Method::DELETE, member(&two, &ann.user), None),
    ] {
        assert_eq!(refused(&server, &ann, method, &path, body).await, (403, "not_allowed".to_owned()), "{path}");
    }
    assert_eq!(server.ask(&ann, Method::DELETE, &member(&three, &ann.user), None).await.0, StatusCode::NO_CONTENT);
    let (_, again) = open(&ann, &["ben", "cat"]).await;
    assert_eq!((&again["id"], &again["member_count"]), (&three["id"], &json!(3)));
}

#[tokio::test]
async fn who_writes_too_fast_is_told_when_to_go_on() {
    let server = TestServer::start_with(&[("MESSAGES_PER_SECOND", "1")]).await;
    let ann = server.register("ann").await;
    let room = server.room(&ann, "Wednesday").await;
    // Twice as many at once as fit: however slow the machine is, some come too soon.
    let send = |_| {
        let request = server.request(Method::POST, &path(&room, "messages")).bearer_auth(&ann.access_token);
        request.json(&new_message(b"x")).send()
    };
    let responses = futures_util::future::join_all((0..40).map(send)).await;
    let refused: Vec<_> =
        responses.into_iter().map(Result::unwrap).filter(|response| response.status() != StatusCode::CREATED).collect();
    assert!(!refused.is_empty());
    for response in refused {
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (StatusCode::TOO_MANY_REQUESTS, &"1".parse().unwrap())
        );
    }
}
