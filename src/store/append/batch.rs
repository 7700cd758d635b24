//! One transaction of many messages. The statements take as many rows as they can, because each costs a round trip; rows come in
//! chunks of a few fixed lengths, so that a connection prepares each statement once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sqlx::QueryBuilder;

use super::plan::{Fate, Found, Plan, plan};
use super::{Appended, Job, NewMessage, Standing};
use crate::id::{RoomId, UserId};
use crate::role::Role;
use crate::store::files::attach_files;
use crate::store::messages::{EntryKind, EntryRow, LoggedRow, entry_columns};
use crate::store::{Databases, Result, RoomKind, StoreError, in_transaction};
use crate::time::Timestamp;

/// Rows of a statement, longest first.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// Takes back what was tied to a message that is not stored after all.
const RELEASE: &str = "update files set message_id = null where room_id = $1 and message_id = $2";

/// A sender's standing and whose it is.
type StandingRow = (RoomId, UserId, Role, bool, Timestamp, RoomKind, bool, i64);

/// Runs a statement over rows in chunks and gathers what it returns. `$query` is made of the text before the rows, the binding of one
/// row, and the text after them.
macro_rules! for_chunks {
    ($tx:ident, $db:ty, $rows:expr => $row:ty, $before:expr, $bind:expr, $after:expr) => {{
        let rows = $rows;
        let mut returned: Vec<$row> = Vec::new();
        for chunk in chunks(rows.len()) {
            let mut query = QueryBuilder::<$db>::new($before);
            query.push_values(&rows[chunk], $bind).push($after);
            returned.extend(query.build_query_as::<$row>().fetch_all(&mut *$tx).await?);
        }
        returned
    }};
}

macro_rules! standings {
    ($tx:ident, $db:ty, $messages:ident) => {{
        let senders: Vec<_> = $messages.iter().map(|message| (message.room, message.sender)).collect::<BTreeSet<_>>().into_iter().collect();
        let before = "select m.room_id, m.user_id, m.role, m.chat_muted, m.last_message_at, r.kind, r.locked, r.slow_mode_s \
                      from members m join rooms r on r.id = m.room_id where (m.room_id, m.user_id) in (";
        let rows = for_chunks!($tx, $db, senders => StandingRow, before, |mut row, (room, user)| {
            row.push_bind(*room).push_bind(*user);
        }, ")");
        rows.into_iter().map(standing).collect()
    }};
}

macro_rules! entries {
    ($tx:ident, $db:ty, $messages:ident) => {{
        let before = concat!("select room_id, ", entry_columns!(), " from messages where (room_id, id) in (");
        let rows = for_chunks!($tx, $db, &$messages => LoggedRow, before, |mut row, message| {
            row.push_bind(message.room).push_bind(message.id);
        }, ")");
        rows.into_iter().map(|row| ((row.room_id, row.entry.id), row.entry)).collect()
    }};
}

macro_rules! count_up {
    ($tx:ident, $db:ty, $added:expr) => {{
        let added: Vec<(RoomId, i64)> = $added.iter().map(|(room, count)| (*room, *count)).collect();
        let after = ") update rooms set last_seq = last_seq + added.entries from added where rooms.id = added.room_id \
                     returning id, last_seq";
        let rows = for_chunks!($tx, $db, added => (RoomId, i64), "with added (room_id, entries) as (", |mut row, (room, count)| {
            row.push_bind(*room).push_bind(*count);
        }, after);
        rows.into_iter().collect()
    }};
}

macro_rules! insert {
    ($tx:ident, $db:ty, $messages:ident, $fates:expr, $firsts:ident) => {{
        let rows = new_rows(&$messages, &$fates, &$firsts);
        let before = "insert into messages (room_id, seq, id, kind, sender, sent_at, body) ";
        let _returned = for_chunks!($tx, $db, rows => (i64,), before, |mut row, (seq, message)| {
            row.push_bind(message.room).push_bind(*seq).push_bind(message.id).push_bind(EntryKind::Message);
            row.push_bind(message.sender).push_bind(message.sent_at).push_bind(message.body.as_slice());
        }, " returning seq");
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
        for (room, user, at) in &plan.paced {
            let sql = "update members set last_message_at = $1 where room_id = $2 and user_id = $3";
            sqlx::query::<Db>(sql).bind(at).bind(room).bind(user).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(answers(&messages, plan, &firsts))
    })
}

/// The lengths of the statements that take so many rows.
fn chunks(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let chunk = CHUNKS.into_iter().find(|chunk| from + chunk <= len)?;
        from += chunk;
        Some(from - chunk..from)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_into_as_few_statements_of_known_lengths_as_possible() {
        let lengths = |len| chunks(len).map(|chunk| chunk.len()).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(3), [1, 1, 1]);
        assert_eq!(lengths(86), [64, 16, 4, 1, 1]);
        assert_eq!(chunks(512).last(), Some(256..512));
    }
}
