//! Who may do what in a room: one pure function, tested over every role and action, in rooms and in direct conversations. HTTP and
//! signalling both ask it; nobody else compares roles.

use std::time::Duration;

use super::Role;
use crate::error::Error;
use crate::store::{RoomKind, RoomRow, Standing, Unwelcome};
use crate::time::Timestamp;

/// Something a member can try to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// See the room, its members and its link, and enter its call.
    TakePart,
    /// Give the room another name.
    Rename,
    /// Replace the link, so that the old one no longer works.
    ResetLink,
    /// Delete the room.
    Delete,
    /// Stop being a member.
    Leave,
    /// Make another member a moderator, or no longer one.
    ChangeRole {
        /// The other's role now.
        of: Role,
    },
    /// Make another member the owner.
    HandOver {
        /// The other's role now.
        to: Role,
    },
    /// End another's membership.
    RemoveMember {
        /// The other's role.
        of: Role,
    },
    /// End another's membership and keep them from coming back. Who is no member counts as one.
    Ban {
        /// The other's role.
        of: Role,
    },
    /// See who is banned, and let somebody come back.
    Unban,
    /// Keep another from writing, or let them write again.
    MuteInChat {
        /// The other's role.
        of: Role,
    },
    /// Say what the room is about.
    SetTopic,
    /// Let only moderators and the owner write, or everybody again.
    SetLock,
    /// Say how far apart a member's messages are.
    SetSlowMode,
    /// Say for how long messages are kept. What it removes is gone.
    SetRetention,
    /// Read what owners and moderators did.
    ReadAudit,
    /// Write a message.
    WriteMessage {
        /// Whether the room is locked.
        locked: bool,
    },
    /// Delete a message. Whose it is matters only if it is one's own: who wrote it may be no member any more.
    DeleteMessage {
        /// Whether it is one's own.
        own: bool,
    },
    /// Pin a message, or unpin it.
    Pin,
    /// Mute another in the call, allow them to speak again, lower their hand, or remove them from the call.
    Moderate {
        /// The other's role.
        of: Role,
    },
    /// The same to another window of one's own. Only for owners: whom a moderator muted must not lift that from a second window.
    ModerateOwn,
}

/// Whether a member with this role may do it in a room of this kind.
pub fn can(kind: RoomKind, role: Role, action: Action) -> bool {
    match kind {
        RoomKind::Room => can_in_room(role, action),
        RoomKind::Direct => can_directly(action),
    }
}

fn can_in_room(role: Role, action: Action) -> bool {
    match action {
        Action::TakePart | Action::WriteMessage { locked: false } | Action::DeleteMessage { own: true } => true,
        Action::Rename
        | Action::ResetLink
        | Action::Unban
        | Action::SetTopic
        | Action::SetLock
        | Action::SetSlowMode
        | Action::WriteMessage { locked: true }
        | Action::DeleteMessage { own: false }
        | Action::Pin => role >= Role::Moderator,
        Action::Delete | Action::ModerateOwn | Action::SetRetention | Action::ReadAudit => role == Role::Owner,
        Action::Leave => role != Role::Owner,
        Action::ChangeRole { of } | Action::HandOver { to: of } => role == Role::Owner && of != Role::Owner,
        Action::RemoveMember { of } | Action::Ban { of } | Action::MuteInChat { of } | Action::Moderate { of } => {
            role >= Role::Moderator && of < role
        }
    }
}

/// In a direct conversation all are alike: they write, call, pin, and leave it.
fn can_directly(action: Action) -> bool {
    match action {
        Action::TakePart | Action::Leave | Action::WriteMessage { .. } | Action::DeleteMessage { own: true } | Action::Pin => {
            true
        }
        Action::Rename
        | Action::ResetLink
        | Action::Delete
        | Action::ChangeRole { .. }
        | Action::HandOver { .. }
        | Action::RemoveMember { .. }
        | Action::Ban { .. }
        | Action::Unban
        | Action::MuteInChat { .. }
        | Action::SetTopic
        | Action::SetLock
        | Action::SetSlowMode
        | Action::SetRetention
        | Action::ReadAudit
        | Action::DeleteMessage { own: false }
        | Action::Moderate { .. }
        | Action::ModerateOwn => false,
    }
}

/// The same, as a refusal.
pub fn allowed(kind: RoomKind, role: Role, action: Action) -> Result<(), Error> {
    if can(kind, role, action) { Ok(()) } else { Err(Error::NotAllowed) }
}

/// The same for a member of this room. The last two of a direct conversation stay in it.
pub fn allowed_in(row: &RoomRow, action: Action) -> Result<(), Error> {
    let is_last_pair = row.kind == RoomKind::Direct && action == Action::Leave && row.member_count <= 2;
    if is_last_pair { Err(Error::NotAllowed) } else { allowed(row.kind, row.role, action) }
}

