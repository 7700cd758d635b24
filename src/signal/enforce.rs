//! Carries over into running calls what was changed in the store: ended sessions, deleted rooms, removed members, other roles. Driven by
//! the bus's hints; when some were lost or could not be followed, everything that is running is checked against the store.

use std::time::Duration;

use super::context::Context;
use crate::bus::{Hint, Received, Subscription};
use crate::error::Error;

/// Between two attempts to check everything while the store fails.
const RETRY: Duration = Duration::from_secs(1);

/// Runs until the bus is gone.
pub(super) async fn enforce(context: Context, mut hints: Subscription) {
    loop {
        let followed = match hints.next().await {
            Received::Hint(hint) => apply(&context, hint).await,
            Received::Lagged => check_everything(&context).await,
            Received::Closed => return,
        };
        if let Err(mut error) = followed {
            loop {
                tracing::warn!(%error, "running calls could not be checked against the store: trying again");
                tokio::time::sleep(RETRY).await;
                match check_everything(&context).await {
                    Ok(()) => break,
                    Err(again) => error = again,
                }
            }
        }
    }
}

async fn apply(context: &Context, hint: Hint) -> Result<(), Error> {
    let Context { app, connections, .. } = context;
    match hint {
        Hint::SessionEnded { session } => {
            app.living.end(session);
            connections.end_session(session);
        }
        Hint::RoomDeleted { room, .. } => app.calls.room_gone(room),
        Hint::MemberRemoved { room, user } => app.calls.member_gone(room, user),
        Hint::RoleChanged { room, user } => context.check_member(room, user).await?,
        // Told by `deliver.rs`, as the others are.
        Hint::Logged { .. }
        | Hint::Read { .. }
        | Hint::MemberAdded { .. }
        | Hint::RoomChanged { .. }
        | Hint::KeysChanged { .. }
        | Hint::Committed { .. }
        | Hint::InboxFilled { .. } => {}
    }
    Ok(())
}

async fn check_everything(context: &Context) -> Result<(), Error> {
    context.app.living.forget_all();
    for session in context.connections.sessions() {
        context.check_session(session).await?;
    }
    for (room, user) in context.app.calls.presences() {
        context.check_member(room, user).await?;
    }
    Ok(())
}
