//! Who came into a room's group without the person's doing: told once, on this device. Whoever is there when the device comes was there before. Into
//! a strict room nothing is said before the person has seen who is there: a server that withholds a group from a device and shows it another
//! instead, made by somebody of its own, would be told everything otherwise.

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
/// Of whom it is known that they were in a room: some times as many as can be in it at once.
const MAX_EVER: usize = 4_096;
/// In a conversation of a few: ten at most.
const MAX_SHOWN: usize = 16;

impl Desk {
    /// Who has left and comes again is told again, where this was asked in between.
    pub(super) fn newcomers(&mut self, room: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        let greeted = self.greeted_in(room)?;
        let here = greeted.as_ref().map_or_else(|| present.clone(), |greeted| &present & greeted);
        let users = present.difference(&here).map(|user| Uuid::from_bytes(user.0)).collect();
        if greeted.as_ref() != Some(&here) && !self.is_made_just_now(room)? {
            self.keep_greeted(room, &here, keep)?;
        }
        Ok(Answer::Newcomers { users })
    }

    /// Whoever was there before.
    pub(super) fn ever(&mut self, room: Uuid) -> Result<Answer, Fault> {
        let users = self.ever_in(room)?.iter().map(|user| Uuid::from_bytes(user.0)).collect();
        Ok(Answer::Ever { users })
    }

    /// The person knows of these users.
    pub(super) fn greeted(&mut self, room: Uuid, users: &[Uuid], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.others_in(room)?;
        let greeted = self.greeted_in(room)?;
        let users = users.iter().map(|user| UserId(user.into_bytes()));
        let known: BTreeSet<_> = greeted.iter().flatten().copied().chain(users).collect();
        let now = &present & &known;
        if greeted.as_ref() != Some(&now) {
            self.keep_greeted(room, &now, keep)?;
        }
        if now == present {
            self.is_back(RoomId(room.into_bytes()), keep)?;
        }
        Ok(Answer::Done)
    }

    /// This device is about to come into a room that is not strict, where the person is shown these users as they look at it, and nobody else. Of one
    /// in which it was before they know already.
    pub(super) fn meets(&mut self, room: Uuid, users: &[Uuid], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        if users.len() > MAX_SHOWN {
            return Err(Fault::Full);
        }
        if self.greeted_in(room)?.is_none() {
            let shown = users.iter().map(|user| UserId(user.into_bytes())).collect();
            self.keep_greeted(room, &shown, keep)?;
        }
        Ok(Answer::Done)
    }

    /// In a strict room.
    pub(super) fn nobody_new(&mut self, room: Uuid) -> Result<(), Fault> {
        let id = GroupId::room(room.into_bytes());
        let strict = self.in_room(id)?.is_strict() || self.marks(RoomId(id.uuid))?.is_strict();
        if !strict {
            return Ok(());
        }
        let greeted = self.greeted_in(room)?.unwrap_or_default();
        if self.others_in(room)?.is_subset(&greeted) { Ok(()) } else { Err(Fault::Newcomers) }
    }

    /// The same for a call that runs, as far as this device was out of the room's group: of whom others let in meanwhile, the commits say. Whoever
    /// speaks in a call is not made silent by that somebody comes.
    pub(super) fn nobody_new_in_call(&mut self, room: Uuid) -> Result<(), Fault> {
        if self.marks(RoomId(room.into_bytes()))?.has_returned() { self.nobody_new(room) } else { Ok(()) }
    }

    /// Whether it could be kept whom this device met, asked before anything is changed.
    pub(super) fn ready_to_meet(&mut self, id: GroupId) -> Result<(), Fault> {
        self.greeted_in(Uuid::from_bytes(id.uuid))?;
        self.ever_in(Uuid::from_bytes(id.uuid)).map(drop)
    }

    /// With each epoch. Who is in a room as this device first comes into it is no news, but in a strict one, where the person is told of everybody once.
    /// Whoever makes its group meets everybody else as they come. Who has left is news when they come again.
    pub(super) fn meet(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        if group.standing() != Standing::Member {
            return Ok(());
        }
        let (is_strict, is_alone, room) = (group.is_strict(), group.epoch() == 0, Uuid::from_bytes(id.uuid));
        let (present, greeted) = (self.others_in(room)?, self.greeted_in(room)?);
        let known = match &greeted {
            // Whoever is shown comes in the next epoch.
            Some(greeted) if is_alone => greeted.clone(),
            Some(greeted) => &present & greeted,
            None if is_strict || is_alone => BTreeSet::new(),
            None => present.clone(),
        };
        if greeted.as_ref() != Some(&known) {
            self.keep_greeted(room, &known, keep)?;
        }
        let ever = self.ever_in(room)?;
        let now: BTreeSet<_> = ever.union(&present).copied().take(MAX_EVER).collect();
        if now != ever {
            self.put(Shelf::Ever(RoomId(id.uuid)), bytes_of(&now), keep)?;
        }
        if known == present { self.is_back(RoomId(id.uuid), keep) } else { Ok(()) }
    }

    /// What was greeted in a group that did not say that it is strict counts for nothing in one that does.
    pub(super) fn meets_anew(&mut self, room: Uuid, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        match self.greeted_in(room)? {
            Some(greeted) if !greeted.is_empty() => self.keep_greeted(room, &BTreeSet::new(), keep),
            _ => Ok(()),
        }
    }

    fn is_back(&mut self, room: RoomId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let mut marks = self.marks(room)?;
        if !marks.has_returned() {
            return Ok(());
        }
        marks.is_back();
        self.put(Shelf::Marks(room), marks.to_bytes(), keep)
    }

    /// By this device, which is alone in it.
    fn is_made_just_now(&mut self, room: Uuid) -> Result<bool, Fault> {
        Ok(self.in_room(GroupId::room(room.into_bytes()))?.epoch() == 0)
    }

    fn others_in(&mut self, room: Uuid) -> Result<BTreeSet<UserId>, Fault> {
        let own = self.device()?.user();
        let users = self.identities_of(room)?.into_iter().map(|(user, _)| user);
        Ok(users.filter(|user| *user != own).collect())
    }

    fn greeted_in(&mut self, room: Uuid) -> Result<Option<BTreeSet<UserId>>, Fault> {
        self.shelves.get(Shelf::Greeted(RoomId(room.into_bytes())))?.map(users_of).transpose()
    }

    /// Others who were in the room's group at any time since this device is.
    pub(super) fn ever_in(&mut self, room: Uuid) -> Result<BTreeSet<UserId>, Fault> {
        self.shelves.get(Shelf::Ever(RoomId(room.into_bytes())))?.map_or_else(|| Ok(BTreeSet::new()), users_of)
    }

    fn keep_greeted(&mut self, room: Uuid, users: &BTreeSet<UserId>, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        self.put(Shelf::Greeted(RoomId(room.into_bytes())), bytes_of(users), keep)
    }
}

fn bytes_of(users: &BTreeSet<UserId>) -> Vec<u8> {
    users.iter().flat_map(|user| user.0).collect()
}

fn users_of(bytes: &[u8]) -> Result<BTreeSet<UserId>, Fault> {
    let (users, rest) = bytes.as_chunks::<USER_BYTES>();
    if rest.is_empty() { Ok(users.iter().map(|user| UserId(*user)).collect()) } else { Err(Fault::DamagedState) }
}
