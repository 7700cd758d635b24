//! The refresh cookie: out of reach of scripts, sent only to the log-in routes and only from pages of the same site.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};

use crate::accounts::REFRESH_TOKEN_LIFE;
use crate::app::App;

/// With TLS: browsers accept this name only over TLS and with `Secure`.
const SECURE_NAME: &str = "__Secure-webcall_refresh";
/// On a developer's machine, without TLS.
const PLAIN_NAME: &str = "webcall_refresh";

/// The header that sets the cookie.
pub(super) fn set(app: &App, refresh_token: &str) -> HeaderValue {
    header(app, refresh_token, REFRESH_TOKEN_LIFE.as_secs())
}

/// The header that removes the cookie.
pub(super) fn clear(app: &App) -> HeaderValue {
    header(app, "", 0)
}

/// The refresh token that the request brings.
pub(super) fn read<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find_map(|(name, value)| (name == self::name(app)).then_some(value))
}

fn name(app: &App) -> &'static str {
    if app.config.is_encrypted() { SECURE_NAME } else { PLAIN_NAME }
}

fn header(app: &App, value: &str, max_age_s: u64) -> HeaderValue {
    let secure = if app.config.is_encrypted() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/api/v1/auth; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}", name(app));
    HeaderValue::from_str(&text).expect("a base64 token has only characters that a header may have")
}
