//! The web client's files.

use reqwest::StatusCode;

use crate::server::{TestServer, code};

/// The address under which the page asks for its files.
async fn base(server: &TestServer) -> String {
    let page = server.get("/").send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("{{base}}"), "{page}");
    let start = page.find("/a/").expect("the page names its files");
    page[start..].split('/').take(3).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_address_of_the_client_gives_the_page_which_is_not_cached() {
    let server = TestServer::start().await;
    for path in ["/", "/login", "/register", "/settings", "/rooms/0192f0c1-2b3c-7d4e-8f50-617283940506", "/join/abc"] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-cache");
    }
}

#[tokio::test]
async fn an_unknown_address_gives_people_the_page_and_programs_a_problem() {
    let server = TestServer::start().await;
    let response = server.get("/nowhere").header("accept", "text/html,application/xhtml+xml").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    assert!(response.text().await.unwrap().contains("/a/"));
    let response = server.get("/nowhere").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(response).await, "not_found");
}

#[tokio::test]
async fn files_are_cached_for_ever_under_the_hash_of_the_tree_and_missing_under_any_other() {
    let server = TestServer::start().await;
    let base = base(&server).await;
    let response = server.get(&format!("{base}/main.js")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    for path in
        [format!("{base}/missing.js"), format!("{base}/../Cargo.toml"), format!("{base}/package.json"), "/a/0/main.js".to_owned()]
    {
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(code(response).await, "not_found");
    }
}

#[tokio::test]
async fn a_file_comes_compressed_for_who_takes_that() {
    let server = TestServer::start().await;
    let plain = server.get("/").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    let plain = plain.bytes().await.unwrap();
    for encoding in ["br", "gzip"] {
        let response = server.get("/").header("accept-encoding", encoding).send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], encoding);
        assert!(response.bytes().await.unwrap().len() < plain.len());
    }
}

/// What a browser fetches before it can encrypt, as it is served: a telephone on a slow network waits for it.
#[tokio::test]
async fn the_cryptography_of_the_client_has_less_than_700_kb_compressed() {
    let server = TestServer::start().await;
    let base = base(&server).await;
    for encoding in ["br", "gzip"] {
        let mut bytes = 0;
        for file in ["crypto.js", "crypto_bg.wasm"] {
            let response =
                server.get(&format!("{base}/e2ee/keys/{file}")).header("accept-encoding", encoding).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{file}");
            assert_eq!(response.headers()["content-encoding"], encoding, "{file}");
            bytes += response.bytes().await.unwrap().len();
        }
        assert!((100_000..700_000).contains(&bytes), "{bytes} bytes as {encoding}");
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let server = TestServer::start().await;
    let etag = server.get("/").send().await.unwrap().headers()["etag"].clone();
    let response = server.get("/").header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_list_of_files_has_the_hash_of_each_as_it_is_served() {
    let server = TestServer::start().await;
    let base = base(&server).await;
    let list = server.get(&format!("{base}/files.txt")).send().await.unwrap().text().await.unwrap();
    assert_eq!(list, webcall_assets::FILES);
    let mut all = 0;
    for line in list.lines() {
        let (hash, path) = line.split_once("  ").unwrap();
        let path = if path == "index.html" { "/".to_owned() } else { format!("{base}/{path}") };
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let digest = ring::digest::digest(&ring::digest::SHA256, &response.bytes().await.unwrap());
        let served = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(served, hash, "{path}");
        all += 1;
    }
    assert_eq!(all, webcall_assets::ASSETS.len(), "without the list, and with the page");
}
