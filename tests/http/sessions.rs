//! Staying signed in: tokens that expire, refresh cookies that are exchanged, sessions that are ended.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::accounts::{ACCESS_TOKEN_LIFE, REFRESH_TOKEN_LIFE, redeem_ticket};
use webcall::bus::{Hint, Received};

use crate::server::{Session, TestServer, code, cookie};

const ME: &str = "/api/v1/me";

#[tokio::test]
async fn an_access_token_expires_and_the_cookie_gives_another() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    server.advance(ACCESS_TOKEN_LIFE);
    let (status, problem) = server.ask(&ann, Method::GET, ME, None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("not_signed_in")));
    let refreshed = server.refresh(&ann.cookie).await;
    assert_eq!(refreshed.status(), StatusCode::OK);
    let refreshed = Session::of(refreshed).await;
    assert_ne!(refreshed.cookie, ann.cookie);
    assert_eq!(server.ask(&refreshed, Method::GET, ME, None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn two_windows_that_refresh_at_the_same_moment_both_stay_signed_in() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let answers = tokio::join!(server.refresh(&ann.cookie), server.refresh(&ann.cookie), server.refresh(&ann.cookie));
    let answers = [answers.0, answers.1, answers.2];
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
    let cookies: Vec<String> = answers.iter().map(cookie).collect();
    assert!(cookies.iter().all(|one| *one == cookies[0]), "each window holds the same successor");

    server.advance(Duration::from_secs(15));
    let late = server.refresh(&ann.cookie).await;
    assert_eq!((late.status(), cookie(&late)), (StatusCode::OK, cookies[0].clone()), "the grace is 15 s");
    assert_eq!(server.refresh(&cookies[0]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_used_again_after_the_grace_ends_the_session_for_both_who_hold_it() {
    let server = TestServer::start().await;
    let stolen = server.register("ann").await;
    let elsewhere = server.login("ann").await;
    let mut hints = server.app.bus.subscribe();
    let owner = Session::of(server.refresh(&stolen.cookie).await).await;
    server.advance(Duration::from_millis(15_001));

    let thief = server.refresh(&stolen.cookie).await;
    assert_eq!(thief.status(), StatusCode::UNAUTHORIZED);
    assert!(thief.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(code(thief).await, "session_ended");
    assert!(matches!(hints.next().await, Received::Hint(Hint::SessionEnded { .. })));
    assert_eq!(server.ask(&owner, Method::GET, ME, None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&owner.cookie).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.ask(&elsewhere, Method::GET, ME, None).await.0, StatusCode::OK, "another session goes on");
}

#[tokio::test]
async fn a_cookie_two_exchanges_old_has_no_grace() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let next = Session::of(server.refresh(&ann.cookie).await).await;
    let newest = Session::of(server.refresh(&next.cookie).await).await;
    assert_eq!(server.refresh(&ann.cookie).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&newest.cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_that_was_not_used_for_14_days_has_ended() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    server.advance(REFRESH_TOKEN_LIFE - Duration::from_secs(1));
    let used = Session::of(server.refresh(&ann.cookie).await).await;
    server.advance(REFRESH_TOKEN_LIFE);
    assert_eq!(server.refresh(&used.cookie).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(webcall::accounts::sweep(&server.app).await.unwrap(), 1);
}

#[tokio::test]
async fn a_missing_or_made_up_cookie_is_answered_like_an_ended_session() {
    let server = TestServer::start().await;
    for cookie in ["", "webcall_refresh=", "webcall_refresh=AAAA", "other=1; webcall_refresh=x"] {
        assert_eq!(code(server.refresh(cookie).await).await, "session_ended", "{cookie:?}");
    }
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let response = server.refresh(&ann.cookie).await;
    let header = response.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
        assert!(header.contains(attribute), "{header}");
    }
    assert!(!header.contains("Secure"), "on localhost there is no TLS: {header}");

    let strong = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978";
    let server =
        TestServer::start_with(&[("APP_ENV", "production"), ("JWT_SECRET", strong), ("REGISTRATION_SECRET", strong)]).await;
    let body = json!({"username": "ann", "password": "correct horse", "registration_secret": strong});
    let response = server.post("/api/v1/auth/register", &body).await;
    let header = response.headers()["set-cookie"].to_str().unwrap();
    assert!(header.starts_with("__Secure-") && header.contains("; Secure"), "{header}");
}

#[tokio::test]
async fn sessions_are_listed_and_one_can_end_another_at_once() {
    let server = TestServer::start().await;
    let here = server.register("ann").await;
    server.advance(Duration::from_secs(5));
    let there = server.login("ann").await;
    let stranger = server.register("ben").await;
    let (_, listed) = server.ask(&here, Method::GET, "/api/v1/me/sessions", None).await;
    let listed = listed["sessions"].as_array().unwrap().clone();
    let current: Vec<bool> = listed.iter().map(|session| session["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, true], "last used first");
    let path = format!("/api/v1/me/sessions/{}", listed[0]["id"].as_str().unwrap());

    let (status, problem) = server.ask(&stranger, Method::DELETE, &path, None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("session_not_found")));
    let mut hints = server.app.bus.subscribe();
    assert_eq!(server.ask(&here, Method::DELETE, &path, None).await, (StatusCode::NO_CONTENT, Value::Null));
    assert!(matches!(hints.next().await, Received::Hint(Hint::SessionEnded { session }) if path.ends_with(&session.to_string())));
    assert_eq!(server.ask(&there, Method::GET, ME, None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.ask(&here, Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.ask(&here, Method::DELETE, "/api/v1/me/sessions/x", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ticket_proves_who_asked_for_it_once_and_not_after_the_session_ended() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let ticket = async || {
        let (status, body) = server.ask(&ann, Method::POST, "/api/v1/ws-ticket", None).await;
        assert_eq!((status, body["expires_in"].as_u64()), (StatusCode::CREATED, Some(30)));
        body["ticket"].as_str().unwrap().to_owned()
    };
    let first = ticket().await;
    let principal = redeem_ticket(&server.app, &first).await.unwrap();
    assert_eq!((principal.user.to_string(), principal.username.as_str()), (ann.user.clone(), "ann"));
    assert_eq!(redeem_ticket(&server.app, &first).await.unwrap_err().code(), "ticket_invalid");

    let (late, orphaned) = (ticket().await, ticket().await);
    server.ask(&ann, Method::POST, "/api/v1/auth/logout", None).await;
    assert_eq!(redeem_ticket(&server.app, &orphaned).await.unwrap_err().code(), "session_ended");
    server.advance(Duration::from_secs(30));
    assert_eq!(redeem_ticket(&server.app, &late).await.unwrap_err().code(), "ticket_invalid");
}

#[tokio::test]
async fn no_route_for_members_answers_without_a_token() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "/api/v1/me"),
        (Method::GET, "/api/v1/me/sessions"),
        (Method::DELETE, "/api/v1/me/sessions/x"),
        (Method::POST, "/api/v1/me/password"),
        (Method::GET, "/api/v1/rooms"),
        (Method::POST, "/api/v1/rooms"),
        (Method::GET, "/api/v1/rooms/x"),
        (Method::PATCH, "/api/v1/rooms/x"),
        (Method::DELETE, "/api/v1/rooms/x"),
        (Method::POST, "/api/v1/rooms/join"),
        (Method::GET, "/api/v1/rooms/link/x"),
        (Method::PATCH, "/api/v1/rooms/x/members/y"),
        (Method::DELETE, "/api/v1/rooms/x/members/y"),
        (Method::POST, "/api/v1/ws-ticket"),
        (Method::GET, "/api/v1/ice-servers"),
    ] {
        for token in ["", "nonsense", "eyJhbGciOiJub25lIn0.e30."] {
            let response = server.request(method.clone(), path).bearer_auth(token).send().await.unwrap();
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_eq!(code(response).await, "not_signed_in", "{method} {path}");
        }
    }
}
