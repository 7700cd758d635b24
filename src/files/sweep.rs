//! Removes files that nobody needs: in no message for a day, their message deleted, their room gone; and bytes on the disk that no
//! file claims. In small steps, each a short transaction of its own, so that writers wait for none of it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::bucket::{Bucket, BucketError};
use super::pieces;
use crate::app::App;
use crate::error::Error;
use crate::id::FileId;

/// A file in no message is kept so long: an upload is resumed the next morning.
const UNSENT_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// How soon the bytes of a deleted message are gone.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Files whose message or room went without a word, and bytes without a file, are looked for so often: it reads everything.
const WALK_INTERVAL: Duration = Duration::from_secs(6 * 3_600);
/// An object that does not count is left for so long: its row may be about to come, from a node whose clock is not ours.
const ORPHAN_AGE: Duration = UNSENT_LIFE;
/// Removed in one transaction.
const STEP_FILES: i64 = 100;
/// Looked at in one query.
const STEP_WALKED: i64 = 500;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files removed.
    pub files: usize,
    /// Files on the disk and objects in the bucket whose bytes no file claimed.
    pub orphans: usize,
}

/// Sweeps until the server stops.
pub async fn keep_swept(app: App) {
    let mut walk_at = Instant::now() + SWEEP_INTERVAL;
    loop {
        let next = Instant::now() + SWEEP_INTERVAL;
        tokio::select! {
            () = sleep_until(next) => {}
            () = app.shutdown.begun() => return,
        }
        let outcome = if walk_at <= next {
            walk_at = next + WALK_INTERVAL;
            walk(&app).await
        } else {
            sweep(&app).await
        };
        match outcome {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { files, orphans }) => tracing::info!(files, orphans, "files removed"),
            Err(error) => tracing::warn!(%error, "files could not be removed"),
        }
    }
}

/// Removes the files that are due.
pub async fn sweep(app: &App) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    while !app.shutdown.has_begun() {
        let removed = app.store.remove_due_files(app.clock.now().minus(UNSENT_LIFE), STEP_FILES).await?;
        if removed.is_empty() {
            break;
        }
        for file in removed {
            app.files.used.subtract(file.size_bytes);
            app.files.delete(file.id).await;
            swept.files += 1;
        }
    }
    Ok(swept)
}

/// Looks at every file, then at the whole disk, and removes what is due.
pub async fn walk(app: &App) -> Result<Swept, Error> {
    let mut after = FileId::from_bytes([0; 16]);
    while !app.shutdown.has_begun() {
        let page = app.store.walk_files(after, STEP_WALKED).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for file in page.iter().filter(|file| file.lost != 0) {
            app.store.let_file_go(file.id).await?;
        }
    }
    let mut swept = sweep(app).await?;
    for part in 0..=u8::MAX {
        if app.shutdown.has_begun() {
            break;
        }
        for id in app.files.folder.part(part).await.map_err(|error| Error::Internal(Box::new(error)))? {
            // A file is in the database before its first byte is on the disk, and its identifier is never used again.
            if !app.store.has_file(id).await? {
                app.files.delete(id).await;
                swept.orphans += 1;
            }
        }
    }
    if let Some(bucket) = &app.files.bucket {
        swept.orphans += walk_bucket(app, bucket).await?;
    }
    Ok(swept)
}

/// Looks at every object of ours and deletes those that do not count; how many.
async fn walk_bucket(app: &App, bucket: &Bucket) -> Result<usize, Error> {
    let (mut orphans, mut after) = (0, None);
    let old = app.clock.now().minus(ORPHAN_AGE);
    while !app.shutdown.has_begun() {
        let listed = bucket.list(pieces::ROOT, after).await.map_err(BucketError::told)?;
        let mut unclaimed = Vec::new();
        for name in listed.names {
            let Some(piece) = pieces::piece(&name).filter(|piece| piece.made_at() < old) else { continue };
            if !app.store.has_piece(piece).await? {
                unclaimed.push(name);
            }
        }
        orphans += unclaimed.len();
        pieces::delete_all(bucket, unclaimed).await;
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    Ok(orphans)
}
