//! `/api/v1/e2ee/log`: the append-only log of what users publish, for whoever checks that all are shown the same.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use webcall_trust::Hash;

use super::super::extract::{Parameters, SignedIn};
use super::super::problem::Problem;
use crate::app::App;
use crate::e2ee;
use crate::error::Error;

/// The head of the log.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct LogHead {
    /// Size, root and time, signed by the log's key; base64url without padding.
    head: String,
}

/// Which record.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Leaf {
    /// Its place in the log.
    leaf: u64,
}

/// Which two lengths.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Sizes {
    /// The earlier one, at least 1.
    from: u64,
    /// The later one.
    to: u64,
}

/// That a record is in the log.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct InclusionProof {
    /// Of the log in which it is.
    head: String,
    /// Hashes from the leaf up (RFC 9162 §2.1.3.1); base64url without padding.
    path: Vec<String>,
}

/// That a log only added to an earlier one.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct ConsistencyProof {
    /// Hashes (RFC 9162 §2.1.4.1); base64url without padding.
    path: Vec<String>,
}

pub(super) fn hashes(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| e2ee::encode(hash)).collect()
}

/// The head of the log as it is now.
#[utoipa::path(get, path = "/log/head", tag = "e2ee", security(("bearer" = [])), responses(
    (status = 200, body = LogHead),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn head(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<LogHead>, Error> {
    let head = e2ee::head(&app, &principal).await?;
    Ok(Json(LogHead { head: e2ee::encode(&head.to_bytes()) }))
}

/// The proof that a record is in the log.
#[utoipa::path(get, path = "/log/inclusion", tag = "e2ee", security(("bearer" = [])), params(Leaf), responses(
    (status = 200, body = InclusionProof),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 422, description = "`invalid_leaf`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn inclusion(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Parameters(Leaf { leaf }): Parameters<Leaf>,
) -> Result<Json<InclusionProof>, Error> {
    let proof = e2ee::inclusion(&app, &principal, leaf).await?;
    Ok(Json(InclusionProof { head: e2ee::encode(&proof.head.to_bytes()), path: hashes(&proof.path) }))
}

/// The proof that a log only added to an earlier one.
#[utoipa::path(get, path = "/log/consistency", tag = "e2ee", security(("bearer" = [])), params(Sizes), responses(
    (status = 200, body = ConsistencyProof),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 422, description = "`invalid_sizes`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn consistency(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Parameters(Sizes { from, to }): Parameters<Sizes>,
) -> Result<Json<ConsistencyProof>, Error> {
    let proof = e2ee::consistency(&app, &principal, from, to).await?;
    Ok(Json(ConsistencyProof { path: hashes(&proof.path) }))
}
