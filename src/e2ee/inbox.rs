//! What waits for a device: welcomes, and messages that a member left for it.

use webcall_trust::Refusal;
use webcall_trust::mls::{self, GroupId};

use super::groups::place;
use super::{decode, unwinding};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, InboxId, UserId};
use crate::store::{AddedToInbox, GroupPlace, InboxLimits, InboxOf, InboxRow, NewInboxMessage};

/// The longest message to the members of a group or to one device.
const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// Messages that wait for one device, and how many of them by one sender. Of more, the new ones are refused: who leaves them can try again, and
/// those that wait are older promises. By way of conversations that others opened only half of the places are taken.
const LIMITS: InboxLimits = InboxLimits { messages: 200, unasked: 100, of_sender: 20 };
/// What is fetched at once; one welcome may have as much alone, which is rare.
const MAX_FETCHED: i64 = 50;
const MAX_FETCHED_BYTES: usize = 2 << 20;

/// What waits, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Some of it.
    pub items: Vec<InboxRow>,
    /// Whether there is more: fetch again once these are removed.
    pub more: bool,
}

/// The oldest that waits for the caller's own device; of welcomes into one group, or of all.
pub async fn inbox(app: &App, principal: &Principal, device: DeviceId, into: Option<GroupId>) -> Result<Waiting, Error> {
    app.limits.e2ee.read(principal.user)?;
    let of = InboxOf { user: principal.user, device, into: into.map(GroupId::to_bytes) };
    let (items, more) = app.store.inbox(&of, MAX_FETCHED, MAX_FETCHED_BYTES).await?;
    Ok(Waiting { items, more })
}

/// Removes what the caller's device has fetched and kept.
pub async fn remove_from_inbox(app: &App, principal: &Principal, id: InboxId) -> Result<(), Error> {
    if app.store.remove_from_inbox(id, principal.user).await? { Ok(()) } else { Err(E2eeError::InboxItemNotFound.into()) }
}

/// Leaves a message of a group for one device that counts in its room.
pub async fn leave_message(
    app: &App,
    principal: &Principal,
    id: GroupId,
    message: &str,
    (user, device): (UserId, DeviceId),
) -> Result<(), Error> {
    let (body, place) = read_message(app, principal, id, message).await?;
    let now = app.clock.now();
    let (room, history, sender) = (place.room_id, place.history_id, principal.user);
    let new = NewInboxMessage { id: InboxId::new(now), history, sender, room, user, device, body: &body, at: now };
    match app.store.add_to_inbox(&new, LIMITS).await? {
        AddedToInbox::Added => {
            app.bus.publish(Hint::InboxFilled { devices: [(user, device)].into() });
            Ok(())
        }
        AddedToInbox::Full => Err(E2eeError::InboxFull.into()),
        AddedToInbox::NotCounting => Err(Refusal::UnknownDevice.into()),
    }
}

/// An application message of this group, by its form: only members can open it.
pub(super) async fn read_message(
    app: &App,
    principal: &Principal,
    id: GroupId,
    message: &str,
) -> Result<(Vec<u8>, GroupPlace), Error> {
    app.limits.e2ee.message(principal.user)?;
    let body = decode(message, MAX_MESSAGE_BYTES)?;
    let place = place(app, principal, id).await?;
    let (read, body) = app.checks.run(move || (unwinding(|| mls::application(&body).map(|(of, _)| of)), body)).await?;
    if read?? != id {
        return Err(Error::Invalid { code: "invalid_group", detail: "the message is of another group" });
    }
    Ok((body, place))
}
