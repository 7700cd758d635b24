//! Requests about groups.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::mls::{GroupId, GroupKind, Session};
use webcall_trust::{PublicKey, UserId};

use super::epochs::block_of;
use super::people::kept;
use super::wire::{Answer, Bytes, Changed, External, Kept, Look, MediaMember, Stay, user_of};
use super::{Desk, MAX_OPEN_GROUPS, Opened, Person};
use crate::chat::RoomId;
use crate::{Changes, Device, Directory, ExternalJoin, Fault, Group, InCall, Joined, Processed, state};

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

impl Desk {
    pub(super) fn open(&mut self, id: GroupId, sealed: &Bytes) -> Result<Answer, Fault> {
        let group = Group::load(&self.key, self.device()?, id, &sealed.0, 0)?;
        self.put_group(group, None);
        self.look(id)
    }

    pub(super) fn create(&mut self, id: GroupId, stay: Option<Stay>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let group = match session(id, stay)? {
            Some(session) => Group::create_call(self.device()?, id, session)?,
            None => Group::create(self.device()?, id)?,
        };
        self.enter(group, stay, keep)
    }

    pub(super) fn join(&mut self, welcome: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let Joined { group, package } = Group::join(self.device()?, &welcome.0, &*self.directory)?;
        // A call is entered by oneself.
        if group.id().kind == GroupKind::Call {
            return Err(Fault::WrongKind);
        }
        self.epochs(RoomId(group.id().uuid), block_of(group.epoch()))?;
        let answer = self.enter(group, None, keep)?;
        self.change_device(keep, |device| {
            device.used(package);
            Ok(answer)
        })
    }

    pub(super) fn join_external(&mut self, external: &External, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let id = external.group.into();
        let join = ExternalJoin {
            group: id,
            group_info: &external.group_info.0,
            tree: external.tree.as_ref().map(|tree| tree.0.as_slice()),
            invite: None,
            session: session(id, external.stay)?,
            at_least_epoch: external.at_least_epoch,
        };
        let group = Group::join_external(self.device()?, join, &*self.directory)?;
        self.enter(group, external.stay, keep)
    }

    fn enter(&mut self, group: Group, stay: Option<Stay>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let id = group.id();
        self.put_group(group, stay.map(|stay| stay.room));
        self.keep_epoch(id, keep)?;
        self.look(id)
    }

    pub(super) fn change(&mut self, id: GroupId, add: Vec<Bytes>, remove: &[u32], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let at = self.at(id)?;
        let add: Vec<Vec<u8>> = add.into_iter().map(|package| package.0).collect();
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

    pub(super) fn process(&mut self, id: GroupId, commit: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.ready_for_epoch(id)?;
        let at = self.at(id)?;
        let contacts = at.directory.in_call(&at.room);
        let change = match at.opened.group.process(&commit.0, &contacts)? {
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

    pub(super) fn look(&mut self, id: GroupId) -> Result<Answer, Fault> {
        Ok(Answer::Group(self.at(id)?.look()))
    }

    pub(super) fn say(&mut self, id: GroupId, plaintext: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let at = self.at(id)?;
        let message = at.opened.group.encrypt(at.device, &plaintext.0)?.into();
        self.keep(id, keep)?;
        Ok(Answer::Message { message })
    }

    pub(super) fn hear(&mut self, id: GroupId, message: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let heard = self.at(id)?.opened.group.decrypt(&message.0)?;
        self.keep(id, keep)?;
        let plaintext = heard.plaintext.as_slice().into();
        Ok(Answer::Heard { epoch: heard.epoch, leaf: heard.leaf, user: user_of(&heard.sender), plaintext })
    }

    pub(super) fn media_keys(&mut self, id: GroupId) -> Result<Answer, Fault> {
        let group = &self.at(id)?.opened.group;
        let mut members = Vec::new();
        for (leaf, session) in group.sessions()? {
            let user = user_of(group.roster().at(leaf).ok_or(Fault::Library)?);
            let base = group.media_key(leaf, &session.nonce)?.as_slice().into();
            let participant = u64::from_be_bytes(session.participant);
            members.push(MediaMember { leaf, user, participant, session: session.nonce.into(), base });
        }
        Ok(Answer::Media { epoch: group.epoch(), leaf: group.leaf(), members })
    }

    fn at(&mut self, id: GroupId) -> Result<At<'_>, Fault> {
        self.device()?;
        self.uses += 1;
        let room = match self.groups.get(&id).ok_or(Fault::NotOpen)?.room {
            Some(room) => self.groups.get(&GroupId::room(room.into_bytes())).ok_or(Fault::NotOpen)?.group.roster().identities(),
            None => BTreeSet::new(),
        };
        let Person::Present { device, .. } = &self.person else { return Err(Fault::NoDevice) };
        let opened = self.groups.get_mut(&id).ok_or(Fault::NotOpen)?;
        opened.used = self.uses;
        Ok(At { device, directory: &self.directory, opened, room })
    }

    fn put_group(&mut self, group: Group, room: Option<Uuid>) {
        self.uses += 1;
        self.groups.insert(group.id(), Opened { group, room, used: self.uses });
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
            self.epochs(RoomId(id.uuid), block_of(epoch + 1))?;
        }
        Ok(())
    }

    /// The epoch's key and the group that gave it, together.
    fn keep_epoch(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        if let Err(fault) = self.begin_epoch(id, keep) {
            self.groups.remove(&id);
            return Err(fault);
        }
        self.keep(id, keep)
    }

    /// A group that cannot be kept is let go: what is in memory must never be ahead of what was kept.
    fn keep(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        if id.kind == GroupKind::Call {
            return Ok(());
        }
        let opened = self.groups.get_mut(&id).ok_or(Fault::NotOpen)?;
        match opened.group.save(&self.key) {
            Ok(sealed) => {
                keep.push(kept(&name(id), sealed));
                Ok(())
            }
            Err(fault) => {
                self.groups.remove(&id);
                Err(fault)
            }
        }
    }

    fn drop_state(&mut self, id: GroupId, keep: &mut Vec<Kept>) {
        self.groups.remove(&id);
        if id.kind == GroupKind::Room {
            keep.push(Kept { name: name(id), sealed: None });
        }
    }
}

/// Under which a group's state is kept.
fn name(id: GroupId) -> String {
    format!("room/{}", Uuid::from_bytes(id.uuid))
}

/// Groups of calls have a stay in their leaves, those of rooms have none.
fn session(id: GroupId, stay: Option<Stay>) -> Result<Option<Session>, Fault> {
    match (id.kind, stay) {
        (GroupKind::Room, None) => Ok(None),
        (GroupKind::Call, Some(stay)) => Ok(Some(Session::new(stay.participant.to_be_bytes(), state::random()?))),
        _ => Err(Fault::WrongKind),
    }
}
