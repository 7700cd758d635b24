//! How long signalling waits for what. Constants in one place; tests shorten them, nobody else does.

use std::time::Duration;

use crate::calls::RENEWAL_INTERVAL;

/// How long signalling waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the upgrade to `hello`.
    pub hello_limit: Duration,
    /// Between two pings. Also keeps the connection open in proxies, which often close after 60 s of silence.
    pub ping_interval: Duration,
    /// Of silence before the other side counts as gone: two pings not answered, and a little for the way.
    pub silence_limit: Duration,
    /// For one frame to go out before the client counts as gone.
    pub write_limit: Duration,
    /// For the other side to answer a close.
    pub close_limit: Duration,
    /// For a connection without a socket. Long enough for a change of network or a lift; meanwhile the others see a frozen
    /// participant.
    pub resume_window: Duration,
    /// Between two times that a client gets new credentials for TURN.
    pub renewal_interval: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hello_limit: Duration::from_secs(10),
            ping_interval: Duration::from_secs(15),
            silence_limit: Duration::from_secs(31),
            write_limit: Duration::from_secs(10),
            close_limit: Duration::from_secs(2),
            resume_window: Duration::from_secs(60),
            renewal_interval: RENEWAL_INTERVAL,
        }
    }
}
