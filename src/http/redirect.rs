//! What a plain port answers where TLS is on: the way to the same page in TLS, and the proof that a certificate authority asks for.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::health;
use crate::app::App;
use crate::tls::HTTP01_PATH;

/// Where browsers look for `https:` when an address names no port.
const HTTPS_PORT: u16 = 443;

/// The plain port of a server whose pages are in TLS at `port`.
pub fn redirect_router(app: &App, port: u16) -> Router {
    Router::new()
        .route(&format!("{HTTP01_PATH}{{token}}"), get(proof))
        .route("/healthz", get(health::healthz))
        .fallback(move |state, uri, headers| to_tls(state, uri, headers, port))
        .with_state(app.clone())
}

/// Shows a certificate authority that this server answers for its name (RFC 8555 §8.3).
async fn proof(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.tls.as_ref().and_then(|tls| tls.http01(&token)) {
        Some(authorization) => ([(CONTENT_TYPE, "application/octet-stream")], authorization).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// For good, and with the same method: 308 (RFC 9110 §15.4.9).
async fn to_tls(State(app): State<App>, uri: Uri, headers: HeaderMap, port: u16) -> Response {
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok()).map(without_port);
    let Some(host) = app.config.domain.as_deref().or(asked) else { return StatusCode::BAD_REQUEST.into_response() };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let port = if port == HTTPS_PORT { String::new() } else { format!(":{port}") };
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, format!("https://{host}{port}{path}"))]).into_response()
}

/// The host of a `Host` header. An IPv6 address stands in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_cut_off_and_an_address_is_not() {
        for (host, expected) in
            [("a.example:80", "a.example"), ("a.example", "a.example"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(without_port(host), expected);
        }
    }
}
