//! Requests about the master key: how it is made, by what it is opened, and what comes back by it.

use std::rc::Rc;

use webcall_trust::{PublicKey, UserId, UserKeys};

use super::backup::Blob;
use super::shelves::Shelf;
use super::wire::{self, Answer, Bytes, Kept, Restore, SecretText, UnlockSecret, UnlockerLook};
use super::{Backup, Desk, Person};
use crate::archive;
use crate::unlock::{Effort, Passkey, Passphrase, PrfOutput, RecoveryCode, Secret, UnlockError, Unlocker, UnlockerId, Way};
use crate::{Fault, Identity, MasterKey, NewDevice};

impl Desk {
    /// On the device that made the identity; any other gets the master key by [`Desk::unlock`] or [`Desk::restore`].
    pub(super) fn backup_begin(&mut self, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let user = self.with_identity()?.0.user();
        if self.shelves.get(Shelf::Backup)?.is_some() {
            return Err(UnlockError::AlreadyThere.into());
        }
        self.keep_backup(&Backup::new(user, MasterKey::random()), keep)?;
        Ok(Answer::Done)
    }

    pub(super) fn add_recovery_code(&mut self, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let code = RecoveryCode::random();
        let id = self.add_unlocker(Way::RecoveryCode, Secret::RecoveryCode(&code), keep)?;
        Ok(Answer::Unlocker { id: id.0.into(), code: Some(SecretText(code.to_text())) })
    }

    pub(super) fn add_passphrase(&mut self, passphrase: &SecretText, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let passphrase = Passphrase::new(passphrase.0.to_string())?;
        let id = self.add_unlocker(Way::Passphrase(Effort::standard()), Secret::Passphrase(&passphrase), keep)?;
        Ok(Answer::Unlocker { id: id.0.into(), code: None })
    }

    /// Gives the salt that the passkey's `prf` extension is to be asked with. The next one takes its place.
    pub(super) fn begin_passkey(&mut self, credential: Bytes) -> Result<Answer, Fault> {
        let passkey = Passkey::new(credential.0)?;
        let salt = passkey.salt().into();
        self.passkey = Some(passkey);
        Ok(Answer::Salt { salt })
    }

    pub(super) fn add_passkey(&mut self, output: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let passkey = self.passkey.clone().ok_or(UnlockError::NotThere)?;
        let output = PrfOutput::new(output.exactly()?);
        let id = self.add_unlocker(Way::Passkey(passkey), Secret::Passkey(&output), keep)?;
        self.passkey = None;
        Ok(Answer::Unlocker { id: id.0.into(), code: None })
    }

    fn add_unlocker(&mut self, way: Way, secret: Secret<'_>, keep: &mut Vec<Kept>) -> Result<UnlockerId, Fault> {
        let mut backup = self.backup()?;
        let unlocker = Unlocker::new(&backup.master, self.device()?.user(), way, secret)?;
        let id = unlocker.id();
        backup.unlockers.add(unlocker)?;
        self.keep_backup(&backup, keep)?;
        Ok(id)
    }

    pub(super) fn remove_unlocker(&mut self, id: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let mut backup = self.backup()?;
        backup.remove(UnlockerId(id.exactly()?))?;
        self.keep_backup(&backup, keep)?;
        Ok(Answer::Done)
    }

    /// What is to be uploaded.
    pub(super) fn unlockers(&mut self) -> Result<Answer, Fault> {
        let backup = self.backup()?;
        self.backup_answer(&backup)
    }

    pub(super) fn take_unlockers(&mut self, blob: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let mut backup = self.backup()?;
        backup.take_in(self.device()?.user(), Blob::read(&blob.0)?)?;
        self.keep_backup(&backup, keep)?;
        self.backup_answer(&backup)
    }

    fn backup_answer(&self, backup: &Backup) -> Result<Answer, Fault> {
        let (device, identity) = self.with_identity()?;
        let identity = archive::seal_identity(&backup.master, device.user(), identity.signing());
        Ok(Answer::Backup {
            blob: Blob::write(backup, device.user(), identity).into(),
            backed_up: backup.unlockers.is_backed_up(&backup.master),
            unlockers: backup.unlockers.iter().map(look).collect(),
        })
    }

    /// What may be asked for, before any secret is known.
    pub(super) fn ways(blob: &Bytes) -> Result<Answer, Fault> {
        Ok(Answer::Ways { unlockers: Blob::read(&blob.0)?.unlockers.iter().map(look).collect() })
    }

