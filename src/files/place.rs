//! In which of the two places a file is: the folder or the bucket. A file stays where its first byte went; where the bucket is set it is
//! that. So turning it on moves nothing, and what lay in the folder is read, finished and deleted there.

use std::sync::Arc;

use super::bucket::Bucket;
use super::folder::{self, Opened};
use super::pieces::{self, Filling};
use super::{Files, disk_error};
use crate::app::App;
use crate::error::Error;
use crate::id::FileId;

/// A place, and who is to be asked there.
pub(super) enum Place<'a> {
    Folder,
    Bucket(&'a Arc<Bucket>),
}

/// A file that bytes are put into.
pub(super) enum Writing {
    Folder(folder::Appending),
    Bucket(Box<Filling>),
}

/// What opening for writing found.
pub(super) enum Begun {
    /// It goes on with these bytes, which are to be written first.
    Ready(Writing, Vec<u8>),
    /// There were fewer bytes than counted. Fewer count now.
    Shorter,
}

/// Where a file is of which so much counts.
pub(super) async fn of(app: &App, id: FileId, received_bytes: u64) -> Result<Place<'_>, Error> {
    let is_in_bucket = match received_bytes {
        0 => app.files.bucket.is_some(),
        _ => app.store.last_piece(id).await?.is_some(),
    };
    match (is_in_bucket, &app.files.bucket) {
        (false, _) => Ok(Place::Folder),
        (true, Some(bucket)) => Ok(Place::Bucket(bucket)),
        (true, None) => {
            tracing::error!(file = %id, "a file is in a bucket, but FILES_S3_… is not set any more");
            Err(Error::StorageUnavailable)
        }
    }
}

/// Opens a file to go on at `at`, up to where it counts.
pub(super) async fn begin(app: &App, id: FileId, at: u64) -> Result<Begun, Error> {
    match of(app, id, at).await? {
        Place::Folder => match app.files.folder.append(id, at).await.map_err(disk_error)? {
            Opened::Ready(appending) => Ok(Begun::Ready(Writing::Folder(appending), Vec::new())),
            Opened::Shorter { len } => {
                tracing::error!(file = %id, counted = at, found = len, "bytes of a file are missing");
                app.store.receive_file(id, at.cast_signed(), len.cast_signed()).await?;
                Ok(Begun::Shorter)
            }
        },
        Place::Bucket(bucket) => {
            let last = app.store.last_piece(id).await?;
            Ok(match Filling::begin(app, Arc::clone(bucket), id, at, last).await? {
                Some((filling, bytes)) => Begun::Ready(Writing::Bucket(Box::new(filling)), bytes),
                None => Begun::Shorter,
            })
        }
    }
}

impl Writing {
    /// How far it is written.
    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Folder(appending) => appending.at(),
            Self::Bucket(filling) => filling.at(),
        }
    }

    /// How much is gathered before it is written.
    pub(super) fn gathers(&self) -> usize {
        match self {
            Self::Folder(_) => pieces::NARROW_BYTES,
            Self::Bucket(filling) => filling.gathers(),
        }
    }

    /// Puts bytes behind what is there, and gives an empty buffer back.
    pub(super) async fn write(&mut self, app: &App, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Folder(appending) => appending.write(bytes).await.map_err(disk_error),
            Self::Bucket(filling) => filling.write(app, bytes).await,
        }
    }

    /// Makes what was written safe and lets it count, if `from` counted before. Whether it did.
    pub(super) async fn count(&mut self, app: &App, id: FileId, from: u64) -> Result<bool, Error> {
        match self {
            Self::Folder(appending) => {
                appending.sync().await.map_err(disk_error)?;
                Ok(app.store.receive_file(id, from.cast_signed(), appending.at().cast_signed()).await?)
            }
            Self::Bucket(filling) => filling.count(app, from).await,
        }
    }
}

impl Files {
    /// Deletes what there is of a file, wherever it is.
    pub(super) async fn delete(&self, id: FileId) {
        if let Err(error) = self.folder.delete(id).await {
            // The walk tries again.
            tracing::warn!(%error, file = %id, "a file could not be deleted");
        }
        if let Some(bucket) = &self.bucket
            && let Err(error) = pieces::delete(bucket, id).await
        {
            tracing::warn!(%error, file = %id, "a file could not be deleted from the bucket");
        }
    }
}
