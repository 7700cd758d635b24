//! `/api/v1/turn-credentials`: for programs that put devices of their own behind this server's TURN relay.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::address::Sender;
use super::extract::{Body, bearer};
use super::problem::Problem;
use crate::app::App;
use crate::config::IceServer;
use crate::error::Error;
use crate::turn_keys;

/// For whom.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Whose credentials these are: 1 to 32 of `[A-Za-z0-9_.-]`. Credentials of one device share its quota; without one, all of the
    /// key's do.
    device: Option<String>,
    /// How long they are to be good, in seconds: 60 to 86400, 21600 when nothing is said. What they relay ends with them.
    lifetime_s: Option<u64>,
}

/// Credentials.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TurnCredentials {
    /// For a browser's `RTCConfiguration`, or any other TURN client.
    ice_servers: Vec<IceServer>,
    /// How long they are good, in seconds.
    expires_in: u64,
}

/// Gives credentials for the TURN server to the holder of a key from `webcall turn-key add`.
#[utoipa::path(post, path = "/turn-credentials", tag = "config", security(("bearer" = [])), request_body = Wanted, responses(
    (status = 201, body = TurnCredentials),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`not_found`: there is no TURN server here", body = Problem),
    (status = 422, description = "`invalid_device`, `invalid_lifetime`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn issue(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<TurnCredentials>), Error> {
    app.limits.turn_credentials(sender.address)?;
    let key = bearer(&headers).ok_or(Error::NotSignedIn)?;
    let issued = turn_keys::issue(&app, key, wanted.device.as_deref(), wanted.lifetime_s).await?;
    let body = TurnCredentials { ice_servers: vec![issued.server], expires_in: issued.lifetime_s };
    Ok((StatusCode::CREATED, Json(body)))
}
