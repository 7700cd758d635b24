//! Headers that tell browsers what the page may do: itself only, no inline code, no frames, the devices that a call needs.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

/// Nothing but this server's own files; no inline code, no evaluation, and no text that becomes markup or code (trusted types): the
/// client builds its page from elements only, and makes three addresses of scripts, those of its workers (`web/e2ee`, `web/net/service.js`).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types webcall-keys webcall-media \
     webcall-service";

/// For the worker of the key agreement alone, which is governed by its own response: it may compile WebAssembly, which pages may not, and
/// fetch it from here.
pub(super) const KEYS_WORKER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);

/// For the service worker, which its own response governs: its files and this server's answers, and nothing else.
pub(super) const SERVICE_WORKER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);

const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), \
     screen-wake-lock=(self), speaker-selection=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), \
     accelerometer=(), gyroscope=(), magnetometer=()";

const ALWAYS: [(&str, &str); 8] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
];

/// A year. Only in production: on localhost it would lock out other projects of the same developer. Subdomains are not ours to bind.
const STRICT_TRANSPORT_SECURITY: (&str, &str) = ("strict-transport-security", "max-age=31536000");

/// Adds the headers to every answer; a handler that says something stricter is left its own. What says nothing about caching is not cached: it may be somebody's.
pub(super) async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let in_production = app.config.is_production().then_some(STRICT_TRANSPORT_SECURITY);
    let headers = response.headers_mut();
    for (name, value) in ALWAYS.into_iter().chain(in_production) {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
