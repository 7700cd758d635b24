//! Who came into a room's group without the person's doing: told once, on this device. Whoever is there when the device looks for the first time
//! was there before.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::UserId;

use super::Desk;
use super::shelves::Shelf;
use super::wire::{Answer, Kept};
use crate::Fault;
use crate::chat::RoomId;

const USER_BYTES: usize = 16;

impl Desk {
    pub(super) fn newcomers(&mut self, room: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        let Some(greeted) = self.greeted_in(room)? else {
            self.keep_greeted(room, &present, keep)?;
            return Ok(Answer::Newcomers { users: Vec::new() });
        };
        let users = present.difference(&greeted).map(|user| Uuid::from_bytes(user.0)).collect();
        Ok(Answer::Newcomers { users })
    }

    /// Who has left and comes again is told again.
    pub(super) fn greeted(&mut self, room: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        if self.greeted_in(room)?.as_ref() != Some(&present) {
            self.keep_greeted(room, &present, keep)?;
        }
        Ok(Answer::Done)
    }

    fn others_in(&mut self, room: Uuid) -> Result<BTreeSet<UserId>, Fault> {
        let own = self.device()?.user();
        let users = self.identities_of(room)?.into_iter().map(|(user, _)| user);
        Ok(users.filter(|user| *user != own).collect())
    }

    fn greeted_in(&mut self, room: Uuid) -> Result<Option<BTreeSet<UserId>>, Fault> {
        let Some(bytes) = self.shelves.get(Shelf::Greeted(RoomId(room.into_bytes())))? else { return Ok(None) };
        let (users, rest) = bytes.as_chunks::<USER_BYTES>();
        if rest.is_empty() { Ok(Some(users.iter().map(|user| UserId(*user)).collect())) } else { Err(Fault::DamagedState) }
    }

    fn keep_greeted(&mut self, room: Uuid, users: &BTreeSet<UserId>, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let bytes = users.iter().flat_map(|user| user.0).collect();
        self.put(Shelf::Greeted(RoomId(room.into_bytes())), bytes, keep)
    }
}
