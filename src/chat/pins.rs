//! Pinned messages.

use super::post::act;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{MessageId, RoomId};
use crate::rooms::policy::Action;
use crate::rooms::{self, Doing};
use crate::store::{Act, AuditAct, AuditEntry, EntryRow, Pin, PinRow, RoomKind, RoomRow};

/// Pinned messages of a room. The list is sent whole.
pub const MAX_PINS: i64 = 50;

/// The pinned messages, the latest pin first.
pub async fn pins(app: &App, principal: &Principal, room: RoomId) -> Result<Vec<PinRow>, Error> {
    rooms::row(app, principal, room).await?;
    Ok(app.store.pins(room).await?)
}

/// Pins a message; `None` when it was pinned before.
pub async fn pin(app: &App, principal: &Principal, room: RoomId, message: MessageId) -> Result<Option<EntryRow>, Error> {
    let row = rooms::row(app, principal, room).await?;
    rooms::policy::allowed_in(&row, Action::Pin)?;
    app.limits.moderation(principal.user)?;
    let act = act(app, principal, room, message);
    settle(app, room, app.store.pin(act, MAX_PINS, recording(&row, &act, AuditAct::Pin).as_ref()).await?)
}

/// Unpins a message.
pub async fn unpin(app: &App, principal: &Principal, room: RoomId, message: MessageId) -> Result<Option<EntryRow>, Error> {
    let row = rooms::row(app, principal, room).await?;
    rooms::policy::allowed_in(&row, Action::Pin)?;
    app.limits.moderation(principal.user)?;
    let act = act(app, principal, room, message);
    settle(app, room, app.store.unpin(act, recording(&row, &act, AuditAct::Unpin).as_ref()).await?)
}

/// For the audit log, which direct conversations have none of.
fn recording(row: &RoomRow, act: &Act, kind: AuditAct) -> Option<AuditEntry> {
    (row.kind == RoomKind::Room).then(|| Doing::of(act).alone(kind, ""))
}

fn settle(app: &App, room: RoomId, pin: Pin) -> Result<Option<EntryRow>, Error> {
    match pin {
        Pin::Changed(entry) => {
            super::tell(app, room, &entry);
            Ok(Some(entry))
        }
        Pin::Before => Ok(None),
        Pin::NotFound => Err(Error::MessageNotFound),
        Pin::TooMany => Err(Error::TooManyPins),
    }
}
