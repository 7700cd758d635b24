//! Who may watch a conversation, and whose doings are told of it.

use super::context::Context;
use super::refusal::Refusal;
use crate::accounts::Principal;
use crate::id::{RoomId, UserId};
use crate::rooms;

/// A conversation that the client may watch.
pub(super) struct Watched {
    pub(super) room: RoomId,
    pub(super) members: Vec<UserId>,
    /// How often memberships had changed before this was read. If one changed since, this may say what is no longer so.
    pub(super) as_of: u64,
}

impl Watched {
    /// Reads who is in it, for one of them.
    pub(super) async fn read(context: &Context, principal: &Principal, room: RoomId) -> Result<Self, Refusal> {
        let as_of = context.connections.memberships();
        context.standing_in(room, principal).await?;
        let members = rooms::members_of(&context.app, room).await?;
        Ok(Self { room, members, as_of })
    }
}
