//! The keys of a call's media, for the newest epochs that this device came through: two commits can follow each other faster than somebody
//! asks for the keys of the first, and frames come under both. In memory only, as the group is.

use std::collections::VecDeque;

use webcall_trust::Certificate;
use webcall_trust::mls::Session;
use zeroize::Zeroizing;

use super::wire::{MediaMember, user_of};
use crate::{Contacts, Fault, Group, Standing};

/// As many as begin within the time for which media workers keep what is over, when there are some commits a second. Of a thousand devices
/// 300 kB each.
const MAX_MEDIA_EPOCHS: usize = 16;

#[derive(Default)]
pub(super) struct MediaEpochs(VecDeque<MediaEpoch>);

pub(super) struct MediaEpoch {
    pub epoch: u64,
    /// This device's own.
    pub leaf: u32,
    stays: Vec<Stay>,
}

struct Stay {
    leaf: u32,
    certificate: Certificate,
    session: Session,
    base: Zeroizing<[u8; 16]>,
}

impl MediaEpochs {
    /// The epoch in which the group is, unless it is known or not in force yet.
    pub(super) fn begin(&mut self, group: &Group) -> Result<(), Fault> {
        if group.standing() != Standing::Member || self.0.back().is_some_and(|newest| newest.epoch == group.epoch()) {
            return Ok(());
        }
        let mut stays = Vec::new();
        for (leaf, session) in group.roster().sessions() {
            let certificate = *group.roster().at(leaf).ok_or(Fault::Library)?;
            stays.push(Stay { leaf, certificate, session, base: group.media_key(leaf, &session.nonce)? });
        }
        if self.0.len() >= MAX_MEDIA_EPOCHS {
            self.0.pop_front();
        }
        self.0.push_back(MediaEpoch { epoch: group.epoch(), leaf: group.leaf(), stays });
        Ok(())
    }

    /// Without a number the newest.
    pub(super) fn of(&self, epoch: Option<u64>) -> Result<&MediaEpoch, Fault> {
        let found = match epoch {
            Some(epoch) => self.0.iter().find(|of| of.epoch == epoch),
            None => self.0.back(),
        };
        found.ok_or(Fault::UnknownEpoch)
    }
}

impl MediaEpoch {
    /// Of those who still count and belong there: in an epoch that is over there may have been others.
    pub(super) fn members(&self, contacts: &impl Contacts) -> Vec<MediaMember> {
        let counts = |stay: &&Stay| {
            let of = stay.certificate.statement();
            contacts.counts(&stay.certificate) && contacts.belongs(of.user, of.identity)
        };
        let member = |stay: &Stay| MediaMember {
            leaf: stay.leaf,
            user: user_of(&stay.certificate),
            participant: u64::from_be_bytes(stay.session.participant),
            session: stay.session.nonce.into(),
            base: stay.base.as_slice().into(),
        };
        self.stays.iter().filter(counts).map(member).collect()
    }
}
