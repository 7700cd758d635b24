//! What users are doing, and who is told: pure. A connection watches one conversation at most, the one on its screen, and is told of that
//! one's members only; so what a user costs does not grow with the rooms that they are in. Every user's watched conversations are
//! indexed, so that a change looks at those alone, however many others are watched.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::protocol::Presence;
use crate::id::{RoomId, UserId};

/// What the user of one connection is doing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Activity {
    pub(super) away: bool,
    pub(super) in_call: bool,
}

/// Some connections that are to be told something about a room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) room: RoomId,
    pub(super) to: Vec<u64>,
    pub(super) state: Presence,
}

/// All users that are connected, and all conversations that are watched.
#[derive(Debug, Default)]
pub(super) struct Presences {
    activities: HashMap<UserId, BTreeMap<u64, Activity>>,
    watched: HashMap<RoomId, Watched>,
    /// The watched conversations that a user is a member of: what `watched` says, by user.
    watched_of: HashMap<UserId, HashSet<RoomId>>,
    watching: HashMap<u64, (RoomId, UserId)>,
    /// Rises with every change of a membership: whoever read members from the store before it looks again.
    memberships: u64,
}

#[derive(Debug)]
struct Watched {
    members: HashSet<UserId>,
    by: Vec<u64>,
}

impl Presences {
    /// A connection of a user is there, or does something else now.
    pub(super) fn set(&mut self, user: UserId, connection: u64, activity: Activity) -> Vec<Told> {
        let before = self.of(user);
        self.activities.entry(user).or_default().insert(connection, activity);
        self.changed(user, before)
    }

    /// A connection of a user is gone.
    pub(super) fn remove(&mut self, user: UserId, connection: u64) -> Vec<Told> {
        self.unwatch(connection);
        let before = self.of(user);
        if let Some(activities) = self.activities.get_mut(&user) {
            activities.remove(&connection);
            if activities.is_empty() {
                self.activities.remove(&user);
            }
        }
        self.changed(user, before)
    }

    /// How often memberships changed. To be asked before the members of a conversation are read.
    pub(super) fn memberships(&self) -> u64 {
        self.memberships
    }

    /// A connection watches a conversation of these members from now on, and no other. Returns who of them is there, or nothing when
    /// memberships changed since `as_of`, which is when these were read: they may be out of date, and nobody would put them right.
    pub(super) fn watch(
        &mut self,
        connection: u64,
        user: UserId,
        room: RoomId,
        members: &[UserId],
        as_of: u64,
    ) -> Option<Vec<(UserId, Presence)>> {
        if as_of != self.memberships {
            return None;
        }
        self.unwatch(connection);
        self.watching.insert(connection, (room, user));
        let watched = self.watched.entry(room).or_insert_with(|| Watched { members: HashSet::new(), by: Vec::new() });
        watched.by.push(connection);
        let before = std::mem::replace(&mut watched.members, members.iter().copied().collect());
        for left in before.difference(&watched.members) {
            unlist(&mut self.watched_of, *left, room);
        }
        for member in watched.members.difference(&before) {
            self.watched_of.entry(*member).or_default().insert(room);
        }
        let present = members.iter().map(|member| (*member, self.of(*member)));
        Some(present.filter(|(_, state)| *state != Presence::Offline).collect())
    }

    pub(super) fn unwatch(&mut self, connection: u64) {
        let Some((room, _)) = self.watching.remove(&connection) else { return };
        let Some(watched) = self.watched.get_mut(&room) else { return };
        watched.by.retain(|other| *other != connection);
        if watched.by.is_empty() {
            self.forget_room(room);
        }
    }

    /// There is no such conversation any more.
    pub(super) fn room_gone(&mut self, room: RoomId) {
        self.memberships += 1;
        self.forget_room(room);
    }

    fn forget_room(&mut self, room: RoomId) {
        let Some(Watched { members, by }) = self.watched.remove(&room) else { return };
        for connection in by {
            self.watching.remove(&connection);
        }
        members.into_iter().for_each(|member| unlist(&mut self.watched_of, member, room));
    }

    /// Some changes of memberships were not heard of: nothing is watched any more.
    pub(super) fn forget_watched(&mut self) {
        self.memberships += 1;
        (self.watched, self.watched_of, self.watching) = Default::default();
    }

    /// Somebody is no longer a member of a room: neither watched nor watching.
    pub(super) fn member_gone(&mut self, room: RoomId, user: UserId) {
        self.memberships += 1;
        let Some(watched) = self.watched.get_mut(&room) else { return };
        watched.members.remove(&user);
        unlist(&mut self.watched_of, user, room);
        let theirs: Vec<u64> =
            watched.by.iter().copied().filter(|by| self.watching.get(by).is_some_and(|(_, who)| *who == user)).collect();
        theirs.into_iter().for_each(|connection| self.unwatch(connection));
    }

    /// Somebody is a member of a room now. Returns whom to tell.
    pub(super) fn member_added(&mut self, room: RoomId, user: UserId) -> Vec<Told> {
        self.memberships += 1;
        let state = self.of(user);
        let Some(watched) = self.watched.get_mut(&room) else { return Vec::new() };
        watched.members.insert(user);
        self.watched_of.entry(user).or_default().insert(room);
        vec![Told { room, to: watched.by.clone(), state }]
    }

    /// The conversation that a connection watches, and who else does.
    pub(super) fn others_watching(&self, connection: u64) -> Option<(RoomId, Vec<u64>)> {
        let (room, _) = self.watching.get(&connection)?;
        let others = self.watched.get(room)?.by.iter().copied().filter(|by| *by != connection).collect();
        Some((*room, others))
    }

    fn of(&self, user: UserId) -> Presence {
        let Some(activities) = self.activities.get(&user) else { return Presence::Offline };
        if activities.values().any(|activity| activity.in_call) {
            Presence::InCall
        } else if activities.values().any(|activity| !activity.away) {
            Presence::Online
        } else {
            Presence::Away
        }
    }

    fn changed(&self, user: UserId, before: Presence) -> Vec<Told> {
        let state = self.of(user);
        if state == before {
            return Vec::new();
        }
        let rooms = self.watched_of.get(&user).into_iter().flatten();
        rooms.map(|room| Told { room: *room, to: self.watched[room].by.clone(), state }).collect()
    }
}

fn unlist(watched_of: &mut HashMap<UserId, HashSet<RoomId>>, user: UserId, room: RoomId) {
    if let Some(rooms) = watched_of.get_mut(&user) {
        rooms.remove(&room);
        if rooms.is_empty() {
            watched_of.remove(&user);
        }
    }
}

#[cfg(test)]
mod tests;
