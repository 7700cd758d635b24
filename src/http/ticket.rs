//! `/api/v1/ws-ticket`: what a page needs to open its WebSocket.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::extract::SignedIn;
use super::problem::Problem;
use crate::accounts::{TICKET_LIFE, issue_ticket};
use crate::app::App;
use crate::error::Error;

/// A ticket for one WebSocket.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Ticket {
    /// Goes into the subprotocol `ticket.<ticket>` of `GET /api/v1/ws`, beside `webcall.v1`.
    ticket: String,
    /// How long it is good, in seconds.
    expires_in: u64,
}

/// Gives a ticket, good once.
#[utoipa::path(post, path = "/ws-ticket", tag = "signalling", security(("bearer" = [])), responses(
    (status = 201, body = Ticket),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn issue(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<(StatusCode, Json<Ticket>), Error> {
    let ticket = issue_ticket(&app, &principal)?;
    Ok((StatusCode::CREATED, Json(Ticket { ticket, expires_in: TICKET_LIFE.as_secs() })))
}
