//! The TCP ports of a run: opened before anything else, so that a port that is taken stops the start; told to the media core, which tells
//! browsers; then served.

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::RunError;
use crate::app::App;
use crate::config::{Config, TcpPort};
use crate::http;
use crate::port::{self, Service};

/// All of them.
pub(super) struct Ports {
    /// Pages, API and WebSocket; media and TURN too, where they have no port of their own.
    pub(super) pages: Port,
    media: Option<Port>,
    /// The way to the pages for browsers that begin without TLS.
    plain: Option<Port>,
    /// Whether media and TURN come in on the port of the pages.
    is_shared: bool,
}

/// An open port.
pub(super) struct Port {
    listener: TcpListener,
    pub(super) number: u16,
}

impl Ports {
    pub(super) async fn open(config: &Config) -> Result<Self, RunError> {
        let pages = Port::open(config.port).await?;
        let media = match config.tcp.port {
            TcpPort::Own(port) => Some(Port::open(port).await?),
            TcpPort::Off | TcpPort::Shared => None,
        };
        let plain = match config.http_port {
            Some(port) => Some(Port::open(port).await?),
            None => None,
        };
        let is_behind_http_proxy = !config.trusted_proxies.is_empty() && !config.proxy_protocol;
        let wants_to_share = config.tcp.port == TcpPort::Shared;
        if wants_to_share && is_behind_http_proxy {
            tracing::warn!("media over TCP is not offered: a proxy speaks HTTP before this port; set tcp.port in turn.toml");
        }
        Ok(Self { pages, media, plain, is_shared: wants_to_share && !is_behind_http_proxy })
    }

    /// Tells the media core what is open.
    pub(super) fn tell(&self, config: &mut Config) {
        let for_media = self.media.as_ref().or(self.is_shared.then_some(&self.pages));
        config.media.tcp_port = for_media.map(|port| config.tcp.advertised_port.unwrap_or(port.number));
        if let Some(turn) = &mut config.media.turn {
            let all = [Some(&self.pages), self.media.as_ref(), self.plain.as_ref()];
            turn.own_tcp_ports.extend(all.into_iter().flatten().map(|port| port.number));
        }
    }

    /// Serves all; done when all have stopped.
    pub(super) fn serve(self, app: &App, router: &Router) -> TaskTracker {
        let serving = TaskTracker::new();
        let proxies = if app.config.proxy_protocol { app.config.trusted_proxies.clone() } else { Vec::new() };
        let plain = if app.tls.is_some() { http::redirect_router(app, self.pages.number) } else { router.clone() };
        let common = Service {
            encrypted: app.tls.is_some().then(|| router.clone()),
            tls: app.tls.clone(),
            media_limits: app.config.tcp.limits,
            proxies,
            ..Service::http(plain)
        };
        if let Some(port) = self.plain {
            let service = Service { encrypted: None, tls: None, ..common.clone() };
            serving.spawn(port::serve(port.listener, service, app.shutdown.clone()));
        }
        let pages = Service { media: self.is_shared.then(|| app.media.clone()), ..common.clone() };
        serving.spawn(port::serve(self.pages.listener, pages, app.shutdown.clone()));
        if let Some(media) = self.media {
            let service = Service { plain: None, encrypted: None, media: Some(app.media.clone()), ..common };
            serving.spawn(port::serve(media.listener, service, app.shutdown.clone()));
        }
        serving.close();
        serving
    }
}

impl Port {
    async fn open(port: u16) -> Result<Self, RunError> {
        let failed = |source| RunError::Bind { port, source };
        let listener = port::listen(port).await.map_err(failed)?;
        let number = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, number })
    }
}
