//! Reading requests: bodies, path segments, who is asking. Every refusal is an [`Error`] with a stable code.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::limits::MAX_BODY_BYTES;
use super::observe::SignedInMark;
use crate::accounts::{Principal, authenticate};
use crate::app::App;
use crate::error::Error;

/// A body of JSON, of at most `LIMIT_BYTES`.
pub(super) struct Body<T, const LIMIT_BYTES: usize = MAX_BODY_BYTES>(pub(super) T);

impl<T: DeserializeOwned, const LIMIT_BYTES: usize> FromRequest<App> for Body<T, LIMIT_BYTES> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType);
        }
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| unreadable(rejection, LIMIT_BYTES))?;
        if bytes.len() > LIMIT_BYTES {
            return Err(Error::BodyTooLarge { limit_bytes: LIMIT_BYTES });
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Error::Malformed(format!("the body is not what is expected: {error}")))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn unreadable(rejection: BytesRejection, limit_bytes: usize) -> Error {
    match rejection {
        BytesRejection::FailedToBufferBody(inner) if inner.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Error::BodyTooLarge { limit_bytes: limit_bytes.max(MAX_BODY_BYTES) }
        }
        _ => Error::Malformed("the body could not be read".to_owned()),
    }
}

/// Who is asking, by their access token.
pub(super) struct SignedIn(pub(super) Principal);

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = bearer(&parts.headers).ok_or(Error::NotSignedIn)?;
        let principal = authenticate(app, token).await?;
        if let Some(mark) = parts.extensions.get::<SignedInMark>() {
            mark.set();
        }
        Ok(Self(principal))
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The variable segments of the path, as texts.
pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Segments<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Path::from_request_parts(parts, app).await.map(|Path(segments)| Self(segments)).map_err(|_| Error::NotFound)
    }
}

/// What follows `?` in the address.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let query = Query::from_request_parts(parts, app).await;
        query.map(|Query(parameters)| Self(parameters)).map_err(|error| Error::Malformed(error.body_text()))
    }
}

/// A value that may be left out, or be `null`, which are two things: with `#[serde(default, deserialize_with = "named")]`.
pub(super) fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// An identifier in a path. One that is none names nothing: the answer is the same as for an unknown one.
pub(super) fn identifier<T: FromStr>(text: &str, unknown: Error) -> Result<T, Error> {
    text.parse().map_err(|_| unknown)
}

/// The browser's name for itself.
pub(super) struct UserAgent(pub(super) String);

impl FromRequestParts<App> for UserAgent {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Error> {
        let value = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Ok(Self(value.unwrap_or_default()))
    }
}
