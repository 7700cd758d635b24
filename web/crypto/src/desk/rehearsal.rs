//! A call that nobody sees. A browser compiles WebAssembly function by function as each first runs, and whoever joins a call would wait for that
//! while others look at an empty seat; so it is all run once before, while the person still looks at themselves.

use uuid::Uuid;
use webcall_trust::mls::{GroupId, Session};

use super::Desk;
use super::media::MediaEpochs;
use super::wire::Answer;
use crate::{ExternalJoin, Fault, Group, random};

impl Desk {
    /// Makes the group of a call of this room, comes into it, follows the commit, and makes keys of media. Nothing of it is kept, nor sent.
    pub(super) fn rehearse(&mut self, room: Uuid) -> Result<Answer, Fault> {
        let belonging = self.identities_of(room)?;
        let (device, contacts) = (self.device()?, self.directory.in_call(&belonging));
        let (id, session) = (GroupId::call(random::bytes()), || Session::new([0; 8], random::bytes()));
        let mut first = Group::create_call(device, id, session())?;
        let made = first.outgoing().ok_or(Fault::Library)?.group_info.clone();
        first.accepted()?;
        let join =
            ExternalJoin { group: id, group_info: made.as_slice(), tree: None, session: Some(session()), at_least_epoch: 0 };
        let mut second = Group::join_external(device, join, &contacts)?;
        let commit = second.outgoing().and_then(|outgoing| outgoing.commit.clone()).ok_or(Fault::Library)?;
        first.process(commit.as_slice(), &contacts)?;
        second.accepted()?;
        MediaEpochs::default().begin(&second)?;
        Ok(Answer::Done)
    }
}
