//! How much may still come: how many files there are, what they count for, and what is free on the disk.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::OnceCell;

use super::folder::Space;
use crate::app::App;
use crate::config::FilesConfig;
use crate::error::Error;

/// How many files there are and what they count for, announced ones in full. Read from the database once and kept up from then on,
/// since adding up all files for each new one would grow with their number.
#[derive(Debug, Default)]
pub(super) struct Used(OnceCell<Totals>);

#[derive(Debug)]
struct Totals {
    files: AtomicI64,
    bytes: AtomicI64,
}

impl Used {
    /// Counts a new file, or refuses it.
    pub(super) async fn add(&self, app: &App, size_bytes: i64) -> Result<(), Error> {
        let read = || async {
            let (files, bytes) = app.store.files_totals().await?;
            Ok::<_, Error>(Totals { files: AtomicI64::new(files), bytes: AtomicI64::new(bytes) })
        };
        let used = self.0.get_or_try_init(read).await?;
        raise(&used.files, 1, app.config.files.max_total_files)?;
        raise(&used.bytes, size_bytes, app.config.files.max_total_bytes).inspect_err(|_| {
            used.files.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// Counts a file that is gone.
    pub(super) fn subtract(&self, size_bytes: i64) {
        if let Some(used) = self.0.get() {
            used.files.fetch_sub(1, Ordering::Relaxed);
            used.bytes.fetch_sub(size_bytes, Ordering::Relaxed);
        }
    }
}

fn raise(total: &AtomicI64, by: i64, most: i64) -> Result<(), Error> {
    let sum = |total: i64| total.checked_add(by).filter(|sum| *sum <= most);
    total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).map(|_| ()).map_err(|_| Error::DiskFull)
}

/// Refuses a file that would leave too little of the disk. What a bucket has left nobody knows before it is full.
pub(super) async fn refuse_without_space(app: &App, size_bytes: i64) -> Result<(), Error> {
    if app.files.bucket.is_some() {
        return Ok(());
    }
    let space = app.files.folder.space().await.map_err(super::disk_error)?;
    if leaves_enough(space, size_bytes.unsigned_abs(), &app.config.files) { Ok(()) } else { Err(Error::DiskFull) }
}

fn leaves_enough(space: Space, size_bytes: u64, config: &FilesConfig) -> bool {
    let least = config.least_free_bytes.max(space.total_bytes / 100 * config.least_free_percent);
    space.free_bytes.checked_sub(size_bytes).is_some_and(|left| left >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_must_leave_a_gibibyte_and_two_hundredths_of_the_disk() {
        const GIB: u64 = 1 << 30;
        let config = FilesConfig {
            folder: "files".into(),
            bucket: None,
            max_file_bytes: 1,
            max_user_bytes: 1,
            max_total_bytes: 1,
            max_total_files: 1,
            least_free_bytes: GIB,
            least_free_percent: 2,
        };
        for (free_bytes, total_bytes, size_bytes, expected) in [
            (2 * GIB, 10 * GIB, GIB, true),
            (2 * GIB, 10 * GIB, GIB + 1, false),
            (GIB - 1, 10 * GIB, 0, false),
            (19 * GIB, 1_000 * GIB, 0, false),
            (21 * GIB, 1_000 * GIB, 0, true),
            (0, 0, 1, false),
        ] {
            let space = Space { free_bytes, total_bytes };
            assert_eq!(leaves_enough(space, size_bytes, &config), expected, "{space:?} {size_bytes}");
        }
    }
}