/// Whether a member may write now.
pub fn may_write(standing: &Standing, now: Timestamp) -> Result<(), Unwelcome> {
    if standing.chat_muted {
        return Err(Unwelcome::Muted);
    }
    if !can(standing.kind, standing.role, Action::WriteMessage { locked: standing.locked }) {
        return Err(Unwelcome::Locked);
    }
    // Who may write in a locked room keeps order in this one, and need not wait.
    let pause = Duration::from_secs(standing.slow_mode_s.unsigned_abs());
    let passed = now.since(standing.last_message_at);
    if passed < pause && !can(standing.kind, standing.role, Action::WriteMessage { locked: true }) {
        return Err(Unwelcome::TooSoon { retry_after_s: (pause - passed).as_millis().div_ceil(1_000) as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use Role::*;

    /// Every action, and who may do it: member, moderator, owner; then anybody in a direct conversation.
    const TABLE: [(Action, [bool; 3], bool); 35] = [
        (TakePart, [true, true, true], true),
        (Rename, [false, true, true], false),
        (ResetLink, [false, true, true], false),
        (Delete, [false, false, true], false),
        (Leave, [true, true, false], true),
        (ChangeRole { of: Member }, [false, false, true], false),
        (ChangeRole { of: Moderator }, [false, false, true], false),
        (ChangeRole { of: Owner }, [false, false, false], false),
        (HandOver { to: Member }, [false, false, true], false),
        (HandOver { to: Moderator }, [false, false, true], false),
        (HandOver { to: Owner }, [false, false, false], false),
        (RemoveMember { of: Member }, [false, true, true], false),
        (RemoveMember { of: Moderator }, [false, false, true], false),
        (RemoveMember { of: Owner }, [false, false, false], false),
        (Ban { of: Member }, [false, true, true], false),
        (Ban { of: Moderator }, [false, false, true], false),
        (Ban { of: Owner }, [false, false, false], false),
        (Unban, [false, true, true], false),
        (MuteInChat { of: Member }, [false, true, true], false),
        (MuteInChat { of: Moderator }, [false, false, true], false),
        (MuteInChat { of: Owner }, [false, false, false], false),
        (SetTopic, [false, true, true], false),
        (SetLock, [false, true, true], false),
        (SetSlowMode, [false, true, true], false),
        (SetRetention, [false, false, true], false),
        (ReadAudit, [false, false, true], false),
        (WriteMessage { locked: false }, [true, true, true], true),
        (WriteMessage { locked: true }, [false, true, true], true),
        (DeleteMessage { own: true }, [true, true, true], true),
        (DeleteMessage { own: false }, [false, true, true], false),
        (Pin, [false, true, true], true),
        (Moderate { of: Member }, [false, true, true], false),
        (Moderate { of: Moderator }, [false, false, true], false),
        (Moderate { of: Owner }, [false, false, false], false),
        (ModerateOwn, [false, false, true], false),
    ];

    #[test]
    fn every_role_may_do_exactly_what_the_table_says() {
        for (action, allowed, directly) in TABLE {
            for (role, expected) in Role::ALL.into_iter().zip(allowed) {
                assert_eq!(can(RoomKind::Room, role, action), expected, "{role:?} {action:?}");
                assert_eq!(can(RoomKind::Direct, role, action), directly, "{role:?} {action:?} directly");
            }
        }
    }

    #[test]
    fn who_may_write_depends_on_role_lock_mute_and_pace() {
        let member = Standing {
            kind: RoomKind::Room,
            role: Member,
            chat_muted: false,
            locked: false,
            slow_mode_s: 0,
            last_message_at: Timestamp::from_millis(10_000),
        };
        let now = Timestamp::from_millis(12_500);
        assert_eq!(may_write(&member, now), Ok(()));
        let slow = Standing { slow_mode_s: 10, ..member };
        assert_eq!(may_write(&slow, now), Err(Unwelcome::TooSoon { retry_after_s: 8 }));
        assert_eq!(may_write(&slow, Timestamp::from_millis(20_000)), Ok(()));
        assert_eq!(may_write(&Standing { locked: true, ..member }, now), Err(Unwelcome::Locked));
        assert_eq!(may_write(&Standing { chat_muted: true, ..member }, now), Err(Unwelcome::Muted));
        for role in [Moderator, Owner] {
            assert_eq!(may_write(&Standing { role, locked: true, slow_mode_s: 10, ..member }, now), Ok(()));
            assert_eq!(may_write(&Standing { role, chat_muted: true, ..member }, now), Err(Unwelcome::Muted));
        }
    }
}
