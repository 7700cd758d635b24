//! What becomes of each message of a batch: pure. Given who may write and what is there already, says which are added, in which order,
//! and why the others are not.

use std::collections::{BTreeMap, HashMap};

use super::{Appended, Judge, NewMessage, Standing};
use crate::id::{MessageId, RoomId, UserId};
use crate::store::messages::EntryRow;
use crate::time::Timestamp;

/// What is known before anything is written.
#[derive(Debug, Default, Clone)]
pub(super) struct Found {
    pub(super) standings: HashMap<(RoomId, UserId), Standing>,
    pub(super) entries: HashMap<(RoomId, MessageId), EntryRow>,
    /// For each message of the batch whether all its files can be sent.
    pub(super) files_fit: Vec<bool>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// For each message of the batch.
    pub(super) fates: Vec<Fate>,
    /// How many entries each room gets.
    pub(super) added: BTreeMap<RoomId, i64>,
    /// Whose last message is to be remembered, in the order in which others lock the members' rows as well.
    pub(super) paced: BTreeMap<(RoomId, UserId), Timestamp>,
}

impl Plan {
    /// The first message that is to be added with files that are not its own yet.
    pub(super) fn first_with_files(&self, messages: &[&NewMessage], attached: &[bool]) -> Option<usize> {
        let is_it =
            |index: &usize| matches!(self.fates[*index], Fate::Add(_)) && !messages[*index].files.is_empty() && !attached[*index];
        (0..self.fates.len()).find(is_it)
    }
}

/// What becomes of one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The n-th addition to its room, from 1.
    Add(i64),
    /// The same as an earlier one of the batch.
    SameAs(usize),
    /// Not added.
    Settled(Appended),
}

/// Decides on a batch, in its order.
pub(super) fn plan<'a>(batch: impl Iterator<Item = (&'a NewMessage, Judge)>, mut found: Found) -> Plan {
    let mut plan = Plan { fates: Vec::new(), added: BTreeMap::new(), paced: BTreeMap::new() };
    let mut first_of: HashMap<(RoomId, MessageId), (usize, UserId)> = HashMap::new();
    for (index, (message, judge)) in batch.enumerate() {
        let fate = match first_of.get(&(message.room, message.id)) {
            Some((first, sender)) if *sender == message.sender => Fate::SameAs(*first),
            Some(_) => Fate::Settled(Appended::IdTaken),
            None => decide(message, judge, &mut found, index, &mut plan),
        };
        if let Fate::Add(_) = fate {
            first_of.insert((message.room, message.id), (index, message.sender));
        }
        plan.fates.push(fate);
    }
    plan
}

fn decide(message: &NewMessage, judge: Judge, found: &mut Found, index: usize, plan: &mut Plan) -> Fate {
    let Some(standing) = found.standings.get_mut(&(message.room, message.sender)) else {
        return Fate::Settled(Appended::NoSuchRoom);
    };
    if let Some(entry) = found.entries.get(&(message.room, message.id)) {
        let is_same = entry.sender == message.sender && entry.kind.has_body();
        return Fate::Settled(if is_same { Appended::Before(entry.clone()) } else { Appended::IdTaken });
    }
    if let Err(unwelcome) = judge(standing, message.sent_at) {
        return Fate::Settled(Appended::Unwelcome(unwelcome));
    }
    if !found.files_fit[index] {
        return Fate::Settled(Appended::NoSuchFile);
    }
    if standing.slow_mode_s > 0 {
        standing.last_message_at = message.sent_at;
        plan.paced.insert((message.room, message.sender), message.sent_at);
    }
    let count = plan.added.entry(message.room).or_default();
    *count += 1;
    Fate::Add(*count)
}

#[cfg(test)]
mod tests {
    use super::super::Unwelcome;
    use super::*;
    use crate::role::Role;
    use crate::store::messages::EntryKind;
    use crate::store::{FileSet, RoomKind};

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const OTHER: RoomId = RoomId::from_bytes([2; 16]);
    const ANNA: UserId = UserId::from_bytes([3; 16]);
    const BORIS: UserId = UserId::from_bytes([4; 16]);

