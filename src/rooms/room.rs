//! A room itself: its link, its beginning and its end.

use std::collections::HashMap;

use super::policy::{Action, allowed};
use super::{Role, RoomName};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{CallId, RoomId, UserId};
use crate::store::{AddedRoom, Encryption, EntryRow, LinkedRoom, NewRoom, Protection, RoomKind, RoomRow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// Rooms that one user may be in, with the direct conversations that they opened. The list of rooms is sent whole, so this bounds it to some
/// 100 kB; what others opened has a bound of its own.
pub const MAX_ROOMS_PER_USER: i64 = 500;
/// 128 random bits: a link cannot be guessed.
const LINK_CODE_BYTES: usize = 16;

/// How a room is encrypted whose maker says nothing of it: whoever wants the server to be able to read says so.
pub const DEFAULT_ENCRYPTION: Encryption = Encryption::Mls;

impl Encryption {
    /// What a client asked for when it makes a room; [`DEFAULT_ENCRYPTION`] for nothing, `invalid_encryption` for what is neither.
    pub fn parse(asked: Option<&str>) -> Result<Self, Error> {
        match asked {
            None => Ok(DEFAULT_ENCRYPTION),
            Some("open") => Ok(Self::Open),
            Some("mls") => Ok(Self::Mls),
            Some(_) => Err(Error::Invalid { code: "invalid_encryption", detail: "a room is `open` or `mls`" }),
        }
    }
}

impl Protection {
    /// What a client asked for when it makes a room. Without encryption there is nothing to hide: whoever could listen knows who speaks.
    pub fn parse(encryption: Option<&str>, strict: Option<bool>) -> Result<Self, Error> {
        let (encryption, strict) = (Encryption::parse(encryption)?, strict.unwrap_or(false));
        if strict && encryption == Encryption::Open {
            return Err(Error::Invalid { code: "invalid_strict", detail: "only an encrypted room is strict" });
        }
        Ok(Self { encryption, strict })
    }
}

/// A room as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What is stored.
    pub row: RoomRow,
    /// Its call, while there is one.
    pub call: Option<CallId>,
    /// Participants of that.
    pub in_call: usize,
    /// Who is in a direct conversation, by name; empty for rooms.
    pub people: Vec<(UserId, String)>,
    /// The last entry of its log; without its body when that is long.
    pub last_entry: Option<EntryRow>,
}

/// Makes a room; its maker owns it.
pub async fn create(app: &App, principal: &Principal, name: &RoomName, protection: Protection) -> Result<Room, Error> {
    app.limits.room_creation(principal.user)?;
    let now = app.clock.now();
    let (id, link_code) = (protection.room_id(now), new_link_code());
    let room = NewRoom { id, name: name.as_str(), protection, link_code: &link_code, created_at: now };
    match app.store.add_room(&room, principal.user, MAX_ROOMS_PER_USER).await? {
        AddedRoom::Added => Ok(Room { row: created_row(&room), call: None, in_call: 0, people: Vec::new(), last_entry: None }),
        AddedRoom::TooManyRooms => Err(Error::TooManyRooms),
    }
}

fn created_row(room: &NewRoom<'_>) -> RoomRow {
    RoomRow {
        id: room.id,
        name: room.name.to_owned(),
        encryption: room.protection.encryption,
        strict: room.protection.strict,
        link_code: room.link_code.to_owned(),
        created_at: room.created_at,
        member_count: 1,
        role: Role::Owner,
        kind: RoomKind::Room,
        first_seq: 1,
        last_seq: 0,
        read_seq: 0,
        topic: String::new(),
        locked: false,
        slow_mode_s: 0,
        retention_days: None,
        chat_muted: false,
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
    let seen = |row: RoomRow| {
        let (people, last_entry) = (people.remove(&row.id).unwrap_or_default(), last.remove(&row.id));
        with_call(app, Room { call: None, in_call: 0, people, last_entry, row })
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
    Ok(with_call(app, Room { call: None, in_call: 0, people, last_entry, row }))
}

fn with_call(app: &App, room: Room) -> Room {
    match app.calls.running(room.row.id) {
        Some(running) => Room { call: Some(running.call), in_call: running.participants, ..room },
        None => room,
    }
}

/// What is stored of one of the user's rooms.
pub async fn row(app: &App, principal: &Principal, room: RoomId) -> Result<RoomRow, Error> {
    app.store.room_of(room, principal.user).await?.ok_or(Error::RoomNotFound)
}

/// Deletes a room, for everybody in it.
pub async fn delete(app: &App, principal: &Principal, room: RoomId) -> Result<(), Error> {
    let row = row(app, principal, room).await?;
    allowed(row.kind, row.role, Action::Delete)?;
    let members = app.store.delete_room(room).await?.ok_or(Error::RoomNotFound)?;
    app.bus.publish(Hint::RoomDeleted { room, members: members.into() });
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
    fn a_room_is_open_or_encrypted_and_nothing_else() {
        assert_eq!(Encryption::parse(Some("open")).unwrap(), Encryption::Open);
        assert_eq!(Encryption::parse(Some("mls")).unwrap(), Encryption::Mls);
        assert_eq!(Encryption::parse(None).unwrap(), DEFAULT_ENCRYPTION);
        for other in ["", "MLS", "none", "open "] {
            assert_eq!(Encryption::parse(Some(other)).unwrap_err().code(), "invalid_encryption", "{other:?}");
        }
    }

    #[test]
    fn only_an_encrypted_room_is_strict_and_only_if_it_was_asked_for() {
        for (encryption, strict, expected) in [
            (Some("mls"), Some(true), Ok(true)),
            (Some("mls"), Some(false), Ok(false)),
            (Some("mls"), None, Ok(false)),
            (Some("open"), Some(false), Ok(false)),
            (Some("open"), Some(true), Err("invalid_strict")),
            (None, Some(true), Ok(true)),
            (Some("no"), Some(true), Err("invalid_encryption")),
        ] {
            let parsed = Protection::parse(encryption, strict).map(|protection| protection.strict);
            assert_eq!(parsed.map_err(|error| error.code()), expected, "{encryption:?} {strict:?}");
        }
    }

    #[test]
    fn link_codes_differ_and_fit_an_address() {
        let (first, second) = (new_link_code(), new_link_code());
        assert_ne!(first, second);
        assert!(first.len() == 22 && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }
}
