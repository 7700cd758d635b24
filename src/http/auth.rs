//! `/api/v1/auth`: registering, logging in, staying signed in, logging out.

use axum::Json;
use axum::extract::State;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::address::Sender;
use super::cookie;
use super::extract::{Body, UserAgent, bearer};
use super::me::User;
use super::problem::Problem;
use crate::accounts::{self, Device, Password, Username};
use crate::app::App;
use crate::error::Error;

/// What registering takes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    /// 3 to 32 of `[A-Za-z0-9_.-]`, unique without regard to case.
    username: String,
    /// 8 to 1024 bytes.
    password: String,
    /// From whoever runs the server.
    registration_secret: String,
}

/// What logging in takes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    username: String,
    password: String,
}

/// A signed-in session.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Session {
    /// Who.
    user: User,
    /// For `Authorization: Bearer …`. Keep it in memory only.
    access_token: String,
    /// How long the access token is good, in seconds; then refresh.
    expires_in: u64,
}

/// Makes an account and signs it in.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Registration, responses(
    (status = 201, description = "Registered and signed in; sets the refresh cookie", body = Session),
    (status = 403, description = "`wrong_registration_secret`", body = Problem),
    (status = 409, description = "`username_taken`, `username_looks_taken`", body = Problem),
    (status = 422, description = "`invalid_username`, `invalid_password`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn register(
    State(app): State<App>,
    sender: Sender,
    UserAgent(user_agent): UserAgent,
    Body(body): Body<Registration>,
) -> Result<Response, Error> {
    let device = Device { address: sender.address, user_agent: &user_agent };
    let (username, password) = (Username::parse(&body.username)?, Password::parse(body.password)?);
    let signed_in = accounts::register(&app, device, &username, &password, &body.registration_secret).await?;
    Ok((StatusCode::CREATED, session(&app, signed_in)).into_response())
}

/// Signs in.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Credentials, responses(
    (status = 200, description = "Signed in; sets the refresh cookie", body = Session),
    (status = 401, description = "`wrong_credentials`, for an unknown user as for a wrong password", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
    (status = 503, description = "`busy`", body = Problem),
))]
pub(super) async fn login(
    State(app): State<App>,
    sender: Sender,
    UserAgent(user_agent): UserAgent,
    Body(body): Body<Credentials>,
) -> Result<impl IntoResponse, Error> {
    let device = Device { address: sender.address, user_agent: &user_agent };
    Ok(session(&app, accounts::login(&app, device, &body.username, body.password).await?))
}

/// Exchanges the refresh cookie for a new one and an access token.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", responses(
    (status = 200, description = "Still signed in; sets the next refresh cookie", body = Session),
    (status = 401, description = "`session_ended`; clears the cookie", body = Problem),
))]
pub(super) async fn refresh(State(app): State<App>, headers: HeaderMap) -> Response {
    let outcome = match cookie::read(&app, &headers) {
        Some(token) => accounts::refresh(&app, token).await,
        None => Err(Error::SessionEnded),
    };
    match outcome {
        Ok(signed_in) => session(&app, signed_in).into_response(),
        // Only what cannot get better clears the cookie: a busy database must not sign anybody out.
        Err(Error::SessionEnded) => (set_cookie(cookie::clear(&app)), Error::SessionEnded).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Ends the session of the refresh cookie, or of the access token where there is no cookie.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204, description = "Signed out; clears the cookie")))]
pub(super) async fn logout(State(app): State<App>, headers: HeaderMap) -> Result<impl IntoResponse, Error> {
    if let Some(token) = cookie::read(&app, &headers) {
        accounts::logout(&app, token).await?;
    } else if let Some(token) = bearer(&headers)
        && let Ok(principal) = accounts::authenticate(&app, token).await
    {
        accounts::end_session(&app, &principal, principal.session).await?;
    }
    Ok((StatusCode::NO_CONTENT, set_cookie(cookie::clear(&app))))
}

fn session(app: &App, signed_in: accounts::SignedIn) -> impl IntoResponse + use<> {
    let cookie = cookie::set(app, &signed_in.refresh_token);
    let body = Session { user: signed_in.user.into(), access_token: signed_in.access_token, expires_in: signed_in.expires_in_s };
    (set_cookie(cookie), Json(body))
}

fn set_cookie(cookie: HeaderValue) -> [(axum::http::HeaderName, HeaderValue); 1] {
    [(SET_COOKIE, cookie)]
}
