//! Files that people send: their sizes and whose they are. The bytes are kept elsewhere (`files::Folder`); here stands what of them
//! counts. A file that must go has no message and `created_at` 0: nobody finds it from then on, and the sweeper, which goes by
//! `created_at`, takes it first.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{FileId, MessageId, RoomId, UserId};
use crate::time::Timestamp;

/// Files of one message. More would make a message a folder; the statement that ties them has a place for each.
pub const MAX_FILES_PER_MESSAGE: usize = 10;

/// Ties complete files, that are the sender's, of this room and in no message yet, to a message. Places without a file repeat one.
pub(super) const ATTACH: &str = "update files set message_id = $1 where room_id = $2 and user_id = $3 and message_id is null \
                                 and received_bytes = size_bytes and created_at > 0 \
                                 and id in ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// Lets the files of a message go.
pub(super) const DETACH: &str =
    "update files set message_id = null, created_at = 0 where room_id = $1 and message_id = $2 returning id";

/// Counts bytes of a file that is still to come, if so many counted before.
pub(super) const RECEIVE: &str = "update files set received_bytes = $1 \
                                  where id = $2 and received_bytes = $3 and size_bytes >= $1 and message_id is null and created_at > 0";

/// In a transaction: ties files to a message. Whether all of them could be; if not, the transaction must be rolled back.
macro_rules! attach_files {
    ($tx:expr, $room:expr, $sender:expr, $message:expr, $files:expr) => {{
        let files: &$crate::store::FileSet = $files;
        match files.places() {
            None => true,
            Some(places) => {
                let mut query = sqlx::query::<Db>($crate::store::files::ATTACH).bind($message).bind($room).bind($sender);
                for file in places {
                    query = query.bind(file);
                }
                query.execute(&mut *$tx).await?.rows_affected() == files.len()
            }
        }
    }};
}

/// In a transaction: lets the files of a message go. Which they were.
macro_rules! detach_files {
    ($tx:expr, $room:expr, $message:expr) => {{
        let gone: Vec<($crate::id::FileId,)> =
            sqlx::query_as::<Db, _>($crate::store::files::DETACH).bind($room).bind($message).fetch_all(&mut *$tx).await?;
        gone
    }};
}

pub(super) use {attach_files, detach_files};

/// The files of one message: each once, and not too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSet(Vec<FileId>);

impl FileSet {
    /// Nothing when there are too many.
    pub fn new(mut ids: Vec<FileId>) -> Option<Self> {
        ids.sort_unstable();
        ids.dedup();
        (ids.len() <= MAX_FILES_PER_MESSAGE).then_some(Self(ids))
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One for each place of [`ATTACH`].
    pub(super) fn places(&self) -> Option<[FileId; MAX_FILES_PER_MESSAGE]> {
        let first = *self.0.first()?;
        Some(std::array::from_fn(|at| self.0.get(at).copied().unwrap_or(first)))
    }
}

/// A file that is about to come.
#[derive(Clone, Copy, Debug)]
pub struct NewFile {
    /// The identifier.
    pub id: FileId,
    /// To which room it belongs.
    pub room: RoomId,
    /// Who sends it.
    pub user: UserId,
    /// How many bytes will come.
    pub size_bytes: i64,
    /// When it was announced.
    pub created_at: Timestamp,
}

/// How much a user may have.
#[derive(Clone, Copy, Debug)]
pub struct FileLimits {
    /// Bytes in all.
    pub bytes: i64,
    /// Files in all.
    pub files: i64,
    /// Files of which not everything has come.
    pub unfinished: i64,
}

/// What became of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedFile {
    /// It may come.
    Added,
    /// The user would have more bytes or files than allowed.
    OverQuota,
    /// The user has as many unfinished files as allowed.
    TooManyUnfinished,
}

/// A stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct FileRow {
    /// The identifier.
    pub id: FileId,
    /// How many bytes it has.
    pub size_bytes: i64,
    /// How many of them are here and safe.
    pub received_bytes: i64,
}

/// A file that was taken out of the database, whose bytes are to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct RemovedFile {
    /// The identifier.
    pub id: FileId,
    /// How many bytes it counted for.
    pub size_bytes: i64,
}

/// One file of a walk over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct WalkedFile {
    /// The identifier.
    pub id: FileId,
    /// 1 when its room or its message is gone.
    pub lost: i32,
}

