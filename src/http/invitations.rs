//! `/api/v1/rooms/{id}/invitation(s)`: what members show to be let into a room's group, for members' clients to check.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn};
use super::problem::Problem;
use super::rooms::room_id;
use crate::app::App;
use crate::e2ee;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::rooms::{self, MAX_INVITATION_BYTES};

/// What a member shows.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvitation {
    /// Opaque, 1 to 256 bytes; base64url without padding.
    invitation: String,
}

/// What all members show.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Invitations {
    /// Of the room, now: what an invitation is good for.
    link_code: String,
    /// Of members who show one.
    invitations: Vec<Invitation>,
}

/// What one of them shows.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Invitation {
    user: UserId,
    /// Base64url without padding.
    invitation: String,
}

/// Shows an invitation in place of the one before. It is gone when the membership ends.
#[utoipa::path(put, path = "/rooms/{id}/invitation", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = NewInvitation, responses(
    (status = 204, description = "Shown"),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 409, description = "`room_open`: the room is not encrypted", body = Problem),
    (status = 422, description = "`invalid_bytes`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn show(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<NewInvitation>,
) -> Result<StatusCode, Error> {
    let invitation = parse(&body.invitation)?;
    rooms::show_invitation(&app, &principal, room_id(&id)?, &invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the members of a room show, whether they are in its group by now or not.
#[utoipa::path(get, path = "/rooms/{id}/invitations", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)), responses(
    (status = 200, body = Invitations),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<Invitations>, Error> {
    let (link_code, shown) = rooms::invitations(&app, &principal, room_id(&id)?).await?;
    let invitations = shown.into_iter().map(|(user, bytes)| Invitation { user, invitation: e2ee::encode(&bytes) }).collect();
    Ok(Json(Invitations { link_code, invitations }))
}

/// Bytes of a request.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, Error> {
    e2ee::decode(text, MAX_INVITATION_BYTES)
}
