//! Carries over into running calls what was changed in the store: ended sessions, deleted rooms, removed members, other roles. Driven by
//! the bus's hints; when some were lost, everything that is running is checked against the store.

use super::context::Context;
use crate::bus::{Hint, Received, Subscription};

/// Runs until the bus is gone.
pub(super) async fn enforce(context: Context, mut hints: Subscription) {
    loop {
        match hints.next().await {
            Received::Hint(hint) => apply(&context, hint).await,
            Received::Lagged => check_everything(&context).await,
            Received::Closed => return,
        }
    }
}

async fn apply(context: &Context, hint: Hint) {
    match hint {
        Hint::SessionEnded { session } => context.connections.end_session(session),
        Hint::RoomDeleted { room } => context.calls.room_gone(room),
        Hint::RoomChanged { room } => context.calls.room_changed(room),
        Hint::MemberRemoved { room, user } => {
            context.calls.member_gone(room, user);
            context.connections.room_changed(user, room);
        }
        Hint::RoleChanged { room, user } => {
            context.check_member(room, user).await;
            context.connections.room_changed(user, room);
        }
    }
}

async fn check_everything(context: &Context) {
    tracing::warn!("hints were lost: checking every connection and call against the store");
    for session in context.connections.sessions() {
        context.check_session(session).await;
    }
    for (room, user) in context.calls.presences() {
        context.check_member(room, user).await;
    }
}
