//! Links by which others come into a room without a person's word, and who has shown that they were given one. Into strict rooms none leads.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use uuid::Uuid;
use webcall_trust::mls::GroupId;

use super::Desk;
use super::wire::{Answer, Bytes, Shows, user};
use crate::group::Contacts as _;
use crate::link::{Link, Shown};
use crate::{Fault, Standing};

/// Who is asked about at once: members of the largest room.
const MAX_SHOWN: usize = 1_024;

impl Desk {
    /// What stands in this device's link to the room, beside the code.
    pub(super) fn link(&mut self, room: Uuid, code: &str) -> Result<Answer, Fault> {
        if self.is_strict_inside(room)? {
            return Err(Fault::WrongKind);
        }
        Ok(Answer::Link { secret: Link::of(self.device()?, room.into_bytes(), code)?.to_bytes().into() })
    }

    /// What this device's user shows to be let in where they were given this.
    pub(super) fn show_link(&self, secret: &Bytes) -> Result<Answer, Fault> {
        let shown = Link::from_bytes(&secret.0)?.shown_by(self.device()?);
        Ok(Answer::Shown { invitation: shown.to_bytes().into() })
    }

    /// Which of these users were invited by a device that counts, of somebody who is inside. Who was inside and went, or was taken out, is let in by a
    /// person: what they showed is still good, and the server has it.
    pub(super) fn invited(&mut self, room: Uuid, code: &str, shows: &[Shows]) -> Result<Answer, Fault> {
        if shows.len() > MAX_SHOWN {
            return Err(Fault::Full);
        }
        if self.is_strict_inside(room)? {
            return Ok(Answer::Invited { users: Vec::new() });
        }
        let (inside, ever) = (self.identities_of(room)?, self.ever_in(room)?);
        let is_invited = |shows: &&Shows| {
            let of = user(shows.user);
            if ever.contains(&of) {
                return false;
            }
            let shown = BASE64_STANDARD.decode(&shows.invitation).ok().and_then(|bytes| Shown::from_bytes(&bytes).ok());
            let identity =
                self.directory.keys(of).map(|keys| keys.identity()).filter(|now| self.directory.accepted(of) == Some(*now));
            let Some((shown, identity)) = shown.zip(identity) else { return false };
            self.directory.ever(shown.device).any(|by| {
                let (from, counts) = (by.statement(), self.directory.counts(by));
                counts
                    && inside.contains(&(from.user, from.identity))
                    && shown.check((room.into_bytes(), code), by, (of, identity)).is_ok()
            })
        };
        let users = shows.iter().filter(is_invited).map(|shows| shows.user).collect();
        Ok(Answer::Invited { users })
    }

    fn is_strict_inside(&mut self, room: Uuid) -> Result<bool, Fault> {
        let group = self.in_room(GroupId::room(room.into_bytes()))?;
        if group.standing() == Standing::Member { Ok(group.is_strict()) } else { Err(Fault::NotMember) }
    }
}
