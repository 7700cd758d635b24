//! Reading a file, whole or a part of it, for members of its room.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use futures_util::{Stream, stream};

use super::folder::read_at;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::FileId;

/// Read at once, and so kept in memory for each download. Less costs a switch of threads for each piece.
const PIECE_BYTES: u64 = 128 << 10;

/// A file that can be read.
#[derive(Debug)]
pub struct Download {
    /// Its size.
    pub size_bytes: u64,
    file: Option<Arc<File>>,
}

/// Opens a file. One that is not there, not complete or in a room of others is `file_not_found`: never told apart.
pub async fn open(app: &App, principal: &Principal, id: FileId) -> Result<Download, Error> {
    let row = app.store.readable_file(id, principal.user).await?.ok_or(Error::FileNotFound)?;
    let size_bytes = row.size_bytes.unsigned_abs();
    // An empty file was never written.
    if size_bytes == 0 {
        return Ok(Download { size_bytes, file: None });
    }
    match app.files.folder.read(id).await {
        Ok(file) => Ok(Download { size_bytes, file: Some(file) }),
        // The database and the folder come from different days: a backup without its files.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::error!(file = %id, "the bytes of a file are missing");
            Err(Error::FileNotFound)
        }
        Err(error) => Err(Error::Internal(Box::new(error))),
    }
}

impl Download {
    /// The bytes from `from` up to and without `to`.
    pub fn bytes(self, from: u64, to: u64) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
        stream::try_unfold((self.file, from), move |(file, at)| async move {
            let Some(file) = file.filter(|_| at < to) else { return Ok(None) };
            let at_most = usize::try_from(PIECE_BYTES.min(to - at)).expect("a piece fits into memory");
            let piece = read_at(Arc::clone(&file), at, at_most).await?;
            let next = at + piece.len() as u64;
            Ok(Some((piece, (Some(file), next))))
        })
    }
}
