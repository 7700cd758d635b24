//! Membership: joining by link, leaving, being removed, changing roles, being muted in chat, handing over the room.

use super::audit::Doing;
use super::policy::{Action, allowed, allowed_in};
use super::room::MAX_ROOMS_PER_USER;
use super::{Role, Room, get, row};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::store::{AuditAct, AuditEntry, Joined, MemberLimits, MemberRow, MemberUpdate, Protection, StandingRow};

/// Members of one room. The list of members is sent whole, so this bounds it to some 150 kB.
pub const MAX_MEMBERS: i64 = 1_000;

/// What signalling needs to know to let somebody into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Their standing.
    pub role: Role,
    /// What keeps the room from the server.
    pub protection: Protection,
}

/// The standing of a user in a room; `room_not_found` for who is not a member.
pub async fn membership(app: &App, principal: &Principal, room: RoomId) -> Result<Membership, Error> {
    let row = app.store.room_of(room, principal.user).await?.ok_or(Error::RoomNotFound)?;
    let protection = Protection { encryption: row.encryption, strict: row.strict };
    Ok(Membership { role: row.role, protection })
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

/// Makes the user a member of the room with this link; no change for who is one already. The others are told when what they show is there.
pub async fn join(app: &App, principal: &Principal, code: &str, invitation: Option<&[u8]>) -> Result<Room, Error> {
    let limits = MemberLimits { in_room: MAX_MEMBERS, of_user: MAX_ROOMS_PER_USER };
    match app.store.join_room(code, principal.user, app.clock.now(), limits).await? {
        Joined::Joined(room) => {
            let shown = match invitation {
                Some(invitation) => app.store.show_invitation(room, principal.user, invitation).await.map(drop),
                None => Ok(()),
            };
            app.bus.publish(Hint::MemberAdded { room, user: principal.user });
            shown?;
            get(app, principal, room).await
        }
        Joined::AlreadyMember(room) => get(app, principal, room).await,
        Joined::NoSuchLink => Err(Error::LinkNotFound),
        Joined::Banned => Err(Error::Banned),
        Joined::RoomFull => Err(Error::TooManyMembers),
        Joined::TooManyRooms => Err(Error::TooManyRooms),
    }
}

/// What to change about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MemberChanges {
    /// A new role. That of the owner hands the room over: the owner until now becomes a moderator.
    pub role: Option<Role>,
    /// Whether they may read but not write.
    pub chat_muted: Option<bool>,
}

/// Gives a member another role, keeps them from writing, or lets them write again.
pub async fn change_member(
    app: &App,
    principal: &Principal,
    room: RoomId,
    user: UserId,
    changes: MemberChanges,
) -> Result<(), Error> {
    let (mine, theirs) = standings(app, principal, room, user).await?;
    if changes.role == Some(Role::Owner) {
        if changes.chat_muted.is_some() {
            return Err(Error::Malformed("a room is handed over alone, without other changes".to_owned()));
        }
        return hand_over(app, principal, room, user, mine, theirs).await;
    }
    if changes.role.is_some() {
        allowed(mine.kind, mine.role, Action::ChangeRole { of: theirs.role })?;
    }
    if changes.chat_muted.is_some() {
        allowed(mine.kind, mine.role, Action::MuteInChat { of: theirs.role })?;
    }
    let update = difference(theirs, changes);
    if update == MemberUpdate::default() {
        return Ok(());
    }
    app.limits.moderation(principal.user)?;
    let acts = acts_of(Doing { room, actor: principal.user, at: app.clock.now() }, user, update);
    if !app.store.change_member(room, user, theirs.role, update, &acts).await? {
        return Err(Error::MemberNotFound);
    }
    app.bus.publish(Hint::RoleChanged { room, user });
    Ok(())
}

/// What of it is not so already. Who begins to keep order may write.
fn difference(now: StandingRow, changes: MemberChanges) -> MemberUpdate {
    let role = changes.role.filter(|role| *role != now.role);
    let wanted = changes.chat_muted.or((role == Some(Role::Moderator)).then_some(false));
    MemberUpdate { role, chat_muted: wanted.filter(|muted| *muted != now.chat_muted) }
}

fn acts_of(doing: Doing, user: UserId, update: MemberUpdate) -> Vec<AuditEntry> {
    let role = update.role.map(|role| doing.to(user, AuditAct::Role, role.as_str()));
    let muted = update.chat_muted.map(|muted| if muted { AuditAct::MuteInChat } else { AuditAct::UnmuteInChat });
    role.into_iter().chain(muted.map(|act| doing.to(user, act, ""))).collect()
}

async fn hand_over(
    app: &App,
    principal: &Principal,
    room: RoomId,
    user: UserId,
    mine: StandingRow,
    theirs: StandingRow,
) -> Result<(), Error> {
    allowed(mine.kind, mine.role, Action::HandOver { to: theirs.role })?;
    app.limits.moderation(principal.user)?;
    let act = Doing { room, actor: principal.user, at: app.clock.now() }.to(user, AuditAct::HandOver, "");
    if !app.store.hand_over(room, principal.user, user, theirs.role, &act).await? {
        return Err(Error::MemberNotFound);
    }
    for user in [principal.user, user] {
        app.bus.publish(Hint::RoleChanged { room, user });
    }
    Ok(())
}

/// Ends a membership: one's own, or another's by who may.
pub async fn leave_or_remove(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(), Error> {
    let (mine, theirs) = standings(app, principal, room, user).await?;
    let act = if user == principal.user {
        let row = row(app, principal, room).await?;
        allowed_in(&row, Action::Leave)
            .map_err(|refusal| if mine.role == Role::Owner { Error::OwnerCannotLeave } else { refusal })?;
        None
    } else {
        allowed(mine.kind, mine.role, Action::RemoveMember { of: theirs.role })?;
        app.limits.moderation(principal.user)?;
        Some(Doing { room, actor: principal.user, at: app.clock.now() }.to(user, AuditAct::Remove, ""))
    };
    if !app.store.remove_member(room, user, theirs.role, act.as_ref()).await? {
        return Err(Error::MemberNotFound);
    }
    app.bus.publish(Hint::MemberRemoved { room, user });
    Ok(())
}

/// The standing of the one who asks and of the one it is about.
async fn standings(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(StandingRow, StandingRow), Error> {
    let mine = standing(app, principal, room).await?;
    let theirs = app.store.standing_of(room, user).await?.ok_or(Error::MemberNotFound)?;
    Ok((mine, theirs))
}

/// The standing of the one who asks.
pub(super) async fn standing(app: &App, principal: &Principal, room: RoomId) -> Result<StandingRow, Error> {
    app.store.standing_of(room, principal.user).await?.ok_or(Error::RoomNotFound)
}
