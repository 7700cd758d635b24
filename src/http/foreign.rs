//! Pages of other origins. State-changing requests from them are refused whether or not they carry a cookie (by `Origin`, or
//! `Sec-Fetch-Site` where a browser sends no origin); reading the answers is granted by CORS to the listed origins only.
//! A program that is no browser sends neither header and is let through: it has no cookie that it did not put there itself.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::layer::util::Identity;
use tower::util::Either;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::observe::REQUEST_ID;
use crate::app::App;
use crate::config::Origins;
use crate::error::Error;

/// How long a browser may remember what it was allowed.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(3600);
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what pages of other origins want to change.
pub(super) async fn refuse_foreign_writes(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_own(request.headers(), &app.config.origins) {
        return next.run(request).await;
    }
    Error::OriginRefused.into_response()
}

/// Whether a request comes from a page that may change things, or from no browser.
fn is_own(headers: &HeaderMap, origins: &Origins) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(&ORIGIN), text(&SEC_FETCH_SITE)) {
        (Some(origin), _) => origins.permits(origin, text(&HOST)),
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
    }
}

/// Lets pages of the listed origins read answers, cookies included. Without listed origins there is nothing to add to an answer.
pub(super) fn cors(app: &App) -> Either<CorsLayer, Identity> {
    if app.config.origins.is_empty() {
        return Either::Right(Identity::new());
    }
    let app = app.clone();
    let is_listed = move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(|origin| app.config.origins.lists(origin));
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_listed))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER, REQUEST_ID])
        .max_age(PREFLIGHT_LIFE);
    Either::Left(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_and_listed_pages_and_programs_may_change_things() {
        let origins = Origins::parse("https://app.example").unwrap();
        for (headers, expected) in [
            (vec![], true),
            (vec![("origin", "http://call.example")], true),
            (vec![("origin", "https://app.example")], true),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
        ] {
            let mut map = HeaderMap::from_iter([(HOST, HeaderValue::from_static("call.example"))]);
            for (name, value) in &headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&map, &origins), expected, "{headers:?}");
        }
    }
}
