//! Test calls and reports, as the page `/diagnostics` makes and sends them. That media flows is for the browser tests.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::diagnostics::{KEPT_FOR, print_reports, sweep};
use webcall_media::synthetic::{Identity, Participant, Settings};

use crate::server::{Session, TestServer};

const CALLS: &str = "/api/v1/diagnostics/calls";
const REPORTS: &str = "/api/v1/diagnostics/reports";

async fn begun(server: &TestServer, session: &Session) -> String {
    let (status, call) = server.ask(session, Method::POST, CALLS, None).await;
    assert_eq!((status, &call["workers"]), (StatusCode::CREATED, &json!(1)));
    format!("{CALLS}/{}", call["id"].as_str().unwrap())
}

/// An offer as a browser makes it.
fn offer() -> Value {
    let identity = Identity::generate().unwrap();
    let mut participant = Participant::new(Instant::now(), Duration::ZERO, Settings::viewer(1, 1), &identity, 7).unwrap();
    let offer = participant.offer();
    let seats: Vec<_> =
        offer.seats.iter().map(|seat| json!({"audio_mid": seat.audio_mid, "video_mid": seat.video_mid})).collect();
    json!({"sdp": offer.sdp, "tracks": [], "seats": seats})
}

async fn enter(server: &TestServer, session: &Session, call: &str, body: Value) -> (StatusCode, Value) {
    server.ask(session, Method::POST, &format!("{call}/participants"), Some(body)).await
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

fn report() -> Value {
    json!({"browser": "Firefox 140", "verdict": "ports_closed", "steps": [
        {"name": "websocket", "outcome": "good", "took_ms": 35},
        {"name": "udp", "outcome": "bad", "ports": [
            {"port": 50_000, "outcome": "good", "took_ms": 12}, {"port": 50_001, "outcome": "bad", "reason": "no_path"}]},
        {"name": "turn_tls", "outcome": "not_offered"},
        {"name": "camera", "outcome": "bad", "reason": "device_denied"},
        {"name": "echo", "outcome": "good", "figures": {"loss_up_permille": 4, "loss_down_permille": 25,
            "round_trip_ms": 31, "sent_kbps": 900, "received_kbps": 850, "frames_per_second": 30}}]})
}

#[tokio::test]
async fn a_test_call_answers_offers_and_is_in_nobody_s_call() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let call = begun(&server, &ann).await;
    let port = server.app.media.ports()[0];
    for body in [offer(), with(offer(), "worker", json!(0))] {
        let (status, entered) = enter(&server, &ann, &call, body).await;
        assert_eq!(status, StatusCode::CREATED, "{entered}");
        assert!(entered["sdp"].as_str().unwrap().contains(&format!(" {port} typ host")), "{entered}");
        assert_eq!(entered["participant"].as_str().unwrap().len(), 16);
    }
    assert_eq!(server.app.calls.totals(), (0, 0));
    assert_eq!(server.ask(&ann, Method::DELETE, &call, None).await, (StatusCode::NO_CONTENT, Value::Null));
    let (status, problem) = enter(&server, &ann, &call, offer()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("test_call_not_found")));
}

