//! Who came into a room's group without the person's doing: told once, on this device. Whoever is there when the device looks for the first time
//! was there before. Into a strict room nothing is said before the person has seen who came: a server that withholds a group from a device and
//! shows it another instead, made by somebody of its own, would be told everything otherwise.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::UserId;
use webcall_trust::mls::GroupId;

use super::Desk;
use super::shelves::Shelf;
use super::wire::{Answer, Kept};
use crate::chat::RoomId;
use crate::{Fault, Standing};

const USER_BYTES: usize = 16;

impl Desk {
    /// Who has left and comes again is told again, where this was asked in between.
    pub(super) fn newcomers(&mut self, room: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        let greeted = self.greeted_in(room)?;
        let here = greeted.as_ref().map_or_else(|| present.clone(), |greeted| &present & greeted);
        let users = present.difference(&here).map(|user| Uuid::from_bytes(user.0)).collect();
        if greeted.as_ref() != Some(&here) {
            self.keep_greeted(room, &here, keep)?;
        }
        Ok(Answer::Newcomers { users })
    }

    /// `users`: of whom the person knows; without it, of everybody who is in the group now.
    pub(super) fn greeted(&mut self, room: Uuid, users: Option<Vec<Uuid>>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        let greeted = self.greeted_in(room)?;
        let now = match (users, &greeted) {
            (Some(users), Some(greeted)) => {
                let users: BTreeSet<_> = users.into_iter().map(|user| UserId(user.into_bytes())).collect();
                &present & &(greeted | &users)
            }
            _ => present,
        };
        if greeted.as_ref() != Some(&now) {
            self.keep_greeted(room, &now, keep)?;
        }
        Ok(Answer::Done)
    }

    /// In a strict room. Who is there at the first look was there before.
    pub(super) fn nobody_new(&mut self, room: Uuid) -> Result<(), Fault> {
        if !self.in_room(GroupId::room(room.into_bytes()))?.is_strict() {
            return Ok(());
        }
        let present = self.others_in(room)?;
        match self.greeted_in(room)? {
            Some(greeted) if !present.is_subset(&greeted) => Err(Fault::Newcomers),
            _ => Ok(()),
        }
    }

    /// Whether it could be kept whom this device met, asked before anything is changed.
    pub(super) fn ready_to_meet(&mut self, id: GroupId) -> Result<(), Fault> {
        self.greeted_in(Uuid::from_bytes(id.uuid)).map(drop)
    }

    /// Who is in a room as this device first comes into it. Whoever made the group of one that is not strict has others come at once, who are no
    /// news either.
    pub(super) fn meet(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        let room = Uuid::from_bytes(id.uuid);
        let is_alone = group.epoch() == 0 && !group.is_strict();
        if is_alone || group.standing() != Standing::Member || self.greeted_in(room)?.is_some() {
            return Ok(());
        }
        let present = self.others_in(room)?;
        self.keep_greeted(room, &present, keep)
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