impl Store {
    /// Adds a file, unless the user has as much as allowed. On PostgreSQL additions at the same moment may exceed that by their number.
    pub async fn add_file(&self, file: &NewFile, limits: &FileLimits) -> Result<AddedFile> {
        in_transaction!(self, tx => {
            // PostgreSQL's sum is no integer of 64 bits by itself.
            let (files, bytes, unfinished): (i64, i64, i64) = sqlx::query_as::<Db, _>(
                "select count(*), cast(coalesce(sum(size_bytes), 0) as bigint), \
                 count(case when received_bytes < size_bytes then 1 end) from files where user_id = $1",
            )
            .bind(file.user)
            .fetch_one(&mut *tx)
            .await?;
            if files >= limits.files || bytes.saturating_add(file.size_bytes) > limits.bytes {
                tx.rollback().await?;
                return Ok(AddedFile::OverQuota);
            }
            if unfinished >= limits.unfinished {
                tx.rollback().await?;
                return Ok(AddedFile::TooManyUnfinished);
            }
            sqlx::query::<Db>(
                "insert into files (id, room_id, user_id, size_bytes, received_bytes, created_at) values ($1, $2, $3, $4, 0, $5)",
            )
            .bind(file.id)
            .bind(file.room)
            .bind(file.user)
            .bind(file.size_bytes)
            .bind(file.created_at)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        Ok(AddedFile::Added)
    }

    /// A file in no message yet, for who sends it, as long as they are a member of its room.
    pub async fn unsent_file(&self, id: FileId, user: UserId) -> Result<Option<FileRow>> {
        let sql = "select f.id, f.size_bytes, f.received_bytes from files f \
                   join members m on m.room_id = f.room_id and m.user_id = f.user_id \
                   where f.id = $1 and f.user_id = $2 and f.message_id is null and f.created_at > 0";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, FileRow>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// A complete file, for members of its room; one in no message yet for who sends it only.
    pub async fn readable_file(&self, id: FileId, user: UserId) -> Result<Option<FileRow>> {
        let sql = "select f.id, f.size_bytes, f.received_bytes from files f \
                   join members m on m.room_id = f.room_id and m.user_id = $2 \
                   where f.id = $1 and f.received_bytes = f.size_bytes and f.created_at > 0 \
                   and (f.message_id is not null or f.user_id = $2)";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, FileRow>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// Counts bytes that are safe, if so many counted before. Returns whether they did and the file is still to come.
    pub async fn receive_file(&self, id: FileId, from_bytes: i64, to_bytes: i64) -> Result<bool> {
        let rows = on_writer!(self, pool => {
            sqlx::query::<Db>(RECEIVE).bind(to_bytes).bind(id).bind(from_bytes).execute(pool).await?.rows_affected()
        });
        Ok(rows == 1)
    }

    /// Removes a file that is in no message, for who sends it.
    pub async fn remove_unsent_file(&self, id: FileId, user: UserId) -> Result<Option<RemovedFile>> {
        let sql = "delete from files where id = $1 and user_id = $2 and message_id is null and created_at > 0 \
                   returning id, size_bytes";
        Ok(on_writer!(self, pool => sqlx::query_as::<Db, RemovedFile>(sql).bind(id).bind(user).fetch_optional(pool).await?))
    }

    /// Ties complete files, that are the sender's, of this room and in no message yet, to a message: all or none. Whether it did.
    pub async fn attach_files(&self, room: RoomId, sender: UserId, message: MessageId, files: &FileSet) -> Result<bool> {
        in_transaction!(self, tx => {
            if !attach_files!(tx, room, sender, message, files) {
                tx.rollback().await?;
                return Ok(false);
            }
            tx.commit().await?;
        });
        Ok(true)
    }

    /// Lets the files of a message go: from now on nobody finds them, and the sweeper removes them. How many they were.
    pub async fn detach_files(&self, room: RoomId, message: MessageId) -> Result<usize> {
        in_transaction!(self, tx => {
            let gone = detach_files!(tx, room, message);
            tx.commit().await?;
            Ok(gone.len())
        })
    }

    /// Removes some files in no message that were announced no later than `until`, the oldest first.
    pub async fn remove_due_files(&self, until: Timestamp, at_most: i64) -> Result<Vec<RemovedFile>> {
        let sql = "delete from files where id in (select id from files where message_id is null and created_at <= $1 \
                   order by created_at limit $2) and message_id is null returning id, size_bytes";
        Ok(on_writer!(self, pool => sqlx::query_as::<Db, RemovedFile>(sql).bind(until).bind(at_most).fetch_all(pool).await?))
    }

    /// The next files behind `after`, by identifier, and whether their room or message is gone.
    pub async fn walk_files(&self, after: FileId, at_most: i64) -> Result<Vec<WalkedFile>> {
        // Joined, and not asked for by `exists`: PostgreSQL would read all rooms to answer a page of those.
        let sql = "select f.id, case when r.id is null or (f.message_id is not null and m.id is null) then 1 else 0 end as lost \
                   from (select id, room_id, message_id from files where id > $1 order by id limit $2) f \
                   left join rooms r on r.id = f.room_id \
                   left join messages m on m.room_id = f.room_id and m.id = f.message_id and m.body is not null \
                   order by f.id";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, WalkedFile>(sql).bind(after).bind(at_most).fetch_all(pool).await?))
    }

    /// Lets one file go, whatever it is tied to.
    pub async fn let_file_go(&self, id: FileId) -> Result<()> {
        let sql = "update files set message_id = null, created_at = 0 where id = $1";
        on_writer!(self, pool => sqlx::query::<Db>(sql).bind(id).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Whether there is a file of this identifier.
    pub async fn has_file(&self, id: FileId) -> Result<bool> {
        let sql = "select id from files where id = $1";
        let row: Option<(FileId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(id).fetch_optional(pool).await?);
        Ok(row.is_some())
    }

    /// How many files there are, and the bytes that they count for. Reads all of them: for the start.
    pub async fn files_totals(&self) -> Result<(i64, i64)> {
        let sql = "select count(*), cast(coalesce(sum(size_bytes), 0) as bigint) from files";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).fetch_one(pool).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_each_file_once_and_ten_at_most() {
        let id = |number: u8| FileId::from_bytes([number; 16]);
        let set = FileSet::new(vec![id(2), id(1), id(2)]).unwrap();
        assert_eq!(set.len(), 2);
        assert_eq!(set.places().unwrap()[..3], [id(1), id(2), id(1)]);
        assert_eq!(FileSet::new(vec![]).unwrap().places(), None);
        assert!(FileSet::new((0..10).map(id).collect()).is_some());
        assert!(FileSet::new((0..11).map(id).collect()).is_none());
    }
}
