//! Registering, logging in, changing the password: everything that takes a password.

use std::net::IpAddr;

use ring::hmac;
use ring::rand::SystemRandom;

use super::password::Verdict;
use super::{ACCESS_TOKEN_LIFE, Password, Principal, Username, ended};
use crate::app::App;
use crate::error::Error;
use crate::id::{SessionId, UserId};
use crate::store::{AddedUser, NewSession, NewUser, UserRow};
use crate::time::Timestamp;

/// Sessions of one user. Of more, those unused longest are ended.
const MAX_SESSIONS_PER_USER: i64 = 50;
/// How much of the browser's name for itself is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 200;

/// An account as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// The name.
    pub username: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signed-in session and what proves it.
pub struct SignedIn {
    /// The account.
    pub user: User,
    /// For the `Authorization` header.
    pub access_token: String,
    /// How long the access token is good, seconds.
    pub expires_in_s: u64,
    /// For the cookie.
    pub refresh_token: String,
}

/// Where a request to sign in comes from.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    /// The sender's address, for rate limits only.
    pub address: IpAddr,
    /// The browser's name for itself.
    pub user_agent: &'a str,
}

/// Makes an account and signs it in.
pub async fn register(
    app: &App,
    device: Device<'_>,
    username: &Username,
    password: &Password,
    registration_secret: &str,
) -> Result<SignedIn, Error> {
    app.limits.registration(device.address)?;
    if !is_equal(registration_secret, app.config.secrets.registration.expose()) {
        return Err(Error::WrongRegistrationSecret);
    }
    let password_hash = app.passwords.hash(password).await?;
    let now = app.clock.now();
    let user = UserRow { id: UserId::new(now), username: username.as_str().to_owned(), password_hash, created_at: now };
    let user_agent = cut(device.user_agent);
    let session = NewSession { id: SessionId::new(now), user: user.id, created_at: now, user_agent: &user_agent };
    let new_user = NewUser {
        id: user.id,
        username: username.as_str(),
        username_folded: &username.folded(),
        username_skeleton: &username.skeleton(),
        password_hash: &user.password_hash,
        created_at: now,
    };
    match app.store.add_user(&new_user, &session).await? {
        AddedUser::Added => Ok(signed_in(app, user_of(user), session.id, 0)),
        AddedUser::NameTaken => Err(Error::UsernameTaken),
        AddedUser::LooksTaken => Err(Error::UsernameLooksTaken),
    }
}

/// Signs in. An unknown user and a wrong password give the same answer in the same time.
pub async fn login(app: &App, device: Device<'_>, username: &str, password: String) -> Result<SignedIn, Error> {
    app.limits.login_from(device.address)?;
    let username = Username::parse(username).map_err(|_| Error::WrongCredentials)?;
    app.limits.login_to(&username.folded())?;
    let password = Password::parse(password).map_err(|_| Error::WrongCredentials)?;
    let found = app.store.user_by_name(&username.folded()).await?;
    let verdict = app.passwords.verify(&password, found.as_ref().map(|user| user.password_hash.as_str())).await?;
    let Some(user) = found.filter(|_| verdict != Verdict::Wrong) else { return Err(Error::WrongCredentials) };
    if verdict == Verdict::RightButOld {
        let hash = app.passwords.hash(&password).await?;
        app.store.rehash_password(user.id, &user.password_hash, &hash).await?;
    }
    let now = app.clock.now();
    let user_agent = cut(device.user_agent);
    let session = NewSession { id: SessionId::new(now), user: user.id, created_at: now, user_agent: &user_agent };
    for oldest in app.store.add_session(&session, MAX_SESSIONS_PER_USER).await? {
        ended(app, oldest);
    }
    Ok(signed_in(app, user_of(user), session.id, 0))
}

/// Sets a new password and ends the user's other sessions.
pub async fn change_password(app: &App, principal: &Principal, current: String, new: &Password) -> Result<(), Error> {
    confirm_password(app, principal, current).await?;
    let hash = app.passwords.hash(new).await?;
    for other in app.store.change_password(principal.user, &hash, principal.session).await? {
        ended(app, other);
    }
    Ok(())
}

/// Refuses who is signed in and does not know the account's password. Each try counts as one to log in.
pub async fn confirm_password(app: &App, principal: &Principal, password: String) -> Result<(), Error> {
    app.limits.login_to(&principal.username.folded())?;
    let password = Password::parse(password).map_err(|_| Error::WrongPassword)?;
    let user = app.store.user(principal.user).await?.ok_or(Error::NotSignedIn)?;
    match app.passwords.verify(&password, Some(&user.password_hash)).await? {
        Verdict::Wrong => Err(Error::WrongPassword),
        Verdict::Right | Verdict::RightButOld => Ok(()),
    }
}

/// The account of who asks.
pub async fn user(app: &App, principal: &Principal) -> Result<User, Error> {
    app.store.user(principal.user).await?.map(user_of).ok_or(Error::NotSignedIn)
}

/// The tokens for a session at a generation.
pub(super) fn signed_in(app: &App, user: User, session: SessionId, generation: i64) -> SignedIn {
    SignedIn {
        access_token: app.access_tokens.issue(user.id, session, app.clock.now()),
        expires_in_s: ACCESS_TOKEN_LIFE.as_secs(),
        refresh_token: app.refresh_tokens.issue(session, generation),
        user,
    }
}

fn user_of(row: UserRow) -> User {
    User { id: row.id, username: row.username, created_at: row.created_at }
}

fn cut(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect()
}

/// Whether two secrets are equal, in a time that says nothing of where they differ: the tags of both under a key of the moment are
/// compared (double HMAC).
pub(crate) fn is_equal(left: &str, right: &str) -> bool {
    let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).expect("the system gives random numbers");
    hmac::verify(&key, left.as_bytes(), hmac::sign(&key, right.as_bytes()).as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_by_their_whole_text() {
        assert!(is_equal("hush", "hush"));
        for other in ["", "hus", "hush ", "Hush"] {
            assert!(!is_equal("hush", other), "{other:?}");
        }
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        assert_eq!(cut("a\u{7}b"), "ab");
        assert_eq!(cut(&"ж".repeat(1_000)).chars().count(), MAX_USER_AGENT_CHARS);
    }
}
