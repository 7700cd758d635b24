//! Headers: what a page may do, who may read answers, who may change things.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::server::{TestServer, code};

#[tokio::test]
async fn every_answer_forbids_what_the_page_does_not_need() {
    let server = TestServer::start().await;
    for path in ["/", "/api/v1/config", "/api/v1/me", "/nothing", "/healthz"] {
        let response = server.get(path).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(!policy.contains("unsafe"), "{policy}");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        for device in ["camera", "microphone", "display-capture", "autoplay", "fullscreen", "screen-wake-lock"] {
            assert!(header("permissions-policy").contains(&format!("{device}=(self)")));
        }
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(response.headers().get("strict-transport-security").is_none(), "not on localhost");
    }
}

/// T28: what may compile code is one worker, and that can do nothing else.
#[tokio::test]
async fn t28_one_worker_alone_may_compile_webassembly() {
    let server = TestServer::start().await;
    let page = server.get("/").send().await.unwrap().text().await.unwrap();
    let base = page.split("/a/").nth(1).and_then(|rest| rest.get(..20)).unwrap();
    let mut with_own = 0;
    for file in webcall_assets::ASSETS {
        let response = server.get(&format!("/a/{base}/{}", file.path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{}", file.path);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        let is_keys_worker = file.path == "e2ee/keys/worker.js";
        assert_eq!(policy.contains("'wasm-unsafe-eval'"), is_keys_worker, "{}: {policy}", file.path);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{}: {policy}", file.path);
        assert!(policy.contains("default-src 'none'") && policy.contains("require-trusted-types-for 'script'"));
        with_own += usize::from(is_keys_worker);
    }
    assert_eq!(with_own, 1, "the worker is among the files");
}

/// T28: the service worker lives longer than any page, and has a policy that lets it do less.
#[tokio::test]
async fn t28_the_service_worker_is_one_line_that_is_asked_for_again_and_may_do_less_than_pages() {
    let server = TestServer::start().await;
    let response = server.get("/sw.js").send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header("cache-control"), "no-cache");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("require-trusted-types-for 'script'; trusted-types 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("img-src"), "{policy}");
    assert!(response.headers().get("service-worker-allowed").is_none(), "the root is its own");
    let line = response.text().await.unwrap();
    let path = line.strip_prefix("import \"").and_then(|rest| rest.strip_suffix("\";\n")).unwrap();
    assert_eq!(path, format!("/a/{}/sw.js", webcall_assets::TREE));
    assert_eq!(server.get(path).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn in_production_browsers_are_told_to_insist_on_tls() {
    let strong = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978";
    let server =
        TestServer::start_with(&[("APP_ENV", "production"), ("JWT_SECRET", strong), ("REGISTRATION_SECRET", strong)]).await;
    let response = server.get("/").send().await.unwrap();
    assert!(response.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let server = TestServer::start_with(&[("CORS_ORIGINS", "https://app.example")]).await;
    let own = format!("http://{}", server.host());
    for (origin, allowed) in
        [(own.as_str(), true), ("https://app.example", true), ("https://evil.example", false), ("null", false)]
    {
        let request = server.request(Method::POST, "/api/v1/auth/logout").header("origin", origin);
        let response = request.send().await.unwrap();
        assert_eq!(response.status() == StatusCode::NO_CONTENT, allowed, "{origin}");
        if !allowed {
            assert_eq!(code(response).await, "origin_refused");
        }
    }
    let request = server.request(Method::POST, "/api/v1/auth/logout").header("sec-fetch-site", "cross-site");
    assert_eq!(code(request.send().await.unwrap()).await, "origin_refused");
}

#[tokio::test]
async fn only_listed_origins_read_answers() {
    let server = TestServer::start_with(&[("CORS_ORIGINS", "https://app.example")]).await;
    for (origin, allowed) in [("https://app.example", true), ("https://evil.example", false)] {
        let preflight = server
            .request(Method::OPTIONS, "/api/v1/rooms")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        for request in [preflight, server.get("/api/v1/config").header("origin", origin)] {
            let response = request.send().await.unwrap();
            let granted = response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(granted.as_deref(), allowed.then_some(origin));
        }
    }
}

#[tokio::test]
async fn every_answer_says_which_request_it_belongs_to() {
    let server = TestServer::start().await;
    let id = async |given: Option<&str>| {
        let mut request = server.get("/api/v1/config");
        if let Some(given) = given {
            request = request.header("x-request-id", given);
        }
        request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_ne!(id(None).await, id(None).await);
    assert_eq!(id(Some("from-the.proxy_1")).await, "from-the.proxy_1");
    for harmful in ["with space", "\"quoted\"", &"x".repeat(65)] {
        assert_ne!(id(Some(harmful)).await, harmful);
    }
}

#[tokio::test]
async fn timing_is_told_to_who_is_signed_in_only() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let timing = async |token: &str| {
        let response = server.get("/api/v1/me").bearer_auth(token).send().await.unwrap();
        response.headers().get("server-timing").map(|value| value.to_str().unwrap().to_owned())
    };
    assert!(timing(&ann.access_token).await.unwrap().starts_with("app;dur="));
    assert_eq!(timing("nonsense").await, None);
}

#[tokio::test]
async fn answers_about_somebody_are_not_cached() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let response = server.get("/api/v1/me").bearer_auth(&ann.access_token).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let login = server.post("/api/v1/auth/login", &json!({"username": "ann", "password": "wrong password"})).await;
    assert_eq!(login.headers()["cache-control"], "no-store");
}
