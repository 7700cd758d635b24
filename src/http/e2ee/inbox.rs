//! `/api/v1/e2ee/inbox`: what waits for one's own devices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::extract::{Parameters, Segments, SignedIn, identifier};
use super::super::problem::Problem;
use super::device_id;
use crate::app::App;
use crate::e2ee;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, InboxId};
use crate::store::InboxRow;
use crate::time::Timestamp;

/// Whose inbox.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Whose {
    /// One's own device.
    #[param(value_type = DeviceId)]
    device: String,
    /// Only welcomes into this group; base64url without padding.
    #[param(value_type = Option<String>)]
    into: Option<String>,
}

/// What waits, oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Inbox {
    items: Vec<InboxItem>,
    /// Whether there is more: fetch again once these are removed.
    more: bool,
}

/// What waits.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct InboxItem {
    id: InboxId,
    /// Of which group; base64url without padding.
    group: String,
    /// Of a welcome: the epoch of its commit. `null` for a message.
    epoch: Option<u64>,
    /// A Welcome or a PrivateMessage; base64url without padding. `null` for a welcome that is no longer kept: come in by an external commit.
    body: Option<String>,
    /// Of a welcome: its commit, whose confirmation tag is that of the group it leads to; base64url without padding.
    commit: Option<String>,
    /// Unix milliseconds.
    created_at: Timestamp,
}

impl From<InboxRow> for InboxItem {
    fn from(row: InboxRow) -> Self {
        Self {
            id: row.id,
            group: e2ee::encode(&row.group_id),
            epoch: row.epoch.map(i64::unsigned_abs),
            body: row.body.map(|body| e2ee::encode(&body)),
            commit: row.commit_bytes.map(|commit| e2ee::encode(&commit)),
            created_at: row.created_at,
        }
    }
}

/// What waits for one's own device: welcomes, and messages left for it. Kept for 90 days.
#[utoipa::path(get, path = "/inbox", tag = "e2ee", security(("bearer" = [])), params(Whose), responses(
    (status = 200, body = Inbox),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`group_not_found`: `into` names none", body = Problem),
    (status = 422, description = "`unknown_device`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(in super::super) async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Parameters(Whose { device, into }): Parameters<Whose>,
) -> Result<Json<Inbox>, Error> {
    let into = into.as_deref().map(e2ee::group_id).transpose()?;
    let waiting = e2ee::inbox(&app, &principal, device_id(&device)?, into).await?;
    Ok(Json(Inbox { items: waiting.items.into_iter().map(InboxItem::from).collect(), more: waiting.more }))
}

/// Removes what one's device has fetched and kept.
#[utoipa::path(delete, path = "/inbox/{id}", tag = "e2ee", security(("bearer" = [])), params(("id" = InboxId, Path)), responses(
    (status = 204, description = "Removed"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`inbox_item_not_found`", body = Problem),
))]
pub(in super::super) async fn remove(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Error> {
    e2ee::remove_from_inbox(&app, &principal, identifier(&id, E2eeError::InboxItemNotFound.into())?).await?;
    Ok(StatusCode::NO_CONTENT)
}
