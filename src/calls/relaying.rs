//! The way to this server's media through its own TURN server, and credentials for it: what browsers in a call are told, and what outside
//! devices get.
//!
//! Credentials are good for a time only. A relayed call ends with them, so pages that stay get new ones in time and look for their path
//! again.

use std::net::{IpAddr, SocketAddr};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use webcall_media::Media;
use webcall_media::turn::{Credential, Scope, Secret, issue_credential};

use crate::config::{IceServer, Secrets};
use crate::id::UserId;
use crate::time::Timestamp;

/// How long a participant's credentials are good for. A longer time leaves those who left able to use bandwidth, a shorter one makes
/// relayed calls look for their path more often.
const PARTICIPANT_LIFETIME: Duration = Duration::from_secs(4 * 3600);
/// When a page that stays gets new ones: early enough for a computer that slept.
pub const RENEWAL_INTERVAL: Duration = Duration::from_secs(2 * 3600);

/// Hands out addresses of the TURN server and credentials for it.
pub struct Relaying {
    media: Media,
    /// Signs. More secrets verify, in the media core.
    secret: RwLock<Secret>,
    /// The name in the certificate, under which TURN in TLS is reached; `None` without a certificate.
    tls_name: Option<String>,
    /// Outside servers, told in addition.
    others: Vec<IceServer>,
}

impl Relaying {
    /// Signs with the first of the secrets.
    pub fn new(media: Media, secrets: &Secrets, tls_name: Option<String>, others: Vec<IceServer>) -> Self {
        Self { media, secret: RwLock::new(signing(secrets)), tls_name, others }
    }

    /// From now on signs with the first of these secrets.
    pub fn replace_secrets(&self, secrets: &Secrets) {
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = signing(secrets);
    }

    /// What a browser needs for its connections: this server, with credentials that relay to its media and nowhere else, then outside ones.
    pub fn for_participant(&self, now: Timestamp, user: UserId) -> Vec<IceServer> {
        let own = self.server(now, &user.to_string(), Scope::Sfu, PARTICIPANT_LIFETIME);
        own.into_iter().chain(self.others.iter().cloned()).collect()
    }

    /// What an outside device needs to relay to whomever the rules allow; `None` without a TURN server.
    pub fn for_outside(&self, now: Timestamp, id: &str, lifetime: Duration) -> Option<IceServer> {
        self.server(now, id, Scope::Any, lifetime)
    }

    fn server(&self, now: Timestamp, id: &str, scope: Scope, lifetime: Duration) -> Option<IceServer> {
        let urls = self.urls();
        if urls.is_empty() {
            return None;
        }
        let expires_unix_s = (now.as_millis() / 1000).cast_unsigned() + lifetime.as_secs();
        let secret = self.secret.read().unwrap_or_else(PoisonError::into_inner);
        let Credential { username, password } = issue_credential(&secret, id, scope, expires_unix_s).ok()?;
        Some(IceServer { urls, username: Some(username), credential: Some(password) })
    }

    /// Every way to the TURN server, best first.
    fn urls(&self) -> Vec<String> {
        let by = |all: &[SocketAddr], transport: &'static str| {
            best(all).into_iter().map(move |at| format!("turn:{at}?transport={transport}")).collect::<Vec<_>>()
        };
        let udp = by(self.media.turn_addresses(), "udp");
        if udp.is_empty() {
            return udp;
        }
        let tcp = self.media.tcp_addresses();
        let tls = self.tls_name.as_ref().zip(tcp.first()).map(|(name, at)| format!("turns:{name}:{}?transport=tcp", at.port()));
        // Browsers complain of five: the first address will do for TCP, to which all fall back.
        udp.into_iter().chain(by(&tcp[..tcp.len().min(1)], "tcp")).chain(tls).collect()
    }
}

fn signing(secrets: &Secrets) -> Secret {
    Secret::new(secrets.turn.first().expect("there is one at least").expose())
}

/// One of each family, best first: browsers ask every one that they are told.
fn best(all: &[SocketAddr]) -> Vec<SocketAddr> {
    let of_family = |is_of_family: fn(&IpAddr) -> bool| all.iter().copied().find(|address| is_of_family(&address.ip()));
    [of_family(IpAddr::is_ipv4), of_family(IpAddr::is_ipv6)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_the_best_address_of_each_family() {
        let all: Vec<SocketAddr> =
            ["192.0.2.1:3478", "127.0.0.1:3478", "[2001:db8::1]:3478", "[::1]:3478"].map(|text| text.parse().unwrap()).into();
        assert_eq!(best(&all), [all[0], all[2]]);
        assert!(best(&[]).is_empty());
    }
}
