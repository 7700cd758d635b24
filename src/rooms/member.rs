//! Membership: joining by link, leaving, being removed, changing roles.

use super::policy::{Action, allowed_in};
use super::room::MAX_ROOMS_PER_USER;
use super::{Role, Room, get, row};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::store::{Joined, MemberLimits, MemberRow, RoomRow};

/// Members of one room. The list of members is sent whole, so this bounds it to some 150 kB.
pub const MAX_MEMBERS: i64 = 1_000;

/// What signalling needs to know to let somebody into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Their standing.
    pub role: Role,
    /// The room's name.
    pub room_name: String,
}

/// The standing of a user in a room; `room_not_found` for who is not a member.
pub async fn membership(app: &App, principal: &Principal, room: RoomId) -> Result<Membership, Error> {
    let row = app.store.room_of(room, principal.user).await?.ok_or(Error::RoomNotFound)?;
    Ok(Membership { role: row.role, room_name: row.name })
}

/// The standing of a user in a room, for whoever already let them in and looks again.
pub async fn role_of(app: &App, room: RoomId, user: UserId) -> Result<Option<Role>, Error> {
    Ok(app.store.role_of(room, user).await?)
}

/// Who is a member of a room, for whoever tells them something.
pub async fn members_of(app: &App, room: RoomId) -> Result<Vec<UserId>, Error> {
    Ok(app.store.member_ids(room).await?)
}

/// The members of a room, for one of them.
pub async fn members(app: &App, room: &Room) -> Result<Vec<MemberRow>, Error> {
    Ok(app.store.members_of(room.row.id).await?)
}

/// Makes the user a member of the room with this link; no change for who is one already.
pub async fn join(app: &App, principal: &Principal, code: &str) -> Result<Room, Error> {
    let limits = MemberLimits { in_room: MAX_MEMBERS, of_user: MAX_ROOMS_PER_USER };
    match app.store.join_room(code, principal.user, app.clock.now(), limits).await? {
        Joined::Joined(room) => {
            app.bus.publish(Hint::MemberAdded { room, user: principal.user });
            app.bus.publish(Hint::RoomChanged { room });
            get(app, principal, room).await
        }
        Joined::AlreadyMember(room) => get(app, principal, room).await,
        Joined::NoSuchLink => Err(Error::LinkNotFound),
        Joined::RoomFull => Err(Error::TooManyMembers),
        Joined::TooManyRooms => Err(Error::TooManyRooms),
    }
}

/// Gives a member another role. Ownership does not move.
pub async fn change_role(app: &App, principal: &Principal, room: RoomId, user: UserId, to: Role) -> Result<(), Error> {
    let (row, theirs) = standings(app, principal, room, user).await?;
    allowed_in(&row, Action::ChangeRole { of: theirs })?;
    if to == Role::Owner {
        return Err(Error::NotAllowed);
    }
    if to == theirs {
        return Ok(());
    }
    if !app.store.change_role(room, user, theirs, to).await? {
        return Err(Error::MemberNotFound);
    }
    app.bus.publish(Hint::RoleChanged { room, user });
    Ok(())
}

/// Ends a membership: one's own, or another's by who may.
pub async fn leave_or_remove(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(), Error> {
    let (row, theirs) = standings(app, principal, room, user).await?;
    if user == principal.user {
        allowed_in(&row, Action::Leave)
            .map_err(|refusal| if theirs == Role::Owner { Error::OwnerCannotLeave } else { refusal })?;
    } else {
        allowed_in(&row, Action::RemoveMember { of: theirs })?;
    }
    if !app.store.remove_member(room, user, theirs).await? {
        return Err(Error::MemberNotFound);
    }
    app.bus.publish(Hint::MemberRemoved { room, user });
    Ok(())
}

/// The room as the one who asks sees it, and the role of the one it is about.
async fn standings(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(RoomRow, Role), Error> {
    let row = row(app, principal, room).await?;
    let theirs = app.store.role_of(room, user).await?.ok_or(Error::MemberNotFound)?;
    Ok((row, theirs))
}
