//! What the rest of the world does to a server: the database goes away and comes back, the disk is full, several nodes start at once.
//! The command itself is run, on databases and disks of the test's own.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/binary.rs"]
mod binary;
#[path = "adversity/call.rs"]
mod call;
#[path = "adversity/database_away.rs"]
mod database_away;
#[path = "adversity/disk_full.rs"]
mod disk_full;
#[path = "adversity/nodes.rs"]
mod nodes;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "adversity/writers.rs"]
mod writers;

use std::time::Duration;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits, but not for ever.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Looks again and again, until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon(what, looking).await;
}
