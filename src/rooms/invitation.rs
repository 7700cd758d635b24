//! Invitations: what a member shows to be let into the group of an encrypted room. Clients of members make them and tell whether they are good;
//! the server keeps the last one of each member beside the membership and says that it is there. It must not look inside.

use super::member::membership;
use super::row;
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::{E2eeError, Error};
use crate::id::{RoomId, UserId};
use crate::store::Encryption;

/// The longest invitation; clients make some of 176 bytes. All of a room are sent together: 350 kB, where [`super::MAX_MEMBERS`] show the longest.
pub const MAX_INVITATION_BYTES: usize = 256;

/// Shows an invitation in place of the one before. The members are told if it is another one.
pub async fn show_invitation(app: &App, principal: &Principal, room: RoomId, invitation: &[u8]) -> Result<(), Error> {
    app.limits.e2ee.invitation(principal.user)?;
    if membership(app, principal, room).await?.protection.encryption == Encryption::Open {
        return Err(E2eeError::RoomOpen.into());
    }
    if app.store.show_invitation(room, principal.user, invitation).await? {
        app.bus.publish(Hint::RoomChanged { room });
    }
    Ok(())
}

/// The code of the room's link, and what its members show.
pub async fn invitations(app: &App, principal: &Principal, room: RoomId) -> Result<(String, Vec<(UserId, Vec<u8>)>), Error> {
    app.limits.e2ee.read(principal.user)?;
    let link_code = row(app, principal, room).await?.link_code;
    Ok((link_code, app.store.invitations_in(room).await?))
}
