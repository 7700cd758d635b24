//! What one request may cost: the size of its body and the time it takes.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

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

/// What changes something is carried out to its end, also when whoever asked is gone or the time is over: a commit that nobody is told of
/// would leave somebody in a call whom it removed, and what was counted for a file would never be given back.
pub(super) async fn finish_changes(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Error::Internal(Box::new(error)).into_response(),
        },
    }
}

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::any;
    use tokio::sync::{Notify, mpsc};
    use tower::ServiceExt;

    use super::*;

    /// Whether a handler comes to its end when the one who asked goes while it works.
    async fn is_finished(method: Method) -> bool {
        let (begun, going_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (done, mut finished) = mpsc::channel(1);
        let (begin, go_on) = (Arc::clone(&begun), Arc::clone(&going_on));
        let handler = any(move || async move {
            begin.notify_one();
            go_on.notified().await;
            let _ = done.send(()).await;
        });
        let router: Router = Router::new().route("/", handler).layer(from_fn(finish_changes));
        let mut response = Box::pin(router.oneshot(Request::builder().method(method).uri("/").body(Body::empty()).unwrap()));
        tokio::select! {
            _ = &mut response => panic!("nobody let it go on"),
            () = begun.notified() => drop(response),
        }
        going_on.notify_one();
        finished.recv().await.is_some()
    }

    #[tokio::test]
    async fn what_changes_something_is_carried_out_though_nobody_waits_for_it() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(is_finished(method.clone()).await, "{method}");
        }
        assert!(!is_finished(Method::GET).await);
    }
}
