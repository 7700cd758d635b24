//! What a connection's task needs of the rest of the server: who may enter, and whether what was let in may stay.

use webcall_media::ParticipantId;

use crate::accounts::{self, Principal};
use crate::app::App;
use crate::calls::{CallError, Moderated, ModeratorAct};
use crate::error::Error;
use crate::id::{RoomId, SessionId, UserId};
use crate::rooms::{self, CallAct, Membership};
use crate::time::Timestamp;

use super::refusal::Refusal;
use super::registry::Connections;
use super::timing::Timing;
use super::wire;

/// The server and its connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) app: App,
    pub(super) connections: Connections,
    pub(super) timing: Timing,
}

impl Context {
    pub(super) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// The standing of somebody who wants to enter a room's call.
    pub(super) async fn standing_in(&self, room: RoomId, principal: &Principal) -> Result<Membership, Refusal> {
        rooms::membership(&self.app, principal, room).await.map_err(Refusal::from)
    }

    /// Does what a moderator asks for in a call, and has it recorded. That is not waited for: it was done already.
    pub(super) fn moderate(
        &self,
        principal: &Principal,
        actor: ParticipantId,
        target: ParticipantId,
        act: ModeratorAct,
    ) -> Result<(), CallError> {
        self.app.limits.moderation(principal.user).map_err(|_| CallError::RateLimited)?;
        let moderated = self.app.calls.moderate(actor, target, act)?;
        let (Some(Moderated { room, user: subject }), Some((act, detail))) = (moderated, wire::audited(act)) else {
            return Ok(());
        };
        let (app, actor) = (self.app.clone(), principal.user);
        // The server waits for it when it stops; it takes no longer than the store lets it wait.
        self.app.shutdown.spawn(async move { rooms::record_in_call(&app, actor, CallAct { room, subject, act, detail }).await });
        Ok(())
    }

    /// Ends the connections of a session that is no more.
    pub(super) async fn check_session(&self, session: SessionId) -> Result<(), Error> {
        if !accounts::is_living(&self.app, session).await? {
            self.connections.end_session(session);
        }
        Ok(())
    }

    /// Brings a user's standing in a running call up to date.
    pub(super) async fn check_member(&self, room: RoomId, user: UserId) -> Result<(), Error> {
        match rooms::role_of(&self.app, room, user).await? {
            Some(role) => self.app.calls.set_role(room, user, role),
            None => self.app.calls.member_gone(room, user),
        }
        Ok(())
    }
}

/// For a check that is done again when it matters.
pub(super) fn log_failure(checked: Result<(), Error>) {
    if let Err(error) = checked {
        tracing::warn!(%error, "a connection could not be checked against the store");
    }
}
