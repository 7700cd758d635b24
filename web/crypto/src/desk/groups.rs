//! Requests about groups that this device is in.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::mls::{self, GroupId, GroupKind};
use webcall_trust::{PublicKey, Refusal, UserId};

use super::media::MediaEpochs;
use super::people::kept;
use super::shelves::Shelf;
use super::wire::{Answer, Bytes, Changed, Kept, Look, NoticeMember, user_of};
use super::{Desk, MAX_OPEN_GROUPS, Opened, Person};
use crate::archive::block_of;
use crate::chat::RoomId;
use crate::{Changes, Contacts, Device, Directory, Fault, Group, InCall, Processed, Standing};

/// Everything that a request about groups needs, borrowed apart.
struct At<'a> {
    device: &'a Device,
    directory: &'a Directory,
    opened: &'a mut Opened,
    room: BTreeSet<(UserId, PublicKey)>,
}

impl At<'_> {
    fn contacts(&self) -> InCall<'_> {
        self.directory.in_call(&self.room)
    }

    fn look(&self) -> Look {
        Look::of(&self.opened.group, self.opened.group.stale(&self.contacts()))
    }
}

/// A server may hand out the key package of anybody else who is known here, and with it the room.
fn asked_for(packages: Vec<Bytes>, users: &[Uuid]) -> Result<Vec<Vec<u8>>, Fault> {
    let asked = |Bytes(bytes): Bytes| {
        let (_, certificate) = mls::key_package(&bytes)?;
        if users.contains(&user_of(&certificate)) { Ok(bytes) } else { Err(Refusal::OtherUser.into()) }
    };
    packages.into_iter().map(asked).collect()
}

impl Desk {
    /// `add`: key packages, and whose they may be.
    pub(super) fn change(
        &mut self,
        id: GroupId,
        (add, users): (Vec<Bytes>, &[Uuid]),
        remove: &[u32],
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let add = asked_for(add, users)?;
        let at = self.at(id)?;
        let contacts = at.directory.in_call(&at.room);
        at.opened.group.change(at.device, Changes { add: &add, remove }, &contacts)?;
        self.keep(id, keep)?;
        self.look(id)
    }

    pub(super) fn settle(
        &mut self,
        id: GroupId,
        how: impl FnOnce(&mut Group) -> Result<(), Fault>,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        self.ready_for_epoch(id)?;
        how(&mut self.at(id)?.opened.group)?;
        self.keep_epoch(id, keep)?;
        self.look(id)
    }

    pub(super) fn process(
        &mut self,
        id: GroupId,
        commit: &Bytes,
        log_epoch: Option<u64>,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        self.ready_for_epoch(id)?;
        let at = self.at(id)?;
        let (contacts, group) = (at.directory.in_call(&at.room), &mut at.opened.group);
        // A commit is of the epoch that the group is in, or it is refused.
        let processed = if log_epoch.is_some_and(|reached| group.epoch() < reached) {
            group.follow(&commit.0, &contacts)?
        } else {
            group.process(&commit.0, &contacts)?
        };
        let change = match processed {
            Processed::Ours => Changed::Ours,
            Processed::Changed(change) => Changed::of(&change),
            Processed::Removed(_) => Changed::Out,
        };
        let look = at.look();
        match change {
            Changed::Out => self.drop_state(id, keep),
            Changed::Ours | Changed::Others { .. } => self.keep_epoch(id, keep)?,
        }
        Ok(Answer::Processed { change, group: look })
    }

    pub(super) fn forget(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.drop_state(id, keep);
        Ok(Answer::Done)
    }

    /// Whether the commit led into the epoch here ([`Fault::OtherGroup`]).
    pub(super) fn began_with(&mut self, id: GroupId, commit: &Bytes) -> Result<Answer, Fault> {
        if self.at(id)?.opened.group.began_with(&commit.0) { Ok(Answer::Done) } else { Err(Fault::OtherGroup) }
    }

    pub(super) fn culprit(&mut self, id: GroupId) -> Result<Answer, Fault> {
        let culprit = self.at(id)?.opened.group.culprit();
        Ok(Answer::Culprit { user: culprit.map(|user| Uuid::from_bytes(user.0)) })
    }

    pub(super) fn strangers(&mut self, id: GroupId, welcome: Option<&Bytes>) -> Result<Answer, Fault> {
        let strangers = match welcome {
            Some(welcome) => Group::strangers_in(self.device()?, &welcome.0, &*self.directory)?,
            None => self.at(id)?.opened.group.strangers().clone(),
        };
        Ok(Answer::Strangers { users: strangers.into_iter().map(|user| Uuid::from_bytes(user.0)).collect() })
    }

    pub(super) fn look(&mut self, id: GroupId) -> Result<Answer, Fault> {
        Ok(Answer::Group(self.at(id)?.look()))
    }

    pub(super) fn say(&mut self, id: GroupId, plaintext: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.nobody_stale(id)?;
        let at = self.at(id)?;
        let message = at.opened.group.encrypt(at.device, &plaintext.0)?.into();
        self.keep(id, keep)?;
        Ok(Answer::Message { message })
    }

    /// Who was put out or revoked has the epoch's keys until a commit takes it away.
    pub(super) fn nobody_stale(&mut self, id: GroupId) -> Result<(), Fault> {
        let at = self.at(id)?;
        if at.opened.group.stale(&at.contacts()).is_empty() { Ok(()) } else { Err(Fault::StaleMembers) }
    }

