//! What users are doing, and who is told: pure. A connection watches one conversation at most, the one on its screen, and is told of that
//! one's members only; so what a user costs does not grow with the rooms that they are in.

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
    watching: HashMap<u64, (RoomId, UserId)>,
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

    /// A connection watches a conversation of these members from now on, and no other. Returns who of them is there.
    pub(super) fn watch(&mut self, connection: u64, user: UserId, room: RoomId, members: &[UserId]) -> Vec<(UserId, Presence)> {
        self.unwatch(connection);
        self.watching.insert(connection, (room, user));
        let watched = self.watched.entry(room).or_insert_with(|| Watched { members: HashSet::new(), by: Vec::new() });
        watched.by.push(connection);
        watched.members = members.iter().copied().collect();
        let present = members.iter().map(|member| (*member, self.of(*member)));
        present.filter(|(_, state)| *state != Presence::Offline).collect()
    }

    pub(super) fn unwatch(&mut self, connection: u64) {
        let Some((room, _)) = self.watching.remove(&connection) else { return };
        if let Some(watched) = self.watched.get_mut(&room) {
            watched.by.retain(|other| *other != connection);
            if watched.by.is_empty() {
                self.watched.remove(&room);
            }
        }
    }

    /// Somebody is no longer a member of a room: neither watched nor watching.
    pub(super) fn member_gone(&mut self, room: RoomId, user: UserId) {
        let Some(watched) = self.watched.get_mut(&room) else { return };
        watched.members.remove(&user);
        let theirs: Vec<u64> =
            watched.by.iter().copied().filter(|by| self.watching.get(by).is_some_and(|(_, who)| *who == user)).collect();
        theirs.into_iter().for_each(|connection| self.unwatch(connection));
    }

    /// Somebody is a member of a room now. Returns whom to tell.
    pub(super) fn member_added(&mut self, room: RoomId, user: UserId) -> Vec<Told> {
        let state = self.of(user);
        let Some(watched) = self.watched.get_mut(&room) else { return Vec::new() };
        watched.members.insert(user);
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
        let rooms = self.watched.iter().filter(|(_, watched)| watched.members.contains(&user));
        rooms.map(|(room, watched)| Told { room: *room, to: watched.by.clone(), state }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const ANNA: UserId = UserId::from_bytes([2; 16]);
    const BORIS: UserId = UserId::from_bytes([3; 16]);
    const HERE: Activity = Activity { away: false, in_call: false };
    const AWAY: Activity = Activity { away: true, in_call: false };
    const IN_CALL: Activity = Activity { away: true, in_call: true };

    fn told(state: Presence) -> Vec<Told> {
        vec![Told { room: ROOM, to: vec![1], state }]
    }

    #[test]
    fn the_best_of_all_windows_counts_and_only_changes_are_told() {
        let mut presences = Presences::default();
        presences.set(ANNA, 1, HERE);
        assert_eq!(presences.watch(1, ANNA, ROOM, &[ANNA, BORIS]), [(ANNA, Presence::Online)]);
        assert_eq!(presences.set(BORIS, 2, AWAY), told(Presence::Away));
        assert_eq!(presences.set(BORIS, 3, HERE), told(Presence::Online));
        assert_eq!(presences.set(BORIS, 2, HERE), []);
        assert_eq!(presences.set(BORIS, 2, IN_CALL), told(Presence::InCall));
        assert_eq!(presences.remove(BORIS, 3), []);
        assert_eq!(presences.remove(BORIS, 2), told(Presence::Offline));
    }

    #[test]
    fn nobody_is_told_of_who_is_no_member_and_who_left_watches_no_more() {
        let mut presences = Presences::default();
        presences.set(ANNA, 1, HERE);
        presences.watch(1, ANNA, ROOM, &[ANNA]);
        assert_eq!(presences.set(BORIS, 2, HERE), []);
        assert_eq!(presences.member_added(ROOM, BORIS), told(Presence::Online));
        assert_eq!(presences.set(BORIS, 2, AWAY), told(Presence::Away));
        presences.member_gone(ROOM, BORIS);
        assert_eq!(presences.set(BORIS, 2, HERE), []);
        presences.member_gone(ROOM, ANNA);
        assert_eq!(presences.others_watching(1), None);
        assert!(presences.watched.is_empty() && presences.watching.is_empty());
    }

    #[test]
    fn who_types_is_told_to_those_who_watch_the_same() {
        let mut presences = Presences::default();
        presences.watch(1, ANNA, ROOM, &[ANNA, BORIS]);
        presences.watch(2, BORIS, ROOM, &[ANNA, BORIS]);
        assert_eq!(presences.others_watching(1), Some((ROOM, vec![2])));
        presences.watch(2, BORIS, RoomId::from_bytes([9; 16]), &[BORIS]);
        assert_eq!(presences.others_watching(1), Some((ROOM, Vec::new())));
        presences.remove(ANNA, 1);
        presences.remove(BORIS, 2);
        assert!(presences.watched.is_empty() && presences.watching.is_empty());
    }
}
