//! `/api/v1/rooms`: rooms, their links and their members.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier};
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::rooms::{self, Changes, Encryption, Role, RoomName};
use crate::signal::protocol::Entry;
use crate::store::{MemberRow, RoomKind};
use crate::time::Timestamp;

/// A room as one of its members sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Room {
    id: RoomId,
    name: String,
    /// `open`: not end-to-end encrypted. Fixed at creation.
    encryption: String,
    /// One's own standing.
    role: Role,
    /// The link is `/join/<code>`.
    link_code: String,
    /// Unix milliseconds.
    created_at: Timestamp,
    member_count: i64,
    /// Participants of its call now.
    in_call: usize,
    /// `direct`: a conversation of a few people without name, link and owner.
    kind: RoomKind,
    /// The first entry of its log that is still there; above `last_seq` when none is.
    first_seq: i64,
    /// The last entry of its log; 0 when there was none ever.
    last_seq: i64,
    /// The last entry that one has read.
    read_seq: i64,
    /// Who is in a direct conversation, by name; empty for rooms.
    people: Vec<Person>,
    /// The last entry; its body is `null` also when it is longer than 4,096 bytes.
    last_entry: Option<Entry>,
}

/// Somebody in a direct conversation.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Person {
    user: UserId,
    username: String,
}

impl From<rooms::Room> for Room {
    fn from(rooms::Room { row, in_call, people, last_entry }: rooms::Room) -> Self {
        Self {
            id: row.id,
            name: row.name,
            encryption: row.encryption,
            role: row.role,
            link_code: row.link_code,
            created_at: row.created_at,
            member_count: row.member_count,
            in_call,
            kind: row.kind,
            first_seq: row.first_seq,
            last_seq: row.last_seq,
            read_seq: row.read_seq,
            people: people.into_iter().map(|(user, username)| Person { user, username }).collect(),
            last_entry: last_entry.map(Entry::from),
        }
    }
}

/// All rooms of a user.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
}

/// A room with its members.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RoomWithMembers {
    #[serde(flatten)]
    room: Room,
    /// Owner first, then moderators, then by when they joined.
    members: Vec<Member>,
}

/// A user's standing in a room.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Member {
    user: UserId,
    username: String,
    role: Role,
    /// Unix milliseconds.
    joined_at: Timestamp,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { user: row.user_id, username: row.username, role: row.role, joined_at: row.joined_at }
    }
}

/// What making a room takes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// 1 to 100 characters after trimming, no control characters.
    name: String,
    /// Only `open` exists yet.
    encryption: String,
}

/// What can be changed in a room.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoomChanges {
    /// A new name.
    name: Option<String>,
    /// `true`: replace the link, so that the old one no longer works.
    #[serde(default)]
    reset_link: bool,
}

/// A link's code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkCode {
    /// What follows `/join/`.
    code: String,
}

/// Where a link leads.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Linked {
    /// The room's name.
    name: String,
}

/// A member's new role.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    /// `moderator` or `member`.
    role: Role,
}

/// Makes a room; its maker owns it.
#[utoipa::path(post, path = "/rooms", tag = "rooms", security(("bearer" = [])), request_body = NewRoom, responses(
    (status = 201, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 409, description = "`too_many_rooms`", body = Problem),
    (status = 422, description = "`invalid_room_name`, `invalid_encryption`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<NewRoom>,
) -> Result<(StatusCode, Json<Room>), Error> {
    let (name, encryption) = (RoomName::parse(&body.name)?, Encryption::parse(&body.encryption)?);
    let room = rooms::create(&app, &principal, &name, encryption).await?;
    Ok((StatusCode::CREATED, Json(room.into())))
}

/// One's rooms, newest first.
#[utoipa::path(get, path = "/rooms", tag = "rooms", security(("bearer" = [])), responses(
    (status = 200, body = Rooms),
    (status = 401, description = "`not_signed_in`", body = Problem),
))]
pub(super) async fn list(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<Rooms>, Error> {
    let rooms = rooms::list(&app, &principal).await?.into_iter().map(Room::from).collect();
    Ok(Json(Rooms { rooms }))
}

/// One of one's rooms, with its members.
#[utoipa::path(get, path = "/rooms/{id}", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)), responses(
    (status = 200, body = RoomWithMembers),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
))]
pub(super) async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<Json<RoomWithMembers>, Error> {
    let room = rooms::get(&app, &principal, room_id(&id)?).await?;
    let members = rooms::members(&app, &room).await?.into_iter().map(Member::from).collect();
    Ok(Json(RoomWithMembers { room: room.into(), members }))
}

/// Renames a room, replaces its link, or both. Owner and moderators.
#[utoipa::path(patch, path = "/rooms/{id}", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = RoomChanges, responses(
    (status = 200, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 422, description = "`invalid_room_name`", body = Problem),
))]
pub(super) async fn update(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<RoomChanges>,
) -> Result<Json<Room>, Error> {
    let name = body.name.as_deref().map(RoomName::parse).transpose()?;
    let changes = Changes { name, reset_link: body.reset_link };
    Ok(Json(rooms::update(&app, &principal, room_id(&id)?, &changes).await?.into()))
}

/// Deletes a room, for everybody in it. The owner only.
#[utoipa::path(delete, path = "/rooms/{id}", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)), responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
))]
pub(super) async fn delete(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Error> {
    rooms::delete(&app, &principal, room_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Becomes a member by a link. No change for who is one.
#[utoipa::path(post, path = "/rooms/join", tag = "rooms", security(("bearer" = [])), request_body = LinkCode, responses(
    (status = 200, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`link_not_found`", body = Problem),
    (status = 409, description = "`too_many_members`, `too_many_rooms`", body = Problem),
))]
pub(super) async fn join(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<LinkCode>,
) -> Result<Json<Room>, Error> {
    Ok(Json(rooms::join(&app, &principal, &body.code).await?.into()))
}

/// Says where a link leads, before joining.
#[utoipa::path(get, path = "/rooms/link/{code}", tag = "rooms", security(("bearer" = [])), params(("code" = String, Path)), responses(
    (status = 200, body = Linked),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 404, description = "`link_not_found`", body = Problem),
))]
pub(super) async fn by_link(
    State(app): State<App>,
    SignedIn(_): SignedIn,
    Segments(code): Segments<String>,
) -> Result<Json<Linked>, Error> {
    Ok(Json(Linked { name: rooms::by_link(&app, &code).await?.name }))
}

/// Makes a member a moderator, or no longer one. The owner only.
#[utoipa::path(patch, path = "/rooms/{id}/members/{user}", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("user" = UserId, Path)), request_body = NewRole, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `member_not_found`", body = Problem),
))]
pub(super) async fn change_role(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, user)): Segments<(String, String)>,
    Body(body): Body<NewRole>,
) -> Result<StatusCode, Error> {
    rooms::change_role(&app, &principal, room_id(&id)?, identifier(&user, Error::MemberNotFound)?, body.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a membership: one's own, or another's by owner and moderators.
#[utoipa::path(delete, path = "/rooms/{id}/members/{user}", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("user" = UserId, Path)), responses(
    (status = 204, description = "No longer a member"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `member_not_found`", body = Problem),
    (status = 409, description = "`owner_cannot_leave`", body = Problem),
))]
pub(super) async fn remove_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, user)): Segments<(String, String)>,
) -> Result<StatusCode, Error> {
    rooms::leave_or_remove(&app, &principal, room_id(&id)?, identifier(&user, Error::MemberNotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn room_id(text: &str) -> Result<RoomId, Error> {
    identifier(text, Error::RoomNotFound)
}
