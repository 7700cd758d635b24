//! One transaction of many messages. The statements take as many rows as they can, because each costs a round trip.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Fate, Found, Plan, plan};
use super::{Appended, Job, NewMessage, Standing};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::store::chunks::{execute_chunks, fetch_chunks};
use crate::store::files::attach_files;
use crate::store::messages::{EntryKind, EntryRow, LoggedRow};
use crate::store::{Databases, Result, RoomKind, StoreError, in_transaction};
use crate::time::Timestamp;

/// Takes back what was tied to a message that is not stored after all.
const RELEASE: &str = "update files set message_id = null where room_id = $1 and message_id = $2";

/// A sender's standing and whose it is.
type StandingRow = (RoomId, UserId, Role, bool, Timestamp, RoomKind, bool, i64);

// The wanted rows are a table to join with, because PostgreSQL takes `in ((…), (…))` for a chain of conditions to be tried on each row it
// reads. `cross join` keeps SQLite from reading the large table first.

/// Holds the rooms' rows until the end of the transaction, in the order of their identifiers so that two batches never wait for each
/// other. Whoever removes, bans, mutes or locks changes the same rows first: a standing read after this is the one that counts.
macro_rules! hold_rooms {
    ($tx:ident, $db:ty, $messages:ident) => {{
        // SQLite has one writer, which has the whole database.
        if <$db as sqlx::Database>::NAME == <sqlx::Postgres as sqlx::Database>::NAME {
            let rooms: Vec<_> = $messages.iter().map(|message| message.room).collect::<BTreeSet<_>>().into_iter().collect();
            let after = ") select r.id from wanted cross join rooms r where r.id = wanted.room_id order by r.id for no key update of r";
            let _rooms = fetch_chunks!($tx, $db, rooms => (RoomId,), "with wanted (room_id) as (", |mut row, room| {
                row.push_bind(*room);
            }, after);
        }
    }};
}

macro_rules! standings {
    ($tx:ident, $db:ty, $messages:ident) => {{
        let senders: Vec<_> =
            $messages.iter().map(|message| (message.room, message.sender)).collect::<BTreeSet<_>>().into_iter().collect();
        let after = ") select m.room_id, m.user_id, m.role, m.chat_muted, m.last_message_at, r.kind, r.locked, r.slow_mode_s \
                     from wanted cross join members m cross join rooms r \
                     where m.room_id = wanted.room_id and m.user_id = wanted.user_id and r.id = wanted.room_id";
        let rows = fetch_chunks!($tx, $db, senders => StandingRow, "with wanted (room_id, user_id) as (", |mut row, (room, user)| {
            row.push_bind(*room).push_bind(*user);
        }, after);
        rows.into_iter().map(standing).collect()
    }};
}

macro_rules! entries {
    ($tx:ident, $db:ty, $messages:ident) => {{
        let after = ") select m.room_id, m.seq, m.id, m.kind, m.sender, m.sent_at, m.body, m.target \
                     from wanted cross join messages m where m.room_id = wanted.room_id and m.id = wanted.message_id";
        let rows = fetch_chunks!($tx, $db, &$messages => LoggedRow, "with wanted (room_id, message_id) as (", |mut row, message| {
            row.push_bind(message.room).push_bind(message.id);
        }, after);
        rows.into_iter().map(|row| ((row.room_id, row.entry.id), row.entry)).collect()
    }};
}

macro_rules! count_up {
    ($tx:ident, $db:ty, $added:expr) => {{
        let added: Vec<(RoomId, i64)> = $added.iter().map(|(room, count)| (*room, *count)).collect();
        // By the list, and not by joining it: for a long one SQLite would rather read all rooms, while they are few.
        let after = ") update rooms set last_seq = last_seq + (select entries from added where added.room_id = rooms.id) \
                     where id in (select room_id from added) returning id, last_seq";
        let rows = fetch_chunks!($tx, $db, added => (RoomId, i64), "with added (room_id, entries) as (", |mut row, (room, count)| {
            row.push_bind(*room).push_bind(*count);
        }, after);
        rows.into_iter().collect()
    }};
}

macro_rules! insert {
    ($tx:ident, $db:ty, $messages:ident, $fates:expr, $firsts:ident) => {{
        let rows = new_rows(&$messages, &$fates, &$firsts);
        let before = "insert into messages (room_id, seq, id, kind, sender, sent_at, body) ";
        execute_chunks!($tx, $db, rows, before, |mut row, (seq, message)| {
            row.push_bind(message.room).push_bind(*seq).push_bind(message.id).push_bind(EntryKind::Message);
            row.push_bind(message.sender).push_bind(message.sent_at).push_bind(message.body.as_slice());
        });
    }};
}

