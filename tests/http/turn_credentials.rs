//! Credentials for outside devices, and for participants.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{TestServer, code};

const KEY: &str = "wct_0123456789";

/// A server with a TURN relay and one key.
async fn server() -> TestServer {
    let server = TestServer::start_with_turn().await;
    let hash = ring::digest::digest(&ring::digest::SHA256, KEY.as_bytes());
    server.app.store.add_turn_key("phones", hash.as_ref(), server.app.clock.now(), 10).await.unwrap();
    server
}

async fn ask(server: &TestServer, key: &str, body: Value) -> reqwest::Response {
    server.request(Method::POST, "/api/v1/turn-credentials").bearer_auth(key).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn the_holder_of_a_key_gets_credentials_that_are_good_for_as_long_as_asked() {
    let server = server().await;
    let now_s = server.app.clock.now().as_millis() / 1000;
    for (body, user, expires_in) in [
        (json!({}), "phones".to_owned(), 21_600),
        (json!({"device": "desk-2", "lifetime_s": 600}), "phones/desk-2".to_owned(), 600),
    ] {
        let response = ask(&server, KEY, body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let answer: Value = response.json().await.unwrap();
        let issued = &answer["ice_servers"][0];
        assert_eq!(issued["username"], format!("{}:{user}", now_s + expires_in));
        assert_eq!(answer["expires_in"], expires_in);
        assert!(issued["urls"][0].as_str().unwrap().starts_with("turn:") && issued["credential"].is_string());
    }
}

#[tokio::test]
async fn a_wrong_or_removed_key_and_unusable_wishes_are_refused() {
    let server = server().await;
    for (key, body, status, expected) in [
        ("wct_wrong", json!({}), StatusCode::UNAUTHORIZED, "not_signed_in"),
        (KEY, json!({"lifetime_s": 59}), StatusCode::UNPROCESSABLE_ENTITY, "invalid_lifetime"),
        (KEY, json!({"device": "a:b"}), StatusCode::UNPROCESSABLE_ENTITY, "invalid_device"),
        (KEY, json!({"devise": "a"}), StatusCode::BAD_REQUEST, "malformed"),
    ] {
        let response = ask(&server, key, body).await;
        assert_eq!((response.status(), code(response).await.as_str()), (status, expected));
    }
    server.app.store.remove_turn_key("phones").await.unwrap();
    assert_eq!(ask(&server, KEY, json!({})).await.status(), StatusCode::UNAUTHORIZED);
    let anonymous = server.post("/api/v1/turn-credentials", &json!({})).await;
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn participants_get_credentials_that_lead_to_this_server_only() {
    let server = server().await;
    let ann = server.register("ann").await;
    let response = server.get("/api/v1/ice-servers").bearer_auth(&ann.access_token).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    let username = answer["ice_servers"][0]["username"].as_str().unwrap();
    assert!(username.ends_with(&format!(":{};scope=sfu", ann.user)), "{username}");
}
