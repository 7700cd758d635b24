//! How this device comes to be in a group: it makes one, is welcomed, or comes in by itself; and which group of a room is gone on with.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::mls::{GroupId, GroupKind, Session};
use webcall_trust::{PublicKey, UserId};

use super::Desk;
use super::sent::SentState;
use super::shelves::Shelf;
use super::wire::{Answer, Bytes, External, Kept, Stay};
use crate::archive::block_of;
use crate::chat::RoomId;
use crate::{ExternalJoin, Fault, Group, Joined, random};

/// Of epochs, each more than a server loses: states that one request needs opened are bounded.
const MAX_BLOCKS_BACK: usize = 3;

/// Where a welcome must lead, as the server has it. The server does not see where it does: a member could lead a newcomer into a group of their own, with
/// the same people in the same epoch.
pub(super) struct Place<'a> {
    pub group: Option<GroupId>,
    pub epoch: Option<u64>,
    /// What led the others there.
    pub commit: Option<&'a Bytes>,
}

impl Place<'_> {
    fn is_of(&self, group: &Group) -> bool {
        self.group.is_none_or(|id| id == group.id())
            && self.epoch.is_none_or(|epoch| epoch == group.epoch())
            && self.commit.is_none_or(|commit| group.began_with(&commit.0))
    }
}

impl Desk {
    pub(super) fn open_group(&mut self, room: RoomId, sealed: &Bytes) -> Result<(), Fault> {
        let group = Group::load(&self.key, self.device()?, GroupId::room(room.0), &sealed.0, 0)?;
        self.put_group(group, None);
        Ok(())
    }

    pub(super) fn create(
        &mut self,
        id: GroupId,
        stay: Option<Stay>,
        strict: bool,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        if let Some(stay) = stay {
            self.in_its_call(stay.room)?;
        }
        let group = match session(id, stay)? {
            Some(session) => Group::create_call(self.device()?, id, session)?,
            None => self.create_of_room(id, strict)?,
        };
        self.enter(group, stay, keep)
    }

    fn create_of_room(&mut self, id: GroupId, strict: bool) -> Result<Group, Fault> {
        self.unknown(id)?;
        if self.marks(RoomId(id.uuid))?.group.is_some() {
            return Err(Fault::KnownGroup);
        }
        let device = self.device()?;
        if strict { Group::create_strict(device, id) } else { Group::create(device, id) }
    }

    /// Who belongs in the call of a room that this device is about to enter.
    fn in_its_call(&mut self, room: Uuid) -> Result<BTreeSet<(UserId, PublicKey)>, Fault> {
        self.nobody_new(room)?;
        self.identities_of(room)
    }

    /// A welcome may be as old as the key package that it is for, and one to a last resort may have been used before. `strict`: the room is known to be.
    pub(super) fn join(
        &mut self,
        welcome: &Bytes,
        place: &Place<'_>,
        strict: bool,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let Joined { group, package } =
            Group::join_where(|group| place.is_of(group), self.device()?, &welcome.0, &*self.directory)?;
        // A call is entered by oneself.
        if group.id().kind == GroupKind::Call {
            return Err(Fault::WrongKind);
        }
        self.unknown(group.id())?;
        let room = RoomId(group.id().uuid);
        if self.marks(room)?.group.is_some_and(|newest| group.epoch() <= newest) {
            return Err(Fault::PastEpoch);
        }
        self.epochs(room, block_of(group.epoch()))?;
        self.ready_to_meet(group.id())?;
        self.comes_into(&group, strict, keep)?;
        let answer = self.enter(group, None, keep)?;
        self.change_device(keep, |device| {
            device.used(package);
            Ok(answer)
        })
    }

