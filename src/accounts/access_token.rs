//! Access tokens: JSON web tokens (RFC 7519, RFC 9068) signed with HMAC-SHA-256, ten minutes long, held in the page's memory only.
//!
//! There is one fixed header. A token with any other is refused before anything is computed, so no algorithm can be talked into.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;

/// How long an access token is good. Longer saves refreshes; revocation does not depend on it.
pub const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(600);
/// `{"alg":"HS256","typ":"at+jwt"}` in base64url.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9";
const ISSUER: &str = "webcall";
const AUDIENCE: &str = "webcall-api";
/// Ours have 350 characters; a longer one is not worth the HMAC.
const MAX_TOKEN_LEN: usize = 1024;

/// Makes and checks access tokens.
pub struct AccessTokens {
    key: hmac::Key,
}

/// Whom a good token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

impl AccessTokens {
    /// Signs with this secret.
    pub fn new(secret: &Secret) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()) }
    }

    /// A token for a session.
    pub fn issue(&self, user: UserId, session: SessionId, now: Timestamp) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            iat: now.as_secs(),
            exp: now.plus(ACCESS_TOKEN_LIFE).as_secs(),
        };
        let json = serde_json::to_vec(&claims).expect("strings and numbers are JSON");
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(json));
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed.as_bytes()));
        format!("{signed}.{tag}")
    }

    /// Whom the token speaks for, if it is ours and not expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Proven> {
        if token.len() > MAX_TOKEN_LEN {
            return None;
        }
        let (signed, tag) = token.rsplit_once('.')?;
        let payload = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &tag).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        let current = claims.iss == ISSUER && claims.aud == AUDIENCE && now.as_secs() < claims.exp;
        current.then_some(Proven { user: claims.sub, session: claims.sid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn tokens() -> AccessTokens {
        AccessTokens::new(&Secret::new("0123456789abcdef0123456789abcdef"))
    }

    fn signed(header: &str, claims: &serde_json::Value) -> String {
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&tokens().key, text.as_bytes())))
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let (user, session) = (UserId::new(NOW), SessionId::new(NOW));
        let token = tokens().issue(user, session, NOW);
        assert_eq!(tokens().verify(&token, NOW), Some(Proven { user, session }));
        assert!(tokens().verify(&token, NOW.plus(ACCESS_TOKEN_LIFE - Duration::from_secs(1))).is_some());
        assert_eq!(tokens().verify(&token, NOW.plus(ACCESS_TOKEN_LIFE)), None);
    }

    #[test]
    fn a_changed_token_is_refused() {
        let token = tokens().issue(UserId::new(NOW), SessionId::new(NOW), NOW);
        let other = AccessTokens::new(&Secret::new("another secret, as long as the first"));
        assert_eq!(other.verify(&token, NOW), None);
        assert_eq!(tokens().verify(&token[..token.len() - 1], NOW), None);
        assert_eq!(tokens().verify(&token.replacen('.', ".x", 1), NOW), None);
        for garbage in ["", ".", "..", "a.b.c", &"x".repeat(5_000)] {
            assert_eq!(tokens().verify(garbage, NOW), None);
        }
    }

    #[test]
    fn a_rightly_signed_token_with_another_header_issuer_or_audience_is_refused() {
        let good = serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": UserId::new(NOW), "sid": SessionId::new(NOW),
            "iat": NOW.as_secs(), "exp": NOW.as_secs() + 60});
        assert!(tokens().verify(&signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, &good), NOW).is_some());
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"RS256","typ":"at+jwt"}"#, r#"{"typ":"at+jwt","alg":"HS256"}"#] {
            assert_eq!(tokens().verify(&signed(header, &good), NOW), None, "{header}");
        }
        for (claim, value) in [("iss", "other"), ("aud", "other"), ("sub", "x")] {
            let mut bad = good.clone();
            bad[claim] = value.into();
            assert_eq!(tokens().verify(&signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, &bad), NOW), None, "{claim}");
        }
    }
}
