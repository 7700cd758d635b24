//! `/api/v1/e2ee/groups`: groups of MLS (RFC 9420) and their commits, in order.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Parameters, Segments, SignedIn, identifier};
use super::super::problem::Problem;
use super::{MAX_COMMIT_REQUEST_BYTES, device_id};
use crate::app::App;
use crate::e2ee::{self, CommitRequest, Committed};
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, UserId};

/// A group with one device in it, the caller's.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewGroup {
    /// A GroupInfo of epoch 0 with an external key, as an MLS message; base64url without padding.
    group_info: String,
    /// Its ratchet tree, unless it is in the GroupInfo; base64url without padding.
    #[serde(default)]
    tree: Option<String>,
}

/// A group.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Group {
    /// Its kind and the room or call, 17 bytes; base64url without padding.
    group: String,
    /// In which it is.
    epoch: u64,
}

/// What somebody needs to come into a group by themselves.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct GroupInfo {
    /// In which the group is.
    epoch: u64,
    /// An MLS message; base64url without padding.
    group_info: String,
    /// The ratchet tree, unless it is in the GroupInfo; base64url without padding.
    tree: Option<String>,
}

/// A commit. Bytes are base64url without padding.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewCommit {
    /// In which it was made.
    epoch: u64,
    /// A PublicMessage, at most 512 KiB.
    commit: String,
    /// The Welcome for exactly those whom the commit adds, at most 2 MiB; each finds it in its inbox.
    #[serde(default)]
    welcome: Option<String>,
    /// The GroupInfo of the next epoch, with an external key; at most 2 MiB.
    group_info: String,
}

/// Where a group is now.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Epoch {
    /// The next commit is made in it.
    epoch: u64,
}

/// A problem document that brings the commit that won.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct EpochTaken {
    #[serde(flatten)]
    problem: Problem,
    /// The winner of the epoch; base64url without padding.
    commit: String,
}

/// Which commits.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Since {
    /// The first epoch.
    from: u64,
}

/// Part of a group's commits, in order, one for each epoch. Large ones make it shorter: go on from the epoch behind the last.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Commits {
    commits: Vec<OneCommit>,
    /// In which the group is.
    epoch: u64,
}

/// A commit.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct OneCommit {
    /// In which it was made.
    epoch: u64,
    /// A PublicMessage; base64url without padding.
    commit: String,
}

/// An application message of the group.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewMessage {
    /// A PrivateMessage, at most 16 KiB; base64url without padding.
    message: String,
    /// The one device for which it waits. Without it the message goes to the members who are connected, and to nobody later.
    #[serde(default)]
    to: Option<Recipient>,
}

/// A device.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Recipient {
    /// Whose.
    #[schema(value_type = UserId)]
    user: String,
    /// Which.
    #[schema(value_type = DeviceId)]
    device: String,
}

