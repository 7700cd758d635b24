//! Rate limits.

use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::server::{TestServer, code};

async fn is_told_to_wait(response: Response) {
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(code(response).await, "rate_limited");
}

#[tokio::test]
async fn guessing_one_account_s_password_is_slowed_down_and_others_can_still_log_in() {
    let server = TestServer::start().await;
    server.register("ann").await;
    server.register("ben").await;
    let guess = json!({"username": "ann", "password": "wrong password"});
    for _ in 0..20 {
        assert_eq!(server.post("/api/v1/auth/login", &guess).await.status(), StatusCode::UNAUTHORIZED);
    }
    is_told_to_wait(server.post("/api/v1/auth/login", &guess).await).await;
    is_told_to_wait(server.post("/api/v1/auth/login", &json!({"username": "ANN", "password": "wrong password"})).await).await;
    server.login("ben").await;
}

#[tokio::test]
async fn an_unknown_name_is_limited_like_a_known_one() {
    let server = TestServer::start().await;
    let guess = json!({"username": "nobody", "password": "wrong password"});
    for _ in 0..20 {
        assert_eq!(server.post("/api/v1/auth/login", &guess).await.status(), StatusCode::UNAUTHORIZED);
    }
    is_told_to_wait(server.post("/api/v1/auth/login", &guess).await).await;
}

#[tokio::test]
async fn trying_registration_secrets_is_slowed_down() {
    let server = TestServer::start().await;
    let guess = json!({"username": "ann", "password": "correct horse", "registration_secret": "guess"});
    for _ in 0..200 {
        assert_eq!(server.post("/api/v1/auth/register", &guess).await.status(), StatusCode::FORBIDDEN);
    }
    is_told_to_wait(server.post("/api/v1/auth/register", &guess).await).await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_sender_has_a_bucket_of_its_own() {
    let server = TestServer::start_with(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let attempt = async |sender: &str| {
        let body = json!({"username": "ann", "password": "correct horse", "registration_secret": "guess"});
        let request = server.request(Method::POST, "/api/v1/auth/register").header("x-forwarded-for", sender);
        request.json(&body).send().await.unwrap()
    };
    for _ in 0..200 {
        assert_eq!(attempt("203.0.113.7").await.status(), StatusCode::FORBIDDEN);
    }
    is_told_to_wait(attempt("203.0.113.7").await).await;
    assert_eq!(attempt("203.0.113.8").await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn making_rooms_is_limited_by_account() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    for number in 0..30 {
        server.room(&ann, &format!("room {number}")).await;
    }
    let body = json!({"name": "one more", "encryption": "open"});
    let request = server.request(Method::POST, "/api/v1/rooms").bearer_auth(&ann.access_token).json(&body);
    is_told_to_wait(request.send().await.unwrap()).await;
    server.room(&ben, "mine").await;
}
