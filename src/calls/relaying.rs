//! What browsers need to reach this server's media through its own TURN server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use webcall_media::turn::{Scope, Secret, issue_credential};

use crate::app::App;
use crate::config::IceServer;
use crate::id::UserId;

/// How long credentials are good for. A relayed call ends with them; a longer time leaves those who left able to use bandwidth.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The TURN server of this process with credentials of this user, which relay to its media and nowhere else.
pub fn for_participant(app: &App, user: UserId) -> Option<IceServer> {
    let urls = urls(app);
    if urls.is_empty() {
        return None;
    }
    let secret = Secret::new(app.config.secrets.turn.expose());
    let expires_unix_s = (app.clock.now().as_millis() / 1000).cast_unsigned() + CREDENTIAL_LIFETIME.as_secs();
    let credential = issue_credential(&secret, &user.to_string(), Scope::Sfu, expires_unix_s).ok()?;
    Some(IceServer { urls, username: Some(credential.username), credential: Some(credential.password) })
}

/// Every way to the TURN server, best first.
fn urls(app: &App) -> Vec<String> {
    let by = |all: &[SocketAddr], transport: &str| -> Vec<String> {
        addresses(all).into_iter().map(|at| format!("turn:{at}?transport={transport}")).collect()
    };
    let udp = by(app.media.turn_addresses(), "udp");
    if udp.is_empty() {
        return udp;
    }
    udp.into_iter().chain(by(app.media.tcp_addresses(), "tcp")).collect()
}

/// One of each family, best first: browsers ask every one that they are told.
fn addresses(all: &[SocketAddr]) -> Vec<SocketAddr> {
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
        assert_eq!(addresses(&all), [all[0], all[2]]);
        assert!(addresses(&[]).is_empty());
    }
}
