//! Rooms, their members, their links and the order in them: the use-cases. Each asks [`policy`] first, writes through the store, and publishes a hint
//! after the commit. HTTP and signalling call it.

mod audit;
mod ban;
mod invitation;
mod member;
pub mod policy;
mod room;
mod settings;
mod text;

pub use crate::role::Role;
pub use crate::store::{Encryption, Protection};
pub(crate) use audit::Doing;
pub use audit::{CallAct, MAX_ACTS_PAGE, acts, record_in_call};
pub use ban::{MAX_BANS, ban, bans, unban};
pub use invitation::{MAX_INVITATION_BYTES, invitations, show_invitation};
pub use member::{
    MAX_MEMBERS, MemberChanges, Membership, change_member, join, leave_or_remove, members, members_of, membership, role_of,
};
pub use room::{DEFAULT_ENCRYPTION, MAX_ROOMS_PER_USER, Room, by_link, create, delete, get, list, new_link_code, row};
pub use settings::{Changes, MAX_RETENTION_DAYS, MAX_SLOW_MODE_S, Retention, SlowMode, update};
pub use text::{MAX_ROOM_NAME_CHARS, MAX_TOPIC_CHARS, RoomName, Topic};
