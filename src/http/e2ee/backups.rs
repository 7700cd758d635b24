//! `/api/v1/e2ee/backups` and `/api/v1/e2ee/backups/{slot}`: what a user's devices sealed for themselves.

use axum::Json;
use axum::extract::State;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Segments, SignedIn};
use super::super::problem::Problem;
use super::MAX_E2EE_BYTES;
use crate::app::App;
use crate::e2ee::{self, SlotName};
use crate::error::Error;

/// A backup to store.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewBackup {
    /// Sealed bytes, at most 131,072; base64url without padding.
    body: String,
}

/// A backup.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct StoredBackup {
    /// From 1; rises with every write.
    version: i64,
    /// Sealed bytes; base64url without padding.
    body: String,
}

/// What is there now.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Version {
    /// From 1; rises with every write.
    version: i64,
}

/// Where a backup is.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct NamedBackup {
    /// 1 to 32 of a-z 0-9 _ . -
    slot: String,
    /// From 1; rises with every write.
    version: i64,
}

/// All that there are: at most 2,048.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct BackupList {
    /// By name.
    backups: Vec<NamedBackup>,
}

/// Where one's own backups are.
#[utoipa::path(get, path = "/backups", tag = "e2ee", security(("bearer" = [])), responses(
    (status = 200, body = BackupList),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn list(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<BackupList>, Error> {
    let backups = e2ee::backups(&app, &principal).await?;
    let backups = backups.into_iter().map(|e2ee::NamedBackup { slot, version }| NamedBackup { slot, version }).collect();
    Ok(Json(BackupList { backups }))
}

/// Stores a backup in place of the version that the writer knows of.
#[utoipa::path(put, path = "/backups/{slot}", tag = "e2ee", security(("bearer" = [])), params(
    ("slot" = String, Path, description = "1 to 32 of a-z 0-9 _ . -"),
    ("If-Match" = String, Header, description = "The version that is there, in quotes: `\"3\"`; `\"0\"` for none"),
), request_body = NewBackup, responses(
    (status = 200, body = Version),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 409, description = "`too_many_backups`", body = Problem),
    (status = 412, description = "`backup_changed`", body = Problem),
    (status = 422, description = "`invalid_slot`, `invalid_bytes`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn put(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(slot): Segments<String>,
    headers: HeaderMap,
    Body(NewBackup { body }): Body<NewBackup, MAX_E2EE_BYTES>,
) -> Result<Json<Version>, Error> {
    let version = e2ee::put_backup(&app, &principal, &SlotName::parse(&slot)?, known_version(&headers)?, &body).await?;
    Ok(Json(Version { version }))
}

/// One's own backup.
#[utoipa::path(get, path = "/backups/{slot}", tag = "e2ee", security(("bearer" = [])),
    params(("slot" = String, Path, description = "1 to 32 of a-z 0-9 _ . -")), responses(
    (status = 200, body = StoredBackup),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`backup_not_found`", body = Problem),
    (status = 422, description = "`invalid_slot`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(slot): Segments<String>,
) -> Result<Json<StoredBackup>, Error> {
    let backup = e2ee::backup(&app, &principal, &SlotName::parse(&slot)?).await?;
    Ok(Json(StoredBackup { version: backup.version, body: e2ee::encode(&backup.body) }))
}

/// Deletes one's own backup of the version that the writer knows of, and frees its slot.
#[utoipa::path(delete, path = "/backups/{slot}", tag = "e2ee", security(("bearer" = [])), params(
    ("slot" = String, Path, description = "1 to 32 of a-z 0-9 _ . -"),
    ("If-Match" = String, Header, description = "The version that is there, in quotes: `\"3\"`"),
), responses(
    (status = 204, description = "Deleted"),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`backup_not_found`", body = Problem),
    (status = 412, description = "`backup_changed`", body = Problem),
    (status = 422, description = "`invalid_slot`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn delete(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(slot): Segments<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Error> {
    e2ee::delete_backup(&app, &principal, &SlotName::parse(&slot)?, known_version(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One strong entity tag that is a version (RFC 9110 §13.1.1).
fn known_version(headers: &HeaderMap) -> Result<i64, Error> {
    let text = headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    let number = text.and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    // One more must be a number, too.
    let number = number.filter(|number| (0..i64::MAX).contains(number));
    number.ok_or_else(|| Error::Malformed("If-Match must be the version that is there, in quotes".to_owned()))
}
