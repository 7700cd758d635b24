//! `/api/v1/rooms/{id}/bans` and `/audit`: who is kept out of a room, and what its owner and moderators did.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Parameters, Segments, SignedIn, identifier};
use super::problem::Problem;
use super::rooms::room_id;
use crate::app::App;
use crate::error::Error;
use crate::id::{ActId, RoomId, UserId};
use crate::rooms;
use crate::store::{AuditAct, AuditRow, BanRow};
use crate::time::Timestamp;

/// Acts in an answer when the request does not say.
const DEFAULT_ACTS: i64 = 50;

/// Everybody who is banned from a room.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Bans {
    /// Newest first.
    bans: Vec<Ban>,
}

/// A user who cannot become a member.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Ban {
    user: UserId,
    username: String,
    banned_by: UserId,
    /// Unix milliseconds.
    banned_at: Timestamp,
}

impl From<BanRow> for Ban {
    fn from(row: BanRow) -> Self {
        Self { user: row.user_id, username: row.username, banned_by: row.banned_by, banned_at: row.banned_at }
    }
}

/// Which acts to read.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichActs {
    /// Only those before this one; without it, the newest.
    before: Option<ActId>,
    /// How many: 1 to 100. Default: 50.
    limit: Option<i64>,
}

/// Some of what was done in a room.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Acts {
    /// Newest first.
    acts: Vec<Act>,
}

/// Something that an owner or moderator did.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Act {
    id: ActId,
    /// Unix milliseconds.
    at: Timestamp,
    actor: UserId,
    /// `null` once the account is gone.
    actor_name: Option<String>,
    act: AuditAct,
    /// Whom it was done to.
    subject: Option<UserId>,
    subject_name: Option<String>,
    /// The new name, topic, role or number; the source in the call; the message. Otherwise empty.
    detail: String,
}

impl From<AuditRow> for Act {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, at, actor, actor_name, act, subject, subject_name, detail } = row;
        Self { id, at, actor, actor_name, act, subject, subject_name, detail }
    }
}

/// Who is banned. Owner and moderators.
#[utoipa::path(get, path = "/rooms/{id}/bans", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)), responses(
    (status = 200, body = Bans),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
))]
pub(super) async fn bans(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<Bans>, Error> {
    let bans = rooms::bans(&app, &principal, room_id(&id)?).await?.into_iter().map(Ban::from).collect();
    Ok(Json(Bans { bans }))
}

/// Bans a user: ends their membership and keeps them from joining. No change for who is banned. Owner and moderators.
#[utoipa::path(put, path = "/rooms/{id}/bans/{user}", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("user" = UserId, Path)), responses(
    (status = 204, description = "Banned"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `member_not_found`", body = Problem),
    (status = 409, description = "`too_many_bans`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn ban(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, user)): Segments<(String, String)>,
) -> Result<StatusCode, Error> {
    rooms::ban(&app, &principal, room_id(&id)?, identifier(&user, Error::MemberNotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a user join again. Owner and moderators.
#[utoipa::path(delete, path = "/rooms/{id}/bans/{user}", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("user" = UserId, Path)), responses(
    (status = 204, description = "No longer banned"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `ban_not_found`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn unban(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, user)): Segments<(String, String)>,
) -> Result<StatusCode, Error> {
    rooms::unban(&app, &principal, room_id(&id)?, identifier(&user, Error::BanNotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What owner and moderators did, newest first. The owner only.
#[utoipa::path(get, path = "/rooms/{id}/audit", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), WhichActs), responses(
    (status = 200, body = Acts),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 422, description = "`invalid_limit`", body = Problem),
))]
pub(super) async fn audit(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Parameters(which): Parameters<WhichActs>,
) -> Result<Json<Acts>, Error> {
    let limit = which.limit.unwrap_or(DEFAULT_ACTS);
    let acts = rooms::acts(&app, &principal, room_id(&id)?, which.before, limit).await?;
    Ok(Json(Acts { acts: acts.into_iter().map(Act::from).collect() }))
}
