//! Rooms, their members and their links: the use-cases. Each asks [`policy`] first, writes through the store, and publishes a hint
//! after the commit. HTTP and signalling call it.

mod member;
pub mod policy;
mod room;

pub use crate::role::Role;
pub use member::{MAX_MEMBERS, Membership, change_role, join, leave_or_remove, members, members_of, membership, role_of};
pub use room::{
    Changes, Encryption, MAX_ROOM_NAME_CHARS, MAX_ROOMS_PER_USER, Room, RoomName, by_link, create, delete, get, list,
    new_link_code, row, update,
};
