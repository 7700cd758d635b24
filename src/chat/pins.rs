//! Pinned messages.

use super::post::act;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{MessageId, RoomId};
use crate::rooms;
use crate::rooms::policy::Action;
use crate::store::{EntryRow, Pin, PinRow};

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
    settle(app, room, app.store.pin(act(app, principal, room, message), MAX_PINS).await?)
}

/// Unpins a message.
pub async fn unpin(app: &App, principal: &Principal, room: RoomId, message: MessageId) -> Result<Option<EntryRow>, Error> {
    let row = rooms::row(app, principal, room).await?;
    rooms::policy::allowed_in(&row, Action::Pin)?;
    settle(app, room, app.store.unpin(act(app, principal, room, message)).await?)
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
