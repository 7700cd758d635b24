//! The log of a room: entries numbered from 1 without gaps. Reading pages of it, deleting a message's body, pinning. New messages come
//! by `append`. Bodies are opaque here.

use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::append::{Judge, NewMessage, Pending};
use super::audit::{AuditEntry, record};
use super::files::detach_files;
use super::{Result, Store, in_transaction, on_reader};
use crate::id::{MessageId, RoomId, UserId};
use crate::time::Timestamp;

/// The columns of an [`EntryRow`].
macro_rules! entry_columns {
    () => {
        "seq, id, kind, sender, sent_at, body, target"
    };
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EntryKind {
    /// A message; without a body once deleted.
    Message,
    /// Its target was deleted.
    Deletion,
    /// Its target was pinned.
    Pin,
    /// Its target is no longer pinned.
    Unpin,
}

impl EntryKind {
    /// Whether somebody wrote it.
    pub fn has_body(self) -> bool {
        self == Self::Message
    }
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EntryRow {
    /// Its place in the room.
    pub seq: i64,
    /// Its identifier, unique in the room.
    pub id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// Who wrote, deleted or pinned.
    pub sender: UserId,
    /// When it came.
    pub sent_at: Timestamp,
    /// Opaque.
    pub body: Option<Vec<u8>>,
    /// What a deletion or a pin is about.
    pub target: Option<MessageId>,
}

/// An entry and the room it is in.
#[derive(FromRow)]
pub(super) struct LoggedRow {
    pub(super) room_id: RoomId,
    #[sqlx(flatten)]
    pub(super) entry: EntryRow,
}

/// Which entries to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The newest before this number.
    Before(i64),
    /// The oldest after this number.
    After(i64),
}

/// The most of one page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Which entries.
    pub range: Range,
    /// How many.
    pub limit: i64,
    /// Bytes of bodies; at least one entry is read anyway.
    pub max_bytes: usize,
}

/// What became of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The body is gone; this says so in the log.
    Deleted(EntryRow),
    /// No such message, or it was deleted before.
    NotFound,
}

/// What became of a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Done; this says so in the log.
    Changed(EntryRow),
    /// No such message, or it was deleted; or it was not pinned.
    NotFound,
    /// It was pinned before.
    Before,
    /// The room has as many pins as allowed.
    TooMany,
}

/// A pinned message.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PinRow {
    /// The message.
    #[sqlx(flatten)]
    pub entry: EntryRow,
    /// By whom.
    pub pinned_by: UserId,
    /// When.
    pub pinned_at: Timestamp,
}

/// An entry that is no message.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// In which room.
    pub room: RoomId,
    /// The entry's own identifier.
    pub id: MessageId,
    /// Whose act.
    pub actor: UserId,
    /// The message it is about.
    pub target: MessageId,
    /// When.
    pub at: Timestamp,
}

/// Adds an entry that is no message to a log whose room was counted up in the same transaction.
macro_rules! log_act {
    ($tx:ident, $act:ident, $kind:expr, $seq:expr) => {{
        let sql = concat!(
            "insert into messages (room_id, seq, id, kind, sender, sent_at, target) values ($1, $2, $3, $4, $5, $6, $7) returning ",
            entry_columns!()
        );
        sqlx::query_as::<Db, EntryRow>(sql)
            .bind($act.room)
            .bind($seq)
            .bind($act.id)
            .bind($kind)
            .bind($act.actor)
            .bind($act.at)
            .bind($act.target)
            .fetch_one(&mut *$tx)
            .await?
    }};
}

/// The number of the next entry; locks the room's row, so that numbers have no gaps.
const NEXT_SEQ: &str = "update rooms set last_seq = last_seq + 1 where id = $1 returning last_seq";
const LIVING: &str = "select seq from messages where room_id = $1 and id = $2 and kind = 'message' and body is not null";

impl Store {
    /// Queues a message for the next transaction of its room's writer. What one caller queues in order is stored in order.
    pub fn append(&self, message: NewMessage, judge: Judge) -> Result<Pending> {
        self.appending.queue(message, judge)
    }

    /// Some entries of a room, in ascending order.
    pub async fn entries(&self, room: RoomId, page: Page) -> Result<Vec<EntryRow>> {
        let (sql, bound) = match page.range {
            Range::Before(seq) => (
                concat!("select ", entry_columns!(), " from messages where room_id = $1 and seq < $2 order by seq desc limit $3"),
                seq,
            ),
            Range::After(seq) => (
                concat!("select ", entry_columns!(), " from messages where room_id = $1 and seq > $2 order by seq limit $3"),
                seq,
            ),
        };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        on_reader!(self, pool => {
            let mut rows = sqlx::query_as::<Db, EntryRow>(sql).bind(room).bind(bound).bind(page.limit).fetch(pool);
            while let Some(entry) = rows.try_next().await? {
                bytes += entry.body.as_ref().map_or(0, Vec::len);
                if bytes > page.max_bytes && !entries.is_empty() {
                    break;
                }
                entries.push(entry);
            }
        });
        if let Range::Before(_) = page.range {
            entries.reverse();
        }
        Ok(entries)
    }

