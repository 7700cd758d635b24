//! Receiving a file: announced with its size, then its bytes in as many requests as it takes, each going on where the last one ended.
//! What counts rises only after it is safe on the disk; what came of a request that breaks off counts too.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::disk_error;
use super::folder::{Appending, Opened};
use super::space::refuse_without_space;
use super::turns::Turn;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{FileId, RoomId};
use crate::rooms;
use crate::store::{AddedFile, FileLimits, FileRow, NewFile};

/// Files of one user. Their sizes are added up for each new one, so this bounds that to some milliseconds.
const MAX_FILES_PER_USER: i64 = 10_000;
/// Files of one user of which not everything has come. A message has ten; more would only hold space for others.
const MAX_UNFINISHED_PER_USER: i64 = 20;
/// A request that brings no byte for so long is over. Longer keeps what dead connections hold.
const STALL: Duration = Duration::from_secs(30);
/// Written at once. More costs memory for each upload, less a switch of threads for each piece.
const BUFFER_BYTES: usize = 256 << 10;
/// Made safe at the latest after so much: what a killed server makes people send again. Less costs more waiting for the disk.
const SAFE_EVERY_BYTES: u64 = 8 << 20;

/// Announces a file of this size in a room.
pub async fn announce(app: &App, principal: &Principal, room: RoomId, size_bytes: u64) -> Result<FileRow, Error> {
    app.limits.file(principal.user)?;
    rooms::role_of(app, room, principal.user).await?.ok_or(Error::RoomNotFound)?;
    let config = &app.config.files;
    let size_bytes = i64::try_from(size_bytes).ok().filter(|size| *size <= config.max_file_bytes);
    let size_bytes = size_bytes.ok_or(Error::FileTooLarge { limit_bytes: config.max_file_bytes })?;
    refuse_without_space(app, size_bytes).await?;
    app.files.used.add(app, size_bytes).await?;
    let now = app.clock.now();
    let file = NewFile { id: FileId::new(now), room, user: principal.user, size_bytes, created_at: now };
    let limits = FileLimits { bytes: config.max_user_bytes, files: MAX_FILES_PER_USER, unfinished: MAX_UNFINISHED_PER_USER };
    let added = app.store.add_file(&file, &limits).await;
    if !matches!(added, Ok(AddedFile::Added)) {
        app.files.used.subtract(size_bytes);
    }
    match added? {
        AddedFile::Added => Ok(FileRow { id: file.id, size_bytes, received_bytes: 0 }),
        AddedFile::OverQuota => Err(Error::FileQuotaExceeded),
        AddedFile::TooManyUnfinished => Err(Error::TooManyUploads),
    }
}

/// How far a file has come, for who sends it.
pub async fn state(app: &App, principal: &Principal, id: FileId) -> Result<FileRow, Error> {
    app.store.unsent_file(id, principal.user).await?.ok_or(Error::FileNotFound)
}

/// Takes a file back that is in no message.
pub async fn discard(app: &App, principal: &Principal, id: FileId) -> Result<(), Error> {
    let removed = app.store.remove_unsent_file(id, principal.user).await?.ok_or(Error::FileNotFound)?;
    app.files.used.subtract(removed.size_bytes);
    if let Err(error) = app.files.folder.delete(id).await {
        // The sweeper tries again.
        tracing::warn!(%error, file = %id, "a file could not be deleted");
    }
    Ok(())
}

/// Takes the bytes of a file from `offset` on. `announced_bytes` is how many come, where that was said. Goes on to the end when the
/// caller goes away, so that what came is kept.
pub async fn receive<S, B, E>(
    app: &App,
    principal: &Principal,
    id: FileId,
    offset: u64,
    announced_bytes: Option<u64>,
    bytes: S,
) -> Result<FileRow, Error>
where
    S: Stream<Item = Result<B, E>> + Send + Unpin + 'static,
    B: AsRef<[u8]> + Send + 'static,
    E: Send + 'static,
{
    app.limits.file_piece(principal.user)?;
    let upload = Upload::begin(app, principal, id, offset).await?;
    if announced_bytes.is_some_and(|announced| announced > upload.size_bytes - offset) {
        return Err(upload.too_large());
    }
    let (tell, told) = oneshot::channel();
    app.shutdown.spawn(async move {
        let _ = tell.send(upload.take(bytes).await);
    });
    told.await.unwrap_or_else(|_| Err(Error::Internal("receiving a file broke off".into())))
}

