//! Where bytes of others are read with openmls: on threads that may be busy for a while, a few at a time, each shielded from a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::Semaphore;
use webcall_trust::Refusal;

use crate::error::Error;

/// Half of the processors: a commit in a large group takes tenths of a second, and calls must go on beside a crowd of them. Who comes
/// later waits; how many can wait is bounded by the requests that the server takes at once.
pub struct Checks(Semaphore);

impl Default for Checks {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new((cores / 2).max(1)))
    }
}

impl Checks {
    /// Runs `work` once it is its turn.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _turn = self.0.acquire().await.map_err(|error| Error::Internal(Box::new(error)))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(Box::new(error)))
    }
}

/// Reads bytes of somebody else's with openmls. It has panicked on such before (GHSA-rrmv-c79f-cf5r): a panic is a refusal, and whoever
/// sent them the only one who notices. Nothing that outlives the call may be changed in `read`.
pub(super) fn unwinding<T>(read: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_panic| Refusal::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_reading_is_a_refusal() {
        assert_eq!(unwinding(|| 1), Ok(1));
        assert_eq!(unwinding(|| -> u8 { panic!("as openmls did") }), Err(Refusal::Malformed));
    }
}
