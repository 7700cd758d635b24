//! Which devices of one's own came without this one's doing: told once, on this device. Whoever has the identity's key can make one: a device that was
//! removed kept it, and needs the password or the server beside it. Those that are there when this device comes were there before.

use std::collections::BTreeSet;

use webcall_trust::{DeviceId, Record, UserKeys};

use super::Desk;
use super::shelves::Shelf;
use super::wire::{Answer, Bytes, Kept};
use crate::{DeviceRequest, Fault};

const DEVICE_BYTES: usize = 16;

impl Desk {
    pub(super) fn new_devices(&mut self, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let present = self.present_devices()?;
        let seen = self.seen_devices()?;
        let known = seen.as_ref().map_or_else(|| present.clone(), |seen| &present & seen);
        let devices = present.difference(&known).map(|device| device.0.into()).collect();
        self.keep_seen(seen.as_ref(), &known, keep)?;
        Ok(Answer::NewDevices { devices })
    }

    /// The person knows of these.
    pub(super) fn saw_devices(&mut self, devices: &[Bytes], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let said = devices.iter().map(|device| Ok(DeviceId(device.exactly()?))).collect::<Result<BTreeSet<_>, Fault>>()?;
        let (present, seen) = (self.present_devices()?, self.seen_devices()?);
        let known = seen.iter().flatten().copied().chain(said).filter(|device| present.contains(device)).collect();
        self.keep_seen(seen.as_ref(), &known, keep)?;
        Ok(Answer::Done)
    }

    /// Whether it could be kept, asked before anything is changed.
    pub(super) fn ready_to_vouch(&mut self) -> Result<(), Fault> {
        self.seen_devices().map(drop)
    }

    /// One for which the person vouches here is no news. It counts only later, so it is kept beside those that do.
    pub(super) fn vouches_for(&mut self, request: &DeviceRequest, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let seen = self.seen_devices()?;
        let before = match &seen {
            Some(seen) => &self.present_devices()? & seen,
            None => self.present_devices()?,
        };
        let known = before.into_iter().chain([request.device()]).collect();
        self.keep_seen(seen.as_ref(), &known, keep)
    }

    /// With this one and those for which it vouched, whether they were learned yet or not.
    fn present_devices(&self) -> Result<BTreeSet<DeviceId>, Fault> {
        let own = self.device()?;
        let published = self.directory.keys(own.user()).into_iter().flat_map(UserKeys::devices);
        let vouched = own.records().iter().filter_map(|record| match record {
            Record::Device(certificate) => Some(certificate),
            Record::Claim(_) | Record::Revocation(_) => None,
        });
        Ok(published.chain(vouched).map(|of| of.statement().device).chain([own.id()]).collect())
    }

    fn seen_devices(&mut self) -> Result<Option<BTreeSet<DeviceId>>, Fault> {
        let Some(bytes) = self.shelves.get(Shelf::Devices)? else { return Ok(None) };
        let (devices, rest) = bytes.as_chunks::<DEVICE_BYTES>();
        if rest.is_empty() {
            Ok(Some(devices.iter().map(|device| DeviceId(*device)).collect()))
        } else {
            Err(Fault::DamagedState)
        }
    }

    fn keep_seen(
        &mut self,
        before: Option<&BTreeSet<DeviceId>>,
        now: &BTreeSet<DeviceId>,
        keep: &mut Vec<Kept>,
    ) -> Result<(), Fault> {
        if before == Some(now) {
            return Ok(());
        }
        self.put(Shelf::Devices, now.iter().flat_map(|device| device.0).collect(), keep)
    }
}
