//! `/api/v1/rooms`: rooms, their links and their members.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Segments, SignedIn, identifier, named};
use super::invitations;
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::id::{CallId, RoomId, UserId};
use crate::rooms::{self, Changes, MemberChanges, Retention, Role, RoomName, SlowMode, Topic};
use crate::signal::protocol::Entry;
use crate::store::{Encryption, MemberRow, Protection, RoomKind};
use crate::time::Timestamp;

/// A room as one of its members sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Room {
    id: RoomId,
    name: String,
    /// `mls`: end-to-end encrypted; `open`: not. Fixed at creation.
    encryption: Encryption,
    /// Its calls hide from the server who speaks. Fixed at creation.
    strict: bool,
    /// One's own standing.
    role: Role,
    /// The link is `/join/<code>`.
    link_code: String,
    /// Unix milliseconds.
    created_at: Timestamp,
    member_count: i64,
    /// Participants of its call now.
    in_call: usize,
    /// That call; `null` while there is none. Another one each time that somebody enters an empty one.
    call: Option<CallId>,
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
    /// What it is about; may be empty.
    topic: String,
    /// Only moderators and the owner write.
    locked: bool,
    /// A member's messages are at least so many seconds apart.
    slow_mode_s: i64,
    /// Messages are kept for so many days; `null` for ever.
    retention_days: Option<i64>,
    /// Whether a moderator keeps oneself from writing.
    chat_muted: bool,
}

/// Somebody in a direct conversation.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Person {
    user: UserId,
    username: String,
}

impl From<rooms::Room> for Room {
    fn from(rooms::Room { row, call, in_call, people, last_entry }: rooms::Room) -> Self {
        Self {
            id: row.id,
            name: row.name,
            encryption: row.encryption,
            strict: row.strict,
            role: row.role,
            link_code: row.link_code,
            created_at: row.created_at,
            member_count: row.member_count,
            in_call,
            call,
            kind: row.kind,
            first_seq: row.first_seq,
            last_seq: row.last_seq,
            read_seq: row.read_seq,
            people: people.into_iter().map(|(user, username)| Person { user, username }).collect(),
            last_entry: last_entry.map(Entry::from),
            topic: row.topic,
            locked: row.locked,
            slow_mode_s: row.slow_mode_s,
            retention_days: row.retention_days,
            chat_muted: row.chat_muted,
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
    /// Whether a moderator keeps them from writing.
    chat_muted: bool,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let MemberRow { user_id: user, username, role, joined_at, chat_muted } = row;
        Self { user, username, role, joined_at, chat_muted }
    }
}

/// What making a room takes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// 1 to 100 characters and at most 300 bytes after trimming, something of it visible, nothing that controls the text.
    name: String,
    /// `mls`: end-to-end encrypted, which it is when nothing is said; `open`: not. Never to be changed.
    #[serde(default)]
    encryption: Option<String>,
    /// `true`: its calls hide from the server who speaks. Only with `mls`; never to be changed.
    #[serde(default)]
    strict: Option<bool>,
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
    /// What it is about: at most 500 characters and 1,500 bytes.
    topic: Option<String>,
    /// `true`: only moderators and the owner write.
    locked: Option<bool>,
    /// A member's messages are at least so many seconds apart: 0 to 3600.
    slow_mode_s: Option<i64>,
    /// Messages are kept for so many days: 1 to 3650, or `null` for ever. The owner only.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<i64>)]
    retention_days: Option<Option<i64>>,
}

impl RoomChanges {
    fn parse(self) -> Result<Changes, Error> {
        Ok(Changes {
            name: self.name.as_deref().map(RoomName::parse).transpose()?,
            reset_link: self.reset_link,
            topic: self.topic.as_deref().map(Topic::parse).transpose()?,
            locked: self.locked,
            slow_mode: self.slow_mode_s.map(SlowMode::parse).transpose()?,
            retention: self.retention_days.map(Retention::parse).transpose()?,
        })
    }
}

