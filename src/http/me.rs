//! `/api/v1/me`: one's own account and its sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier};
use super::problem::Problem;
use crate::accounts::{self, Password};
use crate::app::App;
use crate::error::Error;
use crate::id::{SessionId, UserId};
use crate::store::SessionRow;
use crate::time::Timestamp;

/// An account.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct User {
    id: UserId,
    username: String,
    /// Unix milliseconds.
    created_at: Timestamp,
}

impl From<accounts::User> for User {
    fn from(user: accounts::User) -> Self {
        Self { id: user.id, username: user.username, created_at: user.created_at }
    }
}

/// All signed-in devices.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Devices {
    sessions: Vec<OneDevice>,
}

/// A signed-in device.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OneDevice {
    id: SessionId,
    /// Unix milliseconds.
    created_at: Timestamp,
    /// Unix milliseconds, to about ten minutes.
    last_used_at: Timestamp,
    /// The browser's name for itself.
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// What changing the password takes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    current_password: String,
    /// 8 to 1024 bytes.
    new_password: String,
}

/// One's own account.
#[utoipa::path(get, path = "/me", tag = "me", security(("bearer" = [])), responses(
    (status = 200, body = User),
    (status = 401, description = "`not_signed_in`", body = Problem),
))]
pub(super) async fn me(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<User>, Error> {
    Ok(Json(accounts::user(&app, &principal).await?.into()))
}

/// One's signed-in devices, last used first.
#[utoipa::path(get, path = "/me/sessions", tag = "me", security(("bearer" = [])), responses(
    (status = 200, body = Devices),
    (status = 401, description = "`not_signed_in`", body = Problem),
))]
pub(super) async fn sessions(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<Devices>, Error> {
    let device = |row: SessionRow| OneDevice {
        current: row.id == principal.session,
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        user_agent: row.user_agent,
    };
    let sessions = accounts::sessions(&app, &principal).await?.into_iter().map(device).collect();
    Ok(Json(Devices { sessions }))
}

/// Signs a device out; its WebSocket closes at once.
#[utoipa::path(delete, path = "/me/sessions/{id}", tag = "me", security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "From `GET /me/sessions`")), responses(
    (status = 204, description = "Signed out"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`session_not_found`", body = Problem),
))]
pub(super) async fn end_session(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Error> {
    accounts::end_session(&app, &principal, identifier(&id, Error::SessionNotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password and signs all other devices out.
#[utoipa::path(post, path = "/me/password", tag = "me", security(("bearer" = [])), request_body = NewPassword, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`wrong_password`", body = Problem),
    (status = 422, description = "`invalid_password`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn change_password(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<NewPassword>,
) -> Result<StatusCode, Error> {
    let new = Password::parse(body.new_password)?;
    accounts::change_password(&app, &principal, body.current_password, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}
