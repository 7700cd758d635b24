//! Files in a bucket. A file is a row of pieces, each an object `files/<2 hex>/<file>/<piece>` that is written once and never changed;
//! which of them make up the file stands in the database (`store::pieces`). Bytes that are acknowledged are in objects that count, so
//! they are there after a crash, and for every node that shares database and bucket; of two nodes that receive the same file at once the
//! database lets one count, and neither touches an object of the other.
//!
//! Not S3's multipart uploads: their parts have five megabytes at least, so what comes in smaller requests would have to wait on one
//! node's disk to be acknowledged; they take names and storage until somebody ends them; and nobody can read them until they are whole.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use hyper::body::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::bucket::{Bucket, BucketError, Reading};
use crate::app::App;
use crate::error::Error;
use crate::id::{FileId, PieceId};
use crate::store::{NewPieces, PieceRow};

/// Gathered in memory before it is written, by those who may gather much ([`super::MAX_WIDE`]). S3 is paid by the request and answers
/// each after a while: less makes large files slow and dear, more costs memory.
const WIDE_BYTES: usize = 4 << 20;
/// Gathered by everybody else, as for the folder. A piece with which a file ends and that is smaller is written again together with
/// what follows, so that a file has no more pieces than this allows, however small the requests.
pub(super) const NARROW_BYTES: usize = 256 << 10;
/// Rows read at once.
const STEP_PIECES: i64 = 64;
/// Objects deleted at once: S3 answers each after a while.
const DELETED_AT_ONCE: usize = 8;
/// A read that breaks off is begun again where it was, so often in a row: stores close connections whose reader is slow.
const MAX_BREAKS: u32 = 3;
/// Above all files. Nothing else in the bucket is touched.
pub(super) const ROOT: &str = "files/";

/// A file that bytes are put into.
pub(super) struct Filling {
    bucket: Arc<Bucket>,
    file: FileId,
    /// Where the next piece begins.
    at: u64,
    /// The piece that counts still, and whose bytes the next one has, too.
    last: Option<PieceId>,
    /// Written, and not counted yet. Bounded by how often the upload counts.
    pending: Vec<PieceRow>,
    wide: Option<OwnedSemaphorePermit>,
}

impl Filling {
    /// Goes on at `at`, behind `last`; with it come the bytes that are written once more. Nothing when those are lost: then fewer bytes
    /// count from now on.
    pub(super) async fn begin(
        app: &App,
        bucket: Arc<Bucket>,
        file: FileId,
        at: u64,
        last: Option<PieceRow>,
    ) -> Result<Option<(Self, Vec<u8>)>, Error> {
        let wide = app.files.wide.clone().try_acquire_owned().ok();
        let filling = |at, last| Self { bucket: Arc::clone(&bucket), file, at, last, pending: Vec::new(), wide };
        let Some(last) = last.filter(|last| last.size_bytes < NARROW_BYTES as i64) else {
            return Ok(Some((filling(at, None), Vec::new())));
        };
        let (begins, size) = (last.at_bytes.unsigned_abs(), last.size_bytes.unsigned_abs());
        match whole(&bucket, &name(file, last.id), size).await {
            Ok(bytes) => Ok(Some((filling(begins, Some(last.id)), bytes))),
            Err(BucketError::Missing) => {
                tracing::error!(%file, piece = %last.id, "bytes of a file are missing in the bucket");
                let new = NewPieces { pieces: &[], instead_of: Some(last.id) };
                app.store.receive_pieces(file, (at.cast_signed(), last.at_bytes), &new).await?;
                Ok(None)
            }
            Err(error) => Err(error.told()),
        }
    }

    /// How far it is written.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// How much is gathered.
    pub(super) fn gathers(&self) -> usize {
        if self.wide.is_some() { WIDE_BYTES } else { NARROW_BYTES }
    }

    /// Writes the next piece.
    pub(super) async fn write(&mut self, app: &App, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let (id, len) = (PieceId::new(app.clock.now()), bytes.len() as u64);
        self.bucket.put(&name(self.file, id), bytes.into()).await.map_err(BucketError::told)?;
        self.pending.push(PieceRow { id, at_bytes: self.at.cast_signed(), size_bytes: len.cast_signed() });
        self.at += len;
        Ok(Vec::new())
    }

    /// Lets what was written count, if `from` counted before. Whether it did.
    pub(super) async fn count(&mut self, app: &App, from: u64) -> Result<bool, Error> {
        let new = NewPieces { pieces: &self.pending, instead_of: self.last };
        // Without an answer it may have been counted, so nothing is deleted: the walk knows.
        let counts = app.store.receive_pieces(self.file, (from.cast_signed(), self.at.cast_signed()), &new).await?;
        let written = self.pending.drain(..).map(|piece| piece.id).collect::<Vec<_>>();
        let gone = if counts { self.last.take().into_iter().collect() } else { written };
        delete_all(&self.bucket, gone.iter().map(|id| name(self.file, *id)).collect()).await;
        Ok(counts)
    }
}

