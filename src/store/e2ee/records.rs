//! What users published about their keys, in order, and which of their devices count for it. A record, its place in the log and what it
//! does to the devices are one transaction.

use std::collections::BTreeMap;

use sqlx::FromRow;
use webcall_trust::{Hash, Node, leaf_hash, nodes_of_append};

use super::log::{INSERT_NODE, SELECT_NODE, hash, key};
use super::{Result, Store, in_transaction, on_reader};
use crate::id::{DeviceId, RoomId, SessionId, UserId};
use crate::store::Encryption;

/// The log's row is made by the first record, so that a new database is an empty one.
const BEGIN_LOG: &str = "insert into e2ee_log (name, size) values ('records', 0) on conflict (name) do nothing";
/// Holds the log's row until the commit: records are appended one after the other, on PostgreSQL too.
const LENGTHEN_LOG: &str = "update e2ee_log set size = size + 1 where name = 'records' returning size";

const REMOVE_DEVICE: &str = "delete from e2ee_devices where user_id = $1 and device_id = $2";
/// Those through which the device spoke, but for the one that revokes it.
const END_SESSIONS: &str = "delete from sessions where user_id = $1 and id <> $3 and exists \
                            (select 1 from session_devices d where d.session_id = sessions.id and d.device_id = $2) returning id";

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// Whose.
    pub user: UserId,
    /// How many records the user has before it.
    pub number: i64,
    /// Its bytes.
    pub record: &'a [u8],
    /// What it does.
    pub change: DeviceChange<'a>,
}