/// Makes the group of a room, or of a call that one is in (kind 2 and the call's UUID; the leaf has the session of one's participant as its
/// application id). Once: whoever is second comes in by an external commit.
/// A group of a room is replaced when no device in it counts any more. The group of a call ends with it.
#[utoipa::path(post, path = "/groups", tag = "e2ee", security(("bearer" = [])), request_body = NewGroup, responses(
    (status = 201, body = Group),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`: the group of a strict room is its owner's to make", body = Problem),
    (status = 404, description = "`room_not_found`; `group_not_found`: not in that call", body = Problem),
    (status = 409, description = "`group_exists`, `room_open`: the room is not encrypted", body = Problem),
    (status = 422, description = "`invalid_bytes`, `invalid_group_info`, `invalid_participant`, `other_strictness`, or a refusal of the rules for groups", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(NewGroup { group_info, tree }): Body<NewGroup>,
) -> Result<(StatusCode, Json<Group>), Error> {
    let id = e2ee::create_group(&app, &principal, &group_info, tree.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(Group { group: e2ee::encode(&id.to_bytes()), epoch: 0 })))
}

/// What a member of the room, or who is in the call, needs to come into its group by an external commit.
#[utoipa::path(get, path = "/groups/{id}/info", tag = "e2ee", security(("bearer" = [])), params(("id" = String, Path)), responses(
    (status = 200, body = GroupInfo),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`group_not_found`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn info(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<GroupInfo>, Error> {
    let info = e2ee::group_info(&app, &principal, e2ee::group_id(&id)?).await?;
    Ok(Json(GroupInfo {
        epoch: info.epoch,
        group_info: e2ee::encode(&info.group_info),
        tree: info.tree.map(|tree| e2ee::encode(&tree)),
    }))
}

/// Takes a group to its next epoch: the first valid commit of an epoch wins.
#[utoipa::path(post, path = "/groups/{id}/commits", tag = "e2ee", security(("bearer" = [])), params(("id" = String, Path)),
    request_body = NewCommit, responses(
    (status = 201, description = "It won, now or when it was sent before", body = Epoch),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`group_not_found`", body = Problem),
    (status = 409, description = "`epoch_taken`: another one won. `epoch_forgotten`: the epoch is long over; without `commit`", body = EpochTaken),
    (status = 422, description = "`invalid_bytes`, `invalid_epoch`, `invalid_commit`, `invalid_welcome`, `invalid_group_info`, `invalid_participant`, or a refusal \
        of the rules for commits: `not_vouched`, `still_member`, `uninvited`, `identity_changed`, `proposal` and others", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn commit(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<NewCommit, MAX_COMMIT_REQUEST_BYTES>,
) -> Result<Response, Error> {
    let NewCommit { epoch, commit, welcome, group_info } = body;
    let request = CommitRequest { epoch, commit, welcome, group_info };
    match e2ee::commit(&app, &principal, e2ee::group_id(&id)?, request).await? {
        Committed::Accepted { epoch } => Ok((StatusCode::CREATED, Json(Epoch { epoch })).into_response()),
        Committed::Lost { commit } => {
            let problem = Problem::of(&E2eeError::EpochTaken.into());
            let taken = EpochTaken { problem, commit: e2ee::encode(&commit) };
            let mut response = (StatusCode::CONFLICT, Json(taken)).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            Ok(response)
        }
    }
}

/// The commits of a group from an epoch on. Those older than 90 days are gone: a device that needs them comes in anew.
#[utoipa::path(get, path = "/groups/{id}/commits", tag = "e2ee", security(("bearer" = [])), params(("id" = String, Path), Since),
    responses(
    (status = 200, body = Commits),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`group_not_found`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn commits(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Parameters(Since { from }): Parameters<Since>,
) -> Result<Json<Commits>, Error> {
    let page = e2ee::commits(&app, &principal, e2ee::group_id(&id)?, from).await?;
    let one =
        |row: crate::store::CommitRow| OneCommit { epoch: row.epoch.unsigned_abs(), commit: e2ee::encode(&row.commit_bytes) };
    Ok(Json(Commits { commits: page.commits.into_iter().map(one).collect(), epoch: page.epoch }))
}

/// Passes an application message on: to who is connected, or to the inbox of one device.
#[utoipa::path(post, path = "/groups/{id}/messages", tag = "e2ee", security(("bearer" = [])), params(("id" = String, Path)),
    request_body = NewMessage, responses(
    (status = 204, description = "Passed on"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`group_not_found`, `user_not_found`", body = Problem),
    (status = 409, description = "`inbox_full`", body = Problem),
    (status = 422, description = "`invalid_bytes`, `invalid_group`, `malformed`, `wire_format`, `unknown_device`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn message(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(NewMessage { message, to }): Body<NewMessage>,
) -> Result<StatusCode, Error> {
    let id = e2ee::group_id(&id)?;
    match to {
        Some(Recipient { user, device }) => {
            let user = identifier(&user, Error::UserNotFound)?;
            let device = device_id(&device)?;
            e2ee::leave_message(&app, &principal, id, &message, (user, device)).await?;
        }
        None => e2ee::whisper(&app, &principal, id, &message).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}