    pub(super) fn hear(&mut self, id: GroupId, message: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let heard = self.at(id)?.opened.group.decrypt(&message.0)?;
        self.keep(id, keep)?;
        let plaintext = heard.plaintext.as_slice().into();
        Ok(Answer::Heard { epoch: heard.epoch, leaf: heard.leaf, user: user_of(&heard.sender), plaintext })
    }

    pub(super) fn media_keys(&mut self, id: GroupId, epoch: Option<u64>) -> Result<Answer, Fault> {
        if id.kind != GroupKind::Call {
            return Err(Fault::WrongKind);
        }
        self.nobody_stale(id)?;
        if let Some(room) = self.groups.get(&id).and_then(|opened| opened.room) {
            self.nobody_contradicts(room)?;
            self.nobody_new_in_call(room)?;
        }
        let At { directory, opened, room, .. } = self.at(id)?;
        if opened.group.standing() != Standing::Member {
            return Err(Fault::NotMember);
        }
        opened.media.begin(&opened.group)?;
        let of = opened.media.of(epoch)?;
        Ok(Answer::Media { epoch: of.epoch, leaf: of.leaf, members: of.members(&directory.in_call(&room)) })
    }

    /// Of the devices that still count: what another wrote is looked at by the page alone, which knows more.
    pub(super) fn notice_keys(&mut self, room: Uuid) -> Result<Answer, Fault> {
        let At { directory, opened: Opened { group, .. }, .. } = self.at(GroupId::room(room.into_bytes()))?;
        if group.standing() != Standing::Member {
            return Err(Fault::NotMember);
        }
        let members = group.roster().iter().filter(|(_, certificate)| directory.counts(certificate));
        let members = members.map(|(leaf, certificate)| NoticeMember::of(leaf, certificate)).collect();
        Ok(Answer::Notice { epoch: group.epoch(), key: group.chat_key()?.as_slice().into(), members })
    }

    fn at(&mut self, id: GroupId) -> Result<At<'_>, Fault> {
        self.device()?;
        self.uses += 1;
        if id.kind == GroupKind::Room {
            self.in_room(id)?;
        }
        let room = match self.groups.get(&id).ok_or(Fault::NotOpen)?.room {
            Some(room) => self.identities_of(room)?,
            None => BTreeSet::new(),
        };
        let Person::Present { device, .. } = &self.person else { return Err(Fault::NoDevice) };
        let opened = self.groups.get_mut(&id).ok_or(Fault::NotOpen)?;
        opened.used = self.uses;
        Ok(At { device, directory: &self.directory, opened, room })
    }

    /// Who belongs in the calls of a room: those in its group, of which this device must be a member.
    pub(super) fn identities_of(&mut self, room: Uuid) -> Result<BTreeSet<(UserId, PublicKey)>, Fault> {
        let id = GroupId::room(room.into_bytes());
        let group = self.in_room(id)?;
        if group.standing() == Standing::Member { Ok(group.roster().identities()) } else { Err(Fault::NotMember) }
    }

    pub(super) fn put_group(&mut self, group: Group, room: Option<Uuid>) {
        self.uses += 1;
        let id = group.id();
        self.shelves.take(Shelf::Group(RoomId(id.uuid)));
        self.groups.insert(id, Opened { group, room, media: MediaEpochs::default(), used: self.uses });
        // Calls stay: nothing of them is kept elsewhere, and there are as many as the person is in.
        let rooms = self.groups.iter().filter(|(id, _)| id.kind == GroupKind::Room);
        if rooms.clone().count() > MAX_OPEN_GROUPS
            && let Some((&oldest, _)) = rooms.min_by_key(|(_, opened)| opened.used)
        {
            self.groups.remove(&oldest);
        }
    }

    /// Whether the key of the next epoch could be kept, asked before anything is changed.
    fn ready_for_epoch(&mut self, id: GroupId) -> Result<(), Fault> {
        let epoch = self.at(id)?.opened.group.epoch();
        if id.kind == GroupKind::Room {
            self.epochs(RoomId(id.uuid), block_of(epoch))?;
            self.epochs(RoomId(id.uuid), block_of(epoch.saturating_add(1)))?;
            self.ready_to_meet(id)?;
        }
        Ok(())
    }

    /// The epoch's key and the group that gave it, together.
    pub(super) fn keep_epoch(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        if id.kind == GroupKind::Call {
            let opened = self.groups.get_mut(&id).ok_or(Fault::NotOpen)?;
            return opened.media.begin(&opened.group);
        }
        if let Err(fault) = self.begin_epoch(id, keep) {
            self.groups.remove(&id);
            return Err(fault);
        }
        self.keep(id, keep)?;
        self.meet(id, keep)
    }

    /// A group that cannot be kept is let go: what is in memory must never be ahead of what was kept.
    fn keep(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        if id.kind == GroupKind::Call {
            return Ok(());
        }
        let kept = self.keep_room(id, keep);
        if kept.is_err() {
            self.groups.remove(&id);
        }
        kept
    }

    fn keep_room(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let room = RoomId(id.uuid);
        let mut marks = self.marks(room)?;
        let group = &mut self.groups.get_mut(&id).ok_or(Fault::NotOpen)?.group;
        let sealed = group.save(&self.key)?;
        marks.came_to(group);
        keep.push(kept(&Shelf::Group(room).to_string(), sealed));
        self.put(Shelf::Marks(room), marks.to_bytes(), keep)
    }

    fn drop_state(&mut self, id: GroupId, keep: &mut Vec<Kept>) {
        self.groups.remove(&id);
        if id.kind == GroupKind::Room {
            keep.push(Kept { name: Shelf::Group(RoomId(id.uuid)).to_string(), sealed: None });
        }
    }
}
