//! Who may do what in a room: one pure function, tested over every role and action. HTTP and signalling both ask it; nobody else
//! compares roles.

use super::Role;

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
    /// The same to another window of one's own. Only for owners: whom a moderator muted must not lift that from a second window.
    ModerateOwn,
}

/// Whether a member with this role may do it.
pub fn can(role: Role, action: Action) -> bool {
    match action {
        Action::TakePart => true,
        Action::Rename | Action::ResetLink => role >= Role::Moderator,
        Action::Delete | Action::ModerateOwn => role == Role::Owner,
        Action::Leave => role != Role::Owner,
        Action::ChangeRole { of } => role == Role::Owner && of != Role::Owner,
        Action::RemoveMember { of } | Action::Moderate { of } => role >= Role::Moderator && of < role,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use Role::*;

    /// Every action, and who may do it: member, moderator, owner.
    const TABLE: [(Action, [bool; 3]); 15] = [
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
}
