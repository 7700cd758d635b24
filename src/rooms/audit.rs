//! The audit log of a room: making its entries, and reading it. The entries of what changes the store are written with the change; those
//! of what is done in a call, afterwards.

use super::member::standing;
use super::policy::{Action, allowed};
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{ActId, RoomId, UserId};
use crate::store::{Act, AuditAct, AuditEntry, AuditRow};
use crate::time::Timestamp;

/// Acts in one answer: some 15 kB.
pub const MAX_ACTS_PAGE: i64 = 100;

/// Who acts where and when: makes entries of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doing {
    /// In which room.
    pub(crate) room: RoomId,
    /// Who.
    pub(crate) actor: UserId,
    /// When.
    pub(crate) at: Timestamp,
}

impl Doing {
    /// An act on a message.
    pub(crate) fn of(act: &Act) -> Self {
        Self { room: act.room, actor: act.actor, at: act.at }
    }

    /// An act on the room.
    pub(crate) fn alone(self, act: AuditAct, detail: &str) -> AuditEntry {
        let Self { room, actor, at } = self;
        AuditEntry { room, at, actor, act, subject: None, detail: detail.to_owned() }
    }

    /// An act on somebody.
    pub(crate) fn to(self, subject: UserId, act: AuditAct, detail: &str) -> AuditEntry {
        AuditEntry { subject: Some(subject), ..self.alone(act, detail) }
    }
}

/// Something that was done in a call.
#[derive(Clone, Copy, Debug)]
pub struct CallAct {
    /// In which room's call.
    pub room: RoomId,
    /// To whom.
    pub subject: UserId,
    /// What.
    pub act: AuditAct,
    /// To which source; empty for none.
    pub detail: &'static str,
}

/// Records what was done in a call. It was done already, so a failure is only logged.
pub async fn record_in_call(app: &App, actor: UserId, act: CallAct) {
    let CallAct { room, subject, act, detail } = act;
    let entry = Doing { room, actor, at: app.clock.now() }.to(subject, act, detail);
    if let Err(error) = app.store.record_act(&entry).await {
        tracing::error!(%error, %room, ?act, "an act in a call could not be recorded");
    }
}

/// What was done in a room, newest first, from the act before `before`. For its owner.
pub async fn acts(
    app: &App,
    principal: &Principal,
    room: RoomId,
    before: Option<ActId>,
    limit: i64,
) -> Result<Vec<AuditRow>, Error> {
    let mine = standing(app, principal, room).await?;
    allowed(mine.kind, mine.role, Action::ReadAudit)?;
    if !(1..=MAX_ACTS_PAGE).contains(&limit) {
        return Err(Error::Invalid { code: "invalid_limit", detail: "the limit is 1 to 100" });
    }
    Ok(app.store.acts_of(room, before, limit).await?)
}
