//! `/api/v1/files`: what people send each other. Bytes come in and go out as streams: neither is ever whole in memory.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::{Body as Bytes, BodyDataStream, Bytes as Piece};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier};
use super::problem::Problem;
use super::range::{Wanted, wanted};
use crate::app::App;
use crate::error::Error;
use crate::files;
use crate::id::{FileId, RoomId};
use crate::store::FileRow;

/// Nobody's browser runs or shows what somebody else sent, whatever it is.
const NEVER_SHOWN: [(axum::http::HeaderName, &str); 4] =
    [(CONTENT_TYPE, OCTETS), (CONTENT_DISPOSITION, "attachment"), (CONTENT_SECURITY_POLICY, "sandbox"), (ACCEPT_RANGES, "bytes")];
const OCTETS: &str = "application/octet-stream";
/// Of a request that is refused so much is still read, for so long: a sender that is cut off while it sends does not see the answer.
/// The client's pieces are half as large.
const READ_THOUGH_REFUSED_BYTES: usize = 2 << 20;
const READ_THOUGH_REFUSED: Duration = Duration::from_secs(5);

/// A file to come.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFile {
    /// How many bytes it has.
    size: u64,
}

/// How far a file has come.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FileState {
    id: FileId,
    /// Bytes that are here and safe; the next ones go on from there.
    received: i64,
    /// Bytes in all.
    size: i64,
}

impl From<FileRow> for FileState {
    fn from(row: FileRow) -> Self {
        Self { id: row.id, received: row.received_bytes, size: row.size_bytes }
    }
}

/// From where on bytes come.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Offset {
    /// As many as were received.
    offset: u64,
}

/// Announces a file in a room; a message takes it along once it is complete. Without one it is removed after a day.
#[utoipa::path(post, path = "/rooms/{id}/files", tag = "files", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = NewFile, responses(
    (status = 201, body = FileState),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 409, description = "`file_quota_exceeded`, `too_many_uploads`", body = Problem),
    (status = 413, description = "`file_too_large`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
    (status = 503, description = "`disk_full`", body = Problem),
))]
pub(super) async fn announce(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<NewFile>,
) -> Result<(StatusCode, Json<FileState>), Error> {
    let room = identifier(&id, Error::RoomNotFound)?;
    let row = files::announce(&app, &principal, room, body.size).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Takes bytes of a file: any number, in as many requests as it takes. What came of a request that broke off counts.
#[utoipa::path(patch, path = "/files/{id}", tag = "files", security(("bearer" = [])), params(("id" = FileId, Path), Offset),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = FileState),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`file_not_found`", body = Problem),
    (status = 409, description = "`wrong_offset`, `upload_busy`", body = Problem),
    (status = 413, description = "`file_too_large`: more than was announced", body = Problem),
    (status = 415, description = "`unsupported_media_type`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
    (status = 503, description = "`disk_full`, `storage_unavailable`; `timed_out`: no byte for 30 s", body = Problem),
))]
pub(super) async fn receive(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    offset: Result<Query<Offset>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<FileState>, Error> {
    let id = identifier(&id, Error::FileNotFound)?;
    let Query(Offset { offset }) = offset.map_err(|_| Error::Malformed("`offset` must be a number".to_owned()))?;
    if headers.get(CONTENT_TYPE).is_none_or(|value| value != OCTETS) {
        return Err(Error::UnsupportedMediaType);
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let row = files::receive(&app, &principal, id, offset, announced, Pieces(Some(body.into_data_stream()))).await?;
    Ok(Json(row.into()))
}

/// How far a file has come, for who sends it.
#[utoipa::path(get, path = "/files/{id}/state", tag = "files", security(("bearer" = [])), params(("id" = FileId, Path)), responses(
    (status = 200, body = FileState),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`file_not_found`", body = Problem),
))]
pub(super) async fn state(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<FileState>, Error> {
    Ok(Json(files::state(&app, &principal, identifier(&id, Error::FileNotFound)?).await?.into()))
}

/// Takes a file back that no message has taken along.
#[utoipa::path(delete, path = "/files/{id}", tag = "files", security(("bearer" = [])), params(("id" = FileId, Path)), responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`file_not_found`", body = Problem),
))]
pub(super) async fn discard(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Error> {
    files::discard(&app, &principal, identifier(&id, Error::FileNotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The bytes of a file, whole or one `Range`, for members of its room. Always an attachment without a type.
#[utoipa::path(get, path = "/files/{id}", tag = "files", security(("bearer" = [])), params(("id" = FileId, Path)), responses(
    (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 206, description = "One part of the bytes", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 304, description = "Not changed: a file never does"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`file_not_found`", body = Problem),
    (status = 416, description = "`range_not_satisfiable`", body = Problem),
    (status = 503, description = "`storage_unavailable`", body = Problem),
))]
pub(super) async fn read(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id: FileId = identifier(&id, Error::FileNotFound)?;
    let download = files::open(&app, &principal, id).await?;
    let (size, etag) = (download.size_bytes, format!("\"{id}\""));
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let (status, from, to) = match wanted(&headers, &etag, size) {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Wanted::Unsatisfiable => {
            let range = [(CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((range, Error::RangeNotSatisfiable { size_bytes: size }).into_response());
        }
    };
    let body = Bytes::from_stream(download.bytes(from, to).await?);
    let mut response = (status, NEVER_SHOWN, [(ETAG, etag)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(to - from));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{size}", to - 1);
        headers.insert(CONTENT_RANGE, HeaderValue::try_from(range).expect("digits are what a header may have"));
    }
    Ok(response)
}

/// The bytes of a request as they come. When it was refused before its end, some more are read and dropped meanwhile.
struct Pieces(Option<BodyDataStream>);

impl Stream for Pieces {
    type Item = Result<Piece, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        next
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        let Some(mut body) = self.0.take() else { return };
        let read_some = async move {
            let mut left = READ_THOUGH_REFUSED_BYTES;
            while let Some(Ok(piece)) = body.next().await {
                match left.checked_sub(piece.len()) {
                    Some(less) => left = less,
                    None => return,
                }
            }
        };
        tokio::spawn(tokio::time::timeout(READ_THOUGH_REFUSED, read_some));
    }
}
