//! Refresh tokens: what keeps a session signed in. A token names its session and a generation, and carries a tag over both that
//! only this server can make; the store holds the generation, no token. Every use exchanges it for the next generation.
//!
//! A token that was exchanged before shows that two hold it: the session is ended (RFC 9700 §4.14). The generation just before the
//! current one is answered with the current one for 15 s, because two windows of one browser share a cookie and may send it at the
//! same moment, and because an answer may be lost.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::config::Secret;
use crate::id::SessionId;
use crate::store::SessionRow;
use crate::time::Timestamp;

/// A session that was not used for this long has expired; also the cookie's life.
pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);
/// A session ends after this long however much it is used.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
/// For how long the generation before the current one is still answered. Longer gives a thief of a cookie more time unnoticed.
pub(super) const GRACE: Duration = Duration::from_secs(15);

const SESSION_BYTES: usize = 16;
const GENERATION_BYTES: usize = 8;
const TAG_BYTES: usize = 32;

/// Makes and checks refresh tokens.
pub struct RefreshTokens {
    key: hmac::Key,
}

/// What an authentic token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Presented {
    pub(super) session: SessionId,
    pub(super) generation: i64,
}

/// What to do with an authentic token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Exchange it for the next generation.
    Rotate,
    /// It was exchanged a moment ago: give the same successor again.
    GiveSuccessor,
    /// It was exchanged long ago: somebody else holds it too. End the session.
    EndSession,
    /// The session has expired, or the token is newer than the store, which was set back to a copy.
    Refuse,
}

impl RefreshTokens {
    /// Derives the key of refresh tokens from the secret of access tokens.
    pub fn new(secret: &Secret) -> Self {
        let parent = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&parent, b"webcall refresh token").as_ref()) }
    }

    pub(super) fn issue(&self, session: SessionId, generation: i64) -> String {
        let mut token = Vec::with_capacity(SESSION_BYTES + GENERATION_BYTES + TAG_BYTES);
        token.extend_from_slice(session.as_bytes());
        token.extend_from_slice(&generation.to_be_bytes());
        let tag = hmac::sign(&self.key, &token);
        token.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What the token says, if this server made it.
    pub(super) fn read(&self, token: &str) -> Option<Presented> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = bytes.split_at_checked(SESSION_BYTES + GENERATION_BYTES)?;
        hmac::verify(&self.key, signed, tag).ok()?;
        let (session, generation) = signed.split_at(SESSION_BYTES);
        Some(Presented {
            session: SessionId::from_bytes(session.try_into().ok()?),
            generation: i64::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

/// What to do with an authentic token of this generation.
pub(super) fn decide(generation: i64, stored: &SessionRow, now: Timestamp) -> Decision {
    if is_expired(stored, now) || generation > stored.generation {
        return Decision::Refuse;
    }
    if generation == stored.generation {
        return Decision::Rotate;
    }
    if generation + 1 == stored.generation && now.since(stored.rotated_at) <= GRACE {
        return Decision::GiveSuccessor;
    }
    Decision::EndSession
}

/// Whether a session was unused, or has lasted, for too long.
pub(super) fn is_expired(stored: &SessionRow, now: Timestamp) -> bool {
    now.since(stored.last_used_at) >= REFRESH_TOKEN_LIFE || now.since(stored.created_at) >= SESSION_LIFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn stored(generation: i64) -> SessionRow {
        SessionRow {
            id: SessionId::new(NOW),
            user_id: UserId::new(NOW),
            username: "ann".to_owned(),
            user_created_at: NOW,
            generation,
            rotated_at: NOW,
            created_at: NOW,
            last_used_at: NOW,
            user_agent: String::new(),
        }
    }

    #[test]
    fn a_token_says_what_it_was_issued_for() {
        let tokens = RefreshTokens::new(&Secret::new("a secret of tests"));
        let session = SessionId::new(NOW);
        assert_eq!(tokens.read(&tokens.issue(session, 7)), Some(Presented { session, generation: 7 }));
    }

    #[test]
    fn a_token_that_this_server_did_not_make_says_nothing() {
        let tokens = RefreshTokens::new(&Secret::new("a secret of tests"));
        let other = RefreshTokens::new(&Secret::new("another secret"));
        assert_eq!(tokens.read(&other.issue(SessionId::new(NOW), 0)), None);
        for garbage in ["", "AAAA", "!", &"A".repeat(4_000)] {
            assert_eq!(tokens.read(garbage), None);
        }
    }

    #[test]
    fn the_current_generation_is_exchanged_and_the_one_before_only_for_15_seconds() {
        assert_eq!(decide(3, &stored(3), NOW), Decision::Rotate);
        assert_eq!(decide(2, &stored(3), NOW.plus(GRACE)), Decision::GiveSuccessor);
        assert_eq!(decide(2, &stored(3), NOW.plus(GRACE + Duration::from_millis(1))), Decision::EndSession);
        assert_eq!(decide(1, &stored(3), NOW), Decision::EndSession);
        assert_eq!(decide(4, &stored(3), NOW), Decision::Refuse);
    }

    #[test]
    fn an_expired_session_is_refused_and_not_taken_for_theft() {
        assert_eq!(decide(3, &stored(3), NOW.plus(REFRESH_TOKEN_LIFE)), Decision::Refuse);
        assert_eq!(decide(1, &stored(3), NOW.plus(REFRESH_TOKEN_LIFE)), Decision::Refuse);
        let lively = SessionRow { last_used_at: NOW.plus(SESSION_LIFE), ..stored(3) };
        assert_eq!(decide(3, &lively, NOW.plus(SESSION_LIFE)), Decision::Refuse);
    }
}
