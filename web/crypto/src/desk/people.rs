//! Requests about this device, its user and other users.

use std::rc::Rc;

use uuid::Uuid;
use webcall_trust::{DeviceId, Hash, PublicKey, Record, UserKeys};

use super::counters::Counters;
use super::wire::{self, Answer, Bytes, Kept, LoggedAt, VerifiedLook};
use super::{Desk, Person};
use crate::{Device, DeviceRequest, Directory, Fault, Identity, Learned, MAX_PACKAGES, MAX_RECORDS, NewDevice};

impl Desk {
    pub(super) fn first(&mut self, user: Uuid, now_ms: u64, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.nobody_yet()?;
        let (identity, device, _) = Device::first(wire::user(user), now_ms)?;
        keep.push(kept("identity", identity.save(&self.key, device.id())?));
        self.sit(device, Some(identity), keep)
    }

    /// Without a device and without a way back. The first record replaces the identity, which takes the account's password.
    pub(super) fn begin_anew(
        &mut self,
        user: Uuid,
        records: &[Bytes],
        now_ms: u64,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        self.nobody_yet()?;
        let user = wire::user(user);
        let published = UserKeys::replay(user, records.iter().map(|record| record.0.as_slice()))?;
        let (identity, device, _) = Device::anew(user, published.head(), now_ms)?;
        keep.push(kept("identity", identity.save(&self.key, device.id())?));
        self.sit(device, Some(identity), keep)
    }

    /// This device was made, and its records cannot be published any more: it is forgotten, for nobody ever relied on it. Once it has seen itself
    /// among what its user published, no server has it forget its keys.
    pub(super) fn step_back(&mut self, records: &[Bytes], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let device = self.device()?;
        let seen = self.directory.records(device.user());
        let is_there = |own: Vec<u8>| seen.contains(&own) || records.iter().any(|record| record.0 == own);
        // The claim of its identity, too: what follows is on its way.
        if device.records().iter().any(|record| is_there(record.to_bytes())) {
            return Err(Fault::OtherDevice);
        }
        let names = ["name", "device", "directory", "identity", "backup", "log", "devices"];
        keep.extend(names.map(|name| Kept { name: name.to_owned(), sealed: None }));
        self.counters = Counters::default();
        self.resume(None)
    }

    /// Again: another device asks, and the one before is forgotten.
    pub(super) fn ask(&mut self, user: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.nobody_yet()?;
        let new = NewDevice::generate(wire::user(user))?;
        keep.push(kept(ASKING, new.save(&self.key)?));
        self.person = Person::Asking(Rc::new(new));
        self.who()
    }

    pub(super) fn certified(&mut self, record: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let record = Record::checked(&record.0)?;
        let Person::Asking(new) = &self.person else { return Err(Fault::NoDevice) };
        let device = new.certified(record)?;
        self.sit(device, None, keep)
    }

    pub(super) fn sit(&mut self, mut device: Device, identity: Option<Identity>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        keep.push(kept("device", device.save(&self.key)?));
        keep.push(kept("directory", Rc::make_mut(&mut self.directory).save(&self.key, device.id())?));
        if matches!(self.person, Person::Asking(_)) {
            keep.push(Kept { name: ASKING.to_owned(), sealed: None });
        }
        self.person = Person::Present { device: Rc::new(device), identity: identity.map(Rc::new) };
        self.who()
    }

    pub(super) fn who(&self) -> Result<Answer, Fault> {
        match &self.person {
            Person::Nobody => Err(Fault::NoDevice),
            Person::Asking(new) => {
                let request = new.request();
                let (device, code) = (request.device().0.into(), request.code());
                Ok(Answer::Asking { device, request: request.to_bytes().into(), code })
            }
            Person::Present { device, .. } => {
                let records = device.records().iter().map(|record| Bytes(record.to_bytes())).collect();
                Ok(Answer::Device { device: device.id().0.into(), identity: device.identity().0.into(), records })
            }
        }
    }

    /// After a reload, or when another page of the same browser has changed what is kept. Calls go on: they are this page's alone.
    pub(super) fn load(
        &mut self,
        id: &Bytes,
        device: &Bytes,
        directory: &Bytes,
        identity: Option<&Bytes>,
    ) -> Result<Answer, Fault> {
        let id = DeviceId(id.exactly()?);
        if matches!(&self.person, Person::Present { device, .. } if device.id() != id) {
            return Err(Fault::OtherDevice);
        }
        let sealed = (device, directory);
        let device = Device::load(&self.key, id, &device.0, self.counters.least("device"))?;
        let identity = identity.map(|sealed| Identity::load(&self.key, id, &sealed.0)).transpose()?;
        self.directory = Rc::new(Directory::load(&self.key, id, &directory.0, self.counters.least("directory"))?);
        self.counters.read("device", &sealed.0.0)?;
        self.counters.read("directory", &sealed.1.0)?;
        self.let_go();
        self.person = Person::Present { device: Rc::new(device), identity: identity.map(Rc::new) };
        self.who()
    }

    /// As [`Desk::load`] where no device is kept: whoever sat here was never kept either.
    pub(super) fn resume(&mut self, asking: Option<&Bytes>) -> Result<Answer, Fault> {
        // One that an earlier version kept, or that is damaged, asks anew: nobody has vouched for it yet.
        let asking = asking.and_then(|sealed| NewDevice::load(&self.key, &sealed.0).ok());
        self.person = asking.map_or(Person::Nobody, |asking| Person::Asking(Rc::new(asking)));
        self.directory = Rc::default();
        self.groups.clear();
        self.shelves.clear();
        Ok(Answer::Done)
    }

