//! Removing what rooms no longer keep, a little at a time, so that nobody who writes waits: entries beyond a room's retention, and
//! what deleted rooms held.

use super::{Result, Store, in_transaction, on_reader};
use crate::id::RoomId;
use crate::time::Timestamp;

/// Files of removed messages: no longer a message's, and old, so that the next sweep of files takes them.
const RELEASE_FILES: &str = "update files set message_id = null, created_at = 0 where room_id = $1 and message_id in \
                             (select id from messages where room_id = $1 and seq <= $2)";

impl Store {
    /// Rooms that do not keep everything, and for how many days they do: some, in the order of their identifiers.
    pub async fn rooms_that_forget(&self, after: RoomId, limit: i64) -> Result<Vec<(RoomId, i64)>> {
        let sql = "select id, retention_days from rooms where retention_days is not null and id > $1 order by id limit $2";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(after).bind(limit).fetch_all(pool).await?))
    }

    /// Removes the oldest entries of a room that came before `cutoff`, `limit` at most. Returns how many.
    pub async fn forget_entries(&self, room: RoomId, cutoff: Timestamp, limit: i64) -> Result<u64> {
        let sql = "select seq, sent_at from messages where room_id = $1 order by seq limit $2";
        let oldest: Vec<(i64, Timestamp)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(room).bind(limit).fetch_all(pool).await?);
        // Times are those of the server and need not rise strictly: what lies behind a younger entry waits for it.
        let Some((last, _)) = oldest.into_iter().take_while(|(_, sent_at)| *sent_at < cutoff).last() else { return Ok(0) };
        in_transaction!(self, tx => {
            // The room's row first, as everybody else who changes its log does: no two wait for one another.
            let sql = "update rooms set first_seq = $2 where id = $1 and first_seq < $2";
            sqlx::query::<Db>(sql).bind(room).bind(last + 1).execute(&mut *tx).await?;
            let sql = "delete from pins where room_id = $1 and message_id in (select id from messages where room_id = $1 and seq <= $2)";
            sqlx::query::<Db>(sql).bind(room).bind(last).execute(&mut *tx).await?;
            sqlx::query::<Db>(RELEASE_FILES).bind(room).bind(last).execute(&mut *tx).await?;
            let sql = "delete from messages where room_id = $1 and seq <= $2";
            let removed = sqlx::query::<Db>(sql).bind(room).bind(last).execute(&mut *tx).await?.rows_affected();
            tx.commit().await?;
            Ok(removed)
        })
    }

    /// Deleted rooms whose entries are still to be removed.
    pub async fn removed_rooms(&self, limit: i64) -> Result<Vec<RoomId>> {
        let sql = "select room_id from removed_rooms order by room_id limit $1";
        let rows: Vec<(RoomId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(room,)| room).collect())
    }

    /// Removes some of what a deleted room held, `limit` entries at most. Returns whether nothing is left.
    pub async fn purge_room(&self, room: RoomId, limit: i64) -> Result<bool> {
        in_transaction!(self, tx => {
            let sql = "delete from messages where room_id = $1 and seq in \
                       (select seq from messages where room_id = $1 order by seq limit $2)";
            let removed = sqlx::query::<Db>(sql).bind(room).bind(limit).execute(&mut *tx).await?.rows_affected();
            let is_empty = removed.cast_signed() < limit;
            if is_empty {
                let sql = "update files set message_id = null, created_at = 0 where room_id = $1";
                sqlx::query::<Db>(sql).bind(room).execute(&mut *tx).await?;
                sqlx::query::<Db>("delete from removed_rooms where room_id = $1").bind(room).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(is_empty)
        })
    }
}
