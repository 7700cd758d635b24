//! A session between log-in and log-out: exchanging refresh tokens, listing, ending, sweeping out the expired.

use std::time::Duration;

use super::refresh_token::{Decision, REFRESH_TOKEN_LIFE, SESSION_LIFE, decide};
use super::sign_in::signed_in;
use super::{Principal, SignedIn, User, ended};
use crate::app::App;
use crate::error::Error;
use crate::id::{SessionId, UserId};
use crate::store::{Rotation, SessionRow};

/// How often expired sessions are swept out of the store. They are refused from the moment they expire; this only saves space.
pub const SESSION_SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// One window may lose the race for an exchange once; then the grace applies. More rounds can only be a fault.
const MAX_ROUNDS: usize = 3;

/// Exchanges a refresh token for its successor and an access token.
pub async fn refresh(app: &App, refresh_token: &str) -> Result<SignedIn, Error> {
    let presented = app.refresh_tokens.read(refresh_token).ok_or(Error::SessionEnded)?;
    for _ in 0..MAX_ROUNDS {
        let stored = app.store.session(presented.session).await?.ok_or(Error::SessionEnded)?;
        let now = app.clock.now();
        match decide(presented.generation, &stored, now) {
            Decision::Rotate => match app.store.rotate_session(stored.id, stored.generation, now).await? {
                Rotation::Rotated => return Ok(continued(app, &stored, stored.generation + 1)),
                Rotation::Lost => {}
            },
            Decision::GiveSuccessor => return Ok(continued(app, &stored, stored.generation)),
            Decision::Refuse => return Err(Error::SessionEnded),
            Decision::EndSession => {
                tracing::warn!(session = %stored.id, "a refresh token was used again: its session is ended");
                end(app, stored.id, stored.user_id).await?;
                return Err(Error::SessionEnded);
            }
        }
    }
    Err(Error::Busy)
}

fn continued(app: &App, stored: &SessionRow, generation: i64) -> SignedIn {
    let user = User { id: stored.user_id, username: stored.username.clone(), created_at: stored.user_created_at };
    signed_in(app, user, stored.id, generation)
}

/// Ends the session of a refresh token, of whatever generation. Nothing happens for one that is not ours.
pub async fn logout(app: &App, refresh_token: &str) -> Result<(), Error> {
    let Some(presented) = app.refresh_tokens.read(refresh_token) else { return Ok(()) };
    let Some(stored) = app.store.session(presented.session).await? else { return Ok(()) };
    end(app, stored.id, stored.user_id).await?;
    Ok(())
}

/// Whether a session was not ended, for whoever already let it in and looks again.
pub async fn is_living(app: &App, session: SessionId) -> Result<bool, Error> {
    Ok(app.store.session(session).await?.is_some())
}

/// The user's sessions, last used first.
pub async fn sessions(app: &App, principal: &Principal) -> Result<Vec<SessionRow>, Error> {
    Ok(app.store.sessions_of(principal.user).await?)
}

/// Ends one of the user's sessions.
pub async fn end_session(app: &App, principal: &Principal, session: SessionId) -> Result<(), Error> {
    if end(app, session, principal.user).await? { Ok(()) } else { Err(Error::SessionNotFound) }
}

/// Sessions whose device was revoked were ended by the store. Call it after the commit.
pub fn ended_with_device(app: &App, sessions: &[SessionId]) {
    for session in sessions {
        ended(app, *session);
    }
}

async fn end(app: &App, session: SessionId, user: UserId) -> Result<bool, Error> {
    let was_there = app.store.end_session(session, user).await?;
    if was_there {
        ended(app, session);
    }
    Ok(was_there)
}

/// Removes expired sessions from the store.
pub async fn sweep(app: &App) -> Result<u64, Error> {
    let now = app.clock.now();
    Ok(app.store.sweep_sessions(now.minus(REFRESH_TOKEN_LIFE), now.minus(SESSION_LIFE)).await?)
}