    fn message(room: RoomId, sender: UserId, id: u8) -> NewMessage {
        let id = MessageId::from_bytes([id; 16]);
        NewMessage {
            room,
            sender,
            id,
            body: vec![id.as_bytes()[0]],
            files: FileSet::default(),
            sent_at: Timestamp::from_millis(5_000),
        }
    }

    fn welcome(standing: &Standing, now: Timestamp) -> Result<(), Unwelcome> {
        let due = standing.last_message_at.as_millis() + standing.slow_mode_s * 1_000;
        if standing.slow_mode_s > 0 && now.as_millis() < due { Err(Unwelcome::TooSoon { retry_after_s: 1 }) } else { Ok(()) }
    }

    fn found(count: usize, slow_mode_s: i64) -> Found {
        let last_message_at = Timestamp::from_millis(0);
        let standing =
            Standing { kind: RoomKind::Room, role: Role::Member, chat_muted: false, locked: false, slow_mode_s, last_message_at };
        let standings = [(ROOM, ANNA), (ROOM, BORIS), (OTHER, ANNA)].into_iter().map(|key| (key, standing)).collect();
        Found { standings, entries: HashMap::new(), files_fit: vec![true; count] }
    }

    fn planned(batch: &[NewMessage], found: Found) -> Plan {
        plan(batch.iter().map(|message| (message, welcome as Judge)), found)
    }

    #[test]
    fn each_room_counts_for_itself_in_the_order_of_the_batch() {
        let batch = [message(ROOM, ANNA, 1), message(OTHER, ANNA, 2), message(ROOM, BORIS, 3)];
        let plan = planned(&batch, found(3, 0));
        assert_eq!(plan.fates, [Fate::Add(1), Fate::Add(1), Fate::Add(2)]);
        assert_eq!(plan.added, BTreeMap::from([(ROOM, 2), (OTHER, 1)]));
    }

    #[test]
    fn what_is_sent_twice_is_added_once_and_a_taken_identifier_is_refused() {
        let mut found = found(5, 0);
        let stored = EntryRow {
            seq: 7,
            id: MessageId::from_bytes([9; 16]),
            kind: EntryKind::Message,
            sender: ANNA,
            sent_at: Timestamp::from_millis(1),
            body: None,
            target: None,
        };
        found.entries.insert((ROOM, stored.id), stored.clone());
        let batch = [
            message(ROOM, ANNA, 1),
            message(ROOM, ANNA, 1),
            message(ROOM, BORIS, 1),
            message(ROOM, ANNA, 9),
            message(ROOM, BORIS, 9),
        ];
        let plan = planned(&batch, found);
        let taken = || Fate::Settled(Appended::IdTaken);
        assert_eq!(plan.fates, [Fate::Add(1), Fate::SameAs(0), taken(), Fate::Settled(Appended::Before(stored)), taken()]);
        assert_eq!(plan.added, BTreeMap::from([(ROOM, 1)]));
    }

    #[test]
    fn who_is_no_member_writes_nowhere() {
        let plan = planned(&[message(OTHER, BORIS, 1)], found(1, 0));
        assert_eq!(plan.fates, [Fate::Settled(Appended::NoSuchRoom)]);
        assert!(plan.added.is_empty());
    }

    #[test]
    fn slow_mode_counts_what_the_same_batch_brought() {
        let plan = planned(&[message(ROOM, ANNA, 1), message(ROOM, ANNA, 2), message(ROOM, BORIS, 3)], found(3, 2));
        let too_soon = Fate::Settled(Appended::Unwelcome(Unwelcome::TooSoon { retry_after_s: 1 }));
        assert_eq!(plan.fates, [Fate::Add(1), too_soon, Fate::Add(2)]);
        assert_eq!(plan.paced.len(), 2);
    }

    #[test]
    fn a_message_whose_files_cannot_be_sent_is_not_added() {
        let mut found = found(1, 0);
        found.files_fit = vec![false];
        assert_eq!(planned(&[message(ROOM, ANNA, 1)], found).fates, [Fate::Settled(Appended::NoSuchFile)]);
    }
}
