//! Receiving a file: announced with its size, then its bytes in as many requests as it takes, each going on where the last one ended.
//! What counts rises only after it is safe where it is kept; what came of a request that breaks off counts too.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::place::{self, Begun, Writing};
use super::space::refuse_without_space;
use super::turns::Turn;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{FileId, RoomId, UserId};
use crate::rooms;
use crate::store::{AddedFile, FileLimits, FileRow, NewFile};

/// Files of one user. Their sizes are added up for each new one, so this bounds that to some milliseconds.
const MAX_FILES_PER_USER: i64 = 10_000;
/// Files of one user of which not everything has come. A message has ten; more would only hold space for others.
const MAX_UNFINISHED_PER_USER: i64 = 20;
/// A request that brings no byte for so long is over. Longer keeps what dead connections hold.
const STALL: Duration = Duration::from_secs(30);
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
    app.files.delete(id).await;
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
    user: UserId,
    size_bytes: u64,
    /// What counts.
    safe_bytes: u64,
    file: Writing,
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
        let Begun::Ready(file, buffer) = place::begin(app, id, offset).await? else { return Err(Error::WrongOffset) };
        let size_bytes = row.size_bytes.unsigned_abs();
        Ok(Self { app: app.clone(), id, user: principal.user, size_bytes, safe_bytes: offset, file, buffer, turn })
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
            if self.buffer.len() >= self.file.gathers() {
                self.write().await?;
            }
            if self.file.at().saturating_sub(self.safe_bytes) >= SAFE_EVERY_BYTES {
                self.keep().await?;
            }
        }
    }

    async fn write(&mut self) -> Result<(), Error> {
        let buffer = std::mem::take(&mut self.buffer);
        self.buffer = self.file.write(&self.app, buffer).await?;
        Ok(())
    }

    /// Makes what was written safe, then lets it count. What could not be written is left out.
    async fn keep(&mut self) -> Result<(), Error> {
        let has_come = self.file.at() + self.buffer.len() as u64;
        let written = if has_come > self.safe_bytes && !self.buffer.is_empty() { self.write().await } else { Ok(()) };
        let at = self.file.at();
        if at > self.safe_bytes {
            if !self.file.count(&self.app, self.id, self.safe_bytes).await? {
                return Err(self.overtaken().await);
            }
            self.safe_bytes = at;
        }
        written
    }

    /// Why it no longer goes on here: the file is gone, or another node received bytes of it.
    async fn overtaken(&self) -> Error {
        match self.app.store.unsent_file(self.id, self.user).await {
            Ok(Some(_)) => Error::WrongOffset,
            Ok(None) => Error::FileNotFound,
            Err(error) => error.into(),
        }
    }

    fn too_large(&self) -> Error {
        Error::FileTooLarge { limit_bytes: self.size_bytes.cast_signed() }
    }
}