/// What a record does to the devices that count.
#[derive(Clone, Copy, Debug)]
pub enum DeviceChange<'a> {
    /// None counts any more: the identity is another. What was kept under the keys of the one before opens nothing any more, and goes with it: it would
    /// look like a way back.
    Clear,
    /// One more.
    Add {
        /// Which.
        device: DeviceId,
        /// Its certificate.
        certificate: &'a [u8],
    },
    /// One less, and all that was kept for it; sessions through which it spoke end.
    Remove {
        /// Which.
        device: DeviceId,
        /// The session that says so: it goes on.
        by: SessionId,
    },
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendedRecord {
    /// It is there, at this place of the log.
    Appended {
        /// From 0.
        leaf: i64,
        /// Sessions that ended with it.
        ended: Vec<SessionId>,
    },
    /// The user has another number of records by now; nothing was appended.
    Moved,
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RecordRow {
    /// Its bytes.
    pub record: Vec<u8>,
    /// Its place in the log.
    pub leaf: i64,
}

impl Store {
    /// Appends a record to a user's and to the log, if the user has as many before it as `new` says.
    pub async fn append_record(&self, new: &NewRecord<'_>) -> Result<AppendedRecord> {
        in_transaction!(self, tx => {
            sqlx::query::<Db>(BEGIN_LOG).execute(&mut *tx).await?;
            let (size,): (i64,) = sqlx::query_as::<Db, _>(LENGTHEN_LOG).fetch_one(&mut *tx).await?;
            let leaf = size - 1;
            let (count,): (i64,) = sqlx::query_as::<Db, _>("select count(*) from e2ee_records where user_id = $1")
                .bind(new.user)
                .fetch_one(&mut *tx)
                .await?;
            if count != new.number {
                tx.rollback().await?;
                return Ok(AppendedRecord::Moved);
            }
            sqlx::query::<Db>("insert into e2ee_records (user_id, number, record, leaf) values ($1, $2, $3, $4)")
                .bind(new.user)
                .bind(new.number)
                .bind(new.record)
                .bind(leaf)
                .execute(&mut *tx)
                .await?;
            let mut ended: Vec<(SessionId,)> = Vec::new();
            match new.change {
                DeviceChange::Clear => {
                    sqlx::query::<Db>("delete from e2ee_backups where user_id = $1").bind(new.user).execute(&mut *tx).await?;
                    sqlx::query::<Db>("delete from e2ee_devices where user_id = $1").bind(new.user).execute(&mut *tx).await?
                }
                DeviceChange::Add { device, certificate } => {
                    sqlx::query::<Db>("insert into e2ee_devices (user_id, device_id, certificate) values ($1, $2, $3)")
                        .bind(new.user)
                        .bind(device)
                        .bind(certificate)
                        .execute(&mut *tx)
                        .await?
                }
                DeviceChange::Remove { device, by } => {
                    ended = sqlx::query_as::<Db, _>(END_SESSIONS).bind(new.user).bind(device).bind(by).fetch_all(&mut *tx).await?;
                    sqlx::query::<Db>(REMOVE_DEVICE).bind(new.user).bind(device).execute(&mut *tx).await?
                }
            };
            let mut known = BTreeMap::new();
            for node in needed(leaf, new.record) {
                let (level, place) = key(node);
                let (bytes,): (Vec<u8>,) =
                    sqlx::query_as::<Db, _>(SELECT_NODE).bind(level).bind(place).fetch_one(&mut *tx).await?;
                known.insert(node, hash(&bytes)?);
            }
            for (node, hash) in nodes_of_append(leaf.unsigned_abs(), leaf_hash(new.record), |node| known[&node]) {
                let (level, place) = key(node);
                sqlx::query::<Db>(INSERT_NODE).bind(level).bind(place).bind(&hash[..]).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(AppendedRecord::Appended { leaf, ended: ended.into_iter().map(|(id,)| id).collect() })
        })
    }

    /// All records of a user in order. Their number is bounded where they are appended.
    pub async fn records(&self, user: UserId) -> Result<Vec<RecordRow>> {
        let sql = "select record, leaf from e2ee_records where user_id = $1 order by number";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, RecordRow>(sql).bind(user).fetch_all(pool).await?))
    }

    /// The certificate of a device that counts.
    pub async fn device_certificate(&self, user: UserId, device: DeviceId) -> Result<Option<Vec<u8>>> {
        let sql = "select certificate from e2ee_devices where user_id = $1 and device_id = $2";
        let row: Option<(Vec<u8>,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(user).bind(device).fetch_optional(pool).await?);
        Ok(row.map(|(certificate,)| certificate))
    }

    /// Everybody with whom a user shares a room, the user included if there is a room at all.
    pub async fn acquaintances(&self, user: UserId) -> Result<Vec<UserId>> {
        let sql = "select distinct b.user_id from members a join members b on b.room_id = a.room_id where a.user_id = $1";
        let rows: Vec<(UserId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(user).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(user,)| user).collect())
    }

    /// Who is a member of a room, if it is encrypted.
    pub async fn members_of_encrypted(&self, room: RoomId) -> Result<Vec<UserId>> {
        let sql = "select m.user_id from rooms r join members m on m.room_id = r.id where r.id = $1 and r.encryption <> $2";
        let open = Encryption::Open;
        let rows: Vec<(UserId,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(room).bind(open).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(user,)| user).collect())
    }

    /// Whether two users are members of one room.
    pub async fn share_a_room(&self, one: UserId, other: UserId) -> Result<bool> {
        let sql = "select a.room_id from members a join members b on b.room_id = a.room_id and b.user_id = $2 \
                   where a.user_id = $1 limit 1";
        self.has_room(sql, one, other).await
    }

    /// Whether a user ever was in the group of a room of which another is a member.
    pub async fn was_in_a_room_of(&self, reader: UserId, user: UserId) -> Result<bool> {
        let sql = "select e.room_id from e2ee_ever_members e join members m on m.room_id = e.room_id and m.user_id = $1 \
                   where e.user_id = $2 limit 1";
        self.has_room(sql, reader, user).await
    }

    /// Whether a query finds a room of two users.
    async fn has_room(&self, sql: &'static str, one: UserId, other: UserId) -> Result<bool> {
        let row: Option<(RoomId,)> =
            on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(one).bind(other).fetch_optional(pool).await?);
        Ok(row.is_some())
    }
}

/// The nodes from which those are made that a leaf at this place completes.
fn needed(leaf: i64, record: &[u8]) -> Vec<Node> {
    let mut needed = Vec::new();
    let _made_of_nothing = nodes_of_append(leaf.unsigned_abs(), leaf_hash(record), |node| {
        needed.push(node);
        Hash::default()
    });
    needed
}