/// Ties files to the messages that are to be added, and plans again without those whose files cannot be sent.
macro_rules! plan_with_files {
    ($tx:ident, $messages:ident, $batch:ident, $found:ident) => {{
        let mut attached = vec![false; $messages.len()];
        let plan = loop {
            let plan = plan($batch.iter().map(|job| (&job.message, job.judge)), $found.clone());
            let Some(index) = plan.first_with_files(&$messages, &attached) else { break plan };
            let message = $messages[index];
            attached[index] = attach_files!($tx, message.room, message.sender, message.id, &message.files);
            $found.files_fit[index] = attached[index];
            if !attached[index] {
                sqlx::query::<Db>(RELEASE).bind(message.room).bind(message.id).execute(&mut *$tx).await?;
            }
        };
        for (index, message) in $messages.iter().enumerate() {
            if attached[index] && !matches!(plan.fates[index], Fate::Add(_)) {
                sqlx::query::<Db>(RELEASE).bind(message.room).bind(message.id).execute(&mut *$tx).await?;
            }
        }
        plan
    }};
}

/// Stores a batch; one answer for each message, in its order.
pub(super) async fn append(databases: &Databases, batch: &[Job]) -> Result<Vec<Appended>> {
    let messages: Vec<&NewMessage> = batch.iter().map(|job| &job.message).collect();
    in_transaction!(databases, tx => {
        hold_rooms!(tx, Db, messages);
        let mut found = Found {
            standings: standings!(tx, Db, messages),
            entries: entries!(tx, Db, messages),
            files_fit: vec![true; messages.len()],
        };
        let plan = plan_with_files!(tx, messages, batch, found);
        if plan.added.is_empty() {
            tx.rollback().await?;
            return Ok(answers(&messages, plan, &BTreeMap::new()));
        }
        let last_seqs: BTreeMap<RoomId, i64> = count_up!(tx, Db, plan.added);
        let firsts = firsts(&plan.added, &last_seqs)?;
        insert!(tx, Db, messages, plan.fates, firsts);
        for ((room, user), at) in &plan.paced {
            let sql = "update members set last_message_at = $1 where room_id = $2 and user_id = $3";
            sqlx::query::<Db>(sql).bind(at).bind(room).bind(user).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(answers(&messages, plan, &firsts))
    })
}

fn standing(
    (room, user, role, chat_muted, last_message_at, kind, locked, slow_mode_s): StandingRow,
) -> ((RoomId, UserId), Standing) {
    ((room, user), Standing { kind, role, chat_muted, locked, slow_mode_s, last_message_at })
}

/// The first new number of each room.
fn firsts(added: &BTreeMap<RoomId, i64>, last_seqs: &BTreeMap<RoomId, i64>) -> Result<BTreeMap<RoomId, i64>> {
    let first = |(room, count): (&RoomId, &i64)| Some((*room, last_seqs.get(room)? - count + 1));
    // A room deleted since its members were looked up: the batch is tried again one by one.
    added.iter().map(|added| first(added).ok_or(StoreError::Database(sqlx::Error::RowNotFound))).collect()
}

fn new_rows<'a>(messages: &[&'a NewMessage], fates: &[Fate], firsts: &BTreeMap<RoomId, i64>) -> Vec<(i64, &'a NewMessage)> {
    let new = messages.iter().zip(fates).filter_map(|(message, fate)| match fate {
        Fate::Add(nth) => Some((firsts[&message.room] + nth - 1, *message)),
        Fate::SameAs(_) | Fate::Settled(_) => None,
    });
    new.collect()
}

fn answers(messages: &[&NewMessage], plan: Plan, firsts: &BTreeMap<RoomId, i64>) -> Vec<Appended> {
    let mut answers: Vec<Appended> = Vec::with_capacity(plan.fates.len());
    for (message, fate) in messages.iter().zip(plan.fates) {
        let answer = match fate {
            Fate::Add(nth) => {
                let first = firsts[&message.room];
                let is_last = plan.added[&message.room] == nth;
                Appended::New { entry: entry(message, first + nth - 1), since: is_last.then_some(first) }
            }
            Fate::SameAs(index) => match &answers[index] {
                Appended::New { entry, .. } => Appended::Before(entry.clone()),
                other => other.clone(),
            },
            Fate::Settled(appended) => appended,
        };
        answers.push(answer);
    }
    answers
}

fn entry(message: &NewMessage, seq: i64) -> EntryRow {
    EntryRow {
        seq,
        id: message.id,
        kind: EntryKind::Message,
        sender: message.sender,
        sent_at: message.sent_at,
        body: Some(message.body.clone()),
        target: None,
    }
}
