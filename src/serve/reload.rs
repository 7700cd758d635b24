//! SIGHUP: reads the settings again and takes over what can change while people are in calls: TURN's credentials, limits and rules, and
//! certificates. What
//! cannot is named in the log. Settings that are wrong change nothing.

use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::config::{Args, Config};

/// Reloads at each SIGHUP from when it is called, until the server stops.
pub(super) fn at_hangup(app: App, args: Args) -> impl Future<Output = ()> {
    let hangup = signal(SignalKind::hangup());
    async move {
        let mut hangup = match hangup {
            Ok(hangup) => hangup,
            Err(error) => return tracing::warn!(%error, "SIGHUP cannot be received: settings are read at start only"),
        };
        loop {
            tokio::select! {
                _ = hangup.recv() => reload(&app, &args).await,
                () = app.shutdown.begun() => return,
            }
        }
    }
}

async fn reload(app: &App, args: &Args) {
    let config = match Config::load(args, |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => return tracing::error!(%error, "the settings are wrong: nothing was changed"),
    };
    if let Some(turn) = &config.media.turn
        && let Err(error) = app.media.reload_turn(&turn.common)
    {
        return tracing::error!(%error, "the settings are wrong: nothing was changed");
    }
    app.relaying.replace_secrets(&config.secrets);
    if let Some(tls) = &app.tls {
        // What came of it is in its own log lines; a pair that cannot be used leaves the old one.
        let _ = tls.reload().await;
    }
    let needs_restart = fixed(&app.config, &config);
    tracing::info!(?needs_restart, "settings read again");
}

/// The settings that differ and are read at start only.
fn fixed(old: &Config, new: &Config) -> Vec<&'static str> {
    let (before, after) = (&old.media, &new.media);
    let ports = |config: &Config| config.media.turn.as_ref().map(|turn| (turn.udp_port, turn.common.relay.all_ports.clone()));
    let differs = [
        ("PORT, HTTP_PORT", (old.port, old.http_port) != (new.port, new.http_port)),
        ("DOMAIN, TLS_*, ACME_*", old.tls != new.tls),
        ("media.workers", before.workers != after.workers),
        ("media.udp_port", before.udp_port != after.udp_port),
        ("media.advertised", before.advertised != after.advertised),
        ("media.advertised_port", before.advertised_port != after.advertised_port),
        ("media.max_participants", before.max_participants != after.max_participants),
        ("media.participants_per_worker", before.participants_per_worker != after.participants_per_worker),
        ("media.socket_buffer_bytes", before.socket_buffer_bytes != after.socket_buffer_bytes),
        ("tcp", old.tcp != new.tcp),
        ("turn.enabled, turn.udp_port, turn.relay_port_*", ports(old) != ports(new)),
    ];
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}