#[tokio::test]
async fn what_is_no_offer_of_this_test_call_is_refused_with_its_code() {
    let server = TestServer::start().await;
    let (ann, eve) = (server.register("ann").await, server.register("eve").await);
    let call = begun(&server, &ann).await;
    let track = json!([{"mid": "0", "source": "camera"}]);
    for (session, path, body, expected) in [
        (&eve, call.as_str(), offer(), (404, "test_call_not_found")),
        (&ann, "/api/v1/diagnostics/calls/x", offer(), (404, "test_call_not_found")),
        (&ann, &call, with(offer(), "worker", json!(1)), (422, "unknown_worker")),
        (&ann, &call, with(offer(), "worker", json!(-1)), (400, "malformed")),
        (&ann, &call, with(offer(), "sdp", json!("v=0")), (422, "bad_offer")),
        (&ann, &call, with(offer(), "tracks", track), (422, "offer_mismatch")),
        (&ann, &call, with(offer(), "tracks", json!(vec![json!({"mid": "0", "source": "camera"}); 9])), (422, "too_many_tracks")),
        (&ann, &call, with(offer(), "sdp", json!("v".repeat(70_000))), (413, "body_too_large")),
        (&ann, &call, with(offer(), "room", json!("mine")), (400, "malformed")),
    ] {
        let (status, problem) = enter(&server, session, path, body).await;
        assert_eq!((status.as_u16(), problem["code"].as_str().unwrap()), expected);
    }
    let (status, problem) = server.ask(&eve, Method::DELETE, &call, None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("test_call_not_found")));
    for path in [CALLS, REPORTS] {
        assert_eq!(server.post(path, &report()).await.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_test_call_takes_twelve_and_a_new_one_replaces_it() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let call = begun(&server, &ann).await;
    for _ in 0..12 {
        assert_eq!(enter(&server, &ann, &call, offer()).await.0, StatusCode::CREATED);
    }
    let (status, problem) = enter(&server, &ann, &call, offer()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("test_call_full")));
    let next = begun(&server, &ann).await;
    assert_eq!(enter(&server, &ann, &call, offer()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(enter(&server, &ann, &next, offer()).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn test_calls_without_end_are_slowed_down() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    for _ in 0..30 {
        begun(&server, &ann).await;
    }
    let (status, problem) = server.ask(&ann, Method::POST, CALLS, None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
}

#[tokio::test]
async fn a_report_is_kept_for_the_operator_to_read() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    assert!(print_reports(&server.app.store).await.unwrap().starts_with("No reports."));
    assert_eq!(server.ask(&ann, Method::POST, REPORTS, Some(report())).await, (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(
        print_reports(&server.app.store).await.unwrap(),
        "1 reports, newest first (times in UTC)\n\n\
         2026-09-21 14:13  ports_closed  ann  Firefox 140\n\
         \x20 websocket   good         35 ms\n\
         \x20 udp         bad          port 50000 good 12 ms, port 50001 bad no_path\n\
         \x20 turn_tls    not_offered\n\
         \x20 camera      bad          device_denied\n\
         \x20 echo        good         lost 0.4 % up and 2.5 % down, round trip 31 ms, \
         900 kbit/s up and 850 kbit/s down, 30 frames/s\n"
    );
}

#[tokio::test]
async fn reports_of_one_user_are_limited_by_the_hour_and_all_are_gone_after_a_month() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.register("ann").await, server.register("ben").await);
    let send = |session: &Session| {
        let session = session.clone();
        let server = &server;
        async move { server.ask(&session, Method::POST, REPORTS, Some(report())).await.0 }
    };
    for _ in 0..10 {
        assert_eq!(send(&ann).await, StatusCode::NO_CONTENT);
        server.advance(Duration::from_secs(30));
    }
    assert_eq!(send(&ann).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send(&ben).await, StatusCode::NO_CONTENT);
    assert_eq!(sweep(&server.app).await.unwrap(), 0);
    server.advance(KEPT_FOR - Duration::from_secs(120));
    assert_eq!(sweep(&server.app).await.unwrap(), 7, "those of the first three minutes");
    server.advance(Duration::from_secs(120));
    sweep(&server.app).await.unwrap();
    assert!(print_reports(&server.app.store).await.unwrap().starts_with("No reports."));
}

#[tokio::test]
async fn a_report_that_is_none_or_too_large_is_refused() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let too_large = with(report(), "browser", json!("x".repeat(16 << 10)));
    for (body, expected) in [
        (with(report(), "address", json!("192.0.2.7")), (400, "malformed")),
        (with(report(), "verdict", json!("nobody knows")), (400, "malformed")),
        (with(report(), "browser", json!("fd77::1")), (400, "malformed")),
        (too_large, (413, "body_too_large")),
    ] {
        let (status, problem) = server.ask(&ann, Method::POST, REPORTS, Some(body)).await;
        assert_eq!((status.as_u16(), problem["code"].as_str().unwrap()), expected);
    }
    assert!(print_reports(&server.app.store).await.unwrap().starts_with("No reports."));
}
