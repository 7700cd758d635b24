//! Files that people send each other: announced, received piece by piece, resumed after a lost connection, read by members of the
//! room. The use-cases; HTTP calls them. `store::files` holds what counts, [`Folder`] the bytes, [`sweep`] removes what nobody needs.
//!
//! The server takes the bytes as they are and never looks into them: it knows no name, no type and no picture.

mod download;
mod folder;
mod space;
mod sweep;
mod turns;
mod upload;

pub use download::{Download, open};
pub use folder::Folder;
pub use sweep::{Swept, keep_swept, sweep, walk};
pub use upload::{announce, discard, receive, state};

use std::io::{self, ErrorKind};

use crate::config::FilesConfig;
use crate::error::Error;
use space::Used;
use turns::Turns;

/// What the running server knows of files.
#[derive(Debug)]
pub struct Files {
    folder: Folder,
    turns: Turns,
    used: Used,
}

impl Files {
    /// With these settings.
    pub fn new(config: &FilesConfig) -> Self {
        Self { folder: Folder::new(&config.folder), turns: Turns::default(), used: Used::default() }
    }
}

/// A full disk is no fault of the server's, and whoever sent something is told.
fn disk_error(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull,
        _ => Error::Internal(Box::new(error)),
    }
}