/// A file that is being received.
struct Upload {
    app: App,
    id: FileId,
    size_bytes: u64,
    /// What counts.
    safe_bytes: u64,
    file: Appending,
    buffer: Vec<u8>,
    turn: Turn,
}

impl Upload {
    async fn begin(app: &App, principal: &Principal, id: FileId, offset: u64) -> Result<Self, Error> {
        // Looked at before the turn is taken, so that nobody learns of others' files; and read behind it, where nothing moves it.
        state(app, principal, id).await?;
        let turn = app.files.turns.take(id).await.ok_or(Error::UploadBusy)?;
        let row = state(app, principal, id).await?;
        if row.received_bytes.unsigned_abs() != offset {
            return Err(Error::WrongOffset);
        }
        let file = match app.files.folder.append(id, offset).await.map_err(disk_error)? {
            Opened::Ready(file) => file,
            Opened::Shorter { len } => {
                tracing::error!(file = %id, counted = offset, found = len, "bytes of a file are missing");
                let found = i64::try_from(len).unwrap_or(0);
                app.store.receive_file(id, row.received_bytes, found).await?;
                return Err(Error::WrongOffset);
            }
        };
        let size_bytes = row.size_bytes.unsigned_abs();
        Ok(Self { app: app.clone(), id, size_bytes, safe_bytes: offset, file, buffer: Vec::new(), turn })
    }

    async fn take<B: AsRef<[u8]>, E>(mut self, mut bytes: impl Stream<Item = Result<B, E>> + Unpin) -> Result<FileRow, Error> {
        let ended = self.take_all(&mut bytes).await;
        let kept = self.keep().await;
        ended.and(kept)?;
        let (size_bytes, received_bytes) = (self.size_bytes.cast_signed(), self.safe_bytes.cast_signed());
        Ok(FileRow { id: self.id, size_bytes, received_bytes })
    }

    /// Until the last byte, or until no more come: who went away hears nothing anyway, and where a newer request wants the file, or the
    /// server stops, it says how far it is.
    async fn take_all<B, E>(&mut self, bytes: &mut (impl Stream<Item = Result<B, E>> + Unpin)) -> Result<(), Error>
    where
        B: AsRef<[u8]>,
    {
        let shutdown = self.app.shutdown.clone();
        let mut stalled_at = Instant::now() + STALL;
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout_at(stalled_at, bytes.next()) => next.map_err(|_| Error::TimedOut)?,
                () = shutdown.begun() => return Ok(()),
                () = self.turn.wanted() => return Ok(()),
            };
            let Some(Ok(piece)) = next else { return Ok(()) };
            let piece = piece.as_ref();
            if piece.is_empty() {
                continue;
            }
            stalled_at = Instant::now() + STALL;
            if self.file.at() + (self.buffer.len() + piece.len()) as u64 > self.size_bytes {
                return Err(self.too_large());
            }
            self.buffer.extend_from_slice(piece);
            if self.buffer.len() >= BUFFER_BYTES {
                self.write().await?;
            }
            if self.file.at() - self.safe_bytes >= SAFE_EVERY_BYTES {
                self.keep().await?;
            }
        }
    }

    async fn write(&mut self) -> Result<(), Error> {
        let buffer = std::mem::take(&mut self.buffer);
        self.buffer = self.file.write(buffer).await.map_err(disk_error)?;
        Ok(())
    }

    /// Makes what was written safe, then lets it count. What could not be written is left out.
    async fn keep(&mut self) -> Result<(), Error> {
        let written = if self.buffer.is_empty() { Ok(()) } else { self.write().await };
        let at = self.file.at();
        if at > self.safe_bytes {
            self.file.sync().await.map_err(disk_error)?;
            if !self.app.store.receive_file(self.id, self.safe_bytes.cast_signed(), at.cast_signed()).await? {
                return Err(Error::FileNotFound);
            }
            self.safe_bytes = at;
        }
        written
    }

    fn too_large(&self) -> Error {
        Error::FileTooLarge { limit_bytes: self.size_bytes.cast_signed() }
    }
}
