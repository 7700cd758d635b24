//! `/api/v1/e2ee/users/{id}/keys` and `/keys/records`: what users publish about their keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Parameters, Segments, SignedIn, identifier};
use super::super::problem::Problem;
use super::log::hashes;
use crate::app::App;
use crate::e2ee;
use crate::error::Error;
use crate::id::UserId;

/// All that a user published, in order; nothing for who published nothing.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Keys {
    records: Vec<PublishedRecord>,
    /// That all of them are in the log of the size that was asked for: the hash of every largest subtree without any of them, left before
    /// right; base64url without padding. Null: it was not asked for, the log is not that long, or one of them came later.
    proof: Option<Vec<String>>,
}

/// Of which log.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Proven {
    /// Its length: that of a head which the caller knows.
    size: Option<u64>,
}

/// A record.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct PublishedRecord {
    /// Its bytes; base64url without padding.
    record: String,
    /// Its place in the log.
    leaf: u64,
}

/// A record to publish.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewRecord {
    /// Its bytes, at most 256; base64url without padding.
    record: String,
    /// The account's, when the record replaces an identity: no device counts then, and all backups are deleted.
    #[serde(default)]
    password: Option<String>,
}

/// Where a record stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Place {
    /// Its place in the log.
    leaf: u64,
}

/// What a user published about their keys. Of oneself, of users with whom one shares a room, and of those who were in the group of one's room.
#[utoipa::path(get, path = "/users/{id}/keys", tag = "e2ee", security(("bearer" = [])), params(("id" = UserId, Path), Proven), responses(
    (status = 200, body = Keys),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`user_not_found`", body = Problem),
))]
pub(in super::super) async fn chain(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Parameters(Proven { size }): Parameters<Proven>,
) -> Result<Json<Keys>, Error> {
    let chain = e2ee::chain(&app, &principal, identifier(&id, Error::UserNotFound)?, size).await?;
    let published =
        |row: crate::store::RecordRow| PublishedRecord { record: e2ee::encode(&row.record), leaf: row.leaf.unsigned_abs() };
    let proof = chain.proof.as_deref().map(hashes);
    Ok(Json(Keys { records: chain.records.into_iter().map(published).collect(), proof }))
}

/// Publishes a record: the next of one's own.
#[utoipa::path(post, path = "/keys/records", tag = "e2ee", security(("bearer" = [])), request_body = NewRecord, responses(
    (status = 201, body = Place),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`wrong_password`: it replaces an identity", body = Problem),
    (status = 409, description = "`out_of_order`: it does not follow what is there, `too_many_records`", body = Problem),
    (status = 422, description = "`invalid_bytes`, `malformed`, `unknown_version`, `weak_key`, `bad_signature`, `other_user`, \
        `device_reused`, `unknown_device`, `too_many_devices`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn append(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<NewRecord>,
) -> Result<(StatusCode, Json<Place>), Error> {
    let leaf = e2ee::append(&app, &principal, &body.record, body.password).await?;
    Ok((StatusCode::CREATED, Json(Place { leaf })))
}
