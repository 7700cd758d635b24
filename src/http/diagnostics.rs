//! `/api/v1/diagnostics`: test calls and reports of the page `/diagnostics`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier};
use super::limits::MAX_REPORT_BYTES;
use super::problem::Problem;
use crate::app::App;
use crate::diagnostics::{self, Report};
use crate::error::Error;
use crate::id::TestCallId;
use crate::signal;
use crate::signal::protocol::{SeatOffer, TrackOffer};

/// A test call that was begun.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TestCall {
    id: TestCallId,
    /// How many media workers there are, each with a port of its own.
    workers: usize,
}

/// One connection that wants into a test call; an offer as signalling takes it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestOffer {
    /// The browser's SDP.
    sdp: String,
    /// The sending m-lines.
    tracks: Vec<TrackOffer>,
    /// The receiving pairs of m-lines, in seat order.
    seats: Vec<SeatOffer>,
    /// The media worker that is to answer, from 0; without it the server chooses.
    worker: Option<usize>,
}

/// The answer to an offer.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TestParticipant {
    /// 16 hexadecimal digits.
    participant: String,
    /// The server's SDP.
    sdp: String,
}

/// Begins a test call, which is in nobody's room and ends by itself after a minute. An earlier one of the same user ends.
#[utoipa::path(post, path = "/diagnostics/calls", tag = "diagnostics", security(("bearer" = [])), responses(
    (status = 201, body = TestCall),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
    (status = 503, description = "`too_many_test_calls`", body = Problem),
))]
pub(super) async fn start(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<(StatusCode, Json<TestCall>), Error> {
    let diagnostics::Started { id, workers } = diagnostics::start(&app, &principal)?;
    Ok((StatusCode::CREATED, Json(TestCall { id, workers })))
}

/// Enters a test call with one connection: 12 at most in one call.
#[utoipa::path(post, path = "/diagnostics/calls/{id}/participants", tag = "diagnostics", security(("bearer" = [])),
    params(("id" = TestCallId, Path)), request_body = TestOffer, responses(
    (status = 201, body = TestParticipant),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`test_call_not_found`", body = Problem),
    (status = 409, description = "`test_call_full`", body = Problem),
    (status = 422, description = "`bad_offer`, `offer_mismatch`, `too_many_tracks`, `unknown_worker`", body = Problem),
    (status = 503, description = "`media_busy`", body = Problem),
))]
pub(super) async fn enter(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<TestOffer>,
) -> Result<(StatusCode, Json<TestParticipant>), Error> {
    let id = identifier(&id, Error::TestCallNotFound)?;
    let offer = signal::media_offer(body.sdp, body.tracks, body.seats)?;
    let diagnostics::Entered { participant, sdp } = diagnostics::enter(&app, &principal, id, body.worker, offer).await?;
    Ok((StatusCode::CREATED, Json(TestParticipant { participant: participant.to_string(), sdp })))
}

/// Ends a test call.
#[utoipa::path(delete, path = "/diagnostics/calls/{id}", tag = "diagnostics", security(("bearer" = [])),
    params(("id" = TestCallId, Path)), responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`test_call_not_found`", body = Problem),
))]
pub(super) async fn end(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Error> {
    diagnostics::end(&app, &principal, identifier(&id, Error::TestCallNotFound)?)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps what a browser found out, for the operator: 30 days, 10 of one user an hour.
#[utoipa::path(post, path = "/diagnostics/reports", tag = "diagnostics", security(("bearer" = [])), request_body = Report, responses(
    (status = 204, description = "Kept"),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 413, description = "`body_too_large`: 16 KiB at most", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn report(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(report): Body<Report, MAX_REPORT_BYTES>,
) -> Result<StatusCode, Error> {
    diagnostics::file(&app, &principal, &report).await?;
    Ok(StatusCode::NO_CONTENT)
}