    /// In place of the group of the room that is kept, if there is one; never back to an epoch before the newest in which this device was.
    pub(super) fn join_external(&mut self, external: &External, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let id: GroupId = external.group.into();
        let session = session(id, external.stay)?;
        let (room, newest) = match external.stay {
            Some(stay) => (self.in_its_call(stay.room)?, None),
            None => {
                self.find_kept(id)?;
                self.ready_to_meet(id)?;
                (BTreeSet::new(), self.marks(RoomId(id.uuid))?.group)
            }
        };
        let join = ExternalJoin {
            group: id,
            group_info: &external.group_info.0,
            tree: external.tree.as_ref().map(|tree| tree.0.as_slice()),
            session,
            at_least_epoch: external.at_least_epoch.max(newest.unwrap_or(0)),
        };
        let group = Group::join_external(self.device()?, join, &self.directory.in_call(&room))?;
        if id.kind == GroupKind::Room {
            self.comes_into(&group, external.strict, keep)?;
        }
        self.enter(group, external.stay, keep)
    }

    /// The server has the room's group in an epoch before the one here, and the person goes on from that: this device comes in anew. What it sealed and
    /// the server has not, is sealed again then; under other keys, for each of the epochs to come is another than the one that was.
    pub(super) fn go_back(&mut self, room: Uuid, epoch: u64, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let (id, of, device) = (GroupId::room(room.into_bytes()), RoomId(room.into_bytes()), self.device()?.id());
        let newest = self.in_room(id)?.epoch();
        if newest <= epoch {
            return Err(Fault::PastEpoch);
        }
        let mut marks = self.marks(of)?;
        self.shelves.get(Shelf::Sent(of))?;
        let blocks = (block_of(epoch)..=block_of(newest)).take(MAX_BLOCKS_BACK);
        let lost = blocks.map(|block| Ok((block, self.epochs(of, block)?))).collect::<Result<Vec<_>, Fault>>()?;
        for (block, mut epochs) in lost {
            epochs.go_back(epoch);
            self.put(Shelf::Epochs(of, block), epochs.to_bytes(), keep)?;
        }
        marks.goes_back(epoch);
        self.put(Shelf::Marks(of), marks.to_bytes(), keep)?;
        self.put(Shelf::Sent(of), SentState::new(of, device).to_bytes(), keep)?;
        self.forget(id, keep)
    }

    /// Of a room. `strict`: it is known to be.
    fn comes_into(&mut self, group: &Group, strict: bool, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let room = RoomId(group.id().uuid);
        let before = self.marks(room)?;
        let mut marks = before;
        marks.enters(group.is_strict(), strict)?;
        if group.is_strict() && !before.is_strict() {
            self.meets_anew(Uuid::from_bytes(room.0), keep)?;
        }
        if marks == before { Ok(()) } else { self.put(Shelf::Marks(room), marks.to_bytes(), keep) }
    }

    /// Asks for the group of a room that may be kept; whether it is.
    pub(super) fn find_kept(&mut self, id: GroupId) -> Result<bool, Fault> {
        if !self.groups.contains_key(&id) {
            self.shelves.get(Shelf::Group(RoomId(id.uuid)))?;
        }
        Ok(self.groups.contains_key(&id))
    }

    /// The group of a room that is kept, if it is not older than what this device has seen.
    pub(super) fn in_room(&mut self, id: GroupId) -> Result<&Group, Fault> {
        self.find_kept(id)?;
        let marks = self.marks(RoomId(id.uuid))?;
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        marks.go_on_with(group)?;
        Ok(group)
    }

    /// What is kept is gone on with: it knows more than whoever shows another.
    fn unknown(&mut self, id: GroupId) -> Result<(), Fault> {
        if self.find_kept(id)? { Err(Fault::KnownGroup) } else { Ok(()) }
    }

    fn enter(&mut self, mut group: Group, stay: Option<Stay>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let id = group.id();
        if id.kind == GroupKind::Room {
            group.goes_on_from(self.marks(RoomId(id.uuid))?.state);
        }
        self.put_group(group, stay.map(|stay| stay.room));
        self.keep_epoch(id, keep)?;
        self.look(id)
    }
}

/// Groups of calls have a stay in their leaves, those of rooms have none.
fn session(id: GroupId, stay: Option<Stay>) -> Result<Option<Session>, Fault> {
    match (id.kind, stay) {
        (GroupKind::Room, None) => Ok(None),
        (GroupKind::Call, Some(stay)) => Ok(Some(Session::new(stay.participant.to_be_bytes(), random::bytes()))),
        _ => Err(Fault::WrongKind),
    }
}
