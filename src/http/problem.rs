//! Errors as problem documents (RFC 9457): `application/problem+json` with a stable `code`. The only place that turns an [`Error`] into
//! a status. The cause of an internal error is logged here and never sent.

use std::any::Any;

use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use webcall_media::MediaError;
use webcall_trust::Refusal;

use crate::error::{E2eeError, Error};

/// What a client gets instead of what it asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the code says more.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// English, for developers.
    detail: String,
    /// Stable, for programs.
    code: &'static str,
}

impl Problem {
    /// What is told of an error.
    pub(super) fn of(error: &Error) -> Self {
        let status = status(error);
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: error.to_string(),
            code: error.code(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let shown = self.shown();
        if let Self::Internal(cause) = shown {
            tracing::error!(error = %cause, "a request failed");
        }
        let status = status(shown);
        let mut response = (status, Json(Problem::of(shown))).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(retry_after_s) = retry_after_s(shown) {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Answers a request whose handler panicked.
pub(super) fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    Error::Internal("a handler panicked".into()).into_response()
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_) => StatusCode::BAD_REQUEST,
        Error::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::BodyTooLarge { .. } | Error::FileTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::Refused(Refusal::OutOfOrder) => StatusCode::CONFLICT,
        Error::Invalid { .. } | Error::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Error::NotSignedIn | Error::SessionEnded | Error::WrongCredentials | Error::TicketInvalid => StatusCode::UNAUTHORIZED,
        Error::WrongPassword
        | Error::WrongRegistrationSecret
        | Error::OriginRefused
        | Error::NotAllowed
        | Error::Banned
        | Error::RoomLocked
        | Error::ChatMuted => StatusCode::FORBIDDEN,
        Error::NotFound
        | Error::SessionNotFound
        | Error::RoomNotFound
        | Error::LinkNotFound
        | Error::MemberNotFound
        | Error::MessageNotFound
        | Error::UserNotFound
        | Error::FileNotFound
        | Error::BanNotFound
        | Error::TestCallNotFound => StatusCode::NOT_FOUND,
        Error::UsernameTaken
        | Error::UsernameLooksTaken
        | Error::OwnerCannotLeave
        | Error::TooManyMembers
        | Error::TooManyRooms
        | Error::MessageIdTaken
        | Error::TooManyPins
        | Error::TooManyBans
        | Error::FileQuotaExceeded
        | Error::TooManyUploads
        | Error::WrongOffset
        | Error::UploadBusy
        | Error::TestCallFull => StatusCode::CONFLICT,
        Error::RateLimited { .. } | Error::SlowMode { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Busy | Error::DiskFull | Error::StorageUnavailable | Error::TimedOut | Error::TooManyTestCalls => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Media(error) => media_status(error),
        Error::E2ee(error) => e2ee_status(*error),
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn e2ee_status(error: E2eeError) -> StatusCode {
    match error {
        E2eeError::GroupNotFound | E2eeError::InboxItemNotFound | E2eeError::BackupNotFound => StatusCode::NOT_FOUND,
        E2eeError::BackupChanged => StatusCode::PRECONDITION_FAILED,
        E2eeError::TooManyRecords
        | E2eeError::KeyPackageReused
        | E2eeError::TooManyKeyPackages
        | E2eeError::RoomOpen
        | E2eeError::GroupExists
        | E2eeError::EpochTaken
        | E2eeError::EpochForgotten
        | E2eeError::InboxFull
        | E2eeError::TooManyBackups => StatusCode::CONFLICT,
    }
}

fn media_status(error: &MediaError) -> StatusCode {
    match error {
        MediaError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        MediaError::RoomFull(_) | MediaError::AlreadyJoined(_) => StatusCode::CONFLICT,
        MediaError::UnknownParticipant(_) => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn retry_after_s(error: &Error) -> Option<u64> {
    match error {
        Error::RateLimited { retry_after_s } | Error::SlowMode { retry_after_s } => Some(*retry_after_s),
        Error::Busy | Error::TimedOut | Error::Media(MediaError::Busy) => Some(1),
        Error::StorageUnavailable => Some(10),
        Error::DiskFull | Error::TooManyTestCalls => Some(60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn a_panic_and_an_internal_error_say_nothing_of_their_cause() {
        let error = || Error::Internal("the cause".into());
        for response in [panicked(Box::new("the cause")), error().into_response()] {
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert!(!error().to_string().contains("cause") && error().code() == "internal");
    }

    #[test]
    fn a_store_without_a_free_connection_is_busy_and_not_broken() {
        let response = Error::from(StoreError::Database(sqlx::Error::PoolTimedOut)).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
