//! From settings to a running server and back: opens the store, starts the media core, serves, and stops in order.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use webcall_media::{Media, StartError};

use crate::accounts::{SESSION_SWEEP_INTERVAL, sweep};
use crate::app::{App, Foundations};
use crate::calls::Calls;
use crate::config::{Args, Config, ConfigError, Database};
use crate::diagnostics;
use crate::http;
use crate::shutdown::Shutdown;
use crate::signal::{Signalling, Timing};
use crate::store::{Store, StoreError};
use crate::time::Clock;

/// Why the server could not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The media core could not start.
    #[error(transparent)]
    Media(#[from] StartError),
    /// The port cannot be opened.
    #[error("TCP port {port} cannot be opened: {source}")]
    Bind {
        /// Which.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system's signals cannot be waited for.
    #[error("signals of the system cannot be received: {0}")]
    Signals(std::io::Error),
}

/// A server that serves.
pub struct Running {
    /// Everything in it.
    pub app: App,
    serving: JoinHandle<()>,
}

/// Runs the server until Ctrl-C or SIGTERM.
pub async fn run(args: &Args) -> Result<(), RunError> {
    start(args).await?.until_stopped().await
}

/// Starts the server; it serves once this returns.
pub async fn start(args: &Args) -> Result<Running, RunError> {
    let config = Config::load(args, |name| std::env::var(name).ok())?;
    let listener = listen(config.port).await?;
    let store = open_store(&config.database).await?;
    let (media, events) = Media::start(&config.media)?;
    let calls = Calls::new(media.clone(), config.windows_per_user);
    tokio::spawn(calls.clone().run(events));
    let app = App::new(Foundations { config, clock: Clock::System, store, media, calls });

    let port = listener.local_addr().map_err(|source| RunError::Bind { port: app.config.port, source })?.port();
    app.shutdown.spawn(sweep_now_and_then(app.clone()));
    let signalling = Signalling::start(&app, Timing::default());
    let serving = tokio::spawn(http::serve(listener, http::router(&app, signalling.routes()), app.shutdown.clone()));
    greet(&app, port);
    Ok(Running { app, serving })
}

impl Running {
    /// Waits for Ctrl-C or SIGTERM, then stops in order.
    pub async fn until_stopped(self) -> Result<(), RunError> {
        let Self { app, serving } = self;
        Shutdown::asked_by_system().await.map_err(RunError::Signals)?;
        tracing::info!("stopping");
        app.shutdown.begin();
        let _ = serving.await;
        app.shutdown.finished().await;
        app.store.close().await;
        Ok(())
    }
}

/// The two lines for people. In production the secret was given by them and stays out of what may be a log.
fn greet(app: &App, port: u16) {
    let secret =
        if app.config.is_production() { "as set in REGISTRATION_SECRET" } else { app.config.secrets.registration.expose() };
    println!("WebCall is ready: http://localhost:{port}\nRegistration secret: {secret}");
    tracing::info!(port, version = env!("CARGO_PKG_VERSION"), "serving");
}

/// Both families where the system has them, else IPv4.
async fn listen(port: u16) -> Result<TcpListener, RunError> {
    let both = TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await;
    match both {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(RunError::Bind { port, source: error }),
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            .await
            .map_err(|source| RunError::Bind { port, source }),
    }
}

async fn open_store(database: &Database) -> Result<Store, StoreError> {
    match database {
        Database::Sqlite(file) => Store::open_sqlite(file).await,
        Database::Postgres(options) => Store::open_postgres(options.as_ref().clone()).await,
    }
}

/// Removes expired sessions and reports now and then, the first time soon after the start.
async fn sweep_now_and_then(app: App) {
    let mut wait = Duration::from_secs(60);
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.shutdown.begun() => return,
        }
        wait = SESSION_SWEEP_INTERVAL;
        match sweep(&app).await {
            Ok(swept) => tracing::info!(swept, "expired sessions removed"),
            Err(error) => tracing::warn!(%error, "expired sessions could not be removed"),
        }
        match diagnostics::sweep(&app).await {
            Ok(swept) => tracing::info!(swept, "old diagnostic reports removed"),
            Err(error) => tracing::warn!(%error, "old diagnostic reports could not be removed"),
        }
    }
}
