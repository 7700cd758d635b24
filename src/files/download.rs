//! Reading a file, whole or a part of it, for members of its room.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use hyper::body::Bytes;

use super::bucket::Bucket;
use super::folder::read_at;
use super::pieces::Pieces;
use super::place::{self, Place};
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::FileId;

/// Read at once, and so kept in memory for each download. Less costs a switch of threads for each piece.
const PIECE_BYTES: u64 = 128 << 10;

/// A file that can be read.
pub struct Download {
    /// Its size.
    pub size_bytes: u64,
    app: App,
    id: FileId,
    source: Source,
}

enum Source {
    /// An empty file was never written.
    Nothing,
    Folder(Arc<File>),
    Bucket(Arc<Bucket>),
}

/// Opens a file. One that is not there, not complete or in a room of others is `file_not_found`: never told apart.
pub async fn open(app: &App, principal: &Principal, id: FileId) -> Result<Download, Error> {
    let row = app.store.readable_file(id, principal.user).await?.ok_or(Error::FileNotFound)?;
    let size_bytes = row.size_bytes.unsigned_abs();
    let source = match size_bytes {
        0 => Source::Nothing,
        _ => match place::of(app, id, size_bytes).await? {
            Place::Folder => Source::Folder(open_in_folder(app, id).await?),
            Place::Bucket(bucket) => Source::Bucket(Arc::clone(bucket)),
        },
    };
    Ok(Download { size_bytes, app: app.clone(), id, source })
}

async fn open_in_folder(app: &App, id: FileId) -> Result<Arc<File>, Error> {
    app.files.folder.read(id).await.map_err(|error| match error.kind() {
        // The database and the folder come from different days: a backup without its files.
        ErrorKind::NotFound => {
            tracing::error!(file = %id, "the bytes of a file are missing");
            Error::FileNotFound
        }
        _ => Error::Internal(Box::new(error)),
    })
}

impl Download {
    /// The bytes from `from` up to and without `to`.
    pub async fn bytes(self, from: u64, to: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, Error> {
        match self.source {
            Source::Nothing => Ok(stream::empty().boxed()),
            Source::Folder(file) => Ok(from_folder(file, from, to).boxed()),
            Source::Bucket(bucket) => Pieces::open(&self.app, bucket, self.id, (from, to)).await,
        }
    }
}

fn from_folder(file: Arc<File>, from: u64, to: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold(from, move |at| {
        let file = Arc::clone(&file);
        async move {
            if at >= to {
                return Ok(None);
            }
            let at_most = usize::try_from(PIECE_BYTES.min(to - at)).expect("a piece fits into memory");
            let piece = read_at(file, at, at_most).await?;
            let next = at + piece.len() as u64;
            Ok(Some((piece.into(), next)))
        }
    })
}
