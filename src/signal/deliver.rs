//! Brings what is new in rooms to the connections of their members: entries of logs, read markers, changes of the room and of memberships.
//! Driven by the bus's hints: reads from the store what a hint is about, encodes it once, and hands it to every connection whose user is a
//! member. A client that missed something learns it from the numbers, or is told to look (`resync`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::protocol::ServerMessage;
use super::replay::Encoded;
use crate::bus::{Hint, Received, Subscription};
use crate::chat;
use crate::e2ee;
use crate::error::Error;
use crate::id::{RoomId, UserId};
use crate::rooms;

/// Entries read at once.
const MAX_ENTRIES: i64 = 256;
/// Memberships remembered: 16 bytes each. Beyond that all are forgotten and read again as they are needed.
const MAX_REMEMBERED: usize = 500_000;
/// Between two attempts to reach the store.
const RETRY: Duration = Duration::from_secs(1);

/// What is known of rooms that were written in lately.
#[derive(Default)]
struct Known {
    rooms: HashMap<RoomId, KnownRoom>,
    memberships: usize,
}

struct KnownRoom {
    members: Arc<[UserId]>,
    /// The last entry that was delivered.
    delivered: i64,
}

/// Runs until the bus is gone.
pub(super) async fn deliver(context: Context, mut hints: Subscription) {
    let mut known = Known::default();
    loop {
        let followed = match hints.next().await {
            Received::Hint(hint) => apply(&context, &mut known, hint).await,
            Received::Lagged => {
                known = Known::default();
                context.connections.resync_all();
                Ok(())
            }
            Received::Closed => return,
        };
        if let Err(error) = followed {
            tracing::warn!(%error, "new messages could not be read: those connected are asked to fetch them");
            tokio::time::sleep(RETRY).await;
            known = Known::default();
            context.connections.resync_all();
        }
    }
}

async fn apply(context: &Context, known: &mut Known, hint: Hint) -> Result<(), Error> {
    match hint {
        Hint::Logged { room, since, last } => logged(context, known, room, since, last).await?,
        Hint::Read { room, user, seq } => {
            let message = ServerMessage::Read { room: room.to_string(), read_seq: seq };
            context.connections.tell(&[user], &Encoded::of(&message));
        }
        Hint::MemberAdded { room, user } => {
            known.forget(room);
            context.connections.member_added(room, user);
            context.connections.room_changed(&[user], room);
            group_follows(context, room, user).await?;
        }
        Hint::MemberRemoved { room, user } => {
            known.forget(room);
            context.connections.member_gone(room, user);
            context.connections.room_changed(&[user], room);
            group_follows(context, room, user).await?;
        }
        Hint::RoleChanged { room, user } => context.connections.room_changed(&[user], room),
        Hint::RoomChanged { room } => {
            context.connections.room_changed(&rooms::members_of(&context.app, room).await?, room);
        }
        Hint::RoomDeleted { room, members } => {
            known.forget(room);
            context.connections.room_gone(room);
            context.connections.room_changed(&members, room);
        }
        Hint::KeysChanged { user } => {
            let message = ServerMessage::E2eeKeys { user: user.to_string() };
            context.connections.tell(&e2ee::acquaintances(&context.app, user).await?, &Encoded::of(&message));
        }
        Hint::Committed { group, room, epoch } => {
            let message = ServerMessage::E2eeCommit { group: e2ee::encode(&group.to_bytes()), epoch };
            context.connections.tell(&rooms::members_of(&context.app, room).await?, &Encoded::of(&message));
        }
        Hint::InboxFilled { devices } => {
            for (user, device) in devices.iter() {
                context.connections.tell(&[*user], &Encoded::of(&ServerMessage::E2eeInbox { device: device.to_string() }));
            }
        }
        Hint::SessionEnded { .. } => {}
    }
    Ok(())
}

/// Whoever else is in an encrypted room has a part in who is in its group: nobody comes into it alone, or goes.
async fn group_follows(context: &Context, room: RoomId, user: UserId) -> Result<(), Error> {
    let mut members = e2ee::members_of_encrypted(&context.app, room).await?;
    members.retain(|member| *member != user);
    context.connections.tell(&members, &Encoded::of(&ServerMessage::E2eeMembers { room: room.to_string() }));
    Ok(())
}

async fn logged(context: &Context, known: &mut Known, room: RoomId, since: i64, last: i64) -> Result<(), Error> {
    let mut delivered = known.rooms.get(&room).map_or(since - 1, |room| room.delivered);
    if delivered >= last {
        return Ok(());
    }
    let members = known.members(context, room, since - 1).await?;
    if !context.connections.any_of(&members) {
        known.delivered(room, last);
        return Ok(());
    }
    // A page ends at its bytes: large messages of one transaction take several.
    while delivered < last {
        let entries = chat::log_after(&context.app, room, delivered, MAX_ENTRIES).await?;
        // Nothing where something was announced: the room was deleted, or forgets faster than this.
        delivered = entries.last().map_or(last, |entry| entry.seq);
        for entry in entries {
            let message = ServerMessage::Entry { room: room.to_string(), entry: entry.into() };
            context.connections.tell(&members, &Encoded::of(&message));
        }
    }
    known.delivered(room, delivered);
    Ok(())
}

impl Known {
    async fn members(&mut self, context: &Context, room: RoomId, delivered: i64) -> Result<Arc<[UserId]>, Error> {
        if let Some(known) = self.rooms.get(&room) {
            return Ok(Arc::clone(&known.members));
        }
        if self.memberships > MAX_REMEMBERED {
            *self = Self::default();
        }
        let members: Arc<[UserId]> = rooms::members_of(&context.app, room).await?.into();
        self.memberships += members.len();
        self.rooms.insert(room, KnownRoom { members: Arc::clone(&members), delivered });
        Ok(members)
    }

    fn delivered(&mut self, room: RoomId, seq: i64) {
        if let Some(known) = self.rooms.get_mut(&room) {
            known.delivered = known.delivered.max(seq);
        }
    }

    fn forget(&mut self, room: RoomId) {
        let forgotten = self.rooms.remove(&room);
        self.memberships -= forgotten.map_or(0, |known| known.members.len());
    }
}
