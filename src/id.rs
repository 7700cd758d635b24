//! Identifiers of the server: UUIDs of version 7 (RFC 9562 §5.7), each kind a type of its own, so that a user is never taken for
//! a room; of rooms that are encrypted, of version 8. They sort by creation time, which keeps the databases' indexes compact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{NoContext, Uuid};

use crate::time::Timestamp;

/// The byte whose upper half is the version.
const VERSION_AT: usize = 6;
/// Of rooms that are encrypted.
const ENCRYPTED_VERSION: u8 = 8;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier, made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_at(now))
            }

            /// The 128 bits.
            pub fn as_u128(self) -> u128 {
                self.0.as_u128()
            }

            /// The 16 bytes, in network order.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The identifier with these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id! {
    /// An account.
    UserId
}
id! {
    /// A signed-in device of a user.
    SessionId
}
id! {
    /// A room. A UUID of version 8 where the room is encrypted, else of version 7; encrypted rooms of early days have version 7, too.
    RoomId
}
id! {
    /// One call of a room: from whoever enters it empty until the last has left.
    CallId
}
id! {
    /// A message, or what else is in a room's log. Those of messages are made by who sends them.
    MessageId
}
id! {
    /// A file.
    FileId
}
id! {
    /// What one object in a bucket holds of a file.
    PieceId
}
id! {
    /// An entry of a room's audit log.
    ActId
}
id! {
    /// A test call of `/diagnostics`.
    TestCallId
}
id! {
    /// What a browser found out on `/diagnostics`.
    ReportId
}
id! {
    /// A device of end-to-end encryption. Chosen at random by the device, and unique among those of its user only.
    DeviceId
}
id! {
    /// The commits of one group, from its making until it is gone or another is in its place.
    HistoryId
}
id! {
    /// What waits for a device.
    InboxId
}
impl RoomId {
    /// That of a room that is encrypted: a UUID of version 8 (RFC 9562 §5.8), otherwise made as one of version 7. A client that sees it needs
    /// nobody's word for how the room is, and no server can say later that it was open (`web/state/encrypted-once.js`).
    pub fn of_encrypted(now: Timestamp) -> Self {
        let mut bytes = uuid_at(now).into_bytes();
        bytes[VERSION_AT] = ENCRYPTED_VERSION << 4 | bytes[VERSION_AT] & 0xf;
        Self::from_bytes(bytes)
    }
}

impl PieceId {
    /// When it was made.
    pub fn made_at(self) -> Timestamp {
        Timestamp::from_millis((self.as_u128() >> 80) as i64)
    }
}

/// A version 7 UUID of this millisecond; the other 74 bits are random.
pub fn uuid_at(now: Timestamp) -> Uuid {
    let (seconds, millis) = (now.as_millis().max(0) / 1_000, now.as_millis().max(0) % 1_000);
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds.unsigned_abs(), millis.unsigned_abs() as u32 * 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_by_the_time_they_were_made() {
        let early = RoomId::new(Timestamp::from_millis(1_700_000_000_000));
        let late = RoomId::new(Timestamp::from_millis(1_700_000_000_001));
        assert!(early < late);
    }

    #[test]
    fn the_id_of_an_encrypted_room_says_so_and_sorts_among_the_others() {
        let [before, at, after] = [0, 1, 2].map(|ms| Timestamp::from_millis(1_700_000_000_000 + ms));
        let (open, encrypted) = (RoomId::new(before), RoomId::of_encrypted(at));
        assert!(open < encrypted && encrypted < RoomId::new(after));
        let version =
            |id: RoomId| (Uuid::from_bytes(*id.as_bytes()).get_version_num(), Uuid::from_bytes(*id.as_bytes()).get_variant());
        assert_eq!([version(open), version(encrypted)], [(7, uuid::Variant::RFC4122), (8, uuid::Variant::RFC4122)]);
        assert_ne!(RoomId::of_encrypted(at), encrypted);
    }

    #[test]
    fn a_piece_knows_when_it_was_made() {
        let now = Timestamp::from_millis(1_700_000_000_001);
        assert_eq!(PieceId::new(now).made_at(), now);
    }

    #[test]
    fn an_identifier_survives_text_and_bytes() {
        let id = UserId::new(Timestamp::from_millis(1_700_000_000_000));
        assert_eq!(id.to_string().parse::<UserId>().unwrap(), id);
        assert_eq!(UserId::from_bytes(*id.as_bytes()), id);
    }
}
