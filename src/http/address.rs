//! Whose request it is by address: the sender of the packets, or, when that is a trusted proxy, the nearest address in
//! `X-Forwarded-For` that is none. Used for rate limits and for letting the machine itself read `/metrics`; never logged.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::error::Error;

/// Headers that a proxy adds: with one of them the request does not come from where its packets do.
const FORWARDING_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// The other end of the TCP connection; put into each request by the accept loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) address: IpAddr,
    /// Whether it comes from this machine with no proxy in between, as far as headers tell.
    pub(super) is_local: bool,
}

/// Notes the sender in the request.
pub(super) async fn find(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().expect("the accept loop names the peer of every request").0.ip();
    let sender = sender(peer.to_canonical(), request.headers(), &app.config.trusted_proxies);
    request.extensions_mut().insert(sender);
    next.run(request).await
}

impl FromRequestParts<App> for Sender {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Error> {
        Ok(*parts.extensions.get::<Self>().expect("the outermost layer notes the sender"))
    }
}

fn sender(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Sender {
    let is_local = peer.is_loopback() && !FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name));
    if !trusted.contains(&peer) {
        return Sender { address: peer, is_local };
    }
    let chain: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let hops = chain.into_iter().rev().map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    let address = hops.map(|hop| hop.to_canonical()).find(|hop| !trusted.contains(hop)).unwrap_or(peer);
    Sender { address, is_local }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(value: &str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let headers = forwarded("203.0.113.7");
        assert_eq!(sender(ip("198.51.100.1"), &headers, &[]).address, ip("198.51.100.1"));
        assert_eq!(sender(ip("198.51.100.1"), &headers, &[ip("198.51.100.1")]).address, ip("203.0.113.7"));
    }

    #[test]
    fn what_a_client_wrote_before_the_proxy_is_not_believed() {
        let trusted = [ip("198.51.100.1"), ip("198.51.100.2")];
        let headers = forwarded("10.0.0.1, 203.0.113.7, 198.51.100.2");
        assert_eq!(sender(ip("198.51.100.1"), &headers, &trusted).address, ip("203.0.113.7"));
        assert_eq!(sender(ip("198.51.100.1"), &forwarded("203.0.113.7, nonsense"), &trusted).address, ip("198.51.100.1"));
    }

    #[test]
    fn a_request_through_a_proxy_on_this_machine_is_not_local() {
        assert!(sender(ip("127.0.0.1"), &HeaderMap::new(), &[]).is_local);
        assert!(sender(ip("::1"), &HeaderMap::new(), &[]).is_local);
        assert!(!sender(ip("127.0.0.1"), &forwarded("203.0.113.7"), &[]).is_local);
        assert!(!sender(ip("203.0.113.7"), &HeaderMap::new(), &[]).is_local);
    }
}
