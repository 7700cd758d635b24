//! `/api/v1/e2ee`: what end-to-end encryption needs of the server. Bytes are base64url without padding. A refusal of `webcall_trust`, which
//! server and client share, is answered 422 with its own code (`out_of_order` 409).

mod backups;
mod groups;
mod inbox;
mod keys;
mod log;
mod packages;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use webcall_trust::Refusal;

use super::extract::identifier;
use crate::app::App;
use crate::error::Error;
use crate::id::DeviceId;

/// The largest body here: a hundred key packages, or a sealed backup, as base64.
pub(super) const MAX_E2EE_BYTES: usize = 256 << 10;

/// A commit with the most key packages (512 KiB), a welcome to as many and a GroupInfo, both with the tree (2 MiB each), as base64.
pub(super) const MAX_COMMIT_REQUEST_BYTES: usize = 6_200 << 10;

/// Its routes, below `/api/v1/e2ee`.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::chain)) //        GET  /users/{id}/keys
        .routes(routes!(keys::append)) //       POST /keys/records
        .routes(routes!(packages::upload, packages::stock)) // POST, GET /devices/{device}/key-packages
        .routes(routes!(packages::claim)) //    POST /key-packages/claim
        .routes(routes!(log::head)) //          GET  /log/head
        .routes(routes!(log::inclusion)) //     GET  /log/inclusion
        .routes(routes!(log::consistency)) //   GET  /log/consistency
        .routes(routes!(backups::list)) //      GET  /backups
        .routes(routes!(backups::put, backups::get, backups::delete)) // PUT, GET, DELETE /backups/{slot}
        .routes(routes!(groups::create)) //     POST /groups
        .routes(routes!(groups::info)) //       GET  /groups/{id}/info
        .routes(routes!(groups::message)) //    POST /groups/{id}/messages
        .routes(routes!(inbox::list)) //        GET  /inbox
        .routes(routes!(inbox::remove)) //      DELETE /inbox/{id}
        .layer(DefaultBodyLimit::max(MAX_E2EE_BYTES))
        .merge(roomy())
}

/// Routes whose bodies may be larger.
fn roomy() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(groups::commit, groups::commits)) // POST, GET /groups/{id}/commits
        .layer(DefaultBodyLimit::max(MAX_COMMIT_REQUEST_BYTES))
}

/// A device in a path, a query or a body; `unknown_device` for what is none.
fn device_id(text: &str) -> Result<DeviceId, Error> {
    identifier(text, Refusal::UnknownDevice.into())
}
