//! Requests about what a device that vouches for another hands over to it: the identity and the master key, so that the new one needs no unlocker.

use std::rc::Rc;

use super::shelves::Shelf;
use super::wire::{Answer, Bytes, Kept};
use super::{Backup, Desk, Person};
use crate::unlock::UnlockError;
use crate::{DeviceRequest, Fault};

impl Desk {
    /// For the request that the person confirms here. Without a master key there is nothing to hand over: [`Fault::NoMasterKey`].
    pub(super) fn hand_over(&mut self, request: &Bytes) -> Result<Answer, Fault> {
        let request = DeviceRequest::from_bytes(&request.0)?;
        self.with_identity()?;
        let backup = self.backup()?;
        let (device, identity) = self.with_identity()?;
        Ok(Answer::Handover { handover: device.hand_over(&request, identity, &backup.master)?.into() })
    }

    /// On a device that asked and was vouched for; one that has the keys already takes none. Its user's chain was learned before.
    pub(super) fn take_handover(&mut self, handover: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.device()?;
        let is_there = self.with_identity().is_ok() || self.shelves.get(Shelf::Backup)?.is_some();
        if is_there {
            return Err(UnlockError::AlreadyThere.into());
        }
        let device = self.device()?;
        let keys = self.directory.keys(device.user()).ok_or(Fault::UnknownUser)?;
        let (identity, master) = device.receive(keys, &handover.0)?;
        keep.push(super::people::kept("identity", identity.save(&self.key, device.id())?));
        let backup = Backup::new(self.device()?.user(), master);
        self.keep_backup(&backup, keep)?;
        let Person::Present { identity: own, .. } = &mut self.person else { return Err(Fault::NoDevice) };
        *own = Some(Rc::new(identity));
        Ok(Answer::Done)
    }
}
