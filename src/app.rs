//! The running server: everything that use-cases need, in one place, handed to them first. Cheap to clone. It decides nothing.

use std::ops::Deref;
use std::sync::Arc;

use webcall_media::Media;

use crate::accounts::{AccessTokens, LivingSessions, Passwords, RefreshTokens, Tickets};
use crate::bus::Bus;
use crate::calls::{Calls, Relaying};
use crate::config::Config;
use crate::diagnostics::TestCalls;
use crate::e2ee::{Checks, LogKey, Whispers};
use crate::files::Files;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::time::Clock;
use crate::tls::Tls;

/// The running server.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the server consists of.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Clock,
    /// What outlives a restart.
    pub store: Store,
    /// Hints between those who change and those who show.
    pub bus: Bus,
    /// The media core.
    pub media: Media,
    /// Who is in which call.
    pub calls: Calls,
    /// The way to the media through TURN.
    pub relaying: Relaying,
    /// Test calls of `/diagnostics`.
    pub test_calls: TestCalls,
    /// Files that people send.
    pub files: Files,
    /// Certificates, when TLS is spoken here.
    pub tls: Option<Tls>,
    /// Rate limits.
    pub limits: Limits,
    /// Figures for dashboards.
    pub metrics: Metrics,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Makes and checks access tokens.
    pub access_tokens: AccessTokens,
    /// Makes and checks refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// WebSocket tickets.
    pub tickets: Tickets,
    /// Messages of groups on their way to who is connected.
    pub whispers: Whispers,
    /// Reads what openmls has to read, a few at a time.
    pub checks: Checks,
    /// Signs the log of what users publish.
    pub log_key: LogKey,
    /// Sessions that need not be looked up.
    pub living: LivingSessions,
    /// Says when to stop, and waits for those who must finish.
    pub shutdown: Shutdown,
}

/// What is started before the [`App`] and handed to it.
pub struct Foundations {
    /// The settings.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Clock,
    /// What outlives a restart.
    pub store: Store,
    /// The media core.
    pub media: Media,
    /// Who is in which call.
    pub calls: Calls,
    /// Certificates, when TLS is spoken here.
    pub tls: Option<Tls>,
    /// Says when to stop.
    pub shutdown: Shutdown,
}

impl App {
    /// Puts the server together.
    pub fn new(foundations: Foundations) -> Self {
        let Foundations { config, clock, store, media, calls, tls, shutdown } = foundations;
        let tls_name = tls.as_ref().and_then(|tls| config.domain.clone().or_else(|| tls.name()));
        Self(Arc::new(Parts {
            passwords: Passwords::new(&config.secrets.password_pepper, config.password_cost),
            access_tokens: AccessTokens::new(&config.secrets.jwt),
            refresh_tokens: RefreshTokens::new(&config.secrets.jwt),
            bus: Bus::default(),
            relaying: Relaying::new(media.clone(), &config.secrets, tls_name, config.ice_servers.clone()),
            limits: Limits::new(config.windows_per_user, config.messages_per_second),
            test_calls: TestCalls::new(media.clone()),
            files: Files::new(&config.files),
            metrics: Metrics::new(media.clone()),
            tickets: Tickets::default(),
            log_key: LogKey::new(&config.secrets.log_key),
            whispers: Whispers::default(),
            checks: Checks::default(),
            living: LivingSessions::default(),
            shutdown,
            tls,
            config,
            clock,
            store,
            media,
            calls,
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
