//! Sealed backups.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, encode, refusal};
use crate::server::{Session, TestServer};

pub(super) async fn put(server: &TestServer, who: &Session, slot: &str, version: &str, body: &[u8]) -> (StatusCode, Value) {
    let request = server.request(Method::PUT, &format!("/api/v1/e2ee/backups/{slot}")).bearer_auth(&who.access_token);
    let request = if version.is_empty() { request } else { request.header("if-match", version) };
    let response = request.json(&json!({"body": encode(body)})).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn t7_of_two_devices_that_write_at_once_one_learns_of_it() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let get = async |who| ask(&server, who, Method::GET, "backups/keys", None).await;
    assert_eq!(refusal(&get(&ann).await), (404, "backup_not_found"));
    assert_eq!(put(&server, &ann, "keys", "\"0\"", b"first").await, (StatusCode::OK, json!({"version": 1})));
    let writes = ["one", "other"].map(|body| put(&server, &ann, "keys", "\"1\"", body.as_bytes()));
    let mut answers = futures_util::future::join_all(writes).await;
    answers.sort_by_key(|(status, _)| status.as_u16());
    assert_eq!((refusal(&answers[0]), refusal(&answers[1])), ((200, ""), (412, "backup_changed")));
    assert_eq!(get(&ann).await.1["version"], 2);
    assert_eq!(refusal(&get(&ben).await), (404, "backup_not_found"), "of the same name, and another's");
}

#[tokio::test]
async fn slots_versions_sizes_and_numbers_are_bounded() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    for (slot, version, length, expected) in [
        ("Keys", "\"0\"", 1, (422, "invalid_slot")),
        ("keys", "", 1, (400, "malformed")),
        ("keys", "0", 1, (400, "malformed")),
        ("keys", "\"-1\"", 1, (400, "malformed")),
        ("keys", "\"9223372036854775807\"", 1, (400, "malformed")),
        ("keys", "\"0\"", 0, (422, "invalid_bytes")),
        ("keys", "\"0\"", (128 << 10) + 1, (422, "invalid_bytes")),
        ("keys", "\"0\"", 256 << 10, (413, "body_too_large")),
        ("keys", "\"0\"", 128 << 10, (200, "")),
    ] {
        assert_eq!(refusal(&put(&server, &ann, slot, version, &vec![7; length]).await), expected, "{slot} {version} {length}");
    }
    // 16 MB of archives, which leave room for what opens them.
    let longest = vec![7; 128 << 10];
    for nth in 0..128 {
        assert_eq!(put(&server, &ann, &format!("archive.{nth}"), "\"0\"", &longest).await.0, StatusCode::OK);
    }
    assert_eq!(refusal(&put(&server, &ann, "archive.more", "\"0\"", b"x").await), (409, "too_many_backups"));
    assert_eq!(put(&server, &ann, "unlockers", "\"0\"", b"x").await.0, StatusCode::OK);
    assert_eq!(put(&server, &ann, "archive.1", "\"1\"", b"y").await.0, StatusCode::OK);
    assert_eq!(put(&server, &ann, "archive.more", "\"0\"", b"x").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_user_sees_where_their_own_backups_are_and_nobody_elses() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    assert_eq!(ask(&server, &ann, Method::GET, "backups", None).await.1, json!({"backups": []}));
    for (who, slot) in [(&ann, "unlockers"), (&ben, "bens"), (&ann, "room.0")] {
        assert_eq!(put(&server, who, slot, "\"0\"", b"sealed").await.0, StatusCode::OK);
    }
    assert_eq!(put(&server, &ann, "room.0", "\"1\"", b"sealed").await.0, StatusCode::OK);
    let listed = json!({"backups": [{"slot": "room.0", "version": 2}, {"slot": "unlockers", "version": 1}]});
    assert_eq!(ask(&server, &ann, Method::GET, "backups", None).await.1, listed);
    assert_eq!(ask(&server, &ben, Method::GET, "backups", None).await.1, json!({"backups": [{"slot": "bens", "version": 1}]}));
}

#[tokio::test]
async fn a_device_may_read_and_write_the_archive_of_500_rooms_at_once() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    for nth in 0..500 {
        assert_eq!(put(&server, &ann, &format!("room{nth}.0"), "\"0\"", b"x").await.0, StatusCode::OK, "{nth}");
    }
    for nth in 0..1_000 {
        assert_eq!(ask(&server, &ann, Method::GET, &format!("backups/room{}.0", nth / 2), None).await.0, StatusCode::OK, "{nth}");
    }
}

#[tokio::test]
async fn a_backup_is_deleted_by_who_knows_its_version_and_frees_its_slot() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let delete = async |who: &Session, slot: &str, version: &str| {
        let request = server.request(Method::DELETE, &format!("/api/v1/e2ee/backups/{slot}")).bearer_auth(&who.access_token);
        let response = request.header("if-match", version).send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    };
    assert_eq!(put(&server, &ann, "keys", "\"0\"", b"sealed").await.0, StatusCode::OK);
    for (who, slot, version, expected) in [
        (&ann, "keys", "1", (400, "malformed")),
        (&ann, "Keys", "\"1\"", (422, "invalid_slot")),
        (&ann, "keys", "\"2\"", (412, "backup_changed")),
        (&ben, "keys", "\"1\"", (404, "backup_not_found")),
        (&ann, "keys", "\"1\"", (204, "")),
        (&ann, "keys", "\"1\"", (404, "backup_not_found")),
    ] {
        assert_eq!(refusal(&delete(who, slot, version).await), expected, "{slot} {version}");
    }
    assert_eq!(put(&server, &ann, "keys", "\"0\"", b"anew").await, (StatusCode::OK, json!({"version": 1})));
}
