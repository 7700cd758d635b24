//! Requests by which people find out whether somebody stands between them.
//!
//! Compared is the identity that the other user published last, accepted or not: what is compared is what is then to be accepted, and the
//! answer names it for that.

use uuid::Uuid;
use webcall_trust::mls::GroupId;

use super::Desk;
use super::wire::{self, Answer, Bytes};
use crate::Fault;
use crate::safety::{Party, QrCode, call_emoji, safety_number, safety_words, squares};

impl Desk {
    pub(super) fn safety_number(&self, user: Uuid) -> Result<Answer, Fault> {
        let (me, other) = self.parties(user)?;
        let qr = QrCode::new(&me, &other).as_bytes().into();
        let (digits, words) = (safety_number(&me, &other), safety_words(&me, &other));
        Ok(Answer::SafetyNumber { digits, words, qr, identity: other.identity.0.into() })
    }

    /// What this device's camera read from the user's screen.
    pub(super) fn check_qr(&self, user: Uuid, bytes: &Bytes) -> Result<Answer, Fault> {
        let (me, other) = self.parties(user)?;
        QrCode::parse(&bytes.0)?.check(&me, &other)?;
        Ok(Answer::Checked { identity: other.identity.0.into() })
    }

    pub(super) fn call_emoji(&self, id: GroupId) -> Result<Answer, Fault> {
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        Ok(Answer::Emoji { emoji: call_emoji(&group.epoch_authenticator()?) })
    }

    pub(super) fn qr(text: &str) -> Result<Answer, Fault> {
        Ok(Answer::Qr { rows: squares(text)?.rows })
    }

    fn parties(&self, user: Uuid) -> Result<(Party, Party), Fault> {
        let (device, user) = (self.device()?, wire::user(user));
        let identity = self.directory.keys(user).ok_or(Fault::UnknownUser)?.identity();
        Ok((Party { user: device.user(), identity: device.identity() }, Party { user, identity }))
    }
}
