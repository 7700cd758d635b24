//! From settings to a running server and back: opens the store, starts the media core, serves, and stops in order.

use std::io::Write;
use std::time::Duration;

use thiserror::Error;
use tokio_util::task::TaskTracker;
use webcall_media::{Media, StartError};

use crate::accounts::{SESSION_SWEEP_INTERVAL, sweep};
use crate::app::{App, Foundations};
use crate::calls::Calls;
use crate::chat;
use crate::config::{Args, Config, ConfigError};
use crate::diagnostics;
use crate::e2ee;
use crate::files;
use crate::http;
use crate::process;
use crate::shutdown::{Asked, Shutdown};
use crate::signal::{Signalling, Timing};
use crate::store::{Store, StoreError};
use crate::time::Clock;
use crate::tls::{Tls, TlsError};
use crate::vault::{Installation, Lock, VaultError};

mod ports;
mod reload;

use ports::Ports;

/// Why the server could not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] VaultError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The media core could not start.
    #[error(transparent)]
    Media(#[from] StartError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
    serving: TaskTracker,
    /// From before it says that it is ready: whoever stops it at once sees it end in order.
    asked: Asked,
    /// While it runs, nobody restores or migrates.
    in_use: Option<Lock>,
}

/// Runs the server until Ctrl-C or SIGTERM.
pub async fn run(args: &Args) -> Result<(), RunError> {
    start(args).await?.until_stopped().await
}

/// Starts the server; it serves once this returns.
pub async fn start(args: &Args) -> Result<Running, RunError> {
    process::raise_open_files();
    let mut config = Config::load(args, |name| std::env::var(name).ok())?;
    let in_use = Lock::share(&Installation::of(&config))?;
    let ports = Ports::open(&config).await?;
    ports.tell(&mut config);
    let shutdown = Shutdown::default();
    let tls = Tls::start(&config.tls, &config.data_dir, &shutdown)?;
    let store = Store::open(&config.database).await?;
    let (media, events) = Media::start(&config.media)?;
    let calls = Calls::new(media.clone(), config.windows_per_user);
    tokio::spawn(calls.clone().run(events));
    let asked = Asked::listen().map_err(RunError::Signals)?;
    let app = App::new(Foundations { config, clock: Clock::System, store, media, calls, tls, shutdown });

    app.shutdown.spawn(sweep_now_and_then(app.clone()));
    app.shutdown.spawn(forget_now_and_then(app.clone()));
    app.shutdown.spawn(files::keep_swept(app.clone()));
    app.shutdown.spawn(reload::at_hangup(app.clone(), args.clone()));
    let signalling = Signalling::start(&app, Timing::default());
    let port = ports.pages.number;
    let serving = ports.serve(&app, &http::router(&app, signalling.routes()));
    greet(&app, port);
    Ok(Running { app, serving, asked, in_use })
}

impl Running {
    /// Waits for Ctrl-C or SIGTERM, then stops in order.
    pub async fn until_stopped(self) -> Result<(), RunError> {
        let Self { app, serving, asked, in_use: _in_use } = self;
        asked.by_system().await;
        tracing::info!("stopping");
        app.shutdown.begin();
        serving.wait().await;
        app.shutdown.finished().await;
        app.store.close().await;
        Ok(())
    }
}

/// The two lines for people. In production the secret was given by them and stays out of what may be a log.
fn greet(app: &App, port: u16) {
    let secret =
        if app.config.is_production() { "as set in REGISTRATION_SECRET" } else { app.config.secrets.registration.expose() };
    let address = match (&app.tls, &app.config.domain) {
        (None, _) => format!("http://localhost:{port}"),
        (Some(_), Some(domain)) if port == 443 => format!("https://{domain}"),
        (Some(_), domain) => format!("https://{}:{port}", domain.as_deref().unwrap_or("localhost")),
    };
    // Whoever started the server may read one line and leave: that is no reason not to serve.
    let _ = write!(std::io::stdout(), "WebCall is ready: {address}\nRegistration secret: {secret}\n");
    tracing::info!(port, version = env!("CARGO_PKG_VERSION"), "serving");
}

/// Removes what rooms no longer keep.
async fn forget_now_and_then(app: App) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(chat::SWEEP_INTERVAL) => {}
            () = app.shutdown.begun() => return,
        }
        // Given up halfway when the server stops: the rest is found at the next start.
        let swept = tokio::select! {
            swept = chat::sweep(&app) => swept,
            () = app.shutdown.begun() => return,
        };
        match swept {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "old messages removed"),
            Err(error) => tracing::warn!(%error, "old messages could not be removed"),
        }
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
        match e2ee::sweep(&app).await {
            Ok(swept) => tracing::info!(swept, "key packages, commits and messages that nobody needs removed"),
            Err(error) => tracing::warn!(%error, "old key packages, commits and messages could not be removed"),
        }
        match diagnostics::sweep(&app).await {
            Ok(swept) => tracing::info!(swept, "old diagnostic reports removed"),
            Err(error) => tracing::warn!(%error, "old diagnostic reports could not be removed"),
        }
    }
}
