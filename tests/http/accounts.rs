//! Registering, logging in, changing the password.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{PASSWORD, REGISTRATION_SECRET, TestServer, code};

#[tokio::test]
async fn an_account_lives_from_registration_to_logout() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let (status, me) = server.ask(&ann, Method::GET, "/api/v1/me", None).await;
    assert_eq!((status, &me["username"], me["id"].as_str()), (StatusCode::OK, &json!("Ann"), Some(ann.user.as_str())));
    assert_eq!(me["created_at"], server.app.clock.now().as_millis());

    let again = server.login("aNN").await;
    assert_eq!(again.user, ann.user);

    let logout = server.request(Method::POST, "/api/v1/auth/logout").header("cookie", &again.cookie).send().await.unwrap();
    assert_eq!(logout.status(), StatusCode::NO_CONTENT);
    assert!(logout.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(server.ask(&again, Method::GET, "/api/v1/me", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&again.cookie).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.ask(&ann, Method::GET, "/api/v1/me", None).await.0, StatusCode::OK, "another session goes on");
}

#[tokio::test]
async fn logging_out_without_a_cookie_ends_the_session_of_the_token_and_never_fails() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    assert_eq!(server.ask(&ann, Method::POST, "/api/v1/auth/logout", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.ask(&ann, Method::GET, "/api/v1/me", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.request(Method::POST, "/api/v1/auth/logout").send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn registering_needs_the_secret_an_allowed_name_and_password_and_a_free_name() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    server.register("Paul").await;
    for (username, password, secret, status, expected) in [
        ("ben", PASSWORD, "guess", 403, "wrong_registration_secret"),
        ("ben", PASSWORD, "", 403, "wrong_registration_secret"),
        ("b", PASSWORD, REGISTRATION_SECRET, 422, "invalid_username"),
        ("b n", PASSWORD, REGISTRATION_SECRET, 422, "invalid_username"),
        ("ben", "short", REGISTRATION_SECRET, 422, "invalid_password"),
        ("aNN", PASSWORD, REGISTRATION_SECRET, 409, "username_taken"),
        ("PauI", PASSWORD, REGISTRATION_SECRET, 409, "username_looks_taken"),
        ("_paul", PASSWORD, REGISTRATION_SECRET, 409, "username_looks_taken"),
    ] {
        let body = json!({"username": username, "password": password, "registration_secret": secret});
        let response = server.post("/api/v1/auth/register", &body).await;
        assert_eq!(response.status(), status, "{username} {password} {secret}");
        assert!(response.headers().get("set-cookie").is_none());
        assert_eq!(code(response).await, expected);
    }
}

#[tokio::test]
async fn a_taken_name_is_told_only_to_who_knows_the_secret() {
    let server = TestServer::start().await;
    server.register("ann").await;
    let body = json!({"username": "ann", "password": PASSWORD, "registration_secret": "guess"});
    assert_eq!(code(server.post("/api/v1/auth/register", &body).await).await, "wrong_registration_secret");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_give_the_same_answer() {
    let server = TestServer::start().await;
    server.register("ann").await;
    let mut answers = Vec::new();
    for (username, password) in
        [("ann", "wrong password"), ("nobody", "wrong password"), ("not a name", "wrong password"), ("ann", "x")]
    {
        let response = server.post("/api/v1/auth/login", &json!({"username": username, "password": password})).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let mut headers: Vec<String> = response.headers().keys().map(ToString::to_string).collect();
        headers.sort();
        answers.push((headers, response.json::<Value>().await.unwrap()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].1["code"], "wrong_credentials");
}

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let (here, there) = (server.register("ann").await, server.login("ann").await);
    let change = |current: &str, new: &str| Some(json!({"current_password": current, "new_password": new}));
    let path = "/api/v1/me/password";
    let (status, problem) = server.ask(&here, Method::POST, path, change("wrong password", "another password")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("wrong_password")));
    let (status, problem) = server.ask(&here, Method::POST, path, change(PASSWORD, "short")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_password")));

    assert_eq!(server.ask(&here, Method::POST, path, change(PASSWORD, "another password")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.ask(&here, Method::GET, "/api/v1/me", None).await.0, StatusCode::OK);
    assert_eq!(server.ask(&there, Method::GET, "/api/v1/me", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&there.cookie).await.status(), StatusCode::UNAUTHORIZED);
    for (password, status) in [(PASSWORD, 401), ("another password", 200)] {
        let response = server.post("/api/v1/auth/login", &json!({"username": "ann", "password": password})).await;
        assert_eq!(response.status(), status, "{password}");
    }
}