/// A file that is read.
pub(super) struct Pieces {
    app: App,
    bucket: Arc<Bucket>,
    file: FileId,
    at: u64,
    to: u64,
    /// Known, and not read yet.
    next: VecDeque<PieceRow>,
    reading: Option<Reading>,
    breaks: u32,
}

impl Pieces {
    /// The bytes of a file from `from` up to and without `to`. The first ones are on their way when this returns.
    pub(super) async fn open(
        app: &App,
        bucket: Arc<Bucket>,
        file: FileId,
        (from, to): (u64, u64),
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, Error> {
        let app = app.clone();
        let mut pieces = Self { app, bucket, file, at: from, to, next: VecDeque::new(), reading: None, breaks: 0 };
        if from < to {
            pieces.reach().await?;
        }
        Ok(pieces.stream().boxed())
    }

    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::try_unfold(self, |mut pieces| async move {
            let bytes = pieces.read().await.map_err(io::Error::other)?;
            Ok(bytes.map(|bytes| (bytes, pieces)))
        })
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        while self.at < self.to {
            if self.reading.is_none() {
                self.reach().await?;
            }
            match self.reading.as_mut().expect("it was reached").next().await {
                Ok(Some(bytes)) => {
                    self.breaks = 0;
                    self.at += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Ok(None) => self.reading = None,
                Err(error) => {
                    self.reading = None;
                    self.breaks += 1;
                    if self.breaks >= MAX_BREAKS {
                        return Err(error.told());
                    }
                }
            }
        }
        Ok(None)
    }

    /// Begins to read the piece that has the next byte.
    async fn reach(&mut self) -> Result<(), Error> {
        self.next.retain(|piece| end(piece) > self.at);
        if self.next.is_empty() {
            self.next = self.app.store.pieces(self.file, self.at.cast_signed(), STEP_PIECES).await?.into();
        }
        let found = self.next.front().filter(|piece| piece.at_bytes.unsigned_abs() <= self.at && self.at < end(piece));
        // Deleted meanwhile, with its message.
        let piece = found.ok_or(Error::FileNotFound)?;
        let begins = piece.at_bytes.unsigned_abs();
        let range = (self.at - begins, end(piece).min(self.to) - begins);
        let reading = self.bucket.read(&name(self.file, piece.id), range).await;
        if let Err(BucketError::Missing) = reading {
            tracing::error!(file = %self.file, piece = %piece.id, "bytes of a file are missing in the bucket");
        }
        self.reading = Some(reading.map_err(BucketError::told)?);
        Ok(())
    }
}

/// Deletes everything that a file has in the bucket, whether it counts or not.
pub(super) async fn delete(bucket: &Bucket, file: FileId) -> Result<(), BucketError> {
    let prefix = folder(file);
    let mut after = None;
    loop {
        let listed = bucket.list(&prefix, after).await?;
        delete_all(bucket, listed.names).await;
        after = listed.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Deletes objects; what cannot be deleted now is found by the next walk.
pub(super) async fn delete_all(bucket: &Bucket, names: Vec<String>) {
    let deletions = stream::iter(names).map(|name| async move {
        if let Err(error) = bucket.delete(&name).await {
            tracing::warn!(%error, name, "an object could not be deleted");
        }
    });
    deletions.buffer_unordered(DELETED_AT_ONCE).collect::<()>().await;
}

/// The piece of an object of this name; nothing when it is none of ours.
pub(super) fn piece(name: &str) -> Option<PieceId> {
    let (folder, piece) = name.strip_prefix(ROOT)?.rsplit_once('/')?;
    let (_, file) = folder.split_once('/')?;
    let (file, piece): (FileId, PieceId) = (file.parse().ok()?, piece.parse().ok()?);
    (self::name(file, piece) == name).then_some(piece)
}

async fn whole(bucket: &Bucket, name: &str, size_bytes: u64) -> Result<Vec<u8>, BucketError> {
    bucket.read(name, (0, size_bytes)).await?.all().await
}

fn end(piece: &PieceRow) -> u64 {
    (piece.at_bytes + piece.size_bytes).unsigned_abs()
}

/// Spread by the identifier's last byte, which is random, as in the folder: stores that keep objects in folders have many names to look at.
fn folder(file: FileId) -> String {
    format!("{ROOT}{:02x}/{file}/", file.as_bytes()[15])
}

fn name(file: FileId, piece: PieceId) -> String {
    format!("{}{piece}", folder(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_ours_are_those_of_pieces() {
        let (file, id) = (FileId::from_bytes([7; 16]), PieceId::from_bytes([9; 16]));
        let ours = name(file, id);
        assert_eq!(piece(&ours), Some(id));
        for other in [
            ours.to_uppercase(),
            ours.replace("/07/", "/08/"),
            ours.replace("files/", "backup/"),
            ours.replace('-', ""),
            format!("{ours}/x"),
            format!("files/{id}"),
            "files/readme.txt".to_owned(),
            String::new(),
        ] {
            assert_eq!(piece(&other), None, "{other}");
        }
    }
}
