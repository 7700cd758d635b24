//! Who may do what in a room: one pure function, tested over every role and action. HTTP and signalling both ask it; nobody else
//! compares roles.

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
    /// End another's membership.
    RemoveMember {
        /// The other's role.
        of: Role,
    },
    /// Mute another in the call, allow them to speak again, or remove them from the call.
    Moderate {
        /// The other's role.
        of: Role,
    },
    /// Delete a message.
    DeleteMessage {
        /// Whether it is one's own.
        own: bool,
    },
    /// Pin a message, or unpin it.
    Pin,
    /// The same to another window of one's own. Only for owners: whom a moderator muted must not lift that from a second window.
    ModerateOwn,
}

/// Whether a member with this role may do it.
pub fn can(role: Role, action: Action) -> bool {
    match action {
        Action::TakePart | Action::DeleteMessage { own: true } => true,
        Action::Rename | Action::ResetLink | Action::Pin | Action::DeleteMessage { own: false } => role >= Role::Moderator,
        Action::Delete | Action::ModerateOwn => role == Role::Owner,
        Action::Leave => role != Role::Owner,
        Action::ChangeRole { of } => role == Role::Owner && of != Role::Owner,
        Action::RemoveMember { of } | Action::Moderate { of } => role >= Role::Moderator && of < role,
    }
}

/// The same in a room of this kind: in a direct conversation all are alike.
pub fn allowed_in(row: &RoomRow, action: Action) -> Result<(), Error> {
    let is_allowed = match (row.kind, action) {
        (RoomKind::Direct, Action::Pin | Action::DeleteMessage { own: true } | Action::TakePart) => true,
        (RoomKind::Direct, Action::Leave) => row.member_count > 2,
        (RoomKind::Direct, _) => false,
        (RoomKind::Room, action) => can(row.role, action),
    };
    if is_allowed { Ok(()) } else { Err(Error::NotAllowed) }
}

/// Whether a member may write now.
pub fn may_write(standing: &Standing, now: Timestamp) -> Result<(), Unwelcome> {
    let keeps_order = standing.role >= Role::Moderator;
    if standing.chat_muted {
        return Err(Unwelcome::Muted);
    }
    if keeps_order {
        return Ok(());
    }
    if standing.locked {
        return Err(Unwelcome::Locked);
    }
    let pause = Duration::from_secs(standing.slow_mode_s.unsigned_abs());
    let passed = now.since(standing.last_message_at);
    if passed < pause {
        return Err(Unwelcome::TooSoon { retry_after_s: (pause - passed).as_millis().div_ceil(1_000) as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use Role::*;

    /// Every action, and who may do it: member, moderator, owner.
    const TABLE: [(Action, [bool; 3]); 18] = [
        (TakePart, [true, true, true]),
        (Rename, [false, true, true]),
        (ResetLink, [false, true, true]),
        (Delete, [false, false, true]),
        (Leave, [true, true, false]),
        (ChangeRole { of: Member }, [false, false, true]),
        (ChangeRole { of: Moderator }, [false, false, true]),
        (ChangeRole { of: Owner }, [false, false, false]),
        (RemoveMember { of: Member }, [false, true, true]),
        (RemoveMember { of: Moderator }, [false, false, true]),
        (RemoveMember { of: Owner }, [false, false, false]),
        (Moderate { of: Member }, [false, true, true]),
        (Moderate { of: Moderator }, [false, false, true]),
        (Moderate { of: Owner }, [false, false, false]),
        (DeleteMessage { own: true }, [true, true, true]),
        (DeleteMessage { own: false }, [false, true, true]),
        (Pin, [false, true, true]),
        (ModerateOwn, [false, false, true]),
    ];

    #[test]
    fn every_role_may_do_exactly_what_the_table_says() {
        for (action, allowed) in TABLE {
            for (role, expected) in Role::ALL.into_iter().zip(allowed) {
                assert_eq!(can(role, action), expected, "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn who_may_write_depends_on_role_lock_mute_and_pace() {
        let member = Standing {
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
