//! Who is in which room's call on this node. State and decisions are pure ([`call`], [`source`]: no media core, no queue); a
//! thin owner ([`Calls`]) keeps all calls behind one lock, asks the media core and delivers events.
//! A call is on one node, all of it, with its name and its group of keys.
//! The signalling layer calls it; it never sees a message of the protocol or a socket. Nothing here survives a restart: callers
//! join again by themselves.

mod call;
mod emoji;
mod error;
mod event;
mod group;
mod groups;
mod outbox;
mod owner;
mod pace;
mod relaying;
mod source;
mod state;

pub use call::{MAX_PARTICIPANTS, ModeratorAct};
pub use emoji::{Emoji, MAX_EMOJI_BYTES};
pub use error::CallError;
pub use event::{CallEvent, Delivery, LeaveReason, MediaState, ParticipantView, SourceView};
pub use group::{CommitOfCall, GroupNow};
pub use groups::{CallSeen, CommitsOfCall, GroupRefusal};
pub use outbox::{Inbox, Outbox, Taken, outbox};
pub use owner::{Calls, Entered, Entry, Moderated, Running};
pub use relaying::{RENEWAL_INTERVAL, Relaying};
