//! `/api/v1/rooms/{id}/messages`, `/pins`, `/read` and `/api/v1/direct`: what people write.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier};
use super::limits::MAX_MESSAGE_BYTES;
use super::problem::Problem;
use super::rooms::{Room, room_id};
use crate::app::App;
use crate::chat::{self, Draft, History, Span};
use crate::error::Error;
use crate::id::{FileId, MessageId, RoomId};
use crate::signal::protocol::{Entry, Pinned};
use crate::store::Protection;

/// A message to send.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// Made by the client: sending the same again stores nothing more.
    #[schema(value_type = MessageId)]
    id: String,
    /// Opaque, 1 to 65,536 bytes; base64url without padding.
    body: String,
    /// Complete files of one's own in this room, at most 10. They are deleted with the message.
    #[serde(default)]
    #[schema(value_type = Vec<FileId>)]
    files: Vec<String>,
}

/// Which part of a log.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The newest with a lower number.
    before: Option<i64>,
    /// The oldest with a higher number. With neither, the newest of all.
    after: Option<i64>,
    /// 1 to 200; 50 when missing.
    limit: Option<i64>,
}

/// Part of a log, ascending. Large bodies make it shorter than asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    /// The first entry that is still there; above `last_seq` when none is.
    first_seq: i64,
    /// The last entry; 0 when there was none ever.
    last_seq: i64,
}

impl From<History> for Entries {
    fn from(History { entries, first_seq, last_seq }: History) -> Self {
        Self { entries: entries.into_iter().map(Entry::from).collect(), first_seq, last_seq }
    }
}

/// How far one has read.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadUpTo {
    /// The last entry read.
    seq: i64,
}

/// Whom a direct conversation is with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    /// 1 to 9 others.
    usernames: Vec<String>,
    /// As for a room, if it is made: one that is there stays as it is.
    #[serde(default)]
    encryption: Option<String>,
    /// As for a room, if it is made.
    #[serde(default)]
    strict: Option<bool>,
}

/// The pinned messages of a room, the latest pin first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Pins {
    pins: Vec<Pinned>,
}

/// Sends a message. Answered once it is stored for good.
#[utoipa::path(post, path = "/rooms/{id}/messages", tag = "messages", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = NewMessage, responses(
    (status = 201, body = Entry),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`room_locked`, `chat_muted`", body = Problem),
    (status = 404, description = "`room_not_found`, `file_not_found`", body = Problem),
    (status = 409, description = "`message_id_taken`", body = Problem),
    (status = 422, description = "`invalid_message_id`, `invalid_body`, `too_many_files`", body = Problem),
    (status = 429, description = "`rate_limited`, `slow_mode`", body = Problem),
    (status = 503, description = "`busy`, `disk_full`", body = Problem),
))]
pub(super) async fn post(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<NewMessage, MAX_MESSAGE_BYTES>,
) -> Result<(StatusCode, Json<Entry>), Error> {
    let draft = Draft::parse(&body.id, &body.body, &body.files)?;
    let entry = chat::post(&app, &principal, room_id(&id)?, draft)?.outcome().await?;
    Ok((StatusCode::CREATED, Json(entry.into())))
}

/// Part of a room's log.
#[utoipa::path(get, path = "/rooms/{id}/messages", tag = "messages", security(("bearer" = [])),
    params(("id" = RoomId, Path), Which), responses(
    (status = 200, body = Entries),
    (status = 400, description = "`malformed`", body = Problem),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 422, description = "`invalid_limit`", body = Problem),
))]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Entries>, Error> {
    let Query(Which { before, after, limit }) = which.map_err(|error| Error::Malformed(error.body_text()))?;
    let span = Span { before, after, limit };
    Ok(Json(chat::history(&app, &principal, room_id(&id)?, span, chat::MAX_PAGE_BYTES).await?.into()))
}

/// Deletes a message: one's own, or anybody's by owner and moderators. Its place in the log remains.
#[utoipa::path(delete, path = "/rooms/{id}/messages/{message}", tag = "messages", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("message" = MessageId, Path)), responses(
    (status = 200, description = "The deletion, an entry of its own", body = Entry),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `message_not_found`", body = Problem),
))]
pub(super) async fn delete(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, message)): Segments<(String, String)>,
) -> Result<Json<Entry>, Error> {
    Ok(Json(chat::delete(&app, &principal, room_id(&id)?, message_id(&message)?).await?.into()))
}

/// Pins a message. Owner and moderators; in a direct conversation everybody.
#[utoipa::path(put, path = "/rooms/{id}/pins/{message}", tag = "messages", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("message" = MessageId, Path)), responses(
    (status = 200, description = "The pin, an entry of its own; `null` when it was pinned before", body = Option<Entry>),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `message_not_found`", body = Problem),
    (status = 409, description = "`too_many_pins`", body = Problem),
))]
pub(super) async fn pin(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, message)): Segments<(String, String)>,
) -> Result<Json<Option<Entry>>, Error> {
    Ok(Json(chat::pin(&app, &principal, room_id(&id)?, message_id(&message)?).await?.map(Entry::from)))
}

/// Unpins a message. Owner and moderators; in a direct conversation everybody.
#[utoipa::path(delete, path = "/rooms/{id}/pins/{message}", tag = "messages", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("message" = MessageId, Path)), responses(
    (status = 200, description = "An entry of its own", body = Option<Entry>),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `message_not_found`", body = Problem),
))]
pub(super) async fn unpin(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, message)): Segments<(String, String)>,
) -> Result<Json<Option<Entry>>, Error> {
    Ok(Json(chat::unpin(&app, &principal, room_id(&id)?, message_id(&message)?).await?.map(Entry::from)))
}

/// The pinned messages.
#[utoipa::path(get, path = "/rooms/{id}/pins", tag = "messages", security(("bearer" = [])), params(("id" = RoomId, Path)), responses(
    (status = 200, body = Pins),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
))]
pub(super) async fn pins(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<Pins>, Error> {
    let pins = chat::pins(&app, &principal, room_id(&id)?).await?.into_iter().map(Pinned::from).collect();
    Ok(Json(Pins { pins }))
}

/// Says how far one has read. The marker never goes back.
#[utoipa::path(put, path = "/rooms/{id}/read", tag = "messages", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = ReadUpTo, responses(
    (status = 204, description = "Noted"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 422, description = "`invalid_seq`", body = Problem),
))]
pub(super) async fn mark_read(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(ReadUpTo { seq }): Body<ReadUpTo>,
) -> Result<StatusCode, Error> {
    chat::mark_read(&app, &principal, room_id(&id)?, seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The direct conversation with these users; made if there is none.
#[utoipa::path(post, path = "/direct", tag = "messages", security(("bearer" = [])), request_body = People, responses(
    (status = 200, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`user_not_found`", body = Problem),
    (status = 409, description = "`too_many_rooms`", body = Problem),
    (status = 422, description = "`invalid_usernames`, `invalid_encryption`, `invalid_strict`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn open_direct(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(People { usernames, encryption, strict }): Body<People>,
) -> Result<Json<Room>, Error> {
    let protection = Protection::parse(encryption.as_deref(), strict)?;
    Ok(Json(chat::open_direct(&app, &principal, &usernames, protection).await?.into()))
}

fn message_id(text: &str) -> Result<MessageId, Error> {
    identifier(text, Error::MessageNotFound)
}
