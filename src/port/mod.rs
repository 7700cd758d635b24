//! The TCP port that everything shares: HTTP, TURN and packets for the SFU, in TLS or without, told apart by their first bytes and by
//! ALPN (RFC 7443). Our own accept loop, because it has to tell them apart, and bounds how many connections there are and how long each
//! may take to say what it wants.
//!
//! `accept` takes connections, `opening` finds out what they speak, `media` carries those of TURN and the SFU; HTTP is `crate::http`'s.
//! Called by `serve`. Errors are clients that went away or spoke nothing known: nothing to do, nothing to say.

mod accept;
mod media;
mod opening;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use webcall_media::Media;
use webcall_media::turn::AdmissionLimits;

use crate::tls::Tls;

pub use accept::serve;

/// What a port serves. What is missing is closed at once.
#[derive(Clone)]
pub struct Service {
    /// HTTP without TLS.
    pub plain: Option<Router>,
    /// HTTP in TLS.
    pub encrypted: Option<Router>,
    /// How TLS is spoken; `None` without a certificate.
    pub tls: Option<Tls>,
    /// Who takes TURN and the packets of participants.
    pub media: Option<Media>,
    /// How many connections these two may have.
    pub media_limits: AdmissionLimits,
    /// Proxies that put a header of the PROXY protocol (version 2) before what they pass on; others must not.
    pub proxies: Vec<IpAddr>,
}

impl Service {
    /// HTTP without TLS, and nothing else.
    pub fn http(router: Router) -> Self {
        Self {
            plain: Some(router),
            encrypted: None,
            tls: None,
            media: None,
            media_limits: AdmissionLimits::default(),
            proxies: Vec::new(),
        }
    }
}

/// Opens a port of both families where the system has them, else of IPv4.
pub async fn listen(port: u16) -> std::io::Result<TcpListener> {
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await
        }
        outcome => outcome,
    }
}
