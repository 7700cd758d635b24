//! Removes what rooms no longer keep, in the background: small transactions with pauses, so that nobody who writes waits for it.

use std::time::Duration;

use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::RoomId;

/// How often it is looked whether something is to be removed. Retention counts in days.
pub const INTERVAL: Duration = Duration::from_secs(60);
/// Entries removed in one transaction: some milliseconds.
const STEP: i64 = 200;
/// Between two of them; writers have three quarters of the time and more.
const PAUSE: Duration = Duration::from_millis(20);
/// Rooms looked up at once.
const ROOMS: i64 = 100;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Removes all that is due. Returns how many entries; those of deleted rooms are not counted.
pub async fn sweep(app: &App) -> Result<u64, Error> {
    for room in app.store.removed_rooms(ROOMS).await? {
        while !app.store.purge_room(room, STEP).await? {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let (mut removed, mut after) = (0, RoomId::from_bytes([0; 16]));
    loop {
        let rooms = app.store.rooms_that_forget(after, ROOMS).await?;
        let Some((last, _)) = rooms.last() else { return Ok(removed) };
        after = *last;
        for (room, days) in rooms {
            removed += forget(app, room, days).await?;
        }
    }
}

async fn forget(app: &App, room: RoomId, days: i64) -> Result<u64, Error> {
    let kept = DAY * u32::try_from(days).unwrap_or(u32::MAX);
    let cutoff = app.clock.now().minus(kept);
    let mut removed = 0;
    loop {
        let step = app.store.forget_entries(room, cutoff, STEP).await?;
        removed += step;
        if step == 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if removed > 0 {
        app.bus.publish(Hint::RoomChanged { room });
    }
    Ok(removed)
}
