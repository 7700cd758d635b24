//! Removes what nobody will ask for any more: expired key packages, old commits, what was never fetched. In small transactions.

use std::time::Duration;

use crate::app::App;
use crate::error::Error;

/// Commits, with their welcomes, and what waits for a device are kept so long for those that were away; one that was away for longer comes in anew.
pub(super) const LIFE: Duration = Duration::from_secs(90 * 86_400);
/// Rows removed in one transaction: some milliseconds.
const STEP: i64 = 200;
/// Between two of them; writers have the time.
const PAUSE: Duration = Duration::from_millis(20);

/// Histories of groups that are gone, looked up at once.
const HISTORIES: i64 = 100;

/// Removes all that is due. Returns how many rows; those of groups that are gone are not counted.
pub async fn sweep(app: &App) -> Result<u64, Error> {
    let now = app.clock.now();
    let mut removed = 0;
    for history in app.store.removed_histories(HISTORIES).await? {
        while !app.store.purge_history(history, STEP).await? {
            tokio::time::sleep(PAUSE).await;
        }
    }
    loop {
        let step = app.store.forget_key_packages(now, STEP).await?
            + app.store.forget_commits(now.minus(LIFE), STEP).await?
            + app.store.forget_inbox(now.minus(LIFE), STEP).await?;
        if step == 0 {
            return Ok(removed);
        }
        removed += step;
        tokio::time::sleep(PAUSE).await;
    }
}
