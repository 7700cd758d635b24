//! The bus: small hints from whoever changed something in the store to whoever shows or enforces it now.
//!
//! A hint holds identifiers only. It may be lost: receivers that learn so ([`Received::Lagged`]) look at the store again, so that a
//! lost hint costs latency and never correctness. Publishing therefore neither waits nor fails. This implementation reaches the
//! node it runs on; one over Redis for several nodes fits behind the same three operations, `publish`, `subscribe` and `next`.
//! Must not carry contents, names, addresses or secrets.

use std::sync::Arc;

use tokio::sync::broadcast;

use webcall_trust::mls::GroupId;

use crate::id::{DeviceId, RoomId, SessionId, UserId};

/// Hints kept for a subscriber that is behind. One that falls further behind gets [`Received::Lagged`] and checks everything, which
/// costs some queries for each call; a larger number only costs memory (40 bytes each, and for a deleted room 16 for each member).
const CAPACITY: usize = 1024;

/// Something changed; the truth is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// A session was ended: by its user, by a password change, or because its refresh token was used twice.
    SessionEnded {
        /// Which.
        session: SessionId,
    },
    /// A room was deleted.
    RoomDeleted {
        /// Which.
        room: RoomId,
        /// Who was in it: the store can no longer say.
        members: Arc<[UserId]>,
    },
    /// Entries were added to the log of a room.
    Logged {
        /// Which room.
        room: RoomId,
        /// The first of them, or one before it that a hint was given about already.
        since: i64,
        /// The last.
        last: i64,
    },
    /// A member's read marker moved.
    Read {
        /// In which room.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// To this entry.
        seq: i64,
    },
    /// A user is a member of a room now.
    MemberAdded {
        /// Of which room.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// The name, the link or another setting of a room changed, or what a member shows to be let into its group.
    RoomChanged {
        /// Which.
        room: RoomId,
    },
    /// A user is no longer a member of a room.
    MemberRemoved {
        /// Of which room.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// A user published something about their keys.
    KeysChanged {
        /// Who.
        user: UserId,
    },
    /// A group was made, or a commit took it to another epoch.
    Committed {
        /// Which group.
        group: GroupId,
        /// Of which room.
        room: RoomId,
        /// The epoch that it is in now.
        epoch: i64,
    },
    /// Something waits for devices.
    InboxFilled {
        /// Whose, and which.
        devices: Arc<[(UserId, DeviceId)]>,
    },
    /// The role of a member changed.
    RoleChanged {
        /// In which room.
        room: RoomId,
        /// Whose.
        user: UserId,
    },
}

/// The bus. Cheap to clone; all clones are one bus.
#[derive(Debug, Clone)]
pub struct Bus {
    sender: broadcast::Sender<Hint>,
}

impl Default for Bus {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(CAPACITY) }
    }
}

impl Bus {
    /// Tells every subscriber. Call it after the commit: a receiver reads the store at once.
    pub fn publish(&self, hint: Hint) {
        // An error says that nobody listens, which is no fault of the publisher.
        let _ = self.sender.send(hint);
    }

    /// Receives every hint published from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription { receiver: self.sender.subscribe() }
    }
}

/// One receiver of hints.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Hint>,
}

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A hint.
    Hint(Hint),
    /// Hints were lost: look at the store for everything that they could have been about.
    Lagged,
    /// The bus is gone: the server stops.
    Closed,
}

impl Subscription {
    /// Waits for the next hint. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Received {
        match self.receiver.recv().await {
            Ok(hint) => Received::Hint(hint),
            Err(broadcast::error::RecvError::Lagged(_)) => Received::Lagged,
            Err(broadcast::error::RecvError::Closed) => Received::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(n: u128) -> Hint {
        Hint::RoomDeleted { room: RoomId::from_bytes(n.to_be_bytes()), members: [].into() }
    }

    #[tokio::test]
    async fn every_subscriber_gets_every_hint_in_order() {
        let bus = Bus::default();
        let (mut first, mut second) = (bus.subscribe(), bus.subscribe());
        bus.publish(deleted(1));
        bus.publish(deleted(2));
        for subscription in [&mut first, &mut second] {
            assert_eq!(subscription.next().await, Received::Hint(deleted(1)));
            assert_eq!(subscription.next().await, Received::Hint(deleted(2)));
        }
    }

    #[tokio::test]
    async fn a_subscriber_that_fell_behind_is_told_so_and_goes_on() {
        let bus = Bus::default();
        let mut slow = bus.subscribe();
        for n in 0..=CAPACITY as u128 {
            bus.publish(deleted(n));
        }
        assert_eq!(slow.next().await, Received::Lagged);
        assert_eq!(slow.next().await, Received::Hint(deleted(1)));
    }

    #[tokio::test]
    async fn publishing_to_nobody_is_no_error_and_the_end_of_the_bus_is_seen() {
        let bus = Bus::default();
        bus.publish(deleted(1));
        let mut subscription = bus.subscribe();
        drop(bus);
        assert_eq!(subscription.next().await, Received::Closed);
    }
}
