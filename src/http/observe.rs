//! What is seen of every request: an identifier, a log line with its latency, the counters, and, for who is signed in,
//! `Server-Timing`. The path is logged as the route's pattern and the query not at all, because links and identifiers are nobody's
//! business; addresses and tokens are not logged either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::app::App;
use crate::id::uuid_at;

/// Says which request an answer belongs to, also in the log.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// The longest identifier taken over from a proxy.
const MAX_REQUEST_ID_LEN: usize = 64;
/// Asked every few seconds by machines, or many at a time by a page: not worth a line each.
const QUIET: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/a/{tree}/{*path}", "/sw.js"];

/// Set by the extractor that proved who is asking.
#[derive(Clone, Default)]
pub(super) struct SignedInMark(Arc<AtomicBool>);

impl SignedInMark {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Names, times, counts and logs a request.
pub(super) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &app);
    let method = method(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mark = SignedInMark::default();
    request.extensions_mut().insert(mark.clone());

    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let latency = started.elapsed();

    let path = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    let status = response.status().as_u16();
    app.metrics.count_request(method, path, status, latency);
    let latency_ms = latency.as_secs_f64() * 1_000.0;
    span.in_scope(|| {
        if QUIET.contains(&path) {
            tracing::debug!(method, path, status, latency_ms, "answered");
        } else {
            tracing::info!(method, path, status, latency_ms, "answered");
        }
    });
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    if mark.is_set()
        && let Ok(timing) = HeaderValue::from_str(&format!("app;dur={latency_ms:.1}"))
    {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// The identifier that a proxy gave, if it is harmless in a log, else a new one.
fn request_id(headers: &HeaderMap, app: &App) -> HeaderValue {
    let is_harmless = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID_LEN).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
    };
    let given = headers.get(REQUEST_ID).filter(is_harmless).cloned();
    given.unwrap_or_else(|| {
        HeaderValue::from_str(&uuid_at(app.clock.now()).to_string()).expect("a UUID has only characters that a header may have")
    })
}

/// The method as a label: a bounded set, whatever is sent.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