    /// A device that only asks gives way to one by any other means.
    pub(super) fn nobody_yet(&self) -> Result<(), Fault> {
        if matches!(self.person, Person::Present { .. }) { Err(Fault::OtherDevice) } else { Ok(()) }
    }

    pub(super) fn vouch(
        &mut self,
        request: &Bytes,
        previous: Option<&Bytes>,
        now_ms: u64,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let (device, identity) = self.with_identity()?;
        let request = DeviceRequest::from_bytes(&request.0)?;
        let record = identity.vouch(device.user(), &request, self.previous(previous)?, now_ms)?;
        self.ready_to_vouch()?;
        let answer = self.made(record, keep)?;
        self.vouches_for(&request, keep)?;
        Ok(answer)
    }

    pub(super) fn revoke(
        &mut self,
        revoked: &Bytes,
        previous: Option<&Bytes>,
        now_ms: u64,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let (device, identity) = self.with_identity()?;
        let record = identity.revoke(device.user(), DeviceId(revoked.exactly()?), self.previous(previous)?, now_ms);
        self.made(record, keep)
    }

    fn previous(&self, given: Option<&Bytes>) -> Result<Hash, Fault> {
        match given {
            Some(given) => given.exactly(),
            None => Ok(self.directory.keys(self.device()?.user()).ok_or(Fault::UnknownUser)?.head()),
        }
    }

    /// A record of one's own chain is kept before it can be published.
    fn made(&mut self, record: Record, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let directory = Rc::clone(&self.directory);
        self.change_device(keep, |device| device.made(record, directory.records(device.user())))?;
        Ok(Answer::Record { record: record.to_bytes().into() })
    }

    pub(super) fn change_device<T>(
        &mut self,
        keep: &mut Vec<Kept>,
        change: impl FnOnce(&mut Device) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Person::Present { device, .. } = &mut self.person else { return Err(Fault::NoDevice) };
        let device = Rc::make_mut(device);
        let changed = change(device)?;
        keep.push(kept("device", device.save(&self.key)?));
        Ok(changed)
    }

    pub(super) fn with_identity(&self) -> Result<(&Device, &Identity), Fault> {
        match &self.person {
            Person::Present { device, identity: Some(identity) } => Ok((device, identity)),
            _ => Err(Fault::NoIdentity),
        }
    }

    pub(super) fn learn(
        &mut self,
        user: Uuid,
        records: Vec<Bytes>,
        proof: Option<LoggedAt>,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        if records.len() > MAX_RECORDS {
            return Err(Fault::Full);
        }
        let records: Vec<_> = records.into_iter().map(|record| record.0).collect();
        let id = wire::user(user);
        self.check_logged(&records, proof)?;
        // One's own identity is the one that this device was certified under, and never another that the server shows.
        if id == self.device()?.user() && self.directory.accepted(id).is_none() {
            let first = UserKeys::replay(id, records.iter().map(Vec::as_slice))?;
            if first.identity() != self.device()?.identity() {
                return Err(webcall_trust::Refusal::IdentityChanged.into());
            }
        }
        let learned = Rc::make_mut(&mut self.directory).learn(id, &records)?;
        self.keep_directory(keep)?;
        let keys = self.directory.keys(id).ok_or(Fault::Library)?;
        let (identity, head) = (keys.identity(), keys.head());
        if id == self.device()?.user() {
            self.settle_records(&records, head, keep)?;
        }
        let (verified, name) = VerifiedLook::of(self.directory.verified(id));
        Ok(Answer::User { identity: identity.0.into(), changed: learned != Learned::Known, verified, name })
    }

    fn settle_records(&mut self, chain: &[Vec<u8>], head: Hash, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let Person::Present { device, .. } = &mut self.person else { return Err(Fault::NoDevice) };
        let mut settled = Device::clone(device);
        if settled.settle(chain, head) {
            keep.push(kept("device", settled.save(&self.key)?));
            *device = Rc::new(settled);
        }
        Ok(())
    }

    pub(super) fn accept(&mut self, user: Uuid, identity: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        Rc::make_mut(&mut self.directory).accept(wire::user(user), PublicKey(identity.exactly()?))?;
        self.keep_directory(keep)?;
        Ok(Answer::Done)
    }

    pub(super) fn verify(&mut self, user: Uuid, identity: &Bytes, name: &str, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let identity = PublicKey(identity.exactly()?);
        Rc::make_mut(&mut self.directory).verify(wire::user(user), identity, name)?;
        self.keep_directory(keep)?;
        Ok(Answer::Done)
    }

    fn keep_directory(&mut self, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let device = self.device()?.id();
        keep.push(kept("directory", Rc::make_mut(&mut self.directory).save(&self.key, device)?));
        Ok(())
    }

    pub(super) fn key_packages(&mut self, count: usize, last_resort: bool, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        // Together they must fit, or the last resort would take the place of one that was just made.
        if count.checked_add(usize::from(last_resort)).is_none_or(|together| together > MAX_PACKAGES) {
            return Err(Fault::Full);
        }
        let (packages, last_resort) = self.change_device(keep, |device| {
            let last_resort = if last_resort { Some(device.make_last_resort()?.into()) } else { None };
            Ok((device.make_key_packages(count)?, last_resort))
        })?;
        Ok(Answer::KeyPackages { packages: packages.into_iter().map(Bytes).collect(), last_resort })
    }

    pub(super) fn forget_expired(&mut self, now_ms: u64, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.change_device(keep, |device| {
            device.forget_expired(now_ms / 1_000);
            Ok(Answer::Done)
        })
    }
}

/// The state of a device that nobody vouches for yet.
pub(super) const ASKING: &str = "asking";

pub(super) fn kept(name: &str, sealed: Vec<u8>) -> Kept {
    Kept { name: name.to_owned(), sealed: Some(Bytes(sealed)) }
}
