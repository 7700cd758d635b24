//! Stopping: one signal that everybody can wait for, and one count of the tasks that must finish first. Order: the signal is given;
//! HTTP takes no new connection and finishes its requests, WebSockets say `drain` and close; then media, then the store.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks may take to finish. A container runtime kills after 10 s; this leaves some for the store.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// Says when to stop. Cheap to clone.
#[derive(Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Shutdown {
    /// Tells everybody to stop.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether stopping has begun.
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until stopping begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// Starts a task that the end of the server waits for. The task itself must watch [`Shutdown::begun`].
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Waits for those tasks, but not for ever.
    pub async fn finished(&self) {
        self.tracker.close();
        if tokio::time::timeout(MAX_WAIT, self.tracker.wait()).await.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "stopping although some tasks have not finished");
        }
    }
}

/// Ctrl-C and SIGTERM. From when it is made none is lost, also before it is waited for, and none ends the process at once.
pub struct Asked {
    interrupt: Signal,
    terminate: Signal,
}

impl Asked {
    /// Receives them from now on; fails where signals cannot be received.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one.
    pub async fn by_system(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
