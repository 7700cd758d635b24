//! How much may still come: what all files count for, and what is free on the disk.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::OnceCell;

use super::folder::Space;
use crate::app::App;
use crate::config::FilesConfig;
use crate::error::Error;

/// What all files count for, announced ones in full. Read from the database once and kept up from then on, since adding up all
/// files for each new one would grow with their number.
#[derive(Debug, Default)]
pub(super) struct Used(OnceCell<AtomicI64>);

impl Used {
    /// Counts a new file, or refuses it.
    pub(super) async fn add(&self, app: &App, size_bytes: i64) -> Result<(), Error> {
        let read = || async { Ok::<_, Error>(AtomicI64::new(app.store.files_bytes().await?)) };
        let used = self.0.get_or_try_init(read).await?;
        let most = app.config.files.max_total_bytes;
        let sum = |used: i64| used.checked_add(size_bytes).filter(|sum| *sum <= most);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).map(|_| ()).map_err(|_| Error::DiskFull)
    }

    /// Counts files that are gone.
    pub(super) fn subtract(&self, size_bytes: i64) {
        if let Some(used) = self.0.get() {
            used.fetch_sub(size_bytes, Ordering::Relaxed);
        }
    }
}

/// Refuses a file that would leave too little of the disk.
pub(super) async fn refuse_without_space(app: &App, size_bytes: i64) -> Result<(), Error> {
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
            max_file_bytes: 1,
            max_user_bytes: 1,
            max_total_bytes: 1,
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
