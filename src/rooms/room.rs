//! A room itself: its name, its link, its beginning and its end.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::Role;
use super::policy::{Action, allowed_in};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::store::{AddedRoom, EntryRow, LinkedRoom, NewRoom, RoomKind, RoomRow};

/// Rooms that one user may be in. The list of rooms is sent whole, so this bounds it to some 100 kB.
pub const MAX_ROOMS_PER_USER: i64 = 500;
/// The longest name of a room, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 100;
/// 128 random bits: a link cannot be guessed.
const LINK_CODE_BYTES: usize = 16;

/// A room's name: 1 to 100 characters after trimming, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// Trims and checks a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > MAX_ROOM_NAME_CHARS || text.chars().any(is_unprintable) {
            let detail = "a room's name has 1 to 100 characters and no control characters";
            return Err(Error::Invalid { code: "invalid_room_name", detail });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and those that turn the direction of the text around the name (Unicode UAX #9).
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How a room is encrypted: chosen at creation, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Not end-to-end: the server could see and hear.
    Open,
}

impl Encryption {
    /// Checks what a client asked for.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "open" => Ok(Self::Open),
            _ => Err(Error::Invalid { code: "invalid_encryption", detail: "only `open` rooms exist yet" }),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
        }
    }
}

/// A room as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What is stored.
    pub row: RoomRow,
    /// Participants of its call now.
    pub in_call: usize,
    /// Who is in a direct conversation, by name; empty for rooms.
    pub people: Vec<(UserId, String)>,
    /// The last entry of its log; without its body when that is long.
    pub last_entry: Option<EntryRow>,
}

/// What to change in a room.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<RoomName>,
    /// Whether to replace the link.
    pub reset_link: bool,
}

/// Makes a room; its maker owns it.
pub async fn create(app: &App, principal: &Principal, name: &RoomName, encryption: Encryption) -> Result<Room, Error> {
    app.limits.room_creation(principal.user)?;
    let now = app.clock.now();
    let (id, link_code) = (RoomId::new(now), new_link_code());
    let room = NewRoom { id, name: name.as_str(), encryption: encryption.as_str(), link_code: &link_code, created_at: now };
    match app.store.add_room(&room, principal.user, MAX_ROOMS_PER_USER).await? {
        AddedRoom::Added => Ok(Room { row: created_row(&room), in_call: 0, people: Vec::new(), last_entry: None }),
        AddedRoom::TooManyRooms => Err(Error::TooManyRooms),
    }
}

fn created_row(room: &NewRoom<'_>) -> RoomRow {
    RoomRow {
        id: room.id,
        name: room.name.to_owned(),
        encryption: room.encryption.to_owned(),
        link_code: room.link_code.to_owned(),
        created_at: room.created_at,
        member_count: 1,
        role: Role::Owner,
        kind: RoomKind::Room,
        first_seq: 1,
        last_seq: 0,
        read_seq: 0,
    }
}

/// The user's rooms, newest first.
pub async fn list(app: &App, principal: &Principal) -> Result<Vec<Room>, Error> {
    let rows = app.store.rooms_of(principal.user).await?;
    let mut people: HashMap<RoomId, Vec<(UserId, String)>> = HashMap::new();
    for (room, user, name) in app.store.people_of_directs(principal.user).await? {
        people.entry(room).or_default().push((user, name));
    }
    let mut last: HashMap<RoomId, EntryRow> = app.store.last_entries_of(principal.user).await?.into_iter().collect();
    let seen = |row: RoomRow| Room {
        in_call: app.calls.in_call(row.id),
        people: people.remove(&row.id).unwrap_or_default(),
        last_entry: last.remove(&row.id),
        row,
    };
    Ok(rows.into_iter().map(seen).collect())
}

/// One of the user's rooms.
pub async fn get(app: &App, principal: &Principal, room: RoomId) -> Result<Room, Error> {
    let row = row(app, principal, room).await?;
    let mut people = match row.kind {
        RoomKind::Room => Vec::new(),
        RoomKind::Direct => {
            app.store.members_of(room).await?.into_iter().map(|member| (member.user_id, member.username)).collect()
        }
    };
    people.sort_by_key(|(_, username)| username.to_lowercase());
    let last_entry = app.store.last_entry(room).await?;
    Ok(Room { in_call: app.calls.in_call(room), people, last_entry, row })
}

/// What is stored of one of the user's rooms.
pub async fn row(app: &App, principal: &Principal, room: RoomId) -> Result<RoomRow, Error> {
    app.store.room_of(room, principal.user).await?.ok_or(Error::RoomNotFound)
}

/// Renames a room, replaces its link, or both.
pub async fn update(app: &App, principal: &Principal, room: RoomId, changes: &Changes) -> Result<Room, Error> {
    let before = get(app, principal, room).await?;
    let allowed = |action| allowed_in(&before.row, action);
    if changes.name.is_some() {
        allowed(Action::Rename)?;
    }
    if changes.reset_link {
        allowed(Action::ResetLink)?;
    }
    if *changes == Changes::default() {
        return Ok(before);
    }
    let link_code = changes.reset_link.then(new_link_code);
    if !app.store.update_room(room, changes.name.as_ref().map(RoomName::as_str), link_code.as_deref()).await? {
        return Err(Error::RoomNotFound);
    }
    app.bus.publish(Hint::RoomChanged { room });
    get(app, principal, room).await
}

/// Deletes a room, for everybody in it.
pub async fn delete(app: &App, principal: &Principal, room: RoomId) -> Result<(), Error> {
    let before = get(app, principal, room).await?;
    allowed_in(&before.row, Action::Delete)?;
    if !app.store.delete_room(room).await? {
        return Err(Error::RoomNotFound);
    }
    app.bus.publish(Hint::RoomDeleted { room });
    Ok(())
}

/// What room a link leads to.
pub async fn by_link(app: &App, code: &str) -> Result<LinkedRoom, Error> {
    app.store.room_by_link(code).await?.ok_or(Error::LinkNotFound)
}

/// A code that cannot be guessed.
pub fn new_link_code() -> String {
    let mut bytes = [0; LINK_CODE_BYTES];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(RoomName::parse("  Wednesday \u{1f3b8} ").unwrap().as_str(), "Wednesday \u{1f3b8}");
        assert!(RoomName::parse(&"ж".repeat(100)).is_ok());
        for bad in ["", "   ", &"ж".repeat(101), "a\nb", "a\u{0}b", "a\u{202e}b"] {
            assert_eq!(RoomName::parse(bad).unwrap_err().code(), "invalid_room_name", "{bad:?}");
        }
    }

    #[test]
    fn only_open_rooms_can_be_made() {
        assert_eq!(Encryption::parse("open").unwrap(), Encryption::Open);
        assert_eq!(Encryption::parse("mls").unwrap_err().code(), "invalid_encryption");
    }

    #[test]
    fn link_codes_differ_and_fit_an_address() {
        let (first, second) = (new_link_code(), new_link_code());
        assert_ne!(first, second);
        assert!(first.len() == 22 && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }
}
