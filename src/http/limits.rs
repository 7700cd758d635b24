//! What one request may cost: the size of its body and the time it takes.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// The largest body but a message's. The largest honest one, the offer of a test connection, has some 10 kB.
pub(super) const MAX_BODY_BYTES: usize = 64 << 10;
/// The largest message: 64 KiB as base64, its identifier and those of ten files.
pub(super) const MAX_MESSAGE_BYTES: usize = 96 << 10;
/// The largest diagnostic report. One of a server with 64 workers has some 7 kB.
pub(super) const MAX_REPORT_BYTES: usize = 16 << 10;
/// The longest a request may take. A log-in that waits for 64 others takes 16 s; a database that answers in 5 s is given up earlier.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Where the bytes of a file come: however long they take, as long as some come (`files::upload` bounds both).
const UNLIMITED: (Method, &str) = (Method::PATCH, "/api/v1/files/{id}");

/// Answers `timed_out` in place of a handler that takes too long. A WebSocket's request ends with its upgrade.
pub(super) async fn time_limit(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if (request.method(), path) == (&UNLIMITED.0, UNLIMITED.1) {
        return next.run(request).await;
    }
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TimedOut.into_response(),
    }
}