    /// One entry.
    pub async fn entry(&self, room: RoomId, id: MessageId) -> Result<Option<EntryRow>> {
        let sql = concat!("select ", entry_columns!(), " from messages where room_id = $1 and id = $2");
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, EntryRow>(sql).bind(room).bind(id).fetch_optional(pool).await?))
    }

    /// Removes a message's body and its pin; what remains says that it was deleted. Its files are no longer a message's.
    pub async fn delete_message(&self, act: Act, audit: Option<&AuditEntry>) -> Result<Deletion> {
        in_transaction!(self, tx => {
            let next: Option<(i64,)> = sqlx::query_as::<Db, _>(NEXT_SEQ).bind(act.room).fetch_optional(&mut *tx).await?;
            let sql = "update messages set body = null where room_id = $1 and id = $2 and kind = 'message' and body is not null";
            let emptied = sqlx::query::<Db>(sql).bind(act.room).bind(act.target).execute(&mut *tx).await?.rows_affected();
            let Some((seq,)) = next.filter(|_| emptied == 1) else {
                tx.rollback().await?;
                return Ok(Deletion::NotFound);
            };
            let entry = log_act!(tx, act, EntryKind::Deletion, seq);
            let sql = "delete from pins where room_id = $1 and message_id = $2";
            sqlx::query::<Db>(sql).bind(act.room).bind(act.target).execute(&mut *tx).await?;
            detach_files!(tx, act.room, act.target);
            record!(tx, audit.as_slice());
            tx.commit().await?;
            Ok(Deletion::Deleted(entry))
        })
    }

    /// Pins a message, unless the room has `max_pins`.
    pub async fn pin(&self, act: Act, max_pins: i64, audit: Option<&AuditEntry>) -> Result<Pin> {
        in_transaction!(self, tx => {
            let next: Option<(i64,)> = sqlx::query_as::<Db, _>(NEXT_SEQ).bind(act.room).fetch_optional(&mut *tx).await?;
            let living: Option<(i64,)> =
                sqlx::query_as::<Db, _>(LIVING).bind(act.room).bind(act.target).fetch_optional(&mut *tx).await?;
            let Some((seq,)) = next.filter(|_| living.is_some()) else {
                tx.rollback().await?;
                return Ok(Pin::NotFound);
            };
            let sql = "insert into pins (room_id, message_id, pinned_by, pinned_at) values ($1, $2, $3, $4) on conflict do nothing";
            let pinned = sqlx::query::<Db>(sql).bind(act.room).bind(act.target).bind(act.actor).bind(act.at);
            let pinned = pinned.execute(&mut *tx).await?.rows_affected();
            let sql = "select count(*) from pins where room_id = $1";
            let (count,): (i64,) = sqlx::query_as::<Db, _>(sql).bind(act.room).fetch_one(&mut *tx).await?;
            if pinned == 0 || count > max_pins {
                tx.rollback().await?;
                return Ok(if pinned == 0 { Pin::Before } else { Pin::TooMany });
            }
            let entry = log_act!(tx, act, EntryKind::Pin, seq);
            record!(tx, audit.as_slice());
            tx.commit().await?;
            Ok(Pin::Changed(entry))
        })
    }

    /// Unpins a message.
    pub async fn unpin(&self, act: Act, audit: Option<&AuditEntry>) -> Result<Pin> {
        in_transaction!(self, tx => {
            let next: Option<(i64,)> = sqlx::query_as::<Db, _>(NEXT_SEQ).bind(act.room).fetch_optional(&mut *tx).await?;
            let sql = "delete from pins where room_id = $1 and message_id = $2";
            let unpinned = sqlx::query::<Db>(sql).bind(act.room).bind(act.target).execute(&mut *tx).await?.rows_affected();
            let Some((seq,)) = next.filter(|_| unpinned == 1) else {
                tx.rollback().await?;
                return Ok(Pin::NotFound);
            };
            let entry = log_act!(tx, act, EntryKind::Unpin, seq);
            record!(tx, audit.as_slice());
            tx.commit().await?;
            Ok(Pin::Changed(entry))
        })
    }

    /// The pinned messages of a room, the latest pin first. Their number is bounded where they are pinned.
    pub async fn pins(&self, room: RoomId) -> Result<Vec<PinRow>> {
        let sql = "select m.seq, m.id, m.kind, m.sender, m.sent_at, m.body, m.target, p.pinned_by, p.pinned_at \
                   from pins p join messages m on m.room_id = p.room_id and m.id = p.message_id \
                   where p.room_id = $1 order by p.pinned_at desc, m.seq desc";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, PinRow>(sql).bind(room).fetch_all(pool).await?))
    }
}
