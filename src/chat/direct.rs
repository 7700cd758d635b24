//! Direct conversations: found by who is in them, made when there is none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use crate::accounts::{Principal, Username};
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::rooms::{self, Room};
use crate::store::{DirectLimits, NewDirect, Protection};

/// People in a direct conversation, oneself included. More are better off in a room with a name.
pub const MAX_DIRECT_PEOPLE: usize = 10;
/// Direct conversations of one user that others opened. They do not count among the rooms that the user may be in, so that nobody can keep
/// another from joining a room or opening a conversation; each counts among those of whoever opened it. Beyond this nobody opens a new one
/// with them. Together with [`rooms::MAX_ROOMS_PER_USER`] it bounds the list of rooms, which is sent whole.
pub const MAX_UNASKED_PER_USER: i64 = 500;

/// The conversation of the user with those of these names. If there is none, it is made and protected so.
pub async fn open_direct(app: &App, principal: &Principal, names: &[String], protection: Protection) -> Result<Room, Error> {
    let invalid = Error::Invalid { code: "invalid_usernames", detail: "a direct conversation is with 1 to 9 others" };
    if names.len() >= MAX_DIRECT_PEOPLE {
        return Err(invalid);
    }
    // A name that none can have is answered like one that nobody has.
    let folded = names.iter().map(|name| Ok(Username::parse(name).map_err(|_| Error::UserNotFound)?.folded()));
    let folded: Vec<String> = folded.collect::<Result<_, Error>>()?;
    let mut people = app.store.users_named(&folded).await?;
    if people.len() < folded.len() {
        return Err(Error::UserNotFound);
    }
    people.push(principal.user);
    people.sort_unstable();
    people.dedup();
    if people.len() < 2 {
        return Err(invalid);
    }
    let key = key_of(&people);
    let room = match app.store.direct_of(&key, principal.user).await? {
        Some(room) => room,
        None => make(app, principal, (&key, &people), protection).await?,
    };
    rooms::get(app, principal, room).await
}

async fn make(
    app: &App,
    principal: &Principal,
    (key, people): (&str, &[UserId]),
    protection: Protection,
) -> Result<RoomId, Error> {
    app.limits.room_creation(principal.user)?;
    let now = app.clock.now();
    let direct = NewDirect {
        id: protection.room_id(now),
        key,
        members: people,
        by: principal.user,
        link_code: &rooms::new_link_code(),
        protection,
        created_at: now,
    };
    let limits = DirectLimits { asked: rooms::MAX_ROOMS_PER_USER, unasked: MAX_UNASKED_PER_USER };
    let room = app.store.open_direct(&direct, limits).await?.ok_or(Error::TooManyRooms)?;
    for user in people {
        app.bus.publish(Hint::MemberAdded { room, user: *user });
    }
    Ok(room)
}

/// The same for the same people, in whatever order they were named; of fixed length.
fn key_of(sorted: &[UserId]) -> String {
    let bytes: Vec<u8> = sorted.iter().flat_map(|user| *user.as_bytes()).collect();
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &bytes))
}
