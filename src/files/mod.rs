//! Files that people send each other: announced, received piece by piece, resumed after a lost connection, read by members of the
//! room. The use-cases; HTTP calls them. `store::files` holds what counts, [`Folder`] or [`Bucket`] the bytes (`place` says which),
//! [`sweep`] removes what nobody needs.
//!
//! The server takes the bytes as they are and never looks into them: it knows no name, no type and no picture.

mod bucket;
mod download;
mod folder;
mod pieces;
mod place;
mod space;
mod sweep;
mod turns;
mod upload;

pub use bucket::{Bucket, BucketError, probe};
pub use download::{Download, open};
pub use folder::Folder;
pub use sweep::{Swept, keep_swept, sweep, walk};
pub use upload::{announce, discard, receive, state};

use std::io::{self, ErrorKind};
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::config::FilesConfig;
use crate::error::Error;
use space::Used;
use turns::Turns;

/// Uploads to the bucket that gather 4 MiB each before they write; the others gather as little as those to the folder. More costs memory,
/// fewer let more uploads be slow when many come at once.
const MAX_WIDE: usize = 64;

/// What the running server knows of files.
#[derive(Debug)]
pub struct Files {
    folder: Folder,
    bucket: Option<Arc<Bucket>>,
    wide: Arc<Semaphore>,
    turns: Turns,
    used: Used,
}

impl Files {
    /// With these settings.
    pub fn new(config: &FilesConfig) -> Self {
        Self {
            folder: Folder::new(&config.folder),
            bucket: config.bucket.as_ref().map(Bucket::new).map(Arc::new),
            wide: Arc::new(Semaphore::new(MAX_WIDE)),
            turns: Turns::default(),
            used: Used::default(),
        }
    }
}

/// A full disk is no fault of the server's, and whoever sent something is told.
fn disk_error(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull,
        _ => Error::Internal(Box::new(error)),
    }
}
