//! Accounts, their sessions and the tokens that prove them: the use-cases of registering, logging in, staying signed in and signing
//! out. HTTP calls it; signalling redeems tickets here.
//!
//! A request proves itself with a short access token, checked against the session's row (`living.rs` remembers it for a moment), so that
//! an ended session is out at once.
//! The session itself lives in a refresh cookie that changes with every use (`refresh_token.rs`). Tokens, passwords and addresses
//! never reach a log.

mod access_token;
mod living;
mod password;
mod refresh_token;
mod session;
mod sign_in;
mod skeleton;
mod ticket;
mod username;

pub use access_token::{ACCESS_TOKEN_LIFE, AccessTokens};
pub use living::LivingSessions;
pub use password::{Password, Passwords};
pub use refresh_token::{REFRESH_TOKEN_LIFE, RefreshTokens};
pub use session::{SESSION_SWEEP_INTERVAL, end_session, ended_with_device, is_living, logout, refresh, sessions, sweep};
pub(crate) use sign_in::is_equal;
pub use sign_in::{Device, SignedIn, User, change_password, confirm_password, login, register, user};
pub use ticket::{TICKET_LIFE, Tickets, issue_ticket, redeem_ticket};
pub use username::Username;

use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{SessionId, UserId};
use crate::store::SessionRow;

/// Who is asking, proved by an access token or a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user: UserId,
    /// The signed-in device.
    pub session: SessionId,
    /// The account's name.
    pub username: Username,
}

/// Who holds this access token, if it is good and its session still lives.
pub async fn authenticate(app: &App, access_token: &str) -> Result<Principal, Error> {
    let claims = app.access_tokens.verify(access_token, app.clock.now()).ok_or(Error::NotSignedIn)?;
    living_session(app, claims.session, claims.user).await?.ok_or(Error::NotSignedIn)
}

/// The user of a session that was not ended and has not expired.
async fn living_session(app: &App, session: SessionId, user: UserId) -> Result<Option<Principal>, Error> {
    let now = app.clock.now();
    if let Some(principal) = app.living.find(session, now) {
        return Ok(Some(principal).filter(|principal| principal.user == user));
    }
    let asked = app.living.asking();
    let row = app.store.session(session).await?.filter(|row| row.user_id == user);
    let found = row.filter(|row| !refresh_token::is_expired(row, now)).map(principal);
    if let Some(principal) = &found {
        app.living.remember(principal, asked, now);
    }
    Ok(found)
}

/// Lets everybody know that a session is no more. Call it after the commit.
fn ended(app: &App, session: SessionId) {
    app.living.end(session);
    app.bus.publish(Hint::SessionEnded { session });
}

fn principal(row: SessionRow) -> Principal {
    Principal { user: row.user_id, session: row.id, username: Username::from_store(row.username) }
}
