//! Bans: ending a membership for good, and letting somebody come back.

use super::audit::Doing;
use super::member::standing;
use super::policy::{Action, allowed};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::store::{AuditAct, BanOutcome, BanRow, NewBan};

/// Bans of one room. The list is sent whole, so this bounds it to some 150 kB.
pub const MAX_BANS: i64 = 1_000;

/// Bans a user: ends their membership and their call, and refuses them when they join. They may be no member, having left. No change for
/// who is banned already.
pub async fn ban(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(), Error> {
    let mine = standing(app, principal, room).await?;
    let role = app.store.role_of(room, user).await?;
    allowed(mine.kind, mine.role, Action::Ban { of: role.unwrap_or(Role::Member) })?;
    if role.is_none() && app.store.user(user).await?.is_none() {
        return Err(Error::MemberNotFound);
    }
    app.limits.moderation(principal.user)?;
    let doing = Doing { room, actor: principal.user, at: app.clock.now() };
    let ban = NewBan { room, user, role, by: principal.user, at: doing.at, max_bans: MAX_BANS };
    match app.store.ban(ban, &doing.to(user, AuditAct::Ban, "")).await? {
        BanOutcome::Banned => {
            app.bus.publish(Hint::MemberRemoved { room, user });
            Ok(())
        }
        BanOutcome::Before => Ok(()),
        BanOutcome::RoleChanged => Err(Error::MemberNotFound),
        BanOutcome::TooMany => Err(Error::TooManyBans),
    }
}

/// Lets a user join again.
pub async fn unban(app: &App, principal: &Principal, room: RoomId, user: UserId) -> Result<(), Error> {
    let mine = standing(app, principal, room).await?;
    allowed(mine.kind, mine.role, Action::Unban)?;
    app.limits.moderation(principal.user)?;
    let act = Doing { room, actor: principal.user, at: app.clock.now() }.to(user, AuditAct::Unban, "");
    if app.store.unban(room, user, &act).await? { Ok(()) } else { Err(Error::BanNotFound) }
}

/// Who is banned from a room, newest first. For those who may unban.
pub async fn bans(app: &App, principal: &Principal, room: RoomId) -> Result<Vec<BanRow>, Error> {
    let mine = standing(app, principal, room).await?;
    allowed(mine.kind, mine.role, Action::Unban)?;
    Ok(app.store.bans_of(room).await?)
}