    /// A new device that vouches for itself, since its person has shown an unlocker's secret. The record is to be published.
    pub(super) fn restore(&mut self, restore: Restore, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        self.nobody_yet()?;
        let user = wire::user(restore.user);
        let published = UserKeys::replay(user, restore.records.iter().map(|record| record.0.as_slice()))?;
        let (backup, identity) = opened(user, published.identity(), &restore.blob, restore.secret)?;
        let new = NewDevice::generate(user)?;
        let record = identity.vouch(user, new.request(), published.head(), restore.now_ms)?;
        let device = new.certified(record)?;
        keep.push(super::people::kept("identity", identity.save(&self.key, device.id())?));
        let answer = self.sit(device, Some(identity), keep)?;
        self.first_backup(&backup, keep)?;
        Ok(answer)
    }

    /// A device that another vouched for gets the master key, and the identity with it.
    pub(super) fn unlock(&mut self, blob: &Bytes, secret: UnlockSecret, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let device = self.device()?;
        let (user, id) = (device.user(), device.id());
        let (backup, identity) = opened(user, device.identity(), blob, secret)?;
        if self.shelves.get(Shelf::Backup)?.is_some() {
            return Err(UnlockError::AlreadyThere.into());
        }
        keep.push(super::people::kept("identity", identity.save(&self.key, id)?));
        self.keep_backup(&backup, keep)?;
        let Person::Present { identity: own, .. } = &mut self.person else { return Err(Fault::NoDevice) };
        *own = Some(Rc::new(identity));
        Ok(Answer::Done)
    }

    pub(super) fn backup(&mut self) -> Result<Backup, Fault> {
        let user = self.device()?.user();
        Backup::from_bytes(user, self.shelves.get(Shelf::Backup)?.ok_or(Fault::NoMasterKey)?)
    }

    fn first_backup(&mut self, backup: &Backup, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        self.open_state(&Shelf::Backup.to_string(), None)?;
        self.keep_backup(backup, keep)
    }

    pub(super) fn keep_backup(&mut self, backup: &Backup, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        self.put(Shelf::Backup, backup.to_bytes(), keep)
    }
}

/// By the first of the blob's unlockers that the secret opens: the master key, all unlockers that are really of it, and the identity.
fn opened(user: UserId, expected: PublicKey, blob: &Bytes, secret: UnlockSecret) -> Result<(Backup, Identity), Fault> {
    let blob = Blob::read(&blob.0)?;
    let master = match secret {
        UnlockSecret::RecoveryCode(code) => unlocked(user, &blob, Secret::RecoveryCode(&RecoveryCode::parse(&code.0)?))?,
        UnlockSecret::Passphrase(text) => unlocked(user, &blob, Secret::Passphrase(&Passphrase::new(text.0.to_string())?))?,
        UnlockSecret::Passkey(output) => unlocked(user, &blob, Secret::Passkey(&PrfOutput::new(output.exactly()?)))?,
    };
    let sealed = blob.identity.as_deref().filter(|_| blob.is_of(&master, user)).ok_or(Fault::BadBackup)?;
    let identity = Identity::from_signing(archive::open_identity(&master, user, expected, sealed)?);
    let mut backup = Backup::new(user, master);
    backup.take_in(user, blob)?;
    Ok((backup, identity))
}

/// The server's list is bounded by [`crate::unlock::affordable`], and so is the work of trying.
fn unlocked(user: UserId, blob: &Blob, secret: Secret<'_>) -> Result<MasterKey, Fault> {
    let mut refused = UnlockError::NotThere;
    for unlocker in &blob.unlockers {
        match unlocker.unlock(user, secret) {
            Ok(master) => return Ok(master),
            Err(UnlockError::OtherKind) => {}
            Err(error) => refused = error,
        }
    }
    Err(refused.into())
}

fn look(unlocker: &Unlocker) -> UnlockerLook {
    let (kind, passkey) = match unlocker.way() {
        Way::RecoveryCode => ("recovery_code", None),
        Way::Passphrase(_) => ("passphrase", None),
        Way::Passkey(passkey) => ("passkey", Some(passkey)),
    };
    UnlockerLook {
        id: unlocker.id().0.into(),
        kind,
        credential: passkey.map(|passkey| passkey.credential().into()),
        salt: passkey.map(|passkey| passkey.salt().into()),
    }
}
