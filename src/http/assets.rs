//! The web client's files, from `webcall-assets`. All of them live under one hash of the whole tree (`/a/<hash>/…`), so they may be cached
//! for ever and always fit each other; the page that names the hash is never cached.

use axum::extract::State;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use webcall_assets::{ASSETS, Asset, PAGE, TREE};

use super::extract::Segments;
use super::headers::{KEYS_WORKER_POLICY, SERVICE_WORKER_POLICY};
use crate::app::App;
use crate::error::Error;

/// Its response has a policy of its own.
const KEYS_WORKER: &str = "e2ee/keys/worker.js";

/// What the service worker is, beside its one line.
const SERVICE_WORKER: &str = "sw.js";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The page, for every address of the client.
pub(super) async fn page(State(_): State<App>, headers: HeaderMap) -> Response {
    respond(&PAGE, &headers, ASK_AGAIN)
}

/// Every other address: people get the page, which tells them that there is nothing; programs are told so in their way.
pub(super) async fn elsewhere(method: Method, mut headers: HeaderMap) -> Result<Response, Error> {
    let wants_page =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accepted| accepted.contains("text/html"));
    if !wants_page || !matches!(method, Method::GET | Method::HEAD) {
        return Err(Error::NotFound);
    }
    headers.remove(IF_NONE_MATCH);
    Ok((StatusCode::NOT_FOUND, respond(&PAGE, &headers, ASK_AGAIN)).into_response())
}

/// The service worker must have an address that does not change: one line, by which browsers see that there is another tree. They keep what it
/// imports until then.
pub(super) async fn service_worker(State(_): State<App>) -> Response {
    let policy = [(CONTENT_SECURITY_POLICY, SERVICE_WORKER_POLICY)];
    let content = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, ASK_AGAIN)];
    (content, policy, format!("import \"/a/{TREE}/{SERVICE_WORKER}\";\n")).into_response()
}

/// A file of the client.
pub(super) async fn asset(
    State(_): State<App>,
    Segments((tree, path)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if tree != TREE {
        return Err(Error::NotFound);
    }
    let mut response = respond(find(&path).ok_or(Error::NotFound)?, &headers, FOR_EVER);
    if path == KEYS_WORKER {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, KEYS_WORKER_POLICY);
    }
    Ok(response)
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok().map(|at| &ASSETS[at])
}

fn respond(asset: &'static Asset, headers: &HeaderMap, caching: &'static str) -> Response {
    let etag = format!("\"{TREE}\"");
    let caching = [(CACHE_CONTROL, caching), (VARY, "accept-encoding")];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, caching, [(ETAG, etag)]).into_response();
    }
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content = [(CONTENT_TYPE, asset.content_type)];
    match encoding(asset, accepted) {
        Some((name, body)) => (caching, content, [(ETAG, etag)], [(CONTENT_ENCODING, name)], body).into_response(),
        None => (caching, content, [(ETAG, etag)], asset.identity).into_response(),
    }
}

/// The smallest encoding that the browser takes. One that it names with `q=0` it does not take (RFC 9110 §12.5.3).
fn encoding(asset: &Asset, accepted: &str) -> Option<(&'static str, &'static [u8])> {
    let takes = |name: &str| {
        accepted.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|item| item.eq_ignore_ascii_case(name));
            is_named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    [("br", asset.brotli), ("gzip", asset.gzip)].into_iter().find(|(name, body)| !body.is_empty() && takes(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: Asset = Asset { path: "x.js", content_type: "text/javascript", identity: b"xxxx", gzip: b"xx", brotli: b"x" };

    #[test]
    fn the_smallest_encoding_that_the_browser_takes_is_chosen() {
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("br;q=0.1", Some("br")),
            ("identity", None),
            ("", None),
            ("brotli", None),
        ] {
            assert_eq!(encoding(&ASSET, accepted).map(|(name, _)| name), expected, "{accepted:?}");
        }
    }

    #[test]
    fn the_service_worker_is_among_the_files() {
        assert!(find(SERVICE_WORKER).is_some());
    }

    #[test]
    fn assets_are_sorted_so_that_each_is_found() {
        for asset in ASSETS {
            assert_eq!(find(asset.path).map(|found| found.path), Some(asset.path));
        }
    }
}
