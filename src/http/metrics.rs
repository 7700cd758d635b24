//! `/metrics`: figures for dashboards, in the text format of OpenMetrics. Open to this machine itself; with `METRICS_TOKEN` set, to
//! whoever sends it as a bearer token, and to nobody else.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::address::Sender;
use super::extract::bearer;
use crate::accounts::is_equal;
use crate::app::App;
use crate::error::Error;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All figures.
pub(super) async fn metrics(State(app): State<App>, sender: Sender, headers: HeaderMap) -> Result<impl IntoResponse, Error> {
    let is_allowed = match &app.config.secrets.metrics_token {
        Some(token) => bearer(&headers).is_some_and(|given| is_equal(given, token.expose())),
        None => sender.is_local,
    };
    if !is_allowed {
        return Err(Error::NotSignedIn);
    }
    app.metrics.set_rooms(app.store.count_rooms().await?, app.calls.totals().0);
    let text = app.metrics.text().map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text))
}
