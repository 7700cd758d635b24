//! Requests about this device, its user and other users.

use uuid::Uuid;
use webcall_trust::{DeviceId, PublicKey, Record};

use super::wire::{self, Answer, Bytes, Kept};
use super::{Desk, Person};
use crate::{Device, DeviceRequest, Directory, Fault, Identity, Learned, NewDevice};

impl Desk {
    pub(super) fn first(&mut self, user: Uuid, now_ms: u64, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.nobody_yet()?;
        let (identity, device, records) = Device::first(wire::user(user), now_ms)?;
        keep.push(kept("identity", identity.save(&self.key, device.id())?));
        let records = records.map(|record| Bytes(record.to_bytes())).to_vec();
        self.sit(device, Some(identity), records, keep)
    }

    pub(super) fn ask(&mut self, user: Uuid) -> Result<Answer, Fault> {
        if matches!(self.person, Person::Present { .. }) {
            return Err(Fault::OtherDevice);
        }
        let new = NewDevice::generate(wire::user(user))?;
        let request = new.request();
        let answer =
            Answer::Asking { device: request.device().0.into(), request: request.to_bytes().into(), code: request.code() };
        self.person = Person::Asking(new);
        Ok(answer)
    }

    pub(super) fn certified(&mut self, record: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let record = Record::checked(&record.0)?;
        match std::mem::replace(&mut self.person, Person::Nobody) {
            Person::Asking(new) => {
                let device = new.certified(record)?;
                self.sit(device, None, Vec::new(), keep)
            }
            other => {
                self.person = other;
                Err(Fault::NoDevice)
            }
        }
    }

    pub(super) fn sit(
        &mut self,
        mut device: Device,
        identity: Option<Identity>,
        records: Vec<Bytes>,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        keep.push(kept("device", device.save(&self.key)?));
        keep.push(kept("directory", self.directory.save(&self.key, device.id())?));
        let answer = Answer::Device { device: device.id().0.into(), identity: device.identity().0.into(), records };
        self.person = Person::Present { device: Box::new(device), identity };
        Ok(answer)
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
        match &self.person {
            Person::Nobody => {}
            Person::Present { device, .. } if device.id() == id => {}
            Person::Present { .. } | Person::Asking(_) => return Err(Fault::OtherDevice),
        }
        let device = Device::load(&self.key, id, &device.0, 0)?;
        let identity = identity.map(|sealed| Identity::load(&self.key, id, &sealed.0)).transpose()?;
        self.directory = Directory::load(&self.key, id, &directory.0, 0)?;
        self.let_go();
        let answer = Answer::Device { device: id.0.into(), identity: device.identity().0.into(), records: Vec::new() };
        self.person = Person::Present { device: Box::new(device), identity };
        Ok(answer)
    }

    pub(super) fn nobody_yet(&self) -> Result<(), Fault> {
        if matches!(self.person, Person::Nobody) { Ok(()) } else { Err(Fault::OtherDevice) }
    }

    pub(super) fn vouch(&self, request: &Bytes, previous: &Bytes, now_ms: u64) -> Result<Answer, Fault> {
        let (device, identity) = self.with_identity()?;
        let request = DeviceRequest::from_bytes(&request.0)?;
        let record = identity.vouch(device.user(), &request, previous.exactly()?, now_ms)?;
        Ok(Answer::Record { record: record.to_bytes().into() })
    }

    pub(super) fn revoke(&self, revoked: &Bytes, previous: &Bytes, now_ms: u64) -> Result<Answer, Fault> {
        let (device, identity) = self.with_identity()?;
        let record = identity.revoke(device.user(), DeviceId(revoked.exactly()?), previous.exactly()?, now_ms);
        Ok(Answer::Record { record: record.to_bytes().into() })
    }

    pub(super) fn with_identity(&self) -> Result<(&Device, &Identity), Fault> {
        match &self.person {
            Person::Present { device, identity: Some(identity) } => Ok((device, identity)),
            _ => Err(Fault::NoIdentity),
        }
    }

    pub(super) fn learn(&mut self, user: Uuid, records: Vec<Bytes>, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let records: Vec<_> = records.into_iter().map(|record| record.0).collect();
        let id = wire::user(user);
        // One's own identity is the one that this device was certified under, and never another that the server shows.
        if id == self.device()?.user() && self.directory.accepted(id).is_none() {
            let first = webcall_trust::UserKeys::replay(id, records.iter().map(Vec::as_slice))?;
            if first.identity() != self.device()?.identity() {
                return Err(webcall_trust::Refusal::IdentityChanged.into());
            }
        }
        let learned = self.directory.learn(id, &records)?;
        self.keep_directory(keep)?;
        let identity = self.directory.keys(id).ok_or(Fault::Library)?.identity();
        Ok(Answer::User { identity: identity.0.into(), changed: learned != Learned::Known })
    }

    pub(super) fn accept(&mut self, user: Uuid, identity: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.directory.accept(wire::user(user), PublicKey(identity.exactly()?))?;
        self.keep_directory(keep)?;
        Ok(Answer::Done)
    }

    fn keep_directory(&mut self, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let device = self.device()?.id();
        keep.push(kept("directory", self.directory.save(&self.key, device)?));
        Ok(())
    }

    pub(super) fn key_packages(&mut self, count: usize, last_resort: bool, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let Person::Present { device, .. } = &mut self.person else { return Err(Fault::NoDevice) };
        let packages = device.make_key_packages(count)?;
        let last_resort = if last_resort { Some(device.make_last_resort()?.into()) } else { None };
        keep.push(kept("device", device.save(&self.key)?));
        Ok(Answer::KeyPackages { packages: packages.into_iter().map(Bytes).collect(), last_resort })
    }
}

pub(super) fn kept(name: &str, sealed: Vec<u8>) -> Kept {
    Kept { name: name.to_owned(), sealed: Some(Bytes(sealed)) }
}