/// A link's code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkCode {
    /// What follows `/join/`.
    code: String,
    /// What one shows to be let into the room's group, as `PUT /rooms/{id}/invitation` has it. Of who is a member already nothing is kept.
    #[serde(default)]
    invitation: Option<String>,
}

/// Where a link leads.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Linked {
    /// The room's name.
    name: String,
    /// How it is encrypted.
    encryption: Encryption,
    /// Whether its calls hide from the server who speaks.
    strict: bool,
}

/// What can be changed about a member.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStanding {
    /// A new role. `owner` hands the room over, alone: the owner until now becomes a moderator.
    role: Option<Role>,
    /// `true`: may read but not write.
    chat_muted: Option<bool>,
}

/// Makes a room; its maker owns it.
#[utoipa::path(post, path = "/rooms", tag = "rooms", security(("bearer" = [])), request_body = NewRoom, responses(
    (status = 201, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 409, description = "`too_many_rooms`", body = Problem),
    (status = 422, description = "`invalid_room_name`, `invalid_encryption`, `invalid_strict`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<NewRoom>,
) -> Result<(StatusCode, Json<Room>), Error> {
    let (name, protection) = (RoomName::parse(&body.name)?, Protection::parse(body.encryption.as_deref(), body.strict)?);
    let room = rooms::create(&app, &principal, &name, protection).await?;
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

/// Changes a room: all that is named, or nothing. Owner and moderators; for how long messages are kept, the owner.
#[utoipa::path(patch, path = "/rooms/{id}", tag = "rooms", security(("bearer" = [])), params(("id" = RoomId, Path)),
    request_body = RoomChanges, responses(
    (status = 200, body = Room),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`", body = Problem),
    (status = 422, description = "`invalid_room_name`, `invalid_topic`, `invalid_slow_mode`, `invalid_retention`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn update(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments(id): Segments<String>,
    Body(body): Body<RoomChanges>,
) -> Result<Json<Room>, Error> {
    let changes = body.parse()?;
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
    (status = 403, description = "`banned`", body = Problem),
    (status = 404, description = "`link_not_found`", body = Problem),
    (status = 409, description = "`too_many_members`, `too_many_rooms`", body = Problem),
    (status = 422, description = "`invalid_bytes`", body = Problem),
))]
pub(super) async fn join(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Body(body): Body<LinkCode>,
) -> Result<Json<Room>, Error> {
    let invitation = body.invitation.as_deref().map(invitations::parse).transpose()?;
    Ok(Json(rooms::join(&app, &principal, &body.code, invitation.as_deref()).await?.into()))
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
    let room = rooms::by_link(&app, &code).await?;
    Ok(Json(Linked { name: room.name, encryption: room.encryption, strict: room.strict }))
}

/// Makes a member a moderator, or no longer one, or hands the room over (the owner only); keeps a member from writing, or lets them
/// write again (owner and moderators).
#[utoipa::path(patch, path = "/rooms/{id}/members/{user}", tag = "rooms", security(("bearer" = [])),
    params(("id" = RoomId, Path), ("user" = UserId, Path)), request_body = NewStanding, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "`not_signed_in`", body = Problem),
    (status = 403, description = "`not_allowed`", body = Problem),
    (status = 404, description = "`room_not_found`, `member_not_found`", body = Problem),
    (status = 429, description = "`rate_limited`", body = Problem),
))]
pub(super) async fn change_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Segments((id, user)): Segments<(String, String)>,
    Body(body): Body<NewStanding>,
) -> Result<StatusCode, Error> {
    let changes = MemberChanges { role: body.role, chat_muted: body.chat_muted };
    rooms::change_member(&app, &principal, room_id(&id)?, identifier(&user, Error::MemberNotFound)?, changes).await?;
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
    (status = 429, description = "`rate_limited`", body = Problem),
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
