//! Whether the server lives, and whether it can serve: for whoever restarts it and whoever sends it work.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::App;

/// A database or a media worker that takes longer than this to answer nothing is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// What works.
#[derive(Serialize)]
pub(super) struct Readiness {
    database: &'static str,
    media: &'static str,
    stopping: bool,
}

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Everything that a call needs answers, and the server is not about to stop.
pub(super) async fn readyz(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let (database, media) = tokio::join!(timeout(PATIENCE, app.store.ping()), timeout(PATIENCE, app.media.answers()));
    let (database, media) = (matches!(database, Ok(Ok(()))), matches!(media, Ok(Ok(()))));
    let stopping = app.shutdown.has_begun();
    let status = if database && media && !stopping { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { database: word(database), media: word(media), stopping }))
}

fn word(works: bool) -> &'static str {
    if works { "ok" } else { "failing" }
}
