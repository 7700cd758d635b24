//! Health, figures and the description of the interface.

use reqwest::StatusCode;

use crate::server::{TestServer, code};

#[tokio::test]
async fn a_running_server_is_healthy_and_ready_until_it_stops() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
    let response = server.get("/readyz").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let ready: serde_json::Value = response.json().await.unwrap();
    assert_eq!(ready, serde_json::json!({"database": "ok", "media": "ok", "stopping": false}));

    server.app.store.close().await;
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
    let response = server.get("/readyz").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.json::<serde_json::Value>().await.unwrap()["database"], "failing");
}

#[tokio::test]
async fn figures_count_requests_by_route_and_never_by_raw_path() {
    let server = TestServer::start().await;
    server.get("/rooms/0192f0c1-2b3c-7d4e-8f50-617283940506").send().await.unwrap();
    server.get("/secret-path").send().await.unwrap();
    let response = server.get("/metrics").send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.text().await.unwrap();
    for line in [
        "http_requests_total{method=\"GET\",path=\"/rooms/{id}\",status=\"200\"} 1",
        "http_requests_total{method=\"GET\",path=\"unmatched\",status=\"404\"} 1",
        "http_request_duration_seconds_count{method=\"GET\",path=\"/rooms/{id}\",status=\"200\"} 1",
        "webcall_rooms 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("0192f0c1") && !text.contains("secret-path"), "{text}");
}

/// The names that dashboards and alert rules are written for, as the text format writes them.
const MEDIA_FIGURES: &[&str] = &[
    "webcall_packets_in_total 0",
    "webcall_bytes_in_total 0",
    "webcall_packets_out_total 0",
    "webcall_bytes_out_total 0",
    "webcall_packets_forwarded_total 0",
    "webcall_packets_dropped_total{reason=\"unknown_source\"} 0",
    "webcall_packets_dropped_total{reason=\"authentication\"} 0",
    "webcall_packets_dropped_total{reason=\"replay\"} 0",
    "webcall_packets_dropped_total{reason=\"forbidden\"} 0",
    "webcall_nacks_total{direction=\"in\"} 0",
    "webcall_nacks_total{direction=\"out\"} 0",
    "webcall_rtx_packets_total{direction=\"in\"} 0",
    "webcall_rtx_packets_total{direction=\"out\"} 0",
    "webcall_keyframe_requests_total{direction=\"in\"} 0",
    "webcall_keyframe_requests_total{direction=\"out\"} 0",
    "webcall_ice_failures_total 0",
    "webcall_dtls_failures_total 0",
    "webcall_worker_crashes_total 0",
    "webcall_participants 0",
    "webcall_publications 0",
    "webcall_subscriptions 0",
];

#[tokio::test]
async fn figures_of_the_media_core_keep_their_names() {
    let server = TestServer::start().await;
    let text = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    for line in MEDIA_FIGURES {
        assert!(text.lines().any(|each| each == *line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn figures_are_for_this_machine_or_for_who_has_the_token() {
    let server = TestServer::start().await;
    let through_a_proxy = server.get("/metrics").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(code(through_a_proxy.send().await.unwrap()).await, "not_signed_in");

    let server = TestServer::start_with(&[("METRICS_TOKEN", "scrape")]).await;
    for (token, status) in [("", 401), ("guess", 401), ("scrape", 200)] {
        assert_eq!(server.get("/metrics").bearer_auth(token).send().await.unwrap().status(), status, "{token:?}");
    }
}

#[tokio::test]
async fn facts_for_forms_are_for_everybody() {
    let server = TestServer::start().await;
    let facts: serde_json::Value = server.get("/api/v1/config").send().await.unwrap().json().await.unwrap();
    assert_eq!(facts["registration"], "secret");
    assert_eq!(facts["encryption"], serde_json::json!(["open", "mls"]));
    assert_eq!(facts["max_room_name"], 100);
}

#[test]
fn the_checked_in_description_is_that_of_the_handlers() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = webcall::http::document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert!(checked_in == current, "openapi.json is out of date: run this test once with UPDATE=1");
}
