//! Requests that are not what the interface describes.

use reqwest::{Method, StatusCode};

use crate::server::{TestServer, code};

const LOGIN: &str = "/api/v1/auth/login";

#[tokio::test]
async fn malformed_bodies_get_a_stable_code() {
    let server = TestServer::start().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        "{\"username\":\"ann\"}",
        "{\"username\":1,\"password\":\"x\"}",
        "{\"username\":\"ann\",\"password\":\"x\",\"admin\":true}",
        "{\"username\":\"ann\",\"username\":\"ben\",\"password\":\"x\"}",
        "{\"username\":\"\\ud800\",\"password\":\"x\"}",
    ] {
        let request = server.request(Method::POST, LOGIN).header("content-type", "application/json").body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(code(response).await, "malformed");
    }
    let deep = "[".repeat(60_000);
    let request = server.request(Method::POST, LOGIN).header("content-type", "application/json").body(deep);
    assert_eq!(code(request.send().await.unwrap()).await, "malformed");
}

#[tokio::test]
async fn an_oversized_body_is_refused_whether_its_length_is_announced_or_not() {
    let server = TestServer::start().await;
    let body = format!("{{\"username\":\"ann\",\"password\":\"{}\"}}", "x".repeat(64 << 10));
    let announced = server.request(Method::POST, LOGIN).header("content-type", "application/json").body(body);
    let response = announced.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(code(response).await, "body_too_large");
}

#[tokio::test]
async fn a_body_that_does_not_say_it_is_json_is_refused() {
    let server = TestServer::start().await;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]
    {
        let request = server.request(Method::POST, LOGIN).header("content-type", content_type).body("{}");
        assert_eq!(code(request.send().await.unwrap()).await, "unsupported_media_type", "{content_type}");
    }
    let request = server.request(Method::POST, LOGIN).header("content-type", "Application/JSON; charset=utf-8").body("{}");
    assert_eq!(code(request.send().await.unwrap()).await, "malformed");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let server = TestServer::start().await;
    for path in ["/api/v1/nothing", "/api/v2/me", "/nothing", "/a/0000/main.js", "/rooms", "/rooms/x/y", "/index.html", "/%ff"] {
        assert_eq!(code(server.get(path).send().await.unwrap()).await, "not_found", "{path}");
    }
    let response = server.request(Method::PUT, "/api/v1/me").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(code(response).await, "method_not_allowed");
}
